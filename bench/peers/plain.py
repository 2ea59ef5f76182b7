"""A few steps of one network in float64 with plain loops: what every peer is held against before it is timed.

Parameters are a flat list (w [d][width], b [width], v [width], c), samples one too ([steps][batch][d]). Target x_1^2 + 2 x_1, ReLU with
derivative 0 at 0, SGD at rate 0.01 or Adam at 0.001 (Kingma and Ba 2015, algorithm 1).
"""

import math
import random

RATE = {"sgd": 0.01, "adam": 0.001}
DECAY, DECAY_SQUARE, EPSILON = 0.9, 0.999, 1e-8
STEPS = 3


def problem(cell, seed=3):
    """Parameters to start from and samples for STEPS steps, all of them float32 numbers."""
    width, d = cell["width"], cell["dimension"]
    generator = random.Random(seed)
    parameters = [generator.randint(-(2**20), 2**20) / 2**20 for _ in range((d + 2) * width + 1)]
    scale = 2.0 ** round(math.log2(width) / 2)  # about sqrt(width)
    samples = [generator.randrange(2**20) / 2**20 for _ in range(STEPS * cell["batch"] * d)]
    return [value / scale for value in parameters], samples


def risk_and_gradient(cell, parameters, batch):
    """Mean squared error on the batch [samples][d], and its generalized gradient."""
    h, d = cell["width"], cell["dimension"]
    w, b, v, c = parameters[: d * h], parameters[d * h : (d + 1) * h], parameters[(d + 1) * h : -1], parameters[-1]
    gradient = [0.0] * len(parameters)
    risk = 0.0
    for x in batch:
        z = [b[i] + sum(w[k * h + i] * x[k] for k in range(d)) for i in range(h)]
        residual = c + sum(v[i] * max(z[i], 0.0) for i in range(h)) - x[0] * (x[0] + 2)
        risk += residual * residual / len(batch)
        e = 2 * residual / len(batch)
        gradient[-1] += e
        for i in range(h):
            if z[i] > 0:
                gradient[(d + 1) * h + i] += e * z[i]
                gradient[d * h + i] += e * v[i]
                for k in range(d):
                    gradient[k * h + i] += e * v[i] * x[k]
    return risk, gradient


def trained(cell, parameters, samples):
    """Parameters after a step on each batch of the samples."""
    parameters = list(parameters)
    rate = RATE[cell["optimizer"]]
    d, batch = cell["dimension"], cell["batch"]
    first, second = [0.0] * len(parameters), [0.0] * len(parameters)
    rows = [samples[at : at + d] for at in range(0, len(samples), d)]
    for step in range(len(rows) // batch):
        _, gradient = risk_and_gradient(cell, parameters, rows[step * batch : (step + 1) * batch])
        for i, g in enumerate(gradient):
            if cell["optimizer"] == "sgd":
                parameters[i] -= rate * g
            else:
                first[i] = DECAY * first[i] + (1 - DECAY) * g
                second[i] = DECAY_SQUARE * second[i] + (1 - DECAY_SQUARE) * g * g
                corrected = second[i] / (1 - DECAY_SQUARE ** (step + 1))
                parameters[i] -= rate * first[i] / (1 - DECAY ** (step + 1)) / (math.sqrt(corrected) + EPSILON)
    return parameters


def tolerance(cell):
    """Rounding of STEPS steps, each with sums of at most 512 terms, is below 1e-4 in float32; a wrong gradient differs by more than 1e-3."""
    return 1e-4 if cell["precision"] == "float32" else 1e-11


def difference(found, truth):
    """Largest difference, relative to the largest parameter; NaN if a number is not finite, infinite if there are not as many."""
    if len(found) != len(truth):
        return math.inf
    if not all(map(math.isfinite, found)):
        return math.nan
    return max(abs(a - b) for a, b in zip(found, truth)) / max(map(abs, truth))
