#!/usr/bin/env python3
"""tests/gpu/run-all on programs that stand in for limrisk and its tests: verdicts, order, exit status, limits, and that every kind of
wrong result is a failure of its point and of no other. Without a GPU."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
TOOLS = "bash cat date env mkdir mktemp realpath rm sha256sum tail timeout"  # bash and coreutils: what a bare machine has
SHORT_LIMIT, INTERRUPTED_AFTER = 2, 2  # seconds, in place of those of run-all

# limrisk, a test program or compute-sanitizer, by its name. Writes each call to CALLS. FAULTS, JSON: what it does wrong.
STAND_IN = f"#!{sys.executable}\n" + r'''
import json, os, pathlib, signal, sys, time

name, words = pathlib.Path(sys.argv[0]).name, sys.argv[1:]
faults = json.loads(os.environ["FAULTS"])
with open(os.environ["CALLS"], "a") as calls:
    print(name, *words, *(["recomputed"] if os.environ.get("LIMRISK_KERNEL_KEEPS") == "0" else []), file=calls)
if name.endswith("_gpu_test") and os.environ.get("LIMRISK_REQUIRE_GPU") != "1":
    sys.exit("a test that may skip itself proves nothing")
if name == "compute-sanitizer":
    if "no sanitizer" in faults:
        print("========= Error: Device not supported")
        sys.exit(1)
    if faults.get("found") in words:
        print("========= Invalid __global__ write of size 4 bytes")
        sys.exit(int(words[words.index("--error-exitcode") + 1]))
    os.execv(words[4], words[4:])
key = name if name != "limrisk" else words[0]
if faults.get("hangs") == key:
    time.sleep(60)
if faults.get("fails") == key:
    sys.exit("something is wrong")

def option(which, otherwise):
    return words[words.index(which) + 1] if which in words else otherwise

def run():
    store, trials = pathlib.Path(option("--store", "")), int(option("--trials", 1000))
    if store.exists():
        print(f"continuing: {faults.get('continues', store.read_text())} trials in 2 ranges are already stored", file=sys.stderr)
    elif store.name == "stopped.db" and trials > 1000000:
        def stop(*_):
            said = faults.get("said", "5000 of 16000000")
            store.write_text(said.partition(" ")[0])
            if said:
                print(f"stopped by SIGINT: {said} trials are stored in x", file=sys.stderr)
            os._exit(faults.get("status", 130))
        signal.signal(signal.SIGINT, stop)
        time.sleep(30)
    store.write_text(f"{trials} trials")

if key == "doctor":
    print("  in use          " + ("cpu: avx2" if "no GPU" in faults else "cuda: NVIDIA X (device 0)"))
elif key == "run":
    run()
elif key == "verify":
    sys.exit("damaged" if faults.get("damaged") == words[1] else 0)
elif key == "export":
    store = pathlib.Path(words[1])
    text = "trial,risk\n0,1\n1,2\n" + store.read_text()
    pathlib.Path(option("--out", "")).write_text(text.replace("1,2", "1,3") if faults.get("differs") == store.name else text)
elif key == "bench":
    cell = {"cell": "h=32 d=1 sgd", "replica_steps_per_second": 2.5e9, "sample_neurons_per_second": 2.5e12, "tracking_share": 0.031}
    cells = [{**cell, "issue_share": share} for share in (0.625, None)]
    print(json.dumps({"backend": "cuda", "issue_limit": 1e13, "cells": cells}, indent=2))
'''

POINTS = ["doctor", "runtime", "philox", "aggregate", "backend", "selftest", "campaign", "bench", "bench-recomputed",
          "memcheck-h600", "memcheck-h1000", "memcheck-d6", "racecheck-h600", "racecheck-h1000", "racecheck-d6", "interrupted"]
SANITIZED = [point for point in POINTS if "check-" in point]


class RunAll(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for name in ("packed/tests/gpu", "packed/experiments", "tools", "elsewhere"):
            (self.folder / name).mkdir(parents=True)
        self.programs = ["limrisk"] + [f"tests/gpu/{source.stem}" for source in HERE.glob("*_gpu_test.cpp")]
        for name in [f"packed/{program}" for program in self.programs] + ["tools/compute-sanitizer"]:
            (self.folder / name).write_text(STAND_IN)
            (self.folder / name).chmod(0o755)
        for tool in TOOLS.split():
            (self.folder / "tools" / tool).symlink_to(shutil.which(tool))
        script = (HERE / "run-all").read_text()
        self.limits = {name: int(limit) for name, limit in re.findall(r'^    "(\S+) (\d+) ', script, re.MULTILINE)}
        self.script = script.replace("wait=3\n", f"wait={INTERRUPTED_AFTER}\n")

    def run_all(self, *words, faults=None):
        """Runs the script from another directory; self.verdicts: {point: "passed", "FAILED" or "skipped"} in the order of the end."""
        (self.folder / "packed/tests/gpu/run-all").write_text(self.script)
        self.calls = self.folder / "calls"
        self.calls.write_text("")
        self.out = self.folder / "out"
        environment = {"PATH": str(self.folder / "tools"), "FAULTS": json.dumps(faults or {}), "CALLS": str(self.calls)}
        done = subprocess.run(["bash", self.folder / "packed/tests/gpu/run-all", "--out", self.out, *words], cwd=self.folder / "elsewhere",
                              env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120)
        self.text, self.errors = done.stdout, done.stderr
        logs = "".join(log.read_text() for log in self.out.glob("*.log"))
        self.assertNotIn("not found", self.errors + logs)  # a tool beyond bash and coreutils
        end = self.text.rpartition("\n== ")[2]
        self.verdicts = {point: verdict for verdict, point in re.findall(r"^(passed|FAILED|skipped) +([^ :]+)", end, re.MULTILINE)}
        return done.returncode

    def expect(self, points, **others):
        """All of the points passed, in order, except for the others: expect(POINTS, philox="FAILED")."""
        expected = {point: others.get(point.replace("-", "_"), "passed") for point in points}
        self.assertEqual(list(self.verdicts.items()), list(expected.items()), self.text)

    def test_all_points_pass_in_order(self):
        self.assertEqual(self.run_all(), 0, self.text)
        self.expect(POINTS)
        self.assertNotIn("left", self.text)
        self.assertEqual(list((self.folder / "elsewhere").iterdir()), [])
        calls = self.calls.read_text().splitlines()
        for program in self.programs[1:]:
            self.assertIn(program.removeprefix("tests/gpu/"), calls)
        self.assertIn("limrisk selftest --backend cuda --cells 100", calls)
        self.assertEqual([call for call in calls if call.startswith("limrisk bench")],
                         ["limrisk bench --backend cuda --seconds 1 --json", "limrisk bench --backend cuda --seconds 0.5 --json recomputed"])
        self.assertEqual(len(json.loads((self.out / "bench.json").read_text())["cells"]), 2)
        self.assertRegex(self.text, r"\nh=32 d=1 sgd +2.50e\+09 +2.50e\+12 +0.031 +0.625\nh=32 d=1 sgd +2.50e\+09 +2.50e\+12 +0.031\n")
        campaigns = "".join((self.out / f"memcheck-{name}.toml").read_text() for name in ("h600-d1", "h1000-d1", "h16-d6"))
        for text in ("width = [600]", "width = [1000]", "dimension = 6"):
            self.assertIn(text, campaigns)

    def test_limits_fit_into_ten_minutes(self):
        self.assertEqual(list(self.limits), POINTS)
        self.assertLessEqual(sum(self.limits.values()), 590)
        self.assertIn(f"seconds={sum(self.limits.values())} ", self.script)

    def test_a_failure_is_that_of_its_point_alone(self):
        quick = ["doctor", "philox", "backend", "selftest", "campaign", "bench", "racecheck-h1000"]
        for fault, point in (({"no GPU": 1}, "doctor"), ({"fails": "philox_gpu_test"}, "philox"), ({"fails": "backend_gpu_test"}, "backend"),
                             ({"fails": "selftest"}, "selftest"), ({"differs": "cuda.db"}, "campaign"), ({"damaged": "cuda.db"}, "campaign"),
                             ({"fails": "bench"}, "bench"), ({"found": "racecheck-h1000-d1.toml"}, "racecheck-h1000")):
            with self.subTest(fault):
                self.assertEqual(self.run_all(*quick, faults=fault), 1, self.text)
                self.expect(quick, **{point.replace("-", "_"): "FAILED"})
        self.run_all("campaign", faults={"differs": "cuda.db"})
        self.assertIn("cuda.csv differ in line 3:\n1,2\n1,3\n", self.text)

    def test_a_program_that_is_missing_fails(self):
        (self.folder / "packed/tests/gpu/aggregate_gpu_test").unlink()
        self.assertEqual(self.run_all("philox", "aggregate"), 1)
        self.expect(["philox", "aggregate"], aggregate="FAILED")

    def test_a_point_that_hangs_is_ended(self):
        self.script = re.sub(r'"philox \d+ ', f'"philox {SHORT_LIMIT} ', self.script)
        self.assertEqual(self.run_all("philox", "aggregate", faults={"hangs": "philox_gpu_test"}), 1)
        self.expect(["philox", "aggregate"], philox="FAILED")
        self.assertIn(f"philox (not done after {SHORT_LIMIT} s", self.text)

    def test_interrupted_run(self):
        for fault, message in (({"status": 0}, "status 0; it should be 130"), ({"status": 1}, "status 1; it"), ({"status": 143}, "status 143; it"),
                               ({"said": ""}, "did not say what is stored"), ({"said": "0 of 16000000"}, "0 of 16000000 trials are stored; it"),
                               ({"said": "16000000 of 16000000"}, "16000000 of 16000000 trials are stored; it"),
                               ({"continues": 4999}, "did not continue from the 5000 trials"), ({"damaged": "stopped.db"}, "damaged"),
                               ({"differs": "stopped.db"}, "stopped.csv and whole.csv differ in line 3")):
            with self.subTest(fault):
                self.assertEqual(self.run_all("interrupted", faults=fault), 1, self.text)
                self.expect(["interrupted"], interrupted="FAILED")
                self.assertIn(message, self.text)

    def test_a_tool_that_is_missing_does_not_count(self):
        self.assertEqual(self.run_all(*SANITIZED, faults={"no sanitizer": 1}), 0, self.text)
        self.assertEqual(set(self.verdicts.values()), {"skipped"})
        self.assertIn("skipped  memcheck-d6: compute-sanitizer does not support this device", self.text)

    def test_what_does_not_fit_is_left_and_can_be_run_alone(self):
        quick = [point for point in POINTS if point != "interrupted"]
        self.assertEqual(self.run_all("--seconds", "45", *quick), 0, self.text)
        left = re.search(r"^left, since the limit does not fit into 45 s: (.*)$", self.text, re.MULTILINE)
        self.assertIsNotNone(left, self.text)
        names = left[1].split()
        self.assertTrue({"backend", "selftest", "campaign", "bench"} <= set(names), names)
        self.assertIn("doctor", self.verdicts)
        self.expect([point for point in quick if point not in names])
        self.assertEqual(self.run_all(*names), 0, self.text)
        self.expect(names)

    def test_no_point_fits(self):
        self.assertEqual(self.run_all("--seconds", "3"), 1, self.text)
        self.assertEqual(self.verdicts, {})

    def test_what_the_sanitizers_run(self):
        self.assertEqual(self.run_all(*SANITIZED), 0, self.text)
        calls = [call for call in self.calls.read_text().splitlines() if call.startswith("compute-sanitizer")]
        for point, call in zip(SANITIZED, calls, strict=True):
            tool, _, shape = point.partition("-")
            self.assertIn(f"--tool {tool} ", call)
            name = f"{tool}-h16-d6.toml" if shape == "d6" else f"{tool}-{shape}-d1.toml"
            self.assertIn("batch = 8\n", (self.out / name).read_text())

    def test_wrong_command_lines(self):
        for words, message in ((["bnech"], "unknown point 'bnech'; there are: doctor runtime"), (["--seconds"], "--seconds needs a value"),
                               (["--seconds", "soon"], "a whole number is expected"), (["--build", "nowhere"], "there is no limrisk in")):
            self.assertEqual(self.run_all(*words), 2, words)
            self.assertIn(message, self.errors)
            self.assertEqual(self.calls.read_text(), "")


if __name__ == "__main__":
    unittest.main(verbosity=2)
