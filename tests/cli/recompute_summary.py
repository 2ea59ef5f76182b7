"""Recomputes the numbers of a summary, a comparison and a report from the exported trials.

recompute_summary.py SUMMARY COMPARISON TRIALS OPTIMA REPORT FIGURES

SUMMARY and COMPARISON are JSON, TRIALS the CSV of `limrisk export`, OPTIMA the JSON of `limrisk optimum`, REPORT the page and FIGURES the
directory of `limrisk report`. The campaign trains widths of ReLU networks on x^2 over [0, 1] with the default initialization. NumPy and
SciPy only; nothing of limrisk is used.
"""
import csv
import json
import math
import pathlib
import re
import sys
import xml.etree.ElementTree

import numpy as np
from scipy import integrate, optimize, stats

TOLERANCE = 1e-9  # of two double computations of the same statistic
NUMBERS = ("final_risk", "best_risk", "tail_minimum", "tail_mean", "inactive_initial", "constant_initial", "inactive_final", "inactive_on_data", "died", "revived",
           "constant", "linear", "kinked", "initial_risk", "gradient_norm", "parameter_norm", "average_risk", "average_inactive", "average_constant",
           "average_inactive_on_data", "kinks_crossed", "kink_displacement")
checked = 0


def same(name, ours, theirs, tolerance=TOLERANCE):
    global checked
    checked += 1
    theirs = {"Infinity": np.inf, "-Infinity": -np.inf}.get(theirs, theirs)
    if isinstance(ours, (int, str, bool, np.integer)) or ours is None or theirs is None:
        good = ours == theirs
    else:
        good = ours == theirs or abs(ours - theirs) <= tolerance * max(abs(ours), abs(theirs), 1e-300)
    if not good:
        sys.exit(f"{name}: limrisk says {theirs!r}, these trials say {ours!r}")


def clopper_pearson(k, n, confidence=0.95):
    a = (1 - confidence) / 2
    return (stats.beta.ppf(a, k, n - k + 1) if k > 0 else 0.0, stats.beta.ppf(1 - a, k + 1, n - k) if k < n else 1.0)


def two_sided(k, n, p):
    """Twice the smaller tail."""
    return min(1.0, 2 * min(stats.binom.cdf(k, n, p), stats.binom.sf(k - 1, n, p)))


def holm(p_values):
    order = np.argsort(p_values, kind="stable")
    adjusted, largest = np.empty(len(p_values)), 0.0
    for rank, k in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[k]))
        adjusted[k] = largest
    return adjusted


def inactive_probability():
    """P(b + max(w, 0) <= 0) for w, b independent and uniform on [-1, 1]: an integral over w."""
    return integrate.quad(lambda w: np.clip(1 - max(w, 0), 0, None) / 2 / 2, -1, 1, points=[0])[0]


def binomial_p_value(inactive, width, p):
    law, n = stats.binom.pmf(np.arange(width + 1), width, p), len(inactive)
    enough = np.flatnonzero(n * law >= 5)
    tests = [two_sided(int(inactive.sum()), n * width, p)]
    if len(enough):
        low, high = enough[0], enough[-1]
        bins = ([(0, low - 1)] if low > 0 else []) + [(j, j) for j in range(low, high + 1)] + ([(high + 1, width)] if high < width else [])
        for first, last in bins:
            tests.append(two_sided(int(((inactive >= first) & (inactive <= last)).sum()), n, law[first:last + 1].sum()))
    return holm(tests).min()


def quantile(values, share):
    """The smallest value that at least this share of the trials does not exceed."""
    return np.sort(values)[max(1, int(np.ceil(share * len(values) * (1 - 1e-12)))) - 1]


def check_risks(name, values, theirs):
    same(name + " minimum", values.min(), theirs["minimum"])
    same(name + " minimum_trial", int(values.argmin()), theirs["minimum_trial"])
    same(name + " maximum", values.max(), theirs["maximum"])
    for key, share in (("quantile_05", 0.05), ("median", 0.5), ("quantile_95", 0.95)):
        for end in ("", "_bin_low", "_bin_high"):
            same(f"{name} {key}{end}", quantile(values, share), theirs[key + end])


