#!/usr/bin/env python3
"""workflow/Snakefile from sweep to report: workflow_test.py SOURCE_FOLDER PROGRAMS_FOLDER, by Snakemake of the Python
that LRID_PYTHON names (scripts/setup.sh installs it). Eight small networks on the images that come with lrid."""
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SOURCE, PROGRAMS = (Path(argument).resolve() for argument in sys.argv[1:3])
del sys.argv[1:3]
PYTHON = os.environ.get("LRID_PYTHON", sys.executable)
SWEEP = """
task = "cifar10"
epochs = 0.1
points = 3
data.folder = "cifar10-sample"
data.normalize = "mean-sd"
probe.size = 16
validation.samples = 32
compute.device = "cpu"
[sweep]
architecture = ["KNet4"]
learning_rule = ["sgdm", "adam"]
batch_size = [32]
model_seed = [0, 1]
dataset_seed = [0, 1]
"""
EXPERIMENT = """
experiment = "separability"
classifiers = ["forest"]
splits = 2
inner_folds = 2
[features]
measures = ["all"]
[forest]
trees = [10]
max_features = ["sqrt"]
"""


class Workflow(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "small.toml").write_text(SWEEP)
        (self.folder / "separability.toml").write_text(EXPERIMENT)
        self.settings = {"bin": str(PROGRAMS), "data_dir": str(SOURCE / "data"), "out": "study", "shards": 2,
                         "sweeps": ["small.toml"], "experiments": ["separability.toml"]}

    def snakemake(self, *options):
        (self.folder / "study.json").write_text(json.dumps(self.settings))
        return subprocess.run([PYTHON, "-m", "snakemake", "--snakefile", SOURCE / "workflow" / "Snakefile",
                               "--configfile", "study.json", "--cores", "2", *options],
                              cwd=self.folder, capture_output=True, text=True,
                              env={**os.environ, "XDG_CACHE_HOME": str(self.folder / "cache")})

    def test_from_sweep_to_report(self):
        done = self.snakemake()
        self.assertEqual(done.returncode, 0, done.stderr)
        runs = sorted((self.folder / "study" / "runs").glob("*.h5"))
        self.assertEqual(len(runs), 8)
        results = json.loads((self.folder / "study" / "results" / "separability.json").read_text())
        self.assertEqual(results["experiment"], "separability")
        self.assertIn("<html", (self.folder / "study" / "report.html").read_text())

        # A shard that is started again trains nothing that is complete.
        before = {run: run.stat().st_mtime_ns for run in runs}
        (self.folder / "study" / "trained" / "small.1").unlink()
        done = self.snakemake()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual({run: run.stat().st_mtime_ns for run in runs}, before)
        self.assertIn("Nothing to be done", self.snakemake().stderr)

    def test_what_is_wrong_is_said_at_once(self):
        self.settings["sweeps"] = []
        done = self.snakemake("--dry-run")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("sweeps: []: expected files, each of another name", done.stdout + done.stderr)

    def test_failed_training_ends_it(self):
        (self.folder / "small.toml").write_text(SWEEP.replace("points = 3", "points = 0"))
        done = self.snakemake()
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("points = 0", (self.folder / "study" / "logs" / "small.0.log").read_text())
        self.assertFalse((self.folder / "study" / "dataset.h5").exists())


if __name__ == "__main__":
    unittest.main()
