#!/usr/bin/env python3
"""scripts/slurm/study.sh submits what depends on what: study_test.py SOURCE_FOLDER. A sbatch of the test's own keeps
what it is given and hands out job numbers."""
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SOURCE = Path(sys.argv.pop(1)).resolve()
SBATCH = """#!/bin/sh
echo "$*" >> "$SUBMITTED"
echo $((100 + $(wc -l < "$SUBMITTED")))
"""


class Study(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "bin").mkdir()
        sbatch = self.folder / "bin" / "sbatch"
        sbatch.write_text(SBATCH)
        sbatch.chmod(0o755)
        for name in ("a.toml", "b.toml", "x.toml", "y.toml"):
            (self.folder / name).touch()

    def run_script(self, name, *arguments, **environment):
        return subprocess.run(["bash", SOURCE / "scripts" / "slurm" / name, *arguments], cwd=self.folder,
                              capture_output=True, text=True,
                              env={**os.environ, "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}", **environment})

    def submit(self, *arguments, **environment):
        submitted = self.folder / "submitted"
        submitted.write_text("")
        done = self.run_script("study.sh", *arguments, SUBMITTED=str(submitted), **environment)
        return done, submitted.read_text().splitlines()

    def test_what_waits_for_what(self):
        done, jobs = self.submit("--tasks", "3", "a.toml", "b.toml", "out", "x.toml", "y.toml")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(jobs), 5, jobs)
        for job, sweep in zip(jobs, ("a.toml", "b.toml")):
            self.assertIn("--array=0-2", job)
            self.assertTrue(job.endswith(f"train.sbatch {sweep} out/runs"), job)
        self.assertIn("--dependency=afterok:101:102 ", jobs[2])
        self.assertIn("collect out/runs --out out/dataset.h5", jobs[2])
        self.assertIn("--dependency=afterok:103 --array=0-1 ", jobs[3])
        self.assertTrue(jobs[3].endswith("out/dataset.h5 out/results x.toml y.toml"), jobs[3])
        self.assertIn("--dependency=afterok:104 ", jobs[4])
        self.assertIn("report out/results/x.json out/results/y.json --out out/report.html", jobs[4])

    def test_programs_run_in_an_image_where_one_is_named(self):
        apptainer = self.folder / "bin" / "apptainer"
        apptainer.write_text('#!/bin/sh\necho "apptainer $*"\n')
        apptainer.chmod(0o755)
        image = {"LRID_IMAGE": "my lrid.sif", "SLURM_JOB_ID": "7", "SLURM_JOB_END_TIME": "4000000000"}
        for script, arguments, started in (
                ("train.sbatch", ("a.toml", "out"), "exec --nv my lrid.sif /usr/local/bin/lrid-train sweep a.toml --out-dir out"),
                ("remeasure.sbatch", ("runs", "d.h5"), "exec --nv my lrid.sif /usr/local/bin/lrid-observe remeasure runs"),
                ("classify.sbatch", ("d.h5", "out", "x.toml"), "exec my lrid.sif /usr/local/bin/lrid-classify run --config x.toml")):
            done = self.run_script(script, *arguments, **image)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("\napptainer " + started, done.stdout, script)
        done = self.run_script("classify.sbatch", "d.h5", "out", "x.toml", LRID_BIN="/opt/lrid", **image)
        self.assertIn("\napptainer exec my lrid.sif /opt/lrid/lrid-classify", done.stdout)
        _, jobs = self.submit("a.toml", "out", "x.toml", LRID_IMAGE="my lrid.sif")
        self.assertIn(r"apptainer exec my\ lrid.sif /usr/local/bin/lrid-observe collect out/runs", jobs[1])
        self.assertIn(r"apptainer exec my\ lrid.sif /usr/local/bin/lrid-classify report", jobs[3])

    def test_goes_on_after_failures_if_asked_to(self):
        _, jobs = self.submit("--keep-going", "a.toml", "out", "x.toml")
        self.assertIn("--dependency=afterany:101 ", jobs[1])
        self.assertIn("--dependency=afterok:102 ", jobs[2])

    def test_dry_run_submits_nothing(self):
        done, jobs = self.submit("--dry-run", "a.toml", "out", "x.toml")
        self.assertEqual((done.returncode, jobs), (0, []))
        self.assertFalse((self.folder / "out").exists())

    def test_what_is_wrong_is_said_before_anything_is_submitted(self):
        for arguments, said in ((("out", "x.toml"), "expected SWEEP.toml... OUT_DIR EXPERIMENT.toml..."),
                                (("a.toml", "out"), "expected SWEEP.toml... OUT_DIR EXPERIMENT.toml..."),
                                (("a.toml", "none.toml", "out", "x.toml"), "none.toml: no such file")):
            done, jobs = self.submit(*arguments)
            self.assertEqual((done.returncode, jobs), (2, []), arguments)
            self.assertIn(said, done.stderr)


if __name__ == "__main__":
    unittest.main()