def check_levels(name, trials, theirs, tolerance):
    n = len(trials["verdict"])
    if theirs["catalogue"]:
        risks = np.array([level["risk"] for level in theirs["levels"]])
        distance = np.abs(trials["final_risk"][:, None] - risks) / risks
        level = np.where(distance.min(axis=1) <= theirs["tolerance"], distance.argmin(axis=1), -1)
        same(name + " on none", int((level < 0).sum()), theirs["on_none"])
    else:
        converged = np.flatnonzero(trials["verdict"] == "converged")
        order = converged[np.argsort(trials["tail_mean"][converged], kind="stable")]
        sorted_risks = trials["tail_mean"][order]
        variance = 4 / 45
        cut = np.diff(sorted_risks) > 2 * tolerance * sorted_risks[1:] + 1e-10 * variance
        level = np.full(n, -1)
        level[order] = np.concatenate([[0], np.cumsum(cut)]) if len(order) else []
        same(name + " not converged", n - len(converged), theirs["on_none"])
        same(name + " clusters", int(cut.sum()) + (1 if len(order) else 0), len(theirs["levels"]) + theirs["left_out"])
        if theirs["left_out"]:
            return
    for k, stated in enumerate(theirs["levels"]):
        here = level == k
        same(f"{name} level {k} trials", int(here.sum()), stated["trials"])
        low, high = clopper_pearson(int(here.sum()), n)
        same(f"{name} level {k} low", low, stated["low"])
        same(f"{name} level {k} high", high, stated["high"])
        for state, column in (("mean_inactive", "inactive_final"), ("mean_linear", "linear"), ("mean_kinked", "kinked")):
            same(f"{name} level {k} {state}", trials[column][here].mean() if here.any() else 0.0, stated[state])
        if not theirs["catalogue"]:
            same(f"{name} level {k} risk", quantile(trials["tail_mean"][here], 0.5), stated["risk"])


def check_average(name, trials, cell, threshold):
    n, stated = len(trials["verdict"]), cell["average"]
    risk, of_iterate = trials["average_risk"], trials["final_risk"]
    check_risks(name + " average risk", risk, stated["risk"])
    shown = cell["sentence"].split("the average of the iterates, partial(0.5), ")[1].split("; at least one of")[0].split("; a kink crossed")[0]
    medians = re.match(r"has a median risk of (\S+) at the end, the last iterate (\S+);", shown).groups()
    same(name + " average sentence medians", f"{quantile(risk, 0.5):.3g} {quantile(of_iterate, 0.5):.3g}", " ".join(medians))
    shares = re.findall(r"([\d.]+) % \[([\d.]+), ([\d.]+)\]", shown)
    for key, holds, share in zip(("lower", "missed", "missed_by_iterate"), (risk < of_iterate, risk > threshold, of_iterate > threshold), shares):
        count = int(holds.sum())
        low, high = clopper_pearson(count, n)
        same(f"{name} average {key}", count, stated[key])
        same(f"{name} average {key} low", low, stated[key + "_low"])
        same(f"{name} average {key} high", high, stated[key + "_high"])
        same(f"{name} average {key} sentence", f"{100 * count / n:.1f} {100 * low:.1f} {100 * high:.1f}", " ".join(share))
    for key, column in (("mean_inactive", "average_inactive"), ("mean_constant", "average_constant"), ("mean_inactive_on_data", "average_inactive_on_data")):
        same(f"{name} average {key}", trials[column].mean(), stated[key])


