#!/usr/bin/env python3
"""Checks that verdicts and probabilities hold on networks never seen, with lrid's own programs.

    python benchmarks/trust.py --bin build/bin --other knet-trajectories.h5 [--quickstart dataset.h5] --out trust.json

Every check leaves architectures out, freezes, scales or presents networks of another implementation, and
compares what lrid-classify says with a goal. Without --quickstart, checks of that dataset are left out (and
those of one dataset alone use --other). Needs h5py and numpy. Exit code 1 if a goal is missed.
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import tempfile
import time

import h5py
import numpy as np

FOREST = '[forest]\ntrees = [200]\nmax_features = ["sqrt"]\n'
SVM = '[svm]\nC = [0.1, 1.0, 50.0, 500.0]\npca = [0, 20, 50]\n'
MLP = ('[mlp]\nkernel = [6]\nfilters = [20]\nstride = [4]\npool = ["none", "max"]\nlearning_rate = [1e-3]\n'
       'batch = [32]\nl2 = [1e-4]\n')
TRAVELS = '[features]\nmeasures = ["all"]\ntransform = "profile_sorted"\nposition = false\n'


class Programs:
    """Runs lrid-classify in a folder of its own."""

    def __init__(self, bin_folder, folder, threads):
        self.classify = pathlib.Path(bin_folder) / "lrid-classify"
        self.folder = pathlib.Path(folder)
        self.threads = threads

    def call(self, *arguments, threads=None):
        command = [str(self.classify), *map(str, arguments), "--quiet", "--threads", str(threads or self.threads)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def run(self, config, data):
        out = self.folder / "results.json"
        self.call("run", "--config", self.write("run.toml", config), "--data", data, "--out", out)
        return json.loads(out.read_text())["rows"]

    def fit(self, config, data, name="model.h5", threads=None):
        out = self.folder / name
        self.call("fit", "--config", self.write("fit.toml", config), "--data", data, "--out", out, threads=threads)
        return out

    def predict(self, model, data, threads=None):
        text = self.call("predict", "--json", "--model", model, data, threads=threads)
        return json.loads(text)["files"][0]["networks"], text


def networks_of(path):
    """Network → rule, architecture, rows."""
    with h5py.File(path) as file:
        meta = {k: file["meta"][k].asstr()[:] for k in ("network", "learning_rule", "architecture")}
    result = {}
    for row, network in enumerate(meta["network"]):
        result.setdefault(network, (meta["learning_rule"][row], meta["architecture"][row], []))[2].append(row)
    return result


def changed_copy(source, target, change):
    """A copy of a dataset with `change(X, observable names)` as its trajectories."""
    shutil.copy(source, target)
    with h5py.File(target, "r+") as file:
        names = list(file["observable_names"].asstr()[:])
        file["X"][...] = change(file["X"][:].astype(np.float64), names)
    return target


def subset(source, target, keep):
    """A copy of a dataset with these rows."""
    with h5py.File(source) as old, h5py.File(target, "w") as new:
        new.attrs.update(old.attrs)
        n = old["X"].shape[0]

        def copy(name, item):
            if isinstance(item, h5py.Dataset):
                data = item[:][keep] if item.shape[:1] == (n,) else item[:]
                new.create_dataset(name, data=data, dtype=item.dtype)
            else:
                new.create_group(name).attrs.update(item.attrs)
        old.visititems(copy)
    return target


def figure(name, measured, goal, passed):
    return {"name": name, "measured": measured, "goal": goal, "passed": bool(passed)}


def shown(name, measured):
    return {"name": name, "measured": measured, "goal": "", "passed": True}


def left_out(lrid, data, label, least_mean=None, least_each=None):
    """Each architecture left out: accuracy, calibration and sets of the calibration for new kinds."""
    head = 'experiment = "held-out"\nhold_out = "architecture"\nsplit = ["network"]\nsplits = 1\n'
    rows = lrid.run(head + 'classifiers = ["forest", "svm", "mlp"]\n' + TRAVELS + FOREST + SVM + MLP, data)
    checks = []
    of = lambda classifier: {r["condition"]["held_out"]: r for r in rows if r["classifier"] == classifier}
    forest = of("forest")
    accuracy = {a: r["accuracy"]["mean"] for a, r in forest.items()}
    text = ", ".join(f"{a} {v:.3f}" for a, v in accuracy.items())
    mean = lambda name: float(np.mean([r["extra"][name]["mean"] for r in forest.values()]))
    if least_mean:
        value = float(np.mean(list(accuracy.values())))
        checks.append(figure(f"{label}: left-out accuracy, forest ({text})", value, f">= {least_mean}", value >= least_mean))
    if least_each:
        value = min(accuracy.values())
        checks.append(figure(f"{label}: least left-out accuracy, forest ({text})", value, f">= {least_each}", value >= least_each))
    for name, goal, ok in (("calibration_error", "<= 0.12", lambda v: v <= 0.12), ("coverage", ">= 0.88", lambda v: v >= 0.88),
                           ("set_size", "<= 3.0", lambda v: v <= 3.0)):
        each = ", ".join(f"{a} {r['extra'][name]['mean']:.2f}" for a, r in forest.items())
        checks.append(figure(f"{label}: left out, {name} ({each})", mean(name), goal, ok(mean(name))))
    for name in ("network_accuracy", "network_coverage", "network_set_size"):
        checks.append(shown(f"{label}: left out, {name}", mean(name)))
    for classifier in ("svm", "mlp"):
        rows_of = of(classifier)
        text = ", ".join(f"{a} {r['accuracy']['mean']:.3f}" for a, r in rows_of.items())
        checks.append(shown(f"{label}: left-out accuracy, {classifier} ({text})",
                            float(np.mean([r["accuracy"]["mean"] for r in rows_of.values()]))))
    return checks


def within(lrid, data, label):
    """Grouped by network: what the transform costs within architectures."""
    rows = lrid.run('experiment = "transforms"\ntransforms = ["none", "profile_sorted"]\nsplit = ["network"]\nsplits = 4\n'
                    'classifiers = ["forest"]\n[features]\nmeasures = ["all"]\n' + FOREST, data)
    value = {r["condition"]["transform"]: r["accuracy"]["mean"] for r in rows if "held_out" not in r["condition"]}
    return [figure(f"{label}: grouped by network, profile_sorted less none ({value['none']:.3f})",
                   value["profile_sorted"] - value["none"], ">= -0.02", value["profile_sorted"] >= value["none"] - 0.02)]


FIT = 'classifiers = ["forest"]\nsplit = ["network"]\n' + FOREST


def other_implementation(lrid, quickstart, other):
    """The quickstart's classifier on networks that another implementation trained: means over three seeds."""
    truth = networks_of(other)
    fits = [lrid.predict(lrid.fit(f"seed = {seed}\n" + FIT.replace("200", "500"), quickstart), other)[0] for seed in range(3)]
    checks = []
    for architecture in sorted({a for _, a, _ in truth.values()}):
        mine = [[n for n in networks if truth[n["network"]][1] == architecture] for networks in fits]

        def mean(of):
            return float(np.mean([of(n) for networks in mine for n in networks]))

        right, held = mean(lambda n: n["verdict"] == truth[n["network"]][0]), mean(lambda n: truth[n["network"]][0] in n["set"])
        each = ", ".join(f"{np.mean([n['verdict'] == truth[n['network']][0] for n in networks]):.2f}" for networks in mine)
        if architecture == "KNet4-LRN":
            checks.append(figure(f"quickstart's classifier on {architecture}: sets hold the rule", held, ">= 0.85", held >= 0.85))
        else:
            checks.append(figure(f"quickstart's classifier on {architecture}: networks right ({each})", right, ">= 0.93", right >= 0.93))
        checks.append(shown(f"  {architecture}: right {right:.2f}, sets hold {held:.2f}, size {mean(lambda n: len(n['set'])):.1f}, kind new "
                            f"{mean(lambda n: n['kind'] == 'new'):.2f}, refused", mean(lambda n: n["verdict"] is None)))
    return checks


