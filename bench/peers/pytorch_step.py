#!/usr/bin/env python3
"""PyTorch's batched step of the standard cell, one thread: width 32, d = 1, batch 32, float32, SGD, fresh uniform samples.

All replicas are trained at once, in tensors whose first axis is the replica. Formulations:
  autograd     forward by bmm, backward by autograd, update in place: what one would write first
  manual_bmm   the gradient written out (ReLU is positively homogeneous, so two sums suffice), as two bmm, buffers reused
  elementwise  the same with broadcast products and sums, buffers reused: no bmm of tiny matrices
  compiled     the gradient written out and fused by torch.compile (where this torch has it)
Usage: pytorch_step.py [REPLICAS]...
"""

import sys

import torch

from timing import BATCH, LEARNING_RATE, WIDTH, rate, report

STEPS = 20


def parameters(replicas):
    bound = WIDTH**-0.5
    w, b = (torch.rand(replicas, WIDTH) * 2 - 1 for _ in range(2))
    v = (torch.rand(replicas, WIDTH) * 2 - 1) * bound
    c = (torch.rand(replicas, 1) * 2 - 1) * bound
    return w, b, v, c


def target(x):
    return x * (x + 2)


def autograd(replicas):
    state = [tensor.requires_grad_() for tensor in parameters(replicas)]
    w, b, v, c = state

    def advance():
        for _ in range(STEPS):
            x = torch.rand(replicas, BATCH)
            hidden = torch.relu(torch.baddbmm(b[:, None, :], x[:, :, None], w[:, None, :]))
            residual = torch.bmm(hidden, v[:, :, None])[:, :, 0] + c - target(x)
            loss = (residual * residual).sum() / BATCH
            gradients = torch.autograd.grad(loss, state)
            with torch.no_grad():
                for tensor, gradient in zip(state, gradients):
                    tensor.sub_(gradient, alpha=LEARNING_RATE)

    return advance


def manual_bmm(replicas):
    w, b, v, c = parameters(replicas)
    inner = torch.stack([w, b], dim=1)  # [replicas][2][width], rows w and b
    inputs = torch.ones(replicas, BATCH, 2)  # (x, 1)
    z = torch.empty(replicas, BATCH, WIDTH)
    output = torch.empty(replicas, BATCH, 1)
    sums = torch.empty(replicas, 2, WIDTH)

    def advance():
        for _ in range(STEPS):
            x = inputs[:, :, 0].uniform_()
            torch.bmm(inputs, inner, out=z)
            z.relu_()
            torch.bmm(z, v[:, :, None], out=output)
            e = (output[:, :, 0] + c - target(x)) * (2 / BATCH)
            z.sign_()  # the mask of the active neurons
            torch.bmm((inputs * e[:, :, None]).transpose(1, 2), z, out=sums)
            step = (inner * sums).sum(dim=1)
            inner.addcmul_(sums, v[:, None, :], value=-LEARNING_RATE)
            v.sub_(step, alpha=LEARNING_RATE)
            c.sub_(e.sum(dim=1, keepdim=True), alpha=LEARNING_RATE)

    return advance


def elementwise(replicas):
    w, b, v, c = parameters(replicas)
    x = torch.empty(replicas, BATCH)
    z = torch.empty(replicas, BATCH, WIDTH)
    product = torch.empty(replicas, BATCH, WIDTH)

    def advance():
        for _ in range(STEPS):
            x.uniform_()
            torch.addcmul(b[:, None, :], x[:, :, None], w[:, None, :], out=z)
            z.relu_()
            torch.mul(z, v[:, None, :], out=product)
            e = (product.sum(dim=2) + c - target(x)) * (2 / BATCH)
            z.sign_()
            torch.mul(z, e[:, :, None], out=product)
            t0 = product.sum(dim=1)
            product.mul_(x[:, :, None])
            t1 = product.sum(dim=1)
            step = b * t0 + w * t1
            w.addcmul_(v, t1, value=-LEARNING_RATE)
            b.addcmul_(v, t0, value=-LEARNING_RATE)
            v.sub_(step, alpha=LEARNING_RATE)
            c.sub_(e.sum(dim=1, keepdim=True), alpha=LEARNING_RATE)

    return advance


def compiled(replicas):
    state = parameters(replicas)

    @torch.compile(dynamic=False)
    def step(w, b, v, c):
        x = torch.rand(replicas, BATCH)
        z = torch.relu(x[:, :, None] * w[:, None, :] + b[:, None, :])
        e = ((z * v[:, None, :]).sum(dim=2) + c - target(x)) * (2 / BATCH)
        masked = torch.where(z > 0, e[:, :, None], 0.0)
        t0, t1 = masked.sum(dim=1), (masked * x[:, :, None]).sum(dim=1)
        return (
            w - LEARNING_RATE * v * t1,
            b - LEARNING_RATE * v * t0,
            v - LEARNING_RATE * (b * t0 + w * t1),
            c - LEARNING_RATE * e.sum(dim=1, keepdim=True),
        )

    def advance():
        nonlocal state
        for _ in range(STEPS):
            state = step(*state)

    return advance


def main():
    torch.set_num_threads(1)
    torch.manual_seed(1)
    counts = [int(text) for text in sys.argv[1:]] or [16, 64, 256, 1024, 4096]
    formulations = [autograd, manual_bmm, elementwise]
    if hasattr(torch, "compile"):
        formulations.append(compiled)
    results = []
    for formulation in formulations:
        for replicas in counts:
            with torch.enable_grad() if formulation is autograd else torch.no_grad():
                speed = rate(formulation(replicas), replicas, STEPS)
            results.append({"formulation": formulation.__name__, "replicas": replicas, "replica_steps_per_second": speed})
    report("PyTorch", torch.__version__, results)


if __name__ == "__main__":
    main()