def check_kinks(name, trials, cell):
    n, stated = len(trials["verdict"]), cell["kinks"]
    displacement = trials["kink_displacement"]
    for key, holds in (("crossed", trials["kinks_crossed"] > 0), ("through_infinity", np.isinf(displacement))):
        count = int(holds.sum())
        low, high = clopper_pearson(count, n)
        same(f"{name} kinks {key}", count, stated[key])
        same(f"{name} kinks {key} low", low, stated[key + "_low"])
        same(f"{name} kinks {key} high", high, stated[key + "_high"])
    same(name + " kinks mean", trials["kinks_crossed"].mean(), stated["mean_crossed"])
    check_risks(name + " kinks displacement", displacement, stated["displacement"])
    count = int((trials["kinks_crossed"] > 0).sum())
    low, high = clopper_pearson(count, n)
    shown = re.search(r"a kink crossed a training point in ([\d.]+) % \[([\d.]+), ([\d.]+)\]", cell["sentence"]).groups()
    same(name + " kinks sentence", f"{100 * count / n:.1f} {100 * low:.1f} {100 * high:.1f}", " ".join(shown))


def check_restarts(name, risks, missed, stated):
    """From the definitions: the transformed interval, the mean over all choices, the integral of what the band leaves."""
    n, restarts = len(risks), stated["restarts"]
    low, high = clopper_pearson(n - missed, n)
    for key, p in (("reach_least", 1 - missed / n), ("reach_most", 1 - missed / n), ("reach_low", low), ("reach_high", high)):
        same(f"{name} restarts {key}", 1 - (1 - p) ** restarts, stated[key], 1e-9)
    values, share = np.sort(risks), 1 - 0.5 ** (1 / restarts)
    same(name + " restarts median", quantile(risks, share), stated["best_risk_median"])
    ranks = np.arange(1, n + 1)
    below = ranks[stats.binom.cdf(ranks - 1, n, share) <= 0.025]
    above = ranks[stats.binom.sf(ranks - 1, n, share) <= 0.025]
    same(name + " restarts median low", values[below[-1] - 1] if len(below) else 0.0, stated["best_risk_median_low"])
    same(name + " restarts median high", values[above[0] - 1] if len(above) else np.inf, stated["best_risk_median_high"])
    weights = np.array([math.comb(n - i, restarts - 1) / math.comb(n, restarts) for i in ranks])
    same(name + " restarts mean", float(values[weights > 0] @ weights[weights > 0]), stated["best_risk_mean"], 1e-9)
    heights = np.maximum(0, 1 - (ranks - 1) / n - np.sqrt(np.log(20) / (2 * n))) ** restarts
    seen = heights > 0
    same(name + " restarts mean low", float(np.diff(np.concatenate([[0], values]))[seen] @ heights[seen]), stated["best_risk_mean_low"], 1e-9)