def frozen(lrid, data):
    """Networks that do not learn, with and without noise of the measurement."""
    model = lrid.fit(FIT, data)
    rng = np.random.default_rng(0)
    checks = []
    for name, noise in (("frozen", 0), ("frozen + noise 0.001", 1e-3), ("frozen + noise 0.05", 0.05)):
        copy = changed_copy(data, lrid.folder / "frozen.h5",
                            lambda x, _: np.repeat(x[:, :1], x.shape[1], 1) * (1 + noise * rng.normal(size=(*x.shape[:2], 1))))
        networks, _ = lrid.predict(model, copy)
        share = np.mean([n["verdict"] is not None for n in networks])
        checks.append(figure(f"{name}: networks given a rule", float(share), "<= 0.05", share <= 0.05))
    networks, _ = lrid.predict(model, data)
    share = np.mean([n["no_change"] for n in networks])
    checks.append(figure("networks that learned, said not to change", float(share), "<= 0.01", share <= 0.01))
    return checks


def scaled(lrid, data):
    """A classifier of activations alone, and activations in other units."""
    model = lrid.fit(FIT + '[features]\nmeasures = ["activation"]\n', data)
    truth = networks_of(data)

    def power(name):
        if not name.startswith("act"):
            return 0
        if name.endswith(("skew", "skewness", "kurtosis")):
            return 0
        return (2 if name.startswith("actsq") else 1) * (2 if name.endswith("var") else 1)

    def accuracy(networks, which=None):
        judged = [n for n in networks if n["verdict"] is not None and (which is None or n["network"] in which)]
        return np.mean([n["verdict"] == truth[n["network"]][0] for n in judged]) if judged else np.nan, {n["network"] for n in judged}

    plain, _ = lrid.predict(model, data)
    checks = []
    for factor in (0.5, 2, 1000):
        copy = changed_copy(data, lrid.folder / "scaled.h5",
                            lambda x, names: x * np.array([float(factor) ** power(n) for n in names]))
        after, judged = accuracy(lrid.predict(model, copy)[0])
        before, _ = accuracy(plain, judged)
        lost = 0.0 if not judged else float(before - after)
        checks.append(figure(f"activations x {factor}: accuracy lost unless refused", lost, "<= 0.03", lost <= 0.03))
    return checks


