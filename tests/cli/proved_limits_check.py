"""Proved limits proved again, without any code of limrisk, from exported networks and the data points of the store: the least risk in the
activation pattern of every trial, in exact fractions, lies between the bounds that were printed; and the certificate of docs/proofs.md (pattern,
distance to the nearest kink, least eigenvalue, path, radius), in ordinary floating point, says proved of exactly the same trials. Trials of which
it says another thing where the path is half a per cent longer or shorter are counted as close, and left out of that.

usage: proved_limits_check.py LIMRISK
"""

import ast
import csv
import json
import math
import pathlib
import random
import sqlite3
import struct
import subprocess
import sys
import tempfile
import zipfile
from fractions import Fraction

WIDTHS = 1, 2, 3
TRIALS = 12
STEPS = 20000
DRAWN = """data = {{ draw = 20, seed = 3 }}
input = {{ law = "uniform", dimension = {dimension}, low = -1.0, high = 1.0 }}
target = "{target}"
"""
CAMPAIGN = """
name = "exact"
trials = {trials}
steps = {steps}
precision = "{precision}"
keep = ["final"]
[problem]
{problem}
[network]
width = {widths}
activation = "{activation}"
[training]
sampling = "full_batch"
optimizer = {{ {optimizer} }}
"""
PLAIN = 'name = "sgd", learning_rate = 0.1'
CLOSE = 5e-3  # relative: the search for a radius goes in steps of a thousandth of it


def array(archive, name):
    """The numbers of a NumPy array, in C order."""
    raw = archive.read(name + ".npy")
    length = struct.unpack("<H", raw[8:10])[0]
    header = ast.literal_eval(raw[10 : 10 + length].decode())
    assert not header["fortran_order"], header
    return struct.unpack(f"<{math.prod(header['shape'])}{ {'<f8': 'd', '<f4': 'f'}[header['descr']]}", raw[10 + length :])


def least_square(columns, targets, weights):
    """Exact minimum of sum w (sum_j u_j columns_j - y)^2, and the rank: elimination of the normal equations, dependent columns left out."""
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
    return dot(rest, rest), len(basis)


def piecewise_linear(activation, rounded):
    """Kinks of A, and of each piece between them (slope, offset): A(z) = slope z + offset, z up to its right kink."""
    name, _, words = activation.rstrip(")").partition("(")
    numbers = [Fraction(rounded(float(word))) for word in words.split(",") if word]
    zero, one = Fraction(0), Fraction(1)
    if name == "clipping":
        return numbers, [(zero, numbers[0]), (one, zero), (zero, numbers[1])]
    return [zero], [(numbers[0] if name == "leaky_relu" else zero, zero), (one, zero)]


def eigenvalues(rows):
    """Of the Gram matrix of the columns, ascending: Jacobi's rotations of the columns (Hestenes), which find small ones too."""
    columns = [list(column) for column in zip(*rows)]
    turned = True
    while turned:
        turned = False
        for p in range(len(columns)):
            for q in range(p):
                a, b = columns[p], columns[q]
                aa, bb, ab = (math.fsum(x * y for x, y in zip(*pair)) for pair in ((a, a), (b, b), (a, b)))
                if abs(ab) <= 1e-15 * math.sqrt(aa * bb) or min(aa, bb) < 1e-34 * max(aa, bb):
                    continue
                turned = True
                turn = (bb - aa) / (2 * ab)
                t = math.copysign(1, turn) / (abs(turn) + math.hypot(turn, 1))
                c = 1 / math.hypot(t, 1)
                columns[p], columns[q] = [c * x - c * t * y for x, y in zip(a, b)], [c * t * x + c * y for x, y in zip(a, b)]
    return sorted(math.fsum(x * x for x in column) for column in columns)


