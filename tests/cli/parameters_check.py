"""Reads `limrisk export --parameters` without limrisk: parameters_check.py NPZ CSV [FORMATS].

CSV: the trials of the same store, all trained by sgd, whose fingerprints (docs/numerics.md, section 10) are those of the last parameters
alone. FORMATS: docs/formats.md, whose lines for PyTorch are run where NumPy is installed, with NumPy in the place of PyTorch where that is not.
"""
import ast
import csv
import re
import struct
import sys
import zipfile

MASK = 0xFFFFFFFF


def arrays_of(path):
    """Name to (dtype, shape, numbers)."""
    arrays = {}
    with zipfile.ZipFile(path) as file:
        for name in file.namelist():
            data = file.read(name)
            length = struct.unpack("<H", data[8:10])[0]
            head = ast.literal_eval(data[10:10 + length].decode())
            code = {"<f4": "f", "<f8": "d", "<i8": "q", "|b1": "?"}.get(head["descr"])
            count = 1
            for extent in head["shape"]:
                count *= extent
            numbers = struct.unpack(f"<{count}{code}", data[10 + length:]) if code else None
            arrays[name[:-len(".npy")]] = head["descr"], head["shape"], numbers
    return arrays


def mixed(word, place, salt):
    x = (word ^ salt) + place * 0x9E3779B1 & MASK
    x = (x ^ x >> 16) * 0x85EBCA6B & MASK
    x = (x ^ x >> 13) * 0xC2B2AE35 & MASK
    return x ^ x >> 16


def fingerprint(numbers, code):
    low = high = 0
    for j, number in enumerate(numbers):
        data = struct.pack("<" + code, number)
        for k, word in enumerate(struct.unpack(f"<{len(data) // 4}I", data)):
            low += mixed(word, 2 * j + k, 0x243F6A88)
            high += mixed(word, 2 * j + k, 0x85A308D3)
    return f"0x{high & MASK:08x}{low & MASK:08x}"


def check_fingerprints(arrays, rows):
    seen = 0
    for row in rows:
        cell = f"cell_{row['cell']}_"
        place = arrays[cell + "trial"][2].index(int(row["trial"]))
        assert arrays[cell + "counted"][2][place] == (row["counted"] == "1"), row
        numbers = []
        for group in "wbvc":
            kind, shape, values = arrays[cell + group]
            h = int(row["width"])
            trials = len(arrays[cell + "trial"][2])
            d = arrays[cell + "w"][1][2]
            assert list(shape) == [trials] + {"w": [h, d], "b": [h], "v": [h], "c": []}[group], (cell, group, shape)
            assert kind == {"float32": "<f4", "float64": "<f8"}[row["precision"]], (cell, group, kind)
            size = len(values) // trials
            numbers += values[place * size:(place + 1) * size]
        found = fingerprint(numbers, "f" if row["precision"] == "float32" else "d")
        assert found == row["fingerprint"], (row["cell"], row["trial"], found, row["fingerprint"])
        seen += 1
    assert seen > 0


def check_lines(path, formats, arrays):
    try:
        import numpy
    except ImportError:
        print("NumPy is not installed: the lines for PyTorch were not run")
        return
    lines = re.search(r"```python\nimport numpy as np, torch\n(.*?)```", open(formats).read(), re.S).group(1)
    assert len(lines.strip().splitlines()) <= 5, lines
    try:
        import torch
    except ImportError:
        class torch:
            from_numpy = numpy.asarray
            linspace = numpy.linspace
            einsum = numpy.einsum

            def relu(z):
                return numpy.maximum(z, 0)
    names = {"np": numpy, "torch": torch}
    exec(lines.replace("networks.npz", path), names)
    y = numpy.asarray(names["y"])
    trials = arrays["cell_0_trial"][1][0]
    assert y.shape == (trials, 101), y.shape
    w, b, v, c = (arrays["cell_0_" + group][2] for group in "wbvc")
    h = len(b) // trials
    for trial in range(trials):
        for point in (0, 37, 100):
            x = point / 100
            own = range(trial * h, trial * h + h)
            plain = c[trial] + sum(v[i] * max(w[i] * x + b[i], 0) for i in own)
            # float32: each of 2 h + 1 terms is off by some units of its last place.
            size = abs(c[trial]) + sum(abs(v[i]) * (abs(w[i]) * x + abs(b[i])) for i in own)
            assert abs(y[trial][point] - plain) <= 1e-6 * size, (trial, point, y[trial][point], plain)
    print("lines run with", "PyTorch" if hasattr(torch, "__version__") else "NumPy")


def main():
    path, trials, *formats = sys.argv[1:]
    arrays = arrays_of(path)
    with open(trials) as file:
        check_fingerprints(arrays, list(csv.DictReader(file)))
    if formats:
        check_lines(path, formats[0], arrays)


main()