def svm(lrid, data, label):
    """The SVM's reliability, grouped by network."""
    row = lrid.run('experiment = "separability"\nclassifiers = ["svm"]\nsplit = ["network"]\n[features]\nmeasures = ["all"]\n' + SVM, data)[0]
    error = row["extra"]["calibration_error"]["mean"]
    bins = [b for b in row["reliability"] if b["count"] >= 20]
    right = [b["right"] / b["count"] for b in bins]
    pooled = sum(abs(b["right"] - b["confidence"]) for b in row["reliability"]) / sum(b["count"] for b in row["reliability"])
    falls = [bool(a - b > 2 * np.sqrt(a * (1 - a) / p["count"] + b * (1 - b) / q["count"]))
             for a, b, p, q in zip(right, right[1:], bins, bins[1:])]
    return [figure(f"{label}: SVM's calibration error over all splits (mean of splits {error:.3f})", pooled, "<= 0.08", pooled <= 0.08),
            figure(f"{label}: SVM's reliability falls ({' '.join(f'{r:.2f}' for r in right)})", sum(falls), "0", not any(falls))]


def known_refused(lrid, data, label):
    """Four folds by network: known rules and kinds that are refused."""
    truth = networks_of(data)
    fold, names = {}, sorted(truth, key=lambda n: (truth[n][1], truth[n][0], n))
    rng = np.random.default_rng(1)
    for stratum in sorted({truth[n][:2] for n in names}):
        members = [n for n in names if truth[n][:2] == stratum]
        for i, n in enumerate(rng.permutation(members)):
            fold[n] = i % 4
    refused, right, held, known = [], [], [], []
    for k in range(4):
        rows = lambda part: np.array(sorted(r for n in names if (fold[n] == k) == part for r in truth[n][2]))
        model = lrid.fit(FIT, subset(data, lrid.folder / "train.h5", rows(False)))
        networks, _ = lrid.predict(model, subset(data, lrid.folder / "test.h5", rows(True)))
        refused += [n["verdict"] is None for n in networks]
        right += [n["nearest"] == truth[n["network"]][0] for n in networks]
        held += [truth[n["network"]][0] in n["set"] for n in networks]
        known += [n["kind"] == "known" for n in networks]
    share = float(np.mean(refused))
    return [figure(f"{label}: known rules of known kinds refused", share, "<= 0.07", share <= 0.07),
            shown(f"{label}: their accuracy", float(np.mean(right))),
            figure(f"{label}: their sets hold the rule", float(np.mean(held)), ">= 0.88", np.mean(held) >= 0.88),
            shown(f"{label}: judged as known kinds", float(np.mean(known)))]


