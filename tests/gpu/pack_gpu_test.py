#!/usr/bin/env python3
"""scripts/pack-gpu: the folder runs from another place with bash and coreutils alone, and its programs load their own libraries.
Usage: pack_gpu_test.py BUILD        BUILD: build directory with limrisk and the GPU tests"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
TOOLS = "bash chmod date dirname env mkdir mktemp realpath rm sha256sum tail timeout"
OF_THE_MACHINE = r"/(libc|libm|libdl|librt|libpthread|ld-linux-x86-64|libcuda\w*|libnvidia\S*|libnvrtc\S*)\.so"


class PackGpu(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for name in ("tools", "elsewhere", "temporary"):
            (self.folder / name).mkdir()

    def pack(self, folder):
        # The lowest level of xz: what is tested does not depend on it.
        return subprocess.run([ROOT / "scripts/pack-gpu", "--without-nvrtc", BUILD, folder], env={**os.environ, "XZ_OPT": "-0"},
                              capture_output=True, text=True)

    def test_runs_elsewhere_with_its_own_libraries(self):
        for _ in range(2):  # made anew over itself
            done = self.pack(self.folder / "made")
            self.assertEqual(done.returncode, 0, done.stderr)
        (self.folder / "made").rename(self.folder / "elsewhere/carried")
        for tool in TOOLS.split():
            (self.folder / "tools" / tool).symlink_to(shutil.which(tool))
        environment = {"PATH": str(self.folder / "tools"), "TMPDIR": str(self.folder / "temporary"), "LD_DEBUG": "libs",
                       "LD_DEBUG_OUTPUT": str(self.folder / "loaded")}
        done = subprocess.run(["bash", self.folder / "elsewhere/carried/run-packed", "--out", "out", "doctor", "philox"],
                              cwd=self.folder / "elsewhere", env=environment, capture_output=True, text=True)
        # Whether they pass depends on the machine; that both ran does not.
        self.assertIn("limrisk\n  version", (self.folder / "elsewhere/out/doctor.log").read_text(), done.stdout + done.stderr)
        self.assertIn("PhiloxOnGpu.GivesTheKnownAnswersInEveryLane", (self.folder / "elsewhere/out/philox.log").read_text())
        self.assertEqual(list((self.folder / "temporary").iterdir()), [])
        programs = [text for text in map(pathlib.Path.read_text, self.folder.glob("loaded.*")) if "/libfmt.so" in text]
        self.assertGreaterEqual(len(programs), 2)
        for text in programs:
            loaded = re.findall(r"calling init: (/\S+\.so\S*)", text)
            strange = [path for path in loaded if not path.startswith(str(self.folder)) and not re.search(OF_THE_MACHINE, path)]
            self.assertEqual(strange, [])

    def test_leaves_other_folders_alone(self):
        (self.folder / "mine").mkdir()
        (self.folder / "mine/file").write_text("precious")
        done = self.pack(self.folder / "mine")
        self.assertEqual(done.returncode, 1)
        self.assertIn("was not made by this script", done.stderr)
        self.assertEqual((self.folder / "mine/file").read_text(), "precious")


if __name__ == "__main__":
    unittest.main(verbosity=2)
