#!/usr/bin/env python3
"""bench/peers/compare without its peers: the plain computation it trusts, what it refuses, its ratios and its table.

Usage: peers_compare.py SOURCE_DIRECTORY
"""

import importlib.machinery
import importlib.util
import math
import pathlib
import sys
import unittest

FOLDER = pathlib.Path(sys.argv.pop()).resolve() / "bench/peers"
sys.path.insert(0, str(FOLDER))
sys.dont_write_bytecode = True
import plain  # noqa: E402

loader = importlib.machinery.SourceFileLoader("compare", str(FOLDER / "compare"))
compare = importlib.util.module_from_spec(importlib.util.spec_from_loader("compare", loader))
loader.exec_module(compare)

CELL = {"width": 5, "dimension": 2, "batch": 7, "optimizer": "adam", "precision": "float32"}


class Stub:
    """A program with {variant: (speed or the text of its failure, the error of its parameters)}."""

    def __init__(self, variants):
        self.variants, self.asked = variants, []

    def speed(self, cell, variant, seconds):
        self.asked.append(variant)
        speed = self.variants[variant][0]
        if isinstance(speed, str):
            raise compare.Failure(speed)
        return speed, 1

    def ask(self, **request):
        assert request["do"] == "train"
        found = plain.trained(request["cell"], request["parameters"], request["samples"])
        return {"parameters": [value + self.variants[request["variant"]][1] for value in found]}


class Plain(unittest.TestCase):
    def test_gradient_is_that_of_the_risk(self):
        parameters, samples = plain.problem(CELL)
        batch = [samples[2 * m : 2 * m + 2] for m in range(CELL["batch"])]
        _, gradient = plain.risk_and_gradient(CELL, parameters, batch)
        for i, slope in enumerate(gradient):
            risks = []
            for shift in (1e-6, -1e-6):  # central differences: error of the order of 1e-12, rounding 1e-10
                risks.append(plain.risk_and_gradient(CELL, [p + shift * (i == j) for j, p in enumerate(parameters)], batch)[0])
            self.assertLess(abs((risks[0] - risks[1]) / 2e-6 - slope), 1e-8)

    def test_a_gradient_that_is_wrong_in_one_place_differs_by_more_than_the_tolerance(self):
        for cell in compare.cells():
            if cell["width"] * cell["batch"] > 32 * 256:
                continue
            parameters, samples = plain.problem(cell)
            batch = [samples[m : m + cell["dimension"]] for m in range(0, cell["batch"] * cell["dimension"], cell["dimension"])]
            _, gradient = plain.risk_and_gradient(cell, parameters, batch)
            truth = plain.trained(cell, parameters, samples)
            largest = max(range(len(gradient)), key=lambda i: abs(gradient[i]))
            wrong = list(truth)
            wrong[largest] = parameters[largest]  # never updated
            self.assertGreater(plain.difference(wrong, truth), 10 * plain.tolerance(cell))

    def test_first_step_of_adam_is_the_learning_rate(self):
        parameters, samples = plain.problem(CELL)
        found = plain.trained(CELL, parameters, samples[: CELL["batch"] * CELL["dimension"]])
        self.assertAlmostEqual(abs(found[-1] - parameters[-1]), plain.RATE["adam"], delta=1e-8)


class Choice(unittest.TestCase):
    def test_the_fastest_that_is_right_is_taken(self):
        program = Stub({"slow": (1.0, 0), "wrong": (9.0, 0.1), "nan": (8.0, math.nan), "fast": (7.0, 1e-7), "broken": ("no compiler", 0)})
        tried = compare.try_variants(program, CELL, list(program.variants), math.inf)
        self.assertEqual(tried["broken"], "failed: no compiler")
        variant, difference, refused = compare.choose(program, CELL, tried)
        self.assertEqual(variant, "fast")
        self.assertLess(difference, 1e-5)
        self.assertEqual(set(refused), {"wrong", "nan"})

    def test_after_the_deadline_only_the_first_is_tried(self):
        program = Stub({"first": (1.0, 0), "second": (2.0, 0)})
        tried = compare.try_variants(program, CELL, list(program.variants), -math.inf)
        self.assertEqual(program.asked, ["first"])
        self.assertIn("not tried", tried["second"])
        self.assertEqual(compare.choose(program, CELL, tried)[0], "first")

    def test_after_the_deadline_what_is_compiled_already_is_tried(self):
        program = Stub({"one, a": (1.0, 0), "one, b": (3.0, 0), "two, a": (9.0, 0)})
        tried = compare.try_variants(program, CELL, list(program.variants), -math.inf, shared=True)
        self.assertEqual(program.asked, ["one, a", "one, b"])
        self.assertEqual(compare.choose(program, CELL, tried)[0], "one, b")

    def test_a_peer_without_a_right_variant_is_refused_in_the_table(self):
        program = Stub({"wrong": (9.0, 0.1)})
        variant, _, refused = compare.choose(program, CELL, {"wrong": 9.0})
        self.assertIsNone(variant)
        self.assertEqual(len(refused), 1)


class Ratios(unittest.TestCase):
    def test_of_neighbours_in_turns(self):
        # The machine is twice as slow in the second round: each ratio is still 2.
        own, other = iter((4.0, 2.0, 4.0)), iter((2.0, 1.0, 1.0))
        order = []
        ours = lambda: order.append("A") or next(own)  # noqa: E731
        theirs = lambda: order.append("B") or next(other)  # noqa: E731
        self.assertEqual(compare.in_turns(ours, theirs, 3), (4.0, 1.0, (2.0, 2.0, 4.0)))
        self.assertEqual("".join(order), "ABABAB")

    def test_table(self):
        def result(cell, peer, ratio):
            return {"cell": cell, "peer": peer, "limrisk_is": ratio, "limrisk_is_at_least": ratio / 2, "limrisk_is_at_most": 2 * ratio} | {
                "limrisk_replica_steps_per_second": 1e6
            }

        results = [result("a", "jax", 2.0), result("b", "jax", 8.0), result("a", "numpy", 50.0), {"cell": "b", "peer": "numpy", "failure": "refused"}]
        head, a, b, mean = compare.table(results, ["jax", "numpy"])
        self.assertEqual(head.split(), ["cell", "limrisk", "jax", "numpy"])
        self.assertEqual(a.split(), ["a", "1.00e+06", "2.00", "(1.00-4.00)", "50", "(25-100)"])
        self.assertEqual(b.split(), ["b", "1.00e+06", "8.00", "(4.00-16)", "refused"])
        self.assertEqual(mean.split(), ["geometric", "mean", "4.00", "of", "2", "50", "of", "1"])

    def test_there_are_19_cells(self):
        self.assertEqual(len({compare.name_of(cell) for cell in compare.cells()}), 19)


if __name__ == "__main__":
    unittest.main()