class Network:
    """A network on its points, exactly."""

    def __init__(self, w, b, v, c, points, targets, weights, kinks, pieces):
        exact = lambda values: [Fraction(value) for value in values]
        self.w, self.b, self.v, self.c = [exact(row) for row in w], exact(b), exact(v), Fraction(c)
        self.points, self.targets, self.weights, self.kinks = points, targets, weights, kinks
        self.z = [[sum((p * q for p, q in zip(row, x)), bias) for x in points] for row, bias in zip(self.w, self.b)]
        self.piece = [[sum(z > kink for kink in kinks) for z in row] for row in self.z]
        self.states = [[pieces[p] for p in row] for row in self.piece]
        self.moves = [any(slope for slope, _ in row) for row in self.states]
        self.has_offset = [any(offset for _, offset in row) for row in self.states]
        self.values = [[slope * z + offset for z, (slope, offset) in zip(*row)] for row in zip(self.z, self.states)]
        self.residuals = [self.c + sum(p * row[m] for p, row in zip(self.v, self.values)) - y for m, y in enumerate(targets)]
        self.risk = sum(weight * r * r for weight, r in zip(weights, self.residuals))

    def is_near_kink(self):
        """Whether some z is not told from a kink in double."""
        return any(abs(z - kink) < 1e-14 for row, moves in zip(self.z, self.moves) if moves for z in row for kink in self.kinks)

    def columns(self):
        """The features of the pattern, not scaled."""
        columns = [[Fraction(1)] * len(self.points)]
        for i, states in enumerate(self.states):
            if self.moves[i]:
                columns.append([slope for slope, _ in states])
                columns += [[x[k] * slope for x, (slope, _) in zip(self.points, states)] for k in range(len(self.w[i]))]
            columns.append([offset for _, offset in states])
        return columns

    def gradient(self):
        """Of the risk: by w, b, v and c."""
        errors = [2 * weight * r for weight, r in zip(self.weights, self.residuals)]
        slopes = [[e * v * slope for e, (slope, _) in zip(errors, states)] for v, states in zip(self.v, self.states)]
        w = [[sum(e * x[k] for e, x in zip(row, self.points)) for k in range(len(self.points[0]))] for row in slopes]
        return w, [sum(row) for row in slopes], [sum(e * a for e, a in zip(errors, row)) for row in self.values], sum(errors)

    def outcome(self, descent, moments, longer):
        """ "proved", the reason why it is open, or "open" for all reasons that the radius has; with all paths `longer` times as long."""
        floats = lambda values: [float(value) for value in values]
        kind, rate, alpha, share = descent
        lengths = [math.sqrt(1 + sum(float(x) ** 2 for x in point)) for point in self.points]
        roots = [math.sqrt(weight) for weight in self.weights]
        scaled, jacobian = [[root] for root in roots], [[root] for root in roots]
        nearest, stretched, speed, open_end = math.inf, [], 0.0, False
        for i, states in enumerate(self.states):
            if not self.moves[i] and kind != "plain":
                end = rate * alpha / (1 - alpha) * (alpha if kind == "behind" else 1)
                for m, x in enumerate(self.points):
                    z = float(self.z[i][m]) - end * (moments[1][i] + sum(p * float(q) for p, q in zip(moments[0][i], x)))
                    open_end = open_end or sum(z > kink for kink in self.kinks) != self.piece[i][m]
            if not self.moves[i] and not self.has_offset[i]:
                continue
            outer, inner = abs(float(self.v[i])), math.sqrt(sum(float(p) ** 2 for p in [*self.w[i], self.b[i]]))
            stretch = 1.0
            if self.moves[i]:
                if any(z == kink for z in self.z[i] for kink in self.kinks):
                    return "open" if open_end else "kink_on_point"
                nearest = min([nearest, outer] + [abs(float(z - kink)) / length for z, length in zip(self.z[i], lengths) for kink in self.kinks])
                stretched.append((outer, inner, stretch := 2.0 ** max(0, math.ceil(math.log2(inner / outer))) if self.has_offset[i] and outer else 1.0, self.has_offset[i]))
            if kind != "plain":
                speed += sum(m * m for m in [*(moments[0][i] if self.moves[i] else []), moments[1][i] if self.moves[i] else 0, moments[2][i]])
            for m, (root, (slope, offset)) in enumerate(zip(roots, states)):
                if self.moves[i]:
                    row = [root * float(slope) * outer * float(x) for x in [*self.points[m], 1]]
                    scaled[m] += row
                    jacobian[m] += row
                if self.has_offset[i]:
                    scaled[m].append(root * float(offset) / stretch)
                jacobian[m].append(root * float(self.values[i][m]))
        if open_end:
            return "open"
        if nearest == 0:
            return "no_outer_weight"
        steepest = max((abs(float(slope)) for states in self.states for slope, _ in states), default=0)
        steepest = max(steepest, 1.0)  # every A here has a piece of slope 1
        span = steepest * math.sqrt(sum(weight * length**2 for weight, length in zip(floats(self.weights), lengths))) if any(self.moves) else 0.0
        least, rank = least_square(self.columns(), self.targets, self.weights)
        excess = math.sqrt(self.risk - least)
        bottom = eigenvalues(scaled)[-rank]
        assert bottom > 1e-28 * eigenvalues(scaled)[-1], "no eigenvalue that doubles tell from 0"
        steep = math.sqrt(eigenvalues(jacobian)[-1])
        speed = rate * math.sqrt(speed + (moments[3] ** 2 if kind != "plain" else 0))
        radius = 0.0
        for _ in range(100000):
            bend = 2 * (steep + span * radius) ** 2 + 2 * span * (excess + radius * (steep + span * radius))
            kappa = 1.0
            for outer, inner, stretch, has_offset in stretched:
                shrunk = 1 - radius / outer
                kappa = min(kappa, shrunk / (1 + (inner + radius) / (outer * stretch)) if has_offset else shrunk)
            path = self.path(kind, rate, alpha, share, bend, 4 * kappa**2 * bottom, excess, speed, steep)
            if path is None or path * longer >= nearest:
                return "open"
            if path * longer <= radius * (1 + 1e-9):
                return "proved"
            radius = path * longer
        return "open"

    @staticmethod
    def path(kind, rate, alpha, share, bend, mu, excess, speed, steep):
        """Sections 4 and 9; None: the rate is too large."""
        if kind == "plain":
            return 2 * excess / math.sqrt(mu) / (1 - rate * bend / 2) if rate * bend < 2 else None
        eta = rate * share
        heavy = kind == "heavy"
        a = 1 - alpha**2 - eta * bend if heavy else 1 - alpha**2 * (1 + eta * bend)
        b = 1.0 if heavy else 1 - eta * bend
        if not (a > 0 and b > 0):
            return None
        delta = alpha**2 * (1 if heavy else 1 + eta * bend) / (2 * eta)
        g = 1 / math.sqrt(mu) + (math.sqrt(eta / 2) if heavy else eta * math.sqrt(bend))
        h = 1 / math.sqrt(2 * eta) + (0 if heavy else math.sqrt(bend))
        omega = a * b / (2 * (eta * b * h + math.sqrt((eta * b * h) ** 2 + a * b * g * g)))
        energy = excess**2 + delta * speed**2
        if kind != "behind":
            return math.sqrt(energy) / omega
        return alpha * speed + math.sqrt(energy + 2 * steep * alpha * speed * excess + bend / 2 * (alpha * speed) ** 2) / omega