def unknown(lrid, data, label):
    """Each rule left out of training and presented; no goal, since a rule between known ones can't be caught."""
    rows = lrid.run('experiment = "none-of-these"\nsplit = ["network"]\nsplits = 4\nclassifiers = ["forest"]\n' + TRAVELS + FOREST, data)
    checks = []
    for row in rows:
        extra = {k: v["mean"] for k, v in row["extra"].items()}
        checks.append(shown(f"{label}: {row['condition']['unknown']} unknown (AUROC {extra['network_auroc']:.2f}, known refused "
                            f"{extra['network_known_refused']:.3f}): caught at 5 %", extra["network_unknown_refused"]))
    return checks


def repeats(lrid, data):
    """The same file and verdicts from 1 and 2 threads."""
    outcome = []
    for threads in (1, 2):
        model = lrid.fit(FIT, data, f"model{threads}.h5", threads=threads)
        outcome.append((model.read_bytes(), lrid.predict(model, data, threads=threads)[1]))
    return [figure("1 and 2 threads give the same model and verdicts", outcome[0] == outcome[1], "True", outcome[0] == outcome[1])]


def killed(lrid, data):
    """Killed with SIGKILL again and again, run and fit give the numbers of an undisturbed run."""
    config = lrid.write("killed.toml", 'experiment = "separability"\nclassifiers = ["forest"]\nsplit = ["network"]\nsplits = 6\n' + FOREST)

    def command(what, out, threads):
        return [str(lrid.classify), what, "--config", str(config), "--data", str(data), "--out", str(out), "--quiet",
                "--threads", str(threads)]

    rng = np.random.default_rng(0)
    checks = []
    for what, name in (("run", "killed.json"), ("fit", "killed.h5")):
        whole, out = lrid.folder / f"whole-{name}", lrid.folder / name
        begin = time.monotonic()
        subprocess.run(command(what, whole, 1), check=True, capture_output=True)
        seconds, kills, partial = time.monotonic() - begin, 0, 0
        while kills < 5:  # the last one runs to its end
            process = subprocess.Popen(command(what, out, 1 + kills % 2), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(rng.uniform(0.1, 0.5) * seconds)
            if process.poll() is not None:
                break
            process.kill()
            process.wait()
            kills += 1
            partial += out.exists()
        subprocess.run(command(what, out, 2), check=True, capture_output=True)
        if what == "fit":
            same = whole.read_bytes() == out.read_bytes()
        else:
            results = [json.loads(path.read_text()) for path in (whole, out)]
            for one in results:
                one.pop("seconds")
            same = results[0] == results[1]
        checks.append(figure(f"{what} killed {kills} times, 1 and 2 threads: same numbers, {partial} partial files",
                             same and not partial, "True", same and not partial))
    return checks


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True, help="folder of lrid's programs")
    parser.add_argument("--other", required=True, help="dataset of several architectures")
    parser.add_argument("--quickstart", help="the quickstart's dataset")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", help="names of checks, separated by commas")
    parser.add_argument("--out", required=True, help="JSON file to write the figures to")
    options = parser.parse_args()
    quick, other = options.quickstart, options.other
    with tempfile.TemporaryDirectory() as folder:
        lrid = Programs(options.bin, folder, options.threads)
        checks = {"left_out": lambda: left_out(lrid, other, "other", least_mean=0.65), "within": lambda: within(lrid, other, "other"),
                  "frozen": lambda: frozen(lrid, quick or other), "scaled": lambda: scaled(lrid, quick or other),
                  "svm": lambda: svm(lrid, quick or other, "quickstart" if quick else "other"),
                  "known_refused": lambda: known_refused(lrid, quick or other, "quickstart" if quick else "other"),
                  "unknown": lambda: unknown(lrid, quick or other, "quickstart" if quick else "other"),
                  "repeats": lambda: repeats(lrid, quick or other), "killed": lambda: killed(lrid, quick or other)}
        if quick:
            checks["left_out_quickstart"] = lambda: left_out(lrid, quick, "quickstart", least_each=0.70)
            checks["other_implementation"] = lambda: other_implementation(lrid, quick, other)
        figures = []
        for name, check in checks.items():
            if options.only and name not in options.only.split(","):
                continue
            for one in check():
                figures.append({"check": name, **one})
                mark = "" if not one["goal"] else ("ok" if one["passed"] else "MISSED")
                print(f"{mark:6s} {one['measured']!s:.6} {one['goal']:9s} {one['name']}", flush=True)
    pathlib.Path(options.out).write_text(json.dumps(figures, indent=1) + "\n")
    if not all(one["passed"] for one in figures):
        raise SystemExit(1)


main()
