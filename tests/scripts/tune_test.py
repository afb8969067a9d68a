#!/usr/bin/env python3
"""scripts/tune.py against a trainer that is a formula: it finds the optimum, goes on after an interruption, counts
networks that fail, and names what is wrong. Exit code 77 without the environment of scripts/setup.sh."""
import csv
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

try:
    import h5py  # noqa: F401
    import optuna  # noqa: F401
except ImportError as missing:
    cache = Path(os.environ.get("LRID_CACHE", Path.home() / ".cache/lrid"))
    other = Path(os.environ.get("LRID_PYTHON", cache / "python/bin/python"))
    if other.exists() and Path(sys.executable) != other:
        os.execv(other, [str(other), *sys.argv])
    print(f"SKIPPED: {missing}: expected scripts/setup.sh to have been run")
    sys.exit(77)

TUNE = Path(sys.argv.pop(1)) / "scripts" / "tune.py"

# Accuracy 1 − (log10(rule.alpha) + 2)² / 10, less 0.3 unless rule.schedule is "drops". Appends a line to calls.txt;
# stops like an interrupted lrid-train at the call that the file stop_at names.
TRAINER = """#!{python}
import math, sys, h5py, numpy as np
from pathlib import Path
words = sys.argv[1:]
here = Path(__file__).parent
settings = dict(words[i + 1].split("=", 1) for i, word in enumerate(words) if word == "--set")
out = Path(words[words.index("--out") + 1])
with open(here / "calls.txt", "a") as file: file.write(out.name + " " + settings["rule.alpha"] + "\\n")
calls = len((here / "calls.txt").read_text().splitlines())
if (here / "stop_at").exists() and calls == int((here / "stop_at").read_text()): sys.exit(130)
if "bad.key" in settings:
    print("--set: unknown key bad.key", file=sys.stderr)
    sys.exit(2)
alpha = float(settings["rule.alpha"])
if alpha > 1:
    print("the loss is not finite", file=sys.stderr)
    sys.exit(1)
accuracy = 1 - (math.log10(alpha) + 2) ** 2 / 10 - (0 if settings["rule.schedule"] == '"drops"' else 0.3)
with h5py.File(out, "w") as file:
    file["metrics/validation_accuracy"] = np.array([0.1, accuracy])
    file["alignment/weight_angle"] = np.array([[0.0, 90, 90], [7.0, 10, 30]])
"""


class Tune(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = Path(self.folder.name)
        (self.path / "train.py").write_text(TRAINER.replace("{python}", sys.executable))
        (self.path / "train.py").chmod(0o755)
        (self.path / "c.toml").write_text('learning_rule = "ia"\n')

    def run_tune(self, *more, alpha="log:1e-5:1e1", trials=25):
        return subprocess.run(
            [sys.executable, TUNE, "--config", self.path / "c.toml", "--out-dir", self.path / "out", "--train",
             self.path / "train.py", "--trials", str(trials), "--search", f"rule.alpha={alpha}", "--search",
             "rule.schedule=constant,drops", *more], capture_output=True, text=True)

    def trials(self):
        with open(self.path / "out" / "trials.csv", newline="") as file:
            return list(csv.DictReader(file))

    def test_finds_the_best_and_counts_failures(self):
        done = self.run_tune()
        self.assertEqual(done.returncode, 0, done.stderr)
        best = dict(line.split(" = ") for line in done.stdout.splitlines()[1:])
        self.assertEqual(best["rule.schedule"], '"drops"')
        self.assertLess(abs(float(best["rule.alpha"]) / 1e-2 - 1), 3)
        self.assertEqual(len(self.trials()), 25)
        for trial in self.trials():
            diverged = float(trial["rule.alpha"]) > 1
            self.assertEqual(trial["state"], "pruned" if diverged else "complete")
            self.assertEqual(trial["failure"], "the loss is not finite" if diverged else "")

    def test_goes_on_with_the_interrupted_trial(self):
        (self.path / "stop_at").write_text("4")
        self.assertEqual(self.run_tune(trials=6).returncode, 130)
        (self.path / "stop_at").unlink()
        self.assertEqual(self.run_tune(trials=6).returncode, 0)
        calls = (self.path / "calls.txt").read_text().splitlines()
        self.assertEqual(calls[3], calls[4], "the same network, file and all, is trained on")
        self.assertEqual(len(set(calls)), 6)
        self.assertEqual(self.run_tune(trials=6).returncode, 0)
        self.assertEqual(len((self.path / "calls.txt").read_text().splitlines()), 7, "nothing is left to do")

    def test_minimises_angles(self):
        done = self.run_tune("--objective", "weight_angle", alpha="log:1e-5:1e-1", trials=2)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("weight_angle 20", done.stdout, "the mean of 10 and 30: the first layer's does not count")

    def test_bad_usage_is_named(self):
        for more, words in ((["--set", "bad.key=1"], "bad.key"), (["--search", "x=3:1"], "--search x=3:1"),
                            (["--search", "x=log:0:1"], "--search x=log:0:1"), (["--search", "x"], "--search x"),
                            (["--trials", "0"], "--trials"), (["--config", "none.toml"], "none.toml")):
            done = self.run_tune(*more)
            self.assertEqual(done.returncode, 2, more)
            self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
            self.assertIn(words, done.stderr)

    def test_other_settings_need_another_folder(self):
        self.assertEqual(self.run_tune(trials=1).returncode, 0)
        done = self.run_tune("--set", "epochs=2", trials=2)
        self.assertEqual(done.returncode, 2)
        self.assertIn("other settings (set)", done.stderr)


if __name__ == "__main__":
    unittest.main()
