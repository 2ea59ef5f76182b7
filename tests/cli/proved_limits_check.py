"""Proved limits held against exact rational arithmetic, without any code of limrisk: the least risk in the activation pattern of every
proved trial, from its exported network and the data points of the store, lies between the bounds that were printed.

usage: proved_limits_check.py LIMRISK
"""

import ast
import csv
import json
import math
import pathlib
import sqlite3
import struct
import subprocess
import sys
import tempfile
import zipfile
from fractions import Fraction

CAMPAIGN = """
name = "exact"
trials = 12
steps = 20000
precision = "{precision}"
[problem]
data = {{ draw = 20, seed = 3 }}
input = {{ law = "uniform", dimension = {dimension}, low = -1.0, high = 1.0 }}
target = "{target}"
[network]
width = [1, 2, 3]
activation = "{activation}"
[training]
sampling = "full_batch"
optimizer = {{ name = "sgd", learning_rate = 0.1 }}
"""


def array(archive, name):
    """A NumPy array of doubles, as (shape, values)."""
    raw = archive.read(name + ".npy")
    length = struct.unpack("<H", raw[8:10])[0]
    header = ast.literal_eval(raw[10 : 10 + length].decode())
    assert header["descr"] == "<f8" and not header["fortran_order"], header
    return struct.unpack(f"<{math.prod(header['shape'])}d", raw[10 + length :])


def least_square(columns, targets, weights):
    """Exact minimum of sum w (sum_j u_j columns_j - y)^2: elimination of the normal equations, dependent columns left out."""
    dot = lambda a, b: sum((w * p * q for w, p, q in zip(weights, a, b)), Fraction(0))
    basis, rest = [], list(targets)
    for column in columns:
        for unit, length in basis:
            share = dot(column, unit) / length
            column = [p - share * q for p, q in zip(column, unit)]
        length = dot(column, column)
        if length == 0:
            continue
        basis.append((column, length))
        share = dot(rest, column) / length
        rest = [p - share * q for p, q in zip(rest, column)]
    return dot(rest, rest)


def piecewise_linear(activation, rounded):
    """Kinks of A, and of each piece between them (slope, offset): A(z) = slope z + offset, z up to its right kink."""
    name, _, words = activation.rstrip(")").partition("(")
    numbers = [Fraction(rounded(float(word))) for word in words.split(",") if word]
    zero, one = Fraction(0), Fraction(1)
    if name == "clipping":
        return numbers, [(zero, numbers[0]), (one, zero), (zero, numbers[1])]
    return [zero], [(numbers[0] if name == "leaky_relu" else zero, zero), (one, zero)]


def check(limrisk, directory, dimension, target, precision, activation="relu"):
    directory.mkdir()
    run = lambda *words: subprocess.run([limrisk, *words], cwd=directory, check=True, capture_output=True, text=True).stdout
    (directory / "exact.toml").write_text(CAMPAIGN.format(dimension=dimension, target=target, precision=precision, activation=activation))
    run("run", "exact.toml", "--quiet")
    run("limits", "exact.db", "--csv", "limits.csv")
    (text,) = sqlite3.connect(directory / "exact.db").execute("SELECT text FROM documents WHERE kind = 'data'").fetchone()
    rounded = (lambda x: struct.unpack("<f", struct.pack("<f", x))[0]) if precision == "float32" else (lambda x: x)
    data = json.loads(text)
    flat = lambda point: point if isinstance(point, list) else [point]
    points = [[Fraction(rounded(x)) for x in flat(point)] for point in data["inputs"]]
    targets = [Fraction(rounded(y)) for y in data["outputs"]]
    weights = [Fraction(rounded(1 / len(points)))] * len(points)
    kinks, pieces = piecewise_linear(activation, rounded)
    proved = closest = 0
    for row in csv.DictReader((directory / "limits.csv").open()):
        if row["outcome"] != "proved":
            continue
        proved += 1
        run("replay", "exact.db", "--cell", row["cell"], "--trial", row["trial"], "--parameters", "network.npz", "--force")
        with zipfile.ZipFile(directory / "network.npz") as archive:
            w, b = array(archive, "w"), array(archive, "b")
        columns = [[Fraction(1)] * len(points)]
        for i, bias in enumerate(b):
            inner = [Fraction(x) for x in w[i * dimension : (i + 1) * dimension]]
            z = [sum((p * q for p, q in zip(inner, point)), Fraction(bias)) for point in points]
            states = [pieces[sum(value > kink for kink in kinks)] for value in z]
            if any(slope for slope, _ in states):
                assert not any(value == kink for value in z for kink in kinks), "a neuron is at a kink at a point"
                columns.append([slope for slope, _ in states])
                columns += [[point[k] * slope for point, (slope, _) in zip(points, states)] for k in range(dimension)]
            columns.append([offset for _, offset in states])
        limit = least_square(columns, targets, weights)
        low, high = Fraction(float(row["low"])), Fraction(float(row["high"]))
        assert low <= limit <= high, (row, float(limit))
        assert (low == high) == (limit == 0 and low == 0), row
        closest = max(closest, float(high - low))
    print(f"d = {dimension}, {target}, {activation}, {precision}: {proved} limits between their bounds, which are {closest:.1e} apart at most")
    return proved


def main():
    limrisk = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as name:
        cases = [(1, "x1^2", "float64"), (2, "x1*x2+x2", "float64"), (1, "sin(3*x1)", "float32"), (1, "2*x1-1", "float64")]
        cases += [(1, "x1^2", "float64", "leaky_relu(0.3)"), (2, "x1*x2+x2", "float64", "leaky_relu(-0.4)")]
        cases += [(1, "sin(3*x1)", "float32", "leaky_relu(0.1)"), (1, "x1^2", "float64", "clipping(0, 0.6)")]
        cases += [(2, "x1*x2+x2", "float64", "clipping(-0.3, 0.7)"), (1, "sin(3*x1)", "float32", "clipping(0.1, 0.7)")]
        proved = [check(limrisk, pathlib.Path(name) / str(k), *case) for k, case in enumerate(cases)]
    assert min(proved) >= 5, proved


if __name__ == "__main__":
    main()