def networks(run, store, cells, dimension):
    """Of every cell and trial (w, b, v, c) as they were at the end."""
    run("export", store, "--parameters", "--out", "all.npz", "--force")
    found = {}
    for cell, width in enumerate(cells):
        with zipfile.ZipFile(run.directory / "all.npz") as archive:
            w, b, v, c = (array(archive, f"cell_{cell}_{group}") for group in "wbvc")
        for trial in range(TRIALS):
            rows = w[trial * width * dimension : (trial + 1) * width * dimension]
            part = slice(trial * width, (trial + 1) * width)
            found[cell, trial] = [rows[k * dimension : (k + 1) * dimension] for k in range(width)], b[part], v[part], c[trial]
    return found


class Program:
    def __init__(self, limrisk, directory):
        self.limrisk, self.directory = limrisk, directory

    def __call__(self, *words):
        return subprocess.run([self.limrisk, *words], cwd=self.directory, check=True, capture_output=True, text=True).stdout


def descent_of(optimizer, rounded, steps):
    """kind, rate, alpha, share"""
    number = lambda name, fallback: float(optimizer.split(name + " = ")[1].split(",")[0].rstrip(" }")) if name + " = " in optimizer else fallback
    if "polynomial" in optimizer:
        return "plain", rounded(number("initial", 0) * (steps + 1) ** -number("power", 0)), 0.0, 1.0
    rate, alpha, is_sum = rounded(number("learning_rate", 0)), rounded(number("alpha", 0.9)), "sum" in optimizer
    share = 1.0 if is_sum else rounded(1 - number("alpha", 0.9))
    if "nesterov" in optimizer:
        return "behind" if is_sum else "ahead", rate, alpha, share
    return ("heavy", rate, alpha, share) if "momentum" in optimizer else ("plain", rate, 0.0, 1.0)


