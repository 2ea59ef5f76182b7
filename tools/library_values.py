#!/usr/bin/env python3
"""Values of optimizers, schedules and activations of other libraries, for tests/unit/library_values_test.cpp.

Needs torch (2.15 made the stored file), works in float64. Rows from PyTorch come from torch.optim, torch.optim.lr_scheduler and
torch.nn.functional themselves; rows marked `formula` from the recursions as Optax, Keras and the papers publish them, written here,
with torch's gradients.

    tools/library_values.py > tests/unit/library_values.txt
"""
import math

import torch

torch.set_default_dtype(torch.float64)
STEPS = 50


def philox(counter, key):
    """Philox4x32-10, Salmon et al. 2011."""
    c, k = list(counter), list(key)
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(b >> 32) ^ c[1] ^ k[0], b & 0xFFFFFFFF, (a >> 32) ^ c[3] ^ k[1], a & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def word(purpose, position, number, seed=1, trial=0):
    return philox([position, (purpose << 28) + number // 4, trial, 0], [seed, 0])[number % 4]


class Problem:
    """A network of tanh or relu on midpoint nodes, with limrisk's initialization `pytorch`, seed 1, trial 0."""

    def __init__(self, name, h, d, nodes, low, high, target, activation):
        self.name, self.h, self.d, self.activation = name, h, d, activation
        axis = torch.tensor([(i + 0.5) / nodes * (high - low) + low for i in range(nodes)])
        self.x = torch.cartesian_prod(*[axis] * d).reshape(-1, d)
        self.y = target(self.x)
        draw = lambda purpose, i, k, s: (word(purpose, i, k) * 2.0**-32 + 2.0**-33) * 2 * s - s
        inner, outer = 1 / math.sqrt(d), 1 / math.sqrt(h) if h else 0
        w = [draw(1, i, k, inner) for i in range(h) for k in range(d)]
        b = [draw(1, i, d, inner) for i in range(h)]
        v = [draw(1, i, d + 1, outer) for i in range(h)]
        self.start = w + b + v + [draw(2, 0, 0, outer) if h else 0.0]

    def risk(self, theta):
        h, d = self.h, self.d
        z = self.x @ theta[: h * d].reshape(h, d).T + theta[h * d : h * d + h]
        output = theta[-1] + self.activation(z) @ theta[h * d + h : h * d + 2 * h]
        return ((output - self.y) ** 2).mean()


PROBLEMS = [
    Problem("constant", 0, 1, 4, 0.0, 1.0, lambda x: torch.ones(len(x)), torch.relu),
    Problem("line", 3, 1, 16, -1.0, 1.0, lambda x: torch.sin(3 * x[:, 0]), torch.tanh),
    Problem("plane", 4, 2, 5, 0.0, 1.0, lambda x: x[:, 0] * x[:, 1], torch.relu),
]


def train(problem, make, schedule=None):
    theta = torch.tensor(problem.start, requires_grad=True)
    optimizer = make([theta])
    scheduler = schedule(optimizer) if schedule else None
    for _ in range(STEPS):
        optimizer.zero_grad()
        problem.risk(theta).backward()
        optimizer.step()
        if scheduler:
            scheduler.step()
    return theta.detach().tolist()


def recursion(problem, update):
    """update(n, g, theta, memory) -> theta."""
    theta, memory = torch.tensor(problem.start), {}
    for n in range(1, STEPS + 1):
        at = theta.clone().requires_grad_(True)
        problem.risk(at).backward()
        theta = update(n, at.grad, theta, memory)
    return theta.tolist()


def decayed(memory, name, decay, value):
    memory[name] = decay * memory.get(name, 0) + (1 - decay) * value
    return memory[name]


def optax_amsgrad(n, g, theta, memory):
    m, v = decayed(memory, "m", 0.9, g) / (1 - 0.9**n), decayed(memory, "v", 0.999, g * g) / (1 - 0.999**n)
    memory["max"] = torch.maximum(memory.get("max", torch.zeros_like(v)), v)
    return theta - 0.01 * m / (memory["max"].sqrt() + 1e-8)


def paper_amsgrad(n, g, theta, memory):
    m, v = decayed(memory, "m", 0.9, g), decayed(memory, "v", 0.999, g * g)
    memory["max"] = torch.maximum(memory.get("max", torch.zeros_like(v)), v)
    return theta - 0.01 * m / (memory["max"].sqrt() + 1e-4)


def keras_nadam(n, g, theta, memory):
    u = lambda t: 0.9 * (1 - 0.5 * 0.96**t)
    memory["product"] = memory.get("product", 1.0) * u(n)
    m, v = decayed(memory, "m", 0.9, g), decayed(memory, "v", 0.999, g * g)
    ahead = u(n + 1) * m / (1 - memory["product"] * u(n + 1)) + (1 - u(n)) * g / (1 - memory["product"])
    return theta - 0.01 * ahead / ((v / (1 - 0.999**n)).sqrt() + 1e-7)


def optax_nadam(n, g, theta, memory):
    m, v = decayed(memory, "m", 0.9, g), decayed(memory, "v", 0.999, g * g)
    ahead = 0.9 * m / (1 - 0.9 ** (n + 1)) + 0.1 * g / (1 - 0.9**n)
    return theta - 0.01 * ahead / ((v / (1 - 0.999**n)).sqrt() + 1e-8)


def keras_rmsprop(n, g, theta, memory):
    v = decayed(memory, "v", 0.9, g * g)
    a = decayed(memory, "a", 0.9, g)
    memory["b"] = 0.5 * memory.get("b", 0) + 0.01 * g / (v - a * a + 1e-3).sqrt()
    return theta - memory["b"]


def keras_adagrad(n, g, theta, memory):
    memory["v"] = memory.get("v", 0.1) + g * g
    return theta - 0.05 * g / (memory["v"] + 1e-7).sqrt()


def averaged_nesterov_of_papers(n, g, theta, memory):
    """limrisk's default form, shown at the shifted point: g is taken there already, so theta is Theta - gamma alpha m."""
    m = memory.get("m", 0)
    unshifted = theta + 0.2 * 0.9 * m
    memory["m"] = 0.9 * m + 0.1 * g
    return unshifted - 0.2 * memory["m"] - 0.2 * 0.9 * memory["m"]


# Rates at which no gradient passes near 0 within the steps: there a step of these optimizers depends on the rounding of the gradient.
O = torch.optim
S = torch.optim.lr_scheduler
sgd = lambda p: O.SGD(p, lr=0.05)
rate = lambda text: '{ name = "sgd", learning_rate = { schedule = ' + text + " } }"
ROWS = [
    ("sgd(0.05)", sgd, None),
    ('{ name = "momentum", learning_rate = 0.02, form = "sum" }', lambda p: O.SGD(p, lr=0.02, momentum=0.9), None),
    ('{ name = "nesterov", learning_rate = 0.02, form = "sum" }', lambda p: O.SGD(p, lr=0.02, momentum=0.9, nesterov=True), None),
    ('{ name = "sgd", learning_rate = 0.05, weight_decay = 0.01 }', lambda p: O.SGD(p, lr=0.05, weight_decay=0.01), None),
    ('{ name = "nesterov", learning_rate = 0.02, form = "sum", weight_decay = 0.01 }',
     lambda p: O.SGD(p, lr=0.02, momentum=0.9, nesterov=True, weight_decay=0.01), None),
    ("adagrad(0.05)", lambda p: O.Adagrad(p, lr=0.05), None),
    ('{ name = "adagrad", learning_rate = 0.05, initial_accumulator = 0.1 }',
     lambda p: O.Adagrad(p, lr=0.05, initial_accumulator_value=0.1), None),
    ('{ name = "rmsprop", learning_rate = 0.002, bias_correction = false }', lambda p: O.RMSprop(p, lr=0.002), None),
    ('{ name = "rmsprop_momentum", learning_rate = 0.001, momentum = 0, centered = true, bias_correction = false }',
     lambda p: O.RMSprop(p, lr=0.001, centered=True), None),
    ('{ name = "rmsprop_momentum", learning_rate = 0.002, bias_correction = false }', lambda p: O.RMSprop(p, lr=0.002, momentum=0.9), None),
    ('{ name = "rmsprop_momentum", learning_rate = 0.002, centered = true, bias_correction = false, weight_decay = 0.01 }',
     lambda p: O.RMSprop(p, lr=0.002, momentum=0.9, centered=True, weight_decay=0.01), None),
    ("adadelta(1)", lambda p: O.Adadelta(p, lr=1), None),
    ("adam(0.01)", lambda p: O.Adam(p, lr=0.01), None),
    ('{ name = "adam", learning_rate = 0.01, weight_decay = 0.01 }', lambda p: O.Adam(p, lr=0.01, weight_decay=0.01), None),
    ('{ name = "adamw", learning_rate = 0.01, weight_decay = 0.1 }', lambda p: O.AdamW(p, lr=0.01, weight_decay=0.1), None),
    ("adamw(0.01)", lambda p: O.AdamW(p, lr=0.01), None),
    ('{ name = "amsgrad", learning_rate = 0.01, beta = 0.8 }', lambda p: O.Adam(p, lr=0.01, betas=(0.9, 0.8), amsgrad=True), None),
    ('{ name = "amsgrad", learning_rate = 0.01, beta = 0.8, weight_decay = 0.1, decoupled = true }',
     lambda p: O.AdamW(p, lr=0.01, betas=(0.9, 0.8), weight_decay=0.1, amsgrad=True), None),
    ('{ name = "adamax", learning_rate = 0.01, epsilon = 1e-4, epsilon_inside = true }', lambda p: O.Adamax(p, lr=0.01, eps=1e-4), None),
    ("nadam(0.01)", lambda p: O.NAdam(p, lr=0.01), None),
    ('{ name = "nadam", learning_rate = 0.01, weight_decay = 0.1, decoupled = true }',
     lambda p: O.NAdam(p, lr=0.01, weight_decay=0.1, decoupled_weight_decay=True), None),
    (rate('"step", initial = 0.05, factor = 0.5, every = 15'), sgd, lambda o: S.StepLR(o, 15, 0.5)),
    (rate('"exponential", initial = 0.05, factor = 0.95'), sgd, lambda o: S.ExponentialLR(o, 0.95)),
    (rate('"cosine", initial = 0.05, period = 50, last = 0.001'), sgd, lambda o: S.CosineAnnealingLR(o, 50, eta_min=0.001)),
    (rate('"piecewise", initial = 0.05, from_1 = 10, rate_1 = 0.025, from_2 = 30, rate_2 = 0.0125'), sgd,
     lambda o: S.MultiStepLR(o, [10, 30], 0.5)),
    (rate('"inverse_time", initial = 0.05, factor = 0.5, every = 7'), sgd, lambda o: S.LambdaLR(o, lambda t: 1 / (1 + 0.5 * t / 7))),
    (rate('"step", initial = 0.05, factor = 0.5, every = 15, warmup = 5, warmup_start = 0.25'), sgd,
     lambda o: S.SequentialLR(o, [S.LinearLR(o, 0.25, total_iters=5), S.StepLR(o, 15, 0.5)], [5])),
]
FORMULAS = [
    ('{ name = "amsgrad", learning_rate = 0.01, maximum = "corrected" }', optax_amsgrad),
    ('{ name = "amsgrad", learning_rate = 0.01, epsilon = 1e-4, bias_correction = false }', paper_amsgrad),
    ('{ name = "nadam", learning_rate = 0.01, epsilon = 1e-7, momentum_decay = 1 }', keras_nadam),
    ('{ name = "nadam", learning_rate = 0.01, momentum_decay = 1e6 }', optax_nadam),
    ('{ name = "rmsprop_momentum", learning_rate = 0.01, beta = 0.9, momentum = 0.5, centered = true, epsilon = 1e-3, '
     "epsilon_inside = true, bias_correction = false }", keras_rmsprop),
    ('{ name = "adagrad", learning_rate = 0.05, epsilon = 1e-7, epsilon_inside = true, initial_accumulator = 0.1 }', keras_adagrad),
    ('{ name = "nesterov", learning_rate = 0.02, form = "sum" }', averaged_nesterov_of_papers),
]

F = torch.nn.functional
ACTIVATIONS = [
    ("relu", torch.relu), ("leaky_relu(0.1)", lambda z: F.leaky_relu(z, 0.1)), ("softplus", F.softplus), ("logistic", torch.sigmoid),
    ("tanh", torch.tanh), ("swish", F.silu), ("silu", F.silu), ("elu", F.elu), ("elu(0.5)", lambda z: F.elu(z, 0.5)), ("gelu", F.gelu),
    ("gelu_tanh", lambda z: F.gelu(z, approximate="tanh")), ("mish", F.mish), ("softsign", F.softsign), ("relu6", F.relu6),
    ("hard_tanh", F.hardtanh), ("hard_sigmoid", F.hardsigmoid), ("hard_swish", F.hardswish), ("sine", torch.sin), ("identity", lambda z: z * 1),
]


def numbers(values):
    return " ".join(repr(float(v)) for v in values)


def main():
    print(f"# Made by tools/library_values.py with torch {torch.__version__}; read by tests/unit/library_values_test.cpp.")
    print("# parameters after 50 steps: source | problem | optimizer | w, b, v, c")
    for problem in PROBLEMS:
        print(f"start | {problem.name} | | {numbers(problem.start)}")
        for text, make, schedule in ROWS:
            print(f"torch | {problem.name} | {text} | {numbers(train(problem, make, schedule))}")
        for text, update in FORMULAS:
            print(f"formula | {problem.name} | {text} | {numbers(recursion(problem, update))}")
    print("# activations: activation | name | | z, A(z), A'(z), repeated")
    for name, function in ACTIVATIONS:
        row = []
        for k in range(-24, 25):
            z = torch.tensor(k * 0.37 + 0.01, requires_grad=True)
            value = function(z)
            value.backward()
            row += [z.item(), value.item(), z.grad.item()]
        print(f"activation | {name} | | {numbers(row)}")


main()
