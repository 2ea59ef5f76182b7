"""Proved limits held against training that goes on: trials that end by proof are trained further from where they ended, and with momentum or
vanishing rates once more from the start, to more steps. No activation pattern changes, no risk on the points comes below its proved limit or
(without momentum) rises, and the risks meet the limits.

usage: proved_limits_further.py LIMRISK [TRIALS STEPS ROUNDS]

STEPS in all, per trial; patterns and risks are looked at after each of ROUNDS parts of them. As a test: 24 40000 4.
"""

import csv
import math
import pathlib
import subprocess
import sys
import tempfile
import zipfile

from proved_limits_check import array, piecewise_linear

NODES = 128
LONGEST = 40000
PLAIN = 'name = "sgd", learning_rate = 0.1'
TEXT = """
name = "further"
trials = {trials}
steps = {steps}
precision = "float64"
seed = 7
keep = ["final"]
[problem]
input = {{ law = "uniform", dimension = 1, low = 0.0, high = 1.0 }}
target = "{target}"
[network]
width = {width}
activation = "{activation}"
{start}
[training]
sampling = {{ nodes = {nodes} }}
algorithm = "kinks"
optimizer = {{ {optimizer} }}
{stop}
"""


class Study:
    def __init__(self, limrisk, directory, width, target, activation, trials, optimizer=PLAIN):
        self.words = dict(width=width, target=target, activation=activation, trials=trials, nodes=NODES, optimizer=optimizer)
        self.limrisk, self.directory, self.width = limrisk, directory, width
        kinks, pieces = piecewise_linear(activation, float)
        self.kinks, self.pieces = [float(k) for k in kinks], [(float(slope), float(offset)) for slope, offset in pieces]
        self.points = [(m + 0.5) / NODES for m in range(NODES)]
        self.targets = [x * x if target == "x1^2" else math.sin(3 * x) for x in self.points]

    def run(self, *words):
        return subprocess.run([self.limrisk, *words], cwd=self.directory, check=True, capture_output=True, text=True).stdout

    def train(self, name, steps, start="", stop=""):
        """Trains, and returns the parameters (w, b, v, c) of every trial at its end."""
        (self.directory / f"{name}.toml").write_text(TEXT.format(steps=steps, start=start, stop=stop, **self.words))
        self.run("run", f"{name}.toml", "--quiet")
        self.run("export", f"{name}.db", "--parameters", "--out", f"{name}.npz")
        with zipfile.ZipFile(self.directory / f"{name}.npz") as archive:
            w, b, v, c = (array(archive, f"cell_0_{group}") for group in "wbvc")
        h = self.width
        return [(w[t * h : t * h + h], b[t * h : t * h + h], v[t * h : t * h + h], c[t]) for t in range(self.words["trials"])]

    def seen(self, network):
        """Its pattern on the points and its risk there."""
        w, b, v, c = network
        z = [[p * x + q for p, q in zip(w, b)] for x in self.points]
        pattern = [[sum(s > k for k in self.kinks) for s in row] for row in z]
        values = [[self.pieces[p][0] * s + self.pieces[p][1] for s, p in zip(row, states)] for row, states in zip(z, pattern)]
        outputs = [math.fsum([c, *(r * value for r, value in zip(v, row))]) for row in values]
        risk = math.fsum((out - y) ** 2 for out, y in zip(outputs, self.targets)) / NODES
        return pattern, risk