def check_cell(cell, trials, optima, relative):
    name, width, n = f"cell {cell['cell']}", int(cell["labels"]["width"]), len(trials["verdict"])
    inactive = trials["inactive_initial"] + trials["constant_initial"]
    same(name + " trials", n, cell["trials"])
    # x^2 is curved, so no width reaches it: one frozen neuron excludes the optimum.
    same(name + " least", 1, cell["certified"]["least_frozen"])
    certified = int((inactive > 0).sum())
    low, high = clopper_pearson(certified, n)
    stated = cell["certified"]
    same(name + " certified", certified, stated["trials"])
    same(name + " certified share", certified / n, stated["share"])
    same(name + " certified low", low, stated["low"])
    same(name + " certified high", high, stated["high"])
    p = inactive_probability()
    same(name + " p", p, cell["predicted"]["inactive_probability"])
    same(name + " bound", 1 - (1 - p) ** width, cell["predicted"]["bound"])
    same(name + " binomial", binomial_p_value(inactive, width, p), cell["predicted"]["binomial_p_value"], 1e-8)
    # The infimum over widths h of ReLU networks for x^2 on [0, 1] is (2 / (2h + 1))^4 / 180.
    optimum = (2 / (2 * width + 1)) ** 4 / 180
    measured = cell["measured"]
    same(name + " optimum", optimum, measured["optimum"], 1e-11)
    threshold = measured["optimum"] * (1 + relative) + 1e-10 * 4 / 45  # Var f
    same(name + " threshold", threshold, measured["threshold"])
    missed = int((trials["tail_mean"] > measured["threshold"]).sum())
    low, high = clopper_pearson(missed, n)
    for key in ("trials_least", "trials_most"):
        same(f"{name} missed {key}", missed, measured[key])
    same(name + " missed low", low, measured["low"])
    same(name + " missed high", high, measured["high"])
    same(name + " best ratio", trials["best_risk"].min() / measured["optimum"], measured["best_ratio"])
    same(name + " best risk", trials["best_risk"].min(), cell["best"]["risk"])
    same(name + " best trial", int(trials["best_risk"].argmin()), cell["best"]["trial"])
    for key, column in (("mean_inactive_initial", "inactive_initial"), ("mean_inactive_final", "inactive_final"),
                        ("mean_inactive_on_data", "inactive_on_data"), ("mean_constant", "constant")):
        same(f"{name} {key}", trials[column].mean(), cell[key])
    for key in ("died", "revived"):
        same(f"{name} {key}", int(trials[key].sum()), cell[key])
    for verdict, count in cell["verdicts"].items():
        same(f"{name} {verdict}", int((trials["verdict"] == verdict).sum()), count)
        low, high = clopper_pearson(count, n)
        same(f"{name} share {verdict}", count / n, cell["verdict_share"][verdict])
        same(f"{name} low {verdict}", low, cell["verdict_share"][verdict + "_low"])
        same(f"{name} high {verdict}", high, cell["verdict_share"][verdict + "_high"])
    check_restarts(name, trials["final_risk"], missed, cell["restarts"])
    check_risks(name + " final risk", trials["final_risk"], cell["final_risk"])
    check_risks(name + " limiting risk", trials["tail_mean"], cell["limiting_risk"])
    check_average(name, trials, cell, measured["threshold"])
    check_kinks(name, trials, cell)
    counts = {int(j): int((inactive == j).sum()) for j in np.unique(inactive)}
    same(name + " floors", len(counts), len(cell["floors"]))
    for floor, (j, count) in zip(cell["floors"], sorted(counts.items())):
        same(name + " floor", j, floor["frozen"])
        same(name + " floor trials", count, floor["trials"])
        same(name + " floor risk", (2 / (2 * (width - j) + 1)) ** 4 / 180, floor["risk"], 1e-11)
        same(name + " floor bound", optima[width - j]["lower_bound"], floor["lower_bound"])
    for check in cell["checks"]:
        same(f"{name} {check['name']}", 0, check["violated"])
    expected = {"risk floor": n, "frozen neurons": n, "Proposition 2.10": int((trials["verdict"] != "diverged").sum()),
                "Proposition 3.18": int((trials["inactive_final"] + trials["constant"] > 0).sum())}
    same(name + " checks", json.dumps(expected, sort_keys=True),
         json.dumps({check["name"]: check["checked"] for check in cell["checks"]}, sort_keys=True))
    check_levels(name, trials, cell["levels"], float(cell["labels"]["tolerance"]))
    shares = re.findall(r"([\d.]+) % \[([\d.]+), ([\d.]+)\]", cell["sentence"])
    for (share, low, high), stated, count in zip(shares, (cell["certified"], measured), (certified, missed)):
        same(name + " sentence", f"{100 * count / n:.1f} {100 * stated['low']:.1f} {100 * stated['high']:.1f}", f"{share} {low} {high}")


def check_rate(rate, cells, trials):
    """Of the trials without an inactive neuron at one width, those with one at the next are binomial with 1 - exp(-rate * difference)."""
    widths = [int(cells[k]["labels"]["width"]) for k in rate["cells"]]
    without = [len(trials[rate["cells"][0]]["verdict"])] + [int((trials[k]["inactive_initial"] == 0).sum()) for k in rate["cells"]]
    steps = np.diff([0] + widths)
    pairs = [(d, n, n - m) for d, n, m in zip(steps, without, without[1:]) if n > 0]

    def log_likelihood(r):
        return sum(k * np.log(-np.expm1(-r * d)) - r * d * (n - k) if k else -r * d * n for d, n, k in pairs)

    best = optimize.minimize_scalar(lambda r: -log_likelihood(r), bounds=(1e-6, 20), method="bounded", options={"xatol": 1e-12}).x
    same("rate", best, rate["rate"], 1e-6)
    drop = stats.chi2.ppf(0.95, 1) / 2
    edge = lambda r: log_likelihood(best) - log_likelihood(r) - drop
    same("rate low", optimize.brentq(edge, 1e-9, best, xtol=1e-13), rate["low"], 1e-6)
    same("rate high", optimize.brentq(edge, best, 40, xtol=1e-13), rate["high"], 1e-6)
    same("rate predicted", -np.log(1 - inactive_probability()), rate["predicted"])