def moments_of(descent, last, before):
    """m of the last step, from the two last networks."""
    kind, rate, alpha, _ = descent
    minus = lambda a, b: [(float(p) - float(q)) / rate for p, q in zip(a, b)]
    moved = [minus(p, q) for p, q in zip(before.w, last.w)], minus(before.b, last.b), minus(before.v, last.v), (float(before.c) - float(last.c)) / rate
    if kind != "behind":
        return moved
    # Theta moved by rate (alpha m + G) of the network before.
    w, b, v, c = before.gradient()
    less = lambda a, g: [(p - float(q)) / alpha for p, q in zip(a, g)]
    return [less(p, q) for p, q in zip(moved[0], w)], less(moved[1], b), less(moved[2], v), (moved[3] - float(c)) / alpha


def weighted_points():
    """20 points of x^2 on [-1, 1] with weights from 0 to 3."""
    draw = random.Random(5)
    points = [(x, x * x) for x in (draw.uniform(-1, 1) for _ in range(20))]
    return f"data = {{ points = {[list(p) for p in points]}, weights = {[draw.choice([0, 0.5, 1, 3]) for _ in points]} }}\n"


def check(limrisk, directory, dimension, target, precision, activation="relu", optimizer=PLAIN, steps=STEPS):
    directory.mkdir()
    run = Program(limrisk, directory)
    problem = weighted_points() if target == "weighted" else DRAWN.format(dimension=dimension, target=target)
    text = CAMPAIGN.format(problem=problem, precision=precision, activation=activation, optimizer=optimizer, steps=steps, trials=TRIALS, widths=list(WIDTHS))
    (directory / "exact.toml").write_text(text)
    run("run", "exact.toml", "--quiet")
    run("limits", "exact.db", "--csv", "limits.csv")
    (text,) = sqlite3.connect(directory / "exact.db").execute("SELECT text FROM documents WHERE kind = 'data'").fetchone()
    rounded = (lambda x: struct.unpack("<f", struct.pack("<f", x))[0]) if precision == "float32" else (lambda x: x)
    data = json.loads(text)
    flat = lambda point: point if isinstance(point, list) else [point]
    given = data.get("weights", [1] * len(data["inputs"]))
    kept = [m for m, weight in enumerate(given) if weight]
    points = [[Fraction(rounded(x)) for x in flat(data["inputs"][m])] for m in kept]
    targets = [Fraction(rounded(data["outputs"][m])) for m in kept]
    total = 0.0
    for m in kept:
        total += given[m]
    weights = [Fraction(rounded(given[m] / total)) for m in kept]
    kinks, pieces = piecewise_linear(activation, rounded)
    on_points = lambda network: Network(*network, points, targets, weights, kinks, pieces)
    descent = descent_of(optimizer, rounded, steps)
    ends, before = networks(run, "exact.db", WIDTHS, dimension), {}
    if descent[0] != "plain":
        run("run", "exact.toml", "--quiet", "--set", f"steps={steps - 1}", "--store", "before.db")
        before = networks(run, "before.db", WIDTHS, dimension)
    rows = {(int(row["cell"]), int(row["trial"])): row for row in csv.DictReader((directory / "limits.csv").open())}
    assert len(rows) == len(WIDTHS) * TRIALS
    proved = close = still_open = 0
    widest = 0.0
    limits, outcomes = {}, {}
    for key, row in rows.items():
        network = on_points(ends[key])
        moments = moments_of(descent, network, on_points(before[key])) if before else None
        said = row["outcome"] if row["outcome"] in ("proved", "kink_on_point", "no_outer_weight") else "open"
        ours = [network.outcome(descent, moments, 1 + part) for part in (0, -CLOSE, CLOSE)]
        if len(set(ours)) > 1:
            close += 1
        elif said == "kink_on_point" and ours[0] == "open":
            assert network.is_near_kink(), row
        else:
            assert said == ours[0], (row, ours)
        still_open += said != "proved"
        if said != "proved":
            assert row["verdict"] == "open", row
            continue
        proved += 1
        limits[key], _ = least_square(network.columns(), targets, weights)
        low, high = Fraction(float(row["low"])), Fraction(float(row["high"]))
        assert low <= limits[key] <= high, (row, float(limits[key]))
        assert (low == high) == (limits[key] == 0 and low == 0), row
        widest = max(widest, float(high - low))
    for (cell, trial), limit in limits.items():
        bound = min(other for (narrower, _), other in limits.items() if narrower <= cell)
        verdict = "global" if limit == 0 else "not_global" if limit > bound + Fraction(1e-12) else "undecided" if limit == bound else None
        assert verdict in (None, rows[cell, trial]["verdict"]), (rows[cell, trial], float(limit), float(bound))
    print(
        f"d = {dimension}, {target}, {activation}, {precision}, {optimizer}, {steps} steps: {proved} limits between their bounds, which are {widest:.1e} "
        f"apart at most; proved again, {still_open} open, {close} close"
    )
    return proved, still_open, close


