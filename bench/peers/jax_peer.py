#!/usr/bin/env python3
"""JAX: jit(scan) over steps of many replicas at once, one thread.

Variants: the step is vmap(grad) of a risk with `dot_general` (grad dot) or with broadcast products (grad broadcast), or the gradient written
out with batched einsum (written einsum) or with broadcast products (written broadcast); the samples are drawn beforehand, outside of
what is timed (given), or by threefry inside the scan (threefry); and the number of replicas.
"""

import os

os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import jax  # noqa: E402  (the flags above must be set first)
import jax.numpy as jnp  # noqa: E402
import jaxlib  # noqa: E402
import numpy  # noqa: E402

from peer import Timed, flat, given, serve, start  # noqa: E402
from plain import DECAY, DECAY_SQUARE, EPSILON, RATE  # noqa: E402

jax.config.update("jax_enable_x64", True)  # for the cells in float64; every array states its type


def target(x):
    return x * (x + 2)


def risk_dot(state, x):
    w, b, v, c = state
    return jnp.mean((jax.nn.relu(x @ w.T + b) @ v + c - target(x[:, 0])) ** 2)


def risk_broadcast(state, x):
    w, b, v, c = state
    z = jax.nn.relu(sum(x[:, k : k + 1] * w[:, k] for k in range(x.shape[1])) + b)
    return jnp.mean((jnp.sum(z * v, axis=1) + c - target(x[:, 0])) ** 2)


def written_einsum(state, x):
    w, b, v, c = state
    z = jnp.einsum("rmd,rhd->rmh", x, w) + b[:, None, :]
    active = jax.nn.relu(z)
    e = (jnp.einsum("rmh,rh->rm", active, v) + c[:, None] - target(x[:, :, 0])) * (2 / x.shape[1])
    inner = jnp.where(z > 0, e[:, :, None] * v[:, None, :], 0)
    return jnp.einsum("rmh,rmd->rhd", inner, x), inner.sum(1), jnp.einsum("rmh,rm->rh", active, e), e.sum(1)


def written_broadcast(state, x):
    w, b, v, c = state
    d = x.shape[2]
    z = jax.nn.relu(sum(x[:, :, k : k + 1] * w[:, None, :, k] for k in range(d)) + b[:, None, :])
    e = (jnp.sum(z * v[:, None, :], axis=2) + c[:, None] - target(x[:, :, 0])) * (2 / x.shape[1])
    masked = jnp.where(z > 0, e[:, :, None], 0)
    t0, t = masked.sum(1), jnp.stack([(masked * x[:, :, k : k + 1]).sum(1) for k in range(d)], axis=2)
    return v[:, :, None] * t, v * t0, b * t0 + (w * t).sum(2), e.sum(1)


GRADIENTS = {
    "grad dot": jax.vmap(jax.grad(risk_dot)),
    "written einsum": written_einsum,
    "written broadcast": written_broadcast,
    "grad broadcast": jax.vmap(jax.grad(risk_broadcast)),
}


def variants(cell):
    size = cell["width"] * cell["batch"]
    first = max(4, min(128, 2**16 // size))  # what a step writes stays in the cache
    second = first // 4
    given = [("grad dot", first), ("written einsum", first), ("grad dot", second), ("written broadcast", first), ("grad broadcast", first)]
    names = [f"{form}, given, {replicas} replicas" for form, replicas in given]
    return [*names[:3], f"grad dot, threefry, {first} replicas", *names[3:], f"written einsum, threefry, {first} replicas"]


def parts(variant):
    form, rng, replicas = variant.split(", ")
    return GRADIENTS[form], rng, int(replicas.split()[0])


def program(cell, gradient, draw):
    """jit of (carry, xs) -> carry: a step for each element of xs, whose samples are draw(element)."""
    rate = RATE[cell["optimizer"]]

    def step(carry, element):
        state, moments, n = carry
        g = gradient(state, draw(element))
        if cell["optimizer"] == "sgd":
            return (tuple(p - rate * slope for p, slope in zip(state, g)), moments, n), None
        n = n + 1
        first = tuple(DECAY * m + (1 - DECAY) * slope for m, slope in zip(moments[0], g))
        second = tuple(DECAY_SQUARE * q + (1 - DECAY_SQUARE) * slope * slope for q, slope in zip(moments[1], g))
        scale, correction = rate / (1 - DECAY**n), 1 / (1 - DECAY_SQUARE**n)
        state = tuple(p - scale * m / (jnp.sqrt(q * correction) + EPSILON) for p, m, q in zip(state, first, second))
        return (state, (first, second), n), None

    return jax.jit(lambda carry, xs: jax.lax.scan(step, carry, xs)[0], donate_argnums=0)


def carry_of(cell, parameters):
    state = tuple(jnp.asarray(p) for p in parameters)
    moments = tuple(tuple(jnp.zeros_like(p) for p in state) for _ in range(2)) if cell["optimizer"] == "adam" else ()
    return state, moments, jnp.zeros((), cell["precision"])


def timed(cell, variant):
    gradient, rng, replicas = parts(variant)
    shape = (replicas, cell["batch"], cell["dimension"])
    steps = max(4, min(400, 5 * 10**7 // (replicas * cell["width"] * cell["batch"])))
    if rng == "given":
        steps = max(4, min(steps, 10**7 // (shape[0] * shape[1] * shape[2])))
        xs = jnp.asarray(numpy.random.default_rng(1).random((steps, *shape)).astype(cell["precision"]))
        run = program(cell, gradient, lambda x: x)
    else:
        xs = jax.random.key(1, impl="threefry2x32")
        run = program(cell, gradient, lambda key: jax.random.uniform(key, shape, cell["precision"]))
    carry = carry_of(cell, start(cell, replicas, numpy))

    def advance():
        nonlocal carry, xs
        elements = xs
        if rng != "given":
            xs, elements = (keys := jax.random.split(xs, steps + 1))[0], keys[1:]
        carry = jax.block_until_ready(run(carry, elements))

    return Timed(advance, replicas, steps * replicas)


def train(cell, variant, request):
    gradient, _, replicas = parts(variant)
    parameters, samples = given(cell, replicas, request, numpy)
    return flat(program(cell, gradient, lambda x: x)(carry_of(cell, parameters), jnp.asarray(samples))[0], numpy)


if __name__ == "__main__":
    serve({"jax": jax.__version__, "jaxlib": jaxlib.__version__}, variants, timed, train)