def check_comparison(comparison, summary, trials):
    pairs = [pair for group in comparison["groups"] for pair in group["pairs"]]
    missed_p, risk_p = [], []
    for pair in pairs:
        name = f"pair {pair['first']}, {pair['second']}"
        first, second = (trials[pair[k]]["tail_mean"] for k in ("first", "second"))
        a, b = (t > summary["cells"][pair[k]]["measured"]["threshold"] for t, k in ((first, "first"), (second, "second")))
        only_first, only_second, n = int((a & ~b).sum()), int((~a & b).sum()), len(first)
        stated = pair["missed"]
        same(name + " only first", only_first, stated["only_first"])
        same(name + " only second", only_second, stated["only_second"])
        same(name + " difference", a.mean() - b.mean(), stated["difference"], 1e-7)
        discordant = only_first + only_second
        missed_p.append(two_sided(only_first, discordant, 0.5) if discordant else 1.0)
        same(name + " McNemar", missed_p[-1], stated["p_value"], 1e-8)
        d, q = clopper_pearson(discordant, n, 0.975), clopper_pearson(only_first, discordant, 0.975) if discordant else (0.0, 1.0)
        corners = [x * (2 * y - 1) for x in d for y in q]
        same(name + " low", min(corners), stated["low"])
        same(name + " high", max(corners), stated["high"])
        risks, difference = pair["limiting_risk"], np.sort(first - second)
        larger, smaller = int((first > second).sum()), int((first < second).sum())
        same(name + " first larger", larger, risks["first_larger"])
        same(name + " second larger", smaller, risks["second_larger"])
        same(name + " equal", n - larger - smaller, risks["equal"])
        same(name + " median", difference[(n + 1) // 2 - 1], risks["median_difference"])
        rank = next(r for r in range(n, -1, -1) if r == 0 or stats.binom.cdf(r - 1, n, 0.5) <= 0.025)
        same(name + " median low", difference[rank - 1] if rank else -np.inf, risks["low"])
        same(name + " median high", difference[n - rank] if rank else np.inf, risks["high"])
        risk_p.append(two_sided(larger, larger + smaller, 0.5) if larger + smaller else 1.0)
        same(name + " sign test", risk_p[-1], risks["p_value"], 1e-8)
    for pair, ours, risk in zip(pairs, holm(missed_p), holm(risk_p)):
        same("adjusted McNemar", ours, pair["missed"]["adjusted_p_value"], 1e-8)
        same("adjusted sign test", risk, pair["limiting_risk"]["adjusted_p_value"], 1e-8)


def rows_of(path):
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            yield {key: value if key in ("part", "level", "group", "first_value", "second_value") or value == "" else float(value) for key, value in row.items()}


def check_shares(path, cells, trials):
    for row in rows_of(path):
        cell, mine = cells[int(row["cell"])], trials[int(row["cell"])]
        name, n, p = f"{path.name} cell {cell['cell']}", len(mine["verdict"]), inactive_probability()
        certified = int((mine["inactive_initial"] > 0).sum())
        missed = int((mine["tail_mean"] > cell["measured"]["threshold"]).sum())
        same(name + " trials", n, int(row["trials"]))
        if path.name.startswith("rate"):
            for key, count in (("certified", n - certified), ("measured", n - missed)):
                low, high = clopper_pearson(count, n)
                for end, value in (("share", count / n), ("low", low), ("high", high)):
                    same(f"{name} {key} none {end}", value, row[f"{key}_none_{end}"])
            same(name + " predicted", (1 - p) ** row["width"], row["predicted"])
            continue
        if path.name.startswith("non-convergence-all"):
            for end, value in zip(("share", "low", "high"), (missed / n, *clopper_pearson(missed, n))):
                same(f"{name} {end}", value, row[end])
            same(name + " bound", 1 - (1 - p) ** row["width"], row["predicted_bound"])
            continue
        same(name + " bound", 1 - (1 - p) ** row["width"], row["predicted_bound"])
        same(name + " certified", certified / n, row["certified_share"])
        same(name + " certified low", clopper_pearson(certified, n)[0], row["certified_low"])
        same(name + " certified high", clopper_pearson(certified, n)[1], row["certified_high"])
        for key in ("least", "most"):
            same(f"{name} measured {key}", missed / n, row["measured_" + key])
        same(name + " measured low", clopper_pearson(missed, n)[0], row["measured_low"])
        same(name + " measured high", clopper_pearson(missed, n)[1], row["measured_high"])


def check_histogram(path, trials):
    total = 0
    for row in rows_of(path):
        risks = trials[int(row["cell"])]["tail_mean"]
        if row["part"] == "level":
            continue
        here = {"not positive": risks <= 0, "below": (risks > 0) & (risks < row["bin_high"]), "diverged": np.isinf(risks),
                "above": (risks >= row["bin_low"]) & np.isfinite(risks)}.get(row["part"], (risks >= row["bin_low"]) & (risks < row["bin_high"]))
        same(f"{path.name} {row['part']} from {row['bin_low']}", int(here.sum()), int(row["trials"]))
        total += int(row["trials"])
    same(path.name + " all", len(risks), total)


def check_inactive(path, cells, trials):
    for row in rows_of(path):
        mine, width = trials[int(row["cell"])], int(cells[int(row["cell"])]["labels"]["width"])
        first, last = int(row["inactive_first"]), int(row["inactive_last"])
        n, law = len(mine["verdict"]), stats.binom.pmf(np.arange(width + 1), width, inactive_probability())
        for key, column in (("trials_initial", "inactive_initial"), ("trials_final", "inactive_final")):
            same(f"{path.name} {key} {first}", int(((mine[column] >= first) & (mine[column] <= last)).sum()), int(row[key]))
        same(f"{path.name} predicted {first}", n * law[first:last + 1].sum(), row["trials_predicted"])


def check_trajectory(path, trials):
    """At both ends the trials' records say what the trajectory must say."""
    rows = list(rows_of(path))
    mine = trials[int(rows[0]["cell"])]
    series = path.stem.split("-")[-1]
    ends = {"risk": [(rows[0], "initial_risk")], "gradient_norm": [(rows[-1], "gradient_norm")],
            "parameter_norm": [(rows[-1], "parameter_norm")], "inactive": [(rows[0], "inactive_initial"), (rows[-1], "inactive_final")]}
    for row, column in ends.get(series, []):
        same(f"{path.name} {column} mean", mine[column].mean(), row["mean"])
        for key, share in (("quantile_05", 0.05), ("quantile_25", 0.25), ("median", 0.5), ("quantile_75", 0.75), ("quantile_95", 0.95)):
            same(f"{path.name} {column} {key}", quantile(mine[column], share), row[key])
    if series == "distance":
        same(path.name + " end", 0.0, rows[-1]["quantile_95"])


def check_pairs(path, cells, trials):
    for row in rows_of(path):
        shares = [(trials[int(row[key])]["tail_mean"] > cells[int(row[key])]["measured"]["threshold"]).mean() for key in ("first", "second")]
        same(f"{path.name} {row['first']} {row['second']}", shares[0] - shares[1], row["difference"])
        same(f"{path.name} inside", True, row["low"] <= row["difference"] <= row["high"])


def check_figures(directory, cells, trials):
    kinds = {"comparison-pairs": 0, "non-convergence": 0, "rate": 0, "limiting-risk": 0, "inactive": 0, "trajectory": 0}
    for path in sorted(directory.glob("*.csv")):
        kind = next(kind for kind in kinds if path.name.startswith(kind))
        kinds[kind] += 1
        if kind in ("non-convergence", "rate"):
            check_shares(path, cells, trials)
        elif kind == "comparison-pairs":
            check_pairs(path, cells, trials)
        elif kind == "limiting-risk":
            check_histogram(path, trials)
        elif kind == "inactive":
            check_inactive(path, cells, trials)
        else:
            check_trajectory(path, trials)
        for ending in (".svg", ".pdf"):
            same(f"{path.stem}{ending}", True, path.with_suffix(ending).exists())
    same("kinds of figures", True, all(kinds.values()))


def check_page(path, cells, trials):
    """The table of all cells: each number to the digits that it shows."""
    tree = xml.etree.ElementTree.parse(path)
    for element in tree.iter():
        element.tag = element.tag.split("}")[-1]
    table = next(table for table in tree.iter("table") if "certified, % [CI]" in ["".join(head.itertext()) for head in table.iter("th")])
    heads = ["".join(head.itertext()) for head in next(table.iter("tr"))]
    seen = 0
    for line in table.iter("tr"):
        texts = ["".join(cell.itertext()) for cell in line]
        if len(texts) != len(heads) or texts == heads:
            continue
        shown = dict(zip(heads, texts))
        cell, mine = cells[int(shown["cell"])], trials[int(shown["cell"])]
        n, seen = len(mine["verdict"]), seen + 1
        certified = int((mine["inactive_initial"] > 0).sum())
        missed = int((mine["tail_mean"] > cell["measured"]["threshold"]).sum())
        expected = {"trials": [n], "predicted, %": [100 * (1 - (1 - inactive_probability()) ** int(shown["width"]))],
                    "certified, % [CI]": [100 * certified / n] + [100 * end for end in clopper_pearson(certified, n)],
                    "measured, % [CI]": [100 * missed / n] + [100 * end for end in clopper_pearson(missed, n)],
                    "optimum": [cell["measured"]["optimum"]], "best risk": [mine["best_risk"].min()],
                    "risk, median": [quantile(mine["tail_mean"], 0.5)], "risk, 95 %": [quantile(mine["tail_mean"], 0.95)],
                    "inactive, start": [mine["inactive_initial"].mean()], "inactive, end": [mine["inactive_final"].mean()]}
        for head, values in expected.items():
            numbers = re.findall(r"\d+(?:\.\d+)?(?:e[+-]\d+)?", shown[head])
            same(f"page {head}", len(values), len(numbers))
            for value, text in zip(values, numbers):
                mantissa, _, exponent = text.partition("e")
                unit = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
                below = value - float(text)  # a lower bound is not rounded up
                right = -1e-4 * unit <= below <= 1.0001 * unit if head.startswith("predicted") else abs(below) <= 0.5001 * unit
                same(f"page, cell {cell['cell']}, {head}: {value} shown as {text}", True, bool(right))
    same("rows of the page", len(cells), seen)


def main(summary_file, comparison_file, trials_file, optima_file, report_file, figures):
    with open(summary_file) as file:
        summary = json.load(file)
    with open(comparison_file) as file:
        comparison = json.load(file)
    with open(optima_file) as file:
        optima = {row["width"]: row for row in json.load(file)[0]["optima"]}
    with open(trials_file, newline="") as file:
        rows = list(csv.DictReader(file))
    trials = {}
    for cell in summary["cells"]:
        mine = [row for row in rows if int(row["cell"]) == cell["cell"]]
        columns = {"verdict": np.array([row["verdict"] for row in mine])}
        for key in NUMBERS:
            columns[key] = np.array([float(row[key]) for row in mine])
        trials[cell["cell"]] = columns
        check_cell(cell, columns, optima, summary["tolerance"])
    for rate in summary["rates"]:
        check_rate(rate, summary["cells"], trials)
    check_comparison(comparison, summary, trials)
    check_figures(pathlib.Path(figures), summary["cells"], trials)
    check_page(report_file, summary["cells"], trials)
    print(f"{checked} numbers agree")


main(*sys.argv[1:])
