#!/usr/bin/env python3
"""scripts/study-in-small.sh says what its recipes say: study_in_small_test.py SOURCE_FOLDER LRID_TRAIN. The dry run
needs no programs; how many networks and samples it speaks of is compared with what lrid-train makes of the recipes."""
import json
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SOURCE, TRAIN = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
del sys.argv[1:3]
SCRIPT = SOURCE / "scripts" / "study-in-small.sh"
# Training samples of an epoch.
EPOCH = {"A": 50000, "B": 10000, "C": 50000, "D": 2250, "E": 50000, "E-frozen": 50000}


def dry_run(*options):
    return subprocess.run([SCRIPT, "--dry-run", "--bin", "/nonexistent", *options], cwd="/", capture_output=True,
                          text=True)


class StudyInSmall(unittest.TestCase):
    def test_dry_run_agrees_with_the_recipes(self):
        done = dry_run()
        self.assertEqual(done.returncode, 0, done.stderr)
        said = {name: (int(networks), int(samples)) for name, networks, samples in
                re.findall(r"^== ([\w-]+): .*; (\d+) networks × (\d+) samples$", done.stdout, re.MULTILINE)}
        self.assertEqual(set(said), set(EPOCH))
        self.assertIn(f"{sum(networks for networks, _ in said.values())} networks in all", done.stdout)
        for name, (networks, samples) in said.items():
            recipe = SOURCE / "configs" / "study-in-small" / f"{name}.toml"
            with tempfile.TemporaryDirectory() as folder:
                status = subprocess.run([TRAIN, "status", recipe, "--out-dir", folder, "--json"], capture_output=True,
                                        text=True)
            self.assertEqual(status.returncode, 0, status.stderr)
            self.assertEqual(json.loads(status.stdout)["networks"], networks, name)
            epochs = float(re.search(r"^epochs = ([\d.]+)", recipe.read_text(), re.MULTILINE).group(1))
            self.assertAlmostEqual(epochs * EPOCH[name] / samples, 1, 2, name)

    def test_one_chunk(self):
        done = dry_run("--chunk", "E", "--out-dir", "o", "--shard", "1/3")
        self.assertEqual(len(re.findall(r"lrid-train sweep configs/study-in-small/E\S*\.toml .*--shard 1/3", done.stdout)), 2)
        self.assertNotIn("collect", done.stdout, "a shard has not all networks")

    def test_bad_usage(self):
        for options, words in ((["--chunk", "F"], "--chunk F"), (["--jobs", "0"], "--jobs 0"), (["--what"], "--what")):
            done = dry_run(*options)
            self.assertEqual(done.returncode, 2)
            self.assertIn(words, done.stderr)


if __name__ == "__main__":
    unittest.main()