def check(study, steps, rounds):
    networks = study.train("ended", LONGEST, stop="[tracking]\nchecks = 64\n[stop]\nproved = true")
    study.run("limits", "ended.db", "--csv", "limits.csv")
    limits = {}
    for row in csv.DictReader((study.directory / "limits.csv").open()):
        if row["outcome"] == "proved":
            limits[int(row["trial"])] = (float(row["low"]), float(row["high"]))
    begin = {trial: study.seen(networks[trial]) for trial in limits}
    before = {trial: risk for trial, (_, risk) in begin.items()}
    far = sum(before[trial] - limits[trial][1] > 1e-9 for trial in limits)
    changed = below = rose = 0
    plain, falls = study.words["optimizer"] == PLAIN, "sgd" in study.words["optimizer"]
    for k in range(rounds):
        start = f'initial = {{ file = "{"ended" if k == 0 else f"further{k}"}.npz", prefix = "cell_0_" }}'
        further = steps // rounds
        networks = study.train(f"further{k + 1}", further, start) if plain else study.train(f"further{k + 1}", LONGEST + (k + 1) * further)
        for trial, (low, high) in limits.items():
            pattern, risk = study.seen(networks[trial])
            changed += pattern != begin[trial][0]
            # A sum of NODES squares of residuals below 4, each wrong by some units in the last place of numbers below 4.
            below += not risk >= low - 1e-14 * math.sqrt(high) - 1e-28
            rose += falls and not risk <= before[trial] + 1e-14 * math.sqrt(high) + 1e-28
            before[trial] = risk
    off = sorted(before[trial] - limits[trial][1] for trial in limits)
    met = sum(value <= 1e-12 for value in off)
    print(
        f"{study.words['target']}, {study.words['activation']}, width {study.width}{'' if plain else ', ' + study.words['optimizer']}: {len(limits)} of {len(networks)} trials with a proved limit, "
        f"{far} of them more than 1e-9 above it then; {steps} steps further: {changed} patterns changed, {below} risks below the limit, {rose} rose; "
        f"{met} are within 1e-12 of the limit, the furthest {max(0.0, off[-1]):.1e} above it"
    )
    assert len(limits) >= len(networks) // 2 and changed == below == rose == 0
    return len(limits), far, met


def main():
    limrisk = str(pathlib.Path(sys.argv[1]).resolve())
    trials, steps, rounds = map(int, sys.argv[2:]) if len(sys.argv) > 2 else (24, 40000, 4)
    sums = [0, 0, 0]
    cases = [(width, target, "relu") for target in ("x1^2", "sin(3*x1)") for width in (1, 2, 3)] + [(2, "x1^2", name) for name in ("leaky_relu(0.3)", "clipping(0, 0.6)")]
    cases = [(*case, PLAIN, rounds) for case in cases]
    cases += [(2, *case, min(rounds, 2)) for case in [
        ("x1^2", "relu", 'name = "momentum", alpha = 0.9, learning_rate = 0.1'),
        ("sin(3*x1)", "relu", 'name = "momentum", alpha = 0.75, form = "sum", learning_rate = 0.02'),
        ("x1^2", "leaky_relu(0.3)", 'name = "momentum", alpha = 0.5, learning_rate = 0.1'),
        ("sin(3*x1)", "relu", 'name = "nesterov", alpha = 0.9, learning_rate = 0.1'),
        ("x1^2", "clipping(0, 0.6)", 'name = "nesterov", alpha = 0.75, form = "sum", learning_rate = 0.02'),
        ("x1^2", "relu", 'name = "sgd", learning_rate = { schedule = "polynomial", initial = 0.5, power = 0.25 }'),
        ("sin(3*x1)", "relu", 'name = "sgd", learning_rate = { schedule = "inverse_time", initial = 0.2, factor = 1e-4 }'),
    ]]
    for width, target, activation, optimizer, rounds in cases:
        with tempfile.TemporaryDirectory() as name:
            result = check(Study(limrisk, pathlib.Path(name), width, target, activation, trials, optimizer), steps, rounds)
        sums = [a + b for a, b in zip(sums, result)]
    print(f"{sums[0]} proved limits, {sums[1]} of them far from their trials at first, {sums[2]} met")
    assert sums[1] > 0, "training went on from where nothing was left to do"
    assert sums[2] >= 0.95 * sums[0], "descent comes to its limits"


if __name__ == "__main__":
    main()
