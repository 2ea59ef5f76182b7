#!/usr/bin/env python3
"""NumPy in float64 as scripts of papers train many networks at once (arXiv:2002.04861): arrays [replicas][batch][width].

Variants: `broadcast` with buffers that are reused, as in those scripts, or `einsum`; samples are drawn in every step.
"""

import numpy

from peer import Timed, flat, given, serve, start
from plain import DECAY, DECAY_SQUARE, EPSILON, RATE


def gradient_einsum(state, x):
    w, b, v, c = state
    z = numpy.einsum("rmd,rhd->rmh", x, w) + b[:, None, :]
    active = z > 0
    z *= active
    e = (numpy.einsum("rmh,rh->rm", z, v) + c[:, None] - x[:, :, 0] * (x[:, :, 0] + 2)) * (2 / x.shape[1])
    masked = active * e[:, :, None]
    return [v[:, :, None] * numpy.einsum("rmh,rmd->rhd", masked, x), v * masked.sum(1), numpy.einsum("rmh,rm->rh", z, e), e.sum(1)]


class Broadcast:
    """The same with products of whole arrays, in buffers."""

    def __init__(self):
        self.z = self.product = self.inactive = None

    def __call__(self, state, x):
        w, b, v, c = state
        shape = (x.shape[0], x.shape[1], v.shape[1])
        if self.z is None or self.z.shape != shape:
            self.z, self.product, self.inactive = numpy.empty(shape), numpy.empty(shape), numpy.empty(shape, bool)
        z, product = self.z, self.product
        numpy.multiply(x[:, :, :1], w[:, None, :, 0], out=z)
        for k in range(1, x.shape[2]):
            numpy.multiply(x[:, :, k : k + 1], w[:, None, :, k], out=product)
            z += product
        z += b[:, None, :]
        numpy.less_equal(z, 0, out=self.inactive)
        z[self.inactive] = 0
        numpy.multiply(z, v[:, None, :], out=product)
        e = (product.sum(2) + c[:, None] - x[:, :, 0] * (x[:, :, 0] + 2)) * (2 / x.shape[1])
        numpy.multiply(e[:, :, None], z, out=product)
        of_v = product.sum(1)
        numpy.multiply(e[:, :, None], v[:, None, :], out=z)
        z[self.inactive] = 0
        of_b = z.sum(1)
        of_w = numpy.empty_like(w)
        for k in range(x.shape[2]):
            numpy.multiply(z, x[:, :, k : k + 1], out=product)
            product.sum(1, out=of_w[:, :, k])
        return [of_w, of_b, of_v, e.sum(1)]


class Training:
    def __init__(self, cell, form, state):
        self.optimizer, self.rate, self.state, self.step = cell["optimizer"], RATE[cell["optimizer"]], state, 0
        self.gradient = Broadcast() if form == "broadcast" else gradient_einsum
        self.first, self.second = [numpy.zeros_like(p) for p in state], [numpy.zeros_like(p) for p in state]

    def __call__(self, x):
        self.step += 1
        for p, g, m, q in zip(self.state, self.gradient(self.state, x), self.first, self.second):
            if self.optimizer == "sgd":
                p -= self.rate * g
                continue
            m *= DECAY
            m += (1 - DECAY) * g
            q *= DECAY_SQUARE
            q += (1 - DECAY_SQUARE) * g * g
            p -= self.rate / (1 - DECAY**self.step) * m / (numpy.sqrt(q / (1 - DECAY_SQUARE**self.step)) + EPSILON)


def in_float64(cell):
    return {**cell, "precision": "float64"}


def variants(cell):
    counts = dict.fromkeys(max(1, size // (cell["width"] * cell["batch"])) for size in (2**14, 2**17))
    return [f"{form}, {replicas} replicas" for replicas in counts for form in ("broadcast", "einsum")]


def parts(variant):
    form, replicas = variant.split(", ")
    return form, int(replicas.split()[0])


def timed(cell, variant):
    form, replicas = parts(variant)
    training = Training(cell, form, start(in_float64(cell), replicas, numpy))
    generator = numpy.random.default_rng(1)
    return Timed(lambda: training(generator.random((replicas, cell["batch"], cell["dimension"]))), replicas, replicas)


def train(cell, variant, request):
    form, replicas = parts(variant)
    state, samples = given(in_float64(cell), replicas, request, numpy)
    training = Training(cell, form, state)
    for x in samples:
        training(x)
    return flat(training.state, numpy)


if __name__ == "__main__":
    serve({"numpy": numpy.__version__}, variants, timed, train)
