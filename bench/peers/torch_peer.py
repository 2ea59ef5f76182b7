#!/usr/bin/env python3
"""PyTorch: steps of many replicas at once, fused by torch.compile, one thread.

Variants: the gradient written out for arrays [replicas][batch][width] (written), or vmap(grad) of the risk of one network (vmap grad); the
samples are drawn beforehand, outside of what is timed (given), or by uniform_ in every step (drawn); and the number of replicas, for any of
which one compiled program serves. (With the replicas as the last axis the same was half as fast.)
"""

import numpy
import torch

from peer import Timed, flat, given, serve, start
from plain import DECAY, DECAY_SQUARE, EPSILON, RATE

torch.set_num_threads(1)
torch.set_grad_enabled(False)
STEPS = 8  # a call of `advance`


def target(x):
    return x * (x + 2)


def written(state, x):
    w, b, v, c = state
    d = x.shape[2]
    z = torch.relu(sum(x[:, :, k : k + 1] * w[:, None, :, k] for k in range(d)) + b[:, None, :])
    e = ((z * v[:, None, :]).sum(2) + c[:, None] - target(x[:, :, 0])) * (2 / x.shape[1])
    masked = torch.where(z > 0, e[:, :, None], 0.0)
    t0, t = masked.sum(1), torch.stack([(masked * x[:, :, k : k + 1]).sum(1) for k in range(d)], 2)
    return v[:, :, None] * t, v * t0, b * t0 + (w * t).sum(2), e.sum(1)


def risk(state, x):
    w, b, v, c = state
    residual = torch.relu(x @ w.T + b) @ v + c - target(x[:, 0])
    return (residual * residual).mean()


GRADIENTS = {"written": written, "vmap grad": torch.func.vmap(torch.func.grad(risk))}


def variants(cell):
    size = cell["width"] * cell["batch"]
    best = max(16, min(1024, 2**20 // size))
    return [f"{form}, {rng}, {count} replicas" for form in GRADIENTS for count in (best, best // 4) for rng in ("given", "drawn")]


def parts(variant):
    form, rng, replicas = variant.split(", ")
    return form, rng, int(replicas.split()[0])


programs = {}


def program(cell, form):
    """(state, first, second, scale, correction, x) -> state, first, second; compiled once for a (cell, form)."""
    key = (*cell.values(), form)
    if key not in programs:
        torch._dynamo.reset()  # or its limit of programs made of one function is reached
        gradient, rate = GRADIENTS[form], RATE[cell["optimizer"]]

        def step(state, first, second, scale, correction, x):
            g = gradient(tuple(state), x)
            if cell["optimizer"] == "sgd":
                return [p - rate * slope for p, slope in zip(state, g)], first, second
            first = [DECAY * m + (1 - DECAY) * slope for m, slope in zip(first, g)]
            second = [DECAY_SQUARE * q + (1 - DECAY_SQUARE) * slope * slope for q, slope in zip(second, g)]
            return [p - scale * m / (torch.sqrt(q * correction) + EPSILON) for p, m, q in zip(state, first, second)], first, second

        programs[key] = torch.compile(step)
    return programs[key]


def replicas_vary(tensor):
    torch._dynamo.mark_dynamic(tensor, 0)
    return tensor


class Training:
    def __init__(self, cell, form, parameters):
        self.step, self.steps = program(cell, form), 0
        self.state = [replicas_vary(torch.tensor(p)) for p in parameters]
        moments = self.state if cell["optimizer"] == "adam" else []
        self.first, self.second = ([replicas_vary(torch.zeros_like(p)) for p in moments] for _ in range(2))

    def __call__(self, x):
        self.steps += 1
        scale, correction = RATE["adam"] / (1 - DECAY**self.steps), 1 / (1 - DECAY_SQUARE**self.steps)
        numbers = (torch.tensor(number, dtype=x.dtype) for number in (scale, correction))
        self.state, self.first, self.second = self.step(self.state, self.first, self.second, *numbers, x)


def timed(cell, variant):
    form, rng, replicas = parts(variant)
    training = Training(cell, form, start(cell, replicas, numpy))
    shape = (replicas, cell["batch"], cell["dimension"])
    batches = [replicas_vary(torch.rand(shape, dtype=getattr(torch, cell["precision"]))) for _ in range(STEPS)]

    def advance():
        for x in batches:
            training(x if rng == "given" else x.uniform_())

    return Timed(advance, replicas, STEPS * replicas)


def train(cell, variant, request):
    form, _, replicas = parts(variant)
    parameters, samples = given(cell, replicas, request, numpy)
    training = Training(cell, form, parameters)
    for x in samples:
        training(replicas_vary(torch.tensor(x)))
    return flat(training.state, numpy)


if __name__ == "__main__":
    torch.compile(lambda x: x + 1)(torch.zeros(2))  # the compiler's own preparations, a minute the first time, belong to no cell
    serve({"torch": torch.__version__}, variants, timed, train)
