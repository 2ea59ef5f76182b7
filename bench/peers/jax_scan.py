#!/usr/bin/env python3
"""JAX's jit(vmap(scan)) of the standard cell, one thread: width 32, d = 1, batch 32, float32, SGD, fresh uniform samples.

One replica's trajectory is a scan over steps, vmapped over replicas, compiled as one program. Formulations: the gradient by
jax.grad or written out; the samples from JAX's default generator (threefry) or from its cheaper one (unsafe_rbg).
Usage: jax_scan.py [REPLICAS]...
"""

import os
import sys

os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import jax  # noqa: E402  (the flags above must be set first)
import jax.numpy as jnp  # noqa: E402

from timing import BATCH, LEARNING_RATE, WIDTH, rate, report  # noqa: E402

STEPS = 200


def target(x):
    return x * (x + 2)


def risk(state, x):
    w, b, v, c = state
    z = jax.nn.relu(x[:, None] * w + b)
    return jnp.mean((z @ v + c - target(x)) ** 2)


def by_grad(state, x):
    gradient = jax.grad(risk)(state, x)
    return tuple(value - LEARNING_RATE * slope for value, slope in zip(state, gradient))


def written_out(state, x):
    w, b, v, c = state
    z = jax.nn.relu(x[:, None] * w + b)
    e = (jnp.sum(z * v, axis=1) + c - target(x)) * (2 / BATCH)
    masked = jnp.where(z > 0, e[:, None], 0.0)
    t0, t1 = jnp.sum(masked, axis=0), jnp.sum(masked * x[:, None], axis=0)
    return (
        w - LEARNING_RATE * v * t1,
        b - LEARNING_RATE * v * t0,
        v - LEARNING_RATE * (b * t0 + w * t1),
        c - LEARNING_RATE * jnp.sum(e),
    )


def trajectories(step, generator, replicas):
    """A function that advances all replicas by STEPS steps and returns when they are done."""

    def one(state, key):
        def body(carried, step_key):
            return step(carried, jax.random.uniform(step_key, (BATCH,))), None

        keys = jax.random.split(key, STEPS + 1)
        return jax.lax.scan(body, state, keys[1:])[0], keys[0]

    program = jax.jit(jax.vmap(one))
    root = jax.random.key(1, impl=generator)
    bounds = (1.0, 1.0, WIDTH**-0.5, WIDTH**-0.5)
    shapes = ((replicas, WIDTH), (replicas, WIDTH), (replicas, WIDTH), (replicas,))
    state = tuple(
        jax.random.uniform(key, shape, minval=-bound, maxval=bound) for key, shape, bound in zip(jax.random.split(root, 4), shapes, bounds)
    )
    keys = jax.random.split(root, replicas)

    def advance():
        nonlocal state, keys
        state, keys = jax.block_until_ready(program(state, keys))

    return advance


def main():
    counts = [int(text) for text in sys.argv[1:]] or [1, 16, 64, 256, 1024]
    results = []
    for step in (by_grad, written_out):
        for generator in ("threefry2x32", "unsafe_rbg"):
            for replicas in counts:
                speed = rate(trajectories(step, generator, replicas), replicas, STEPS)
                name = f"{step.__name__}, {generator}"
                results.append({"formulation": name, "replicas": replicas, "replica_steps_per_second": speed})
    report("JAX", jax.__version__, results)


if __name__ == "__main__":
    main()