def main():
    limrisk = str(pathlib.Path(sys.argv[1]).resolve())
    momentum, nesterov = 'name = "momentum", alpha = {}, learning_rate = {}', 'name = "nesterov", alpha = {}, learning_rate = {}'
    is_sum = ', form = "sum"'
    with tempfile.TemporaryDirectory() as name:
        cases = [(1, "x1^2", "float64"), (2, "x1*x2+x2", "float64"), (1, "sin(3*x1)", "float32"), (1, "2*x1-1", "float64"), (1, "weighted", "float64")]
        cases += [(1, "x1^2", "float64", "leaky_relu(0.3)"), (2, "x1*x2+x2", "float64", "leaky_relu(-0.4)")]
        cases += [(1, "sin(3*x1)", "float32", "leaky_relu(0.1)"), (1, "x1^2", "float64", "clipping(0, 0.6)"), (1, "weighted", "float32", "leaky_relu(0.2)")]
        cases += [(2, "x1*x2+x2", "float64", "clipping(-0.3, 0.7)"), (1, "sin(3*x1)", "float32", "clipping(0.1, 0.7)"), (1, "weighted", "float64", "clipping(0, 0.5)")]
        cases += [(1, "x1^2", "float64", "relu", momentum.format(0.9, 0.1)), (1, "sin(3*x1)", "float32", "relu", momentum.format(0.5, 0.05) + is_sum)]
        cases += [(2, "x1*x2+x2", "float64", "relu", nesterov.format(0.9, 0.1)), (1, "sin(3*x1)", "float64", "relu", nesterov.format(0.75, 0.02) + is_sum)]
        cases += [(1, "weighted", "float64", "clipping(0, 0.5)", momentum.format(0.5, 0.1)), (1, "x1^2", "float64", "leaky_relu(0.3)", nesterov.format(0.5, 0.1))]
        cases += [(1, "x1^2", "float64", "relu", 'name = "sgd", learning_rate = { schedule = "polynomial", initial = 0.5, power = 0.25 }')]
        # Few steps: much momentum is left.
        cases += [(1, "x1^2", "float64", "relu", momentum.format(0.9, 0.1), 400), (1, "sin(3*x1)", "float64", "relu", nesterov.format(0.9, 0.01) + is_sum, 2000)]
        results = [check(limrisk, pathlib.Path(name) / str(k), *case) for k, case in enumerate(cases)]
    proved, still_open, close = (sum(result[k] for result in results) for k in range(3))
    print(f"{proved} limits proved again, {still_open} trials open again, {close} too close to tell")
    assert min(result[0] for result in results[:-2]) >= 5, results
    assert proved >= 300 and still_open >= 100 and close <= 20, (proved, still_open, close)


if __name__ == "__main__":
    main()
