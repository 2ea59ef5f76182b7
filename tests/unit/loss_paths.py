"""Trains small networks on data points with NumPy and compares every path of parameters and risks with limrisk's.

loss_paths.py RUNS

RUNS is the JSON that loss_test.cpp writes: for each run the points and weights, the loss, activation, optimizer and sampling, the seed and
the trial, the first parameters (w, b, v, c), and parameters and risks after some steps. Which points a step uses is computed again from
docs/numerics.md, sections 2 and 14; nothing of limrisk is used.
"""
import json
import sys

import numpy as np

TOLERANCE = 1e-12  # of a number, relative to 1 + its size
MASK = (1 << 32) - 1


def philox(seed, position, purpose, call, trial):
    c = [position & MASK, (purpose << 28) + ((position >> 32) << 20) + call, trial & MASK, trial >> 32]
    k = [seed & MASK, seed >> 32]
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(b >> 32) ^ c[1] ^ k[0], b & MASK, (a >> 32) ^ c[3] ^ k[1], a & MASK]
        k = [(k[0] + 0x9E3779B9) & MASK, (k[1] + 0xBB67AE85) & MASK]
    return c


def picks(run, probabilities, step):
    """Points of a step drawn with replacement."""
    n, batch = len(probabilities), run["batch"]
    words = [philox(run["seed"], step, 4, m // 4, run["trial"])[m % 4] for m in range(batch)]
    if len(set(probabilities)) == 1:
        return [w * n >> 32 for w in words]
    thresholds, total = [], 0.0
    for p in probabilities[:-1]:
        total += p
        thresholds.append(min(int(total * 2**32), MASK))
    return [sum(t <= w for t in thresholds) for w in words]


def murmur(z):
    z ^= z >> 16
    z = z * 0x85EBCA6B & MASK
    z ^= z >> 13
    z = z * 0xC2B2AE35 & MASK
    return z ^ (z >> 16)


def order(run, epoch, n):
    """The points of an epoch in their order."""
    rounds, bits = (24 if n <= 16 else 12), max(2, (n - 1).bit_length())
    half = bits // 2
    low, high = 1 << half, 1 << (bits - half)
    keys = [word for call in range(rounds // 4) for word in philox(run["seed"], epoch, 5, call, run["trial"])]

    def permuted(x):
        h, l = divmod(x, low)
        for j, key in enumerate(keys):
            if j % 2 == 0:
                h ^= murmur((key + l * 0x9E3779B1) & MASK) % high
            else:
                l ^= murmur((key + h * 0x9E3779B1) & MASK) % low
        return h * low + l

    points = []
    for place in range(n):
        x = permuted(place)
        while x >= n:
            x = permuted(x)
        points.append(x)
    return points


def loss(name, p, r):
    """Value and derivative."""
    a = np.abs(r)
    if name == "squared":
        return r**2, 2 * r
    if name == "absolute":
        return a, np.sign(r)
    if name == "huber":
        return np.where(a <= p, r**2 / 2, p * (a - p / 2)), np.clip(r, -p, p)
    return a**p, p * a ** (p - 1) * np.sign(r)


ACTIVATIONS = {
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(float)),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "leaky_relu": (lambda z: np.where(z > 0, z, 0.25 * z), lambda z: np.where(z > 0, 1, 0.25)),
}


def risk_and_gradient(run, theta, x, y, weights):
    h, d = run["width"], x.shape[1]
    w, b, v, c = theta[: h * d].reshape(h, d), theta[h * d : h * (d + 1)], theta[h * (d + 1) : -1], theta[-1]
    value, slope = ACTIVATIONS[run["activation"]]
    z = x @ w.T + b
    risk, e = loss(run["loss"], run["parameter"], value(z) @ v + c - y)
    e = weights * e
    g = (e[:, None] * slope(z)) * v
    return weights @ risk, np.concatenate([(g.T @ x).ravel(), g.sum(0), e @ value(z), [e.sum()]])


def check(run):
    x, y = np.array(run["inputs"], dtype=float).reshape(len(run["outputs"]), -1), np.array(run["outputs"])
    total = 0.0
    for weight in run["weights"]:
        total += weight
    probabilities = [weight / total for weight in run["weights"]]
    n, p = len(y), np.array(probabilities)
    theta = np.array(run["initial"])
    first, second = np.zeros_like(theta), np.zeros_like(theta)
    seen = dict(zip(run["steps"], zip(run["parameters"], run["risks"])))
    orders, largest = {}, 0.0
    for step in range(max(seen) + 1):
        if step > 0:
            if run["sampling"] == "full_batch":
                points, weights = np.arange(n), p
            else:
                batch = run["batch"]
                if run["sampling"] == "with_replacement":
                    points = picks(run, probabilities, step)
                else:
                    places = range((step - 1) * batch, step * batch)
                    points = [orders.setdefault(s // n, order(run, s // n, n) if s // n not in orders else None)[s % n] for s in places]
                weights = np.full(batch, 1 / batch)
            _, g = risk_and_gradient(run, theta, x[points], y[points], weights)
            rate = run["rate"]
            if run["optimizer"] == "sgd":
                theta = theta - rate * g
            else:
                first, second = 0.9 * first + 0.1 * g, 0.999 * second + 0.001 * g**2
                theta = theta - rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
        if step in seen:
            risk, _ = risk_and_gradient(run, theta, x, y, p)
            for ours, theirs in [(theta, np.array(seen[step][0])), (np.array([risk]), np.array([seen[step][1]]))]:
                off = np.max(np.abs(ours - theirs) / (1 + np.abs(ours)))
                if not off <= TOLERANCE:
                    name = {key: run[key] for key in ("loss", "parameter", "activation", "optimizer", "sampling", "width", "trial")}
                    sys.exit(f"{name}, {n} points: step {step} is off by {off:.3g}")
                largest = max(largest, off)
    return largest


runs = json.load(open(sys.argv[1]))
print(f"{len(runs)} paths, largest difference {max(check(run) for run in runs):.2g}")
