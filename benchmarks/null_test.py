#!/usr/bin/env python3
"""Checks the intervals and p-values of `lrid-classify run` where the truth is known.

  null     rules permuted over networks within architecture x task, so that nothing can be found. Grouped by network, and
           with each architecture held out: the 95 % intervals must exclude chance, and p be below 0.05, in 5 +- 3 % of the
           rows. Beside it what "|mean - chance| > 2 s.e.m. over splits" would say. Likewise the intervals of d' (0) and,
           with each rule left out as an unknown one, of the AUROC (0.5) by layers and by networks.
  power    synthetic networks whose rules differ by a known effect: how often intervals hold the accuracy that is
           expected over new networks (95 %), and how often p < 0.05.

usage: null_test.py --classify build/bin/lrid-classify --out RESULTS.json [--data DATASET.h5 --permutations 200]
                    [--part null|power] [--sets 100]

Both run lrid's own program, one thread, with classifiers that fit fast: nearest neighbours and a small forest (null),
nearest neighbours and logistic regression (power). An unfinished run goes on where it was. Exit code 1 if the null test
is off. Needs numpy and h5py.
"""
import argparse
import json
import math
import pathlib
import shutil
import subprocess
import sys
import tempfile

import h5py
import numpy as np

DESIGNS = {
    "grouped": 'experiment = "separability"\n',
    # All splits would test the same networks and count as one.
    "held out": 'experiment = "held-out"\nhold_out = "architecture"\nsplits = 1\n',
}
COMMON = 'split = ["network"]\ninner_folds = 2\n[knn]\nneighbours = [1]\n[logistic]\nC = [0.01]\n'
NULL = COMMON + '[forest]\ntrees = [30]\nmax_features = ["sqrt"]\n[features]\nmeasures = ["weight", "activation", "layer_change"]\n'
# Each rule in turn unknown; rules are permuted, so that unknown networks are like the known ones.
UNKNOWN = 'experiment = "none-of-these"\nsplits = 5\n' + COMMON + '[forest]\ntrees = [30]\nmax_features = ["sqrt"]\n[features]\nmeasures = ["all"]\n'
POWER = COMMON + '[features]\nmeasures = ["all"]\n'
RULES = ["adam", "fa", "ia", "sgdm"]
DISTINCT = ("actabs_mean", "actabs_median", "actabs_norm", "actraw_mean", "actraw_median", "gradavgraw_id",
            "weightabs_mean", "weightabs_median", "weightabs_norm", "weightraw_mean")  # admissible ones
EFFECTS = (0.0, 0.4, 0.8, 1.6)


def permute(source, target, seed):
    """Copies a dataset with its learning rules permuted over networks within architecture x task."""
    shutil.copy(source, target)
    random = np.random.default_rng(seed)
    with h5py.File(target, "r+") as file:
        meta = {key: file["meta"][key].asstr()[:] for key in ("network", "architecture", "task", "learning_rule")}
        _, first, of = np.unique(meta["network"], return_index=True, return_inverse=True)
        rule = meta["learning_rule"][first].astype(object)
        stratum = [a + "|" + t for a, t in zip(meta["architecture"][first], meta["task"][first])]
        for name in sorted(set(stratum)):
            members = [i for i, other in enumerate(stratum) if other == name]
            rule[members] = rule[random.permutation(members)]
        file["meta/learning_rule"][...] = rule[of]


def synthetic(source, target, effect, seed, each=12, layers=4, points=2):
    """A dataset of `each` networks a rule. Observables are Gaussian; half of their variance is shared by the layers of a
    network; ten of them differ between rules by `effect` (the length of their mean vectors)."""
    means = np.random.default_rng(7).normal(size=(len(RULES), 10))
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    random = np.random.default_rng(seed)
    with h5py.File(source) as file:
        names = file["observable_names"].asstr()[:]
        attributes = dict(file.attrs)
    networks, samples = each * len(RULES), each * len(RULES) * layers
    x = np.sqrt(0.5) * np.repeat(random.normal(size=(networks, points, len(names))), layers, axis=0)
    x += np.sqrt(0.5) * random.normal(size=x.shape)
    label = np.repeat(np.arange(networks) % len(RULES), layers)
    used = np.flatnonzero([name in DISTINCT for name in names])
    x[:, :, used] += effect * means[label][:, None, :]
    network = np.repeat(np.arange(networks), layers)
    strings = {"architecture": ["KNet4"] * samples, "task": ["cifar10"] * samples, "dataset": ["cifar10"] * samples,
               "learning_rule": [RULES[i] for i in label], "layer": [f"layer{i % layers}" for i in range(samples)],
               "network": [f"n{i}" for i in network]}
    with h5py.File(target, "w") as file:
        for key, value in attributes.items():
            file.attrs[key] = value
        file["X"] = x.astype(np.float32)
        file["observable_names"] = list(names)
        for key, value in strings.items():
            file["meta/" + key] = value
        position = np.arange(samples) % layers
        file["meta/layer_position"] = np.where(position == 0, 0, np.where(position < layers - 1, 1, 2)).astype(np.uint8)
        for key in ("batch_size", "model_seed", "dataset_seed"):
            file["meta/" + key] = np.full(samples, 1, np.int64)


def run(options, folder, config, data, seed, classifiers):
    """The rows of one run."""
    (folder / "config.toml").write_text(f"seed = {seed}\nclassifiers = {json.dumps(classifiers)}\n" + config)
    subprocess.run([options.classify, "run", "--quiet", "--threads", "1", "--config", folder / "config.toml",
                    "--data", data, "--out", folder / "results.json"], check=True, stdout=subprocess.DEVNULL)
    rows = []
    for row in json.loads((folder / "results.json").read_text())["rows"]:
        accuracy = row["accuracy"]
        rows.append({"classifier": row["classifier"], **row["condition"], "chance": 1 / len(row["labels"]),
                     **{key: accuracy[key] for key in ("mean", "sem", "interval", "p")},
                     "dprime_intervals": row["dprime_intervals"],
                     "auroc_intervals": [row["extra"][name].get("interval") for name in ("auroc_novelty", "network_auroc")
                                         if name in row["extra"]]})
    return rows


def rate(hits, groups):
    """Share of hits in per cent, and its standard error over independent groups (rows of one permutation go together)."""
    hits, groups = np.asarray(hits, float), np.asarray(groups)
    means = [hits[groups == g].mean() for g in np.unique(groups)]
    return 100 * hits.mean(), 100 * np.std(means, ddof=1) / math.sqrt(len(means)) if len(means) > 1 else float("nan")


def null_summary(rows):
    passed = True
    others = [("d'", list(DESIGNS), "dprime_intervals", slice(None), 0), ("AUROC, layers", ["unknown"], "auroc_intervals", slice(0, 1), 0.5),
              ("AUROC, networks", ["unknown"], "auroc_intervals", slice(1, 2), 0.5)]
    for name, designs, key, which, nothing in others:
        mine = [(row["permutation"], interval) for row in rows if row["design"] in designs
                for interval in row[key][which] if interval and interval[0] is not None]
        if mine:
            excluded = rate([not low <= nothing <= high for _, (low, high) in mine], [group for group, _ in mine])
            passed &= excluded[0] <= 8  # wider than need be is no lie
            print(f"{name:15s} {len(mine)} intervals: exclude {nothing} in {excluded[0]:.1f} +- {excluded[1]:.1f} %")
    for design in DESIGNS:
        mine = [row for row in rows if row["design"] == design]
        if not mine:
            continue
        groups = [row["permutation"] for row in mine]
        excluded = rate([not row["interval"][0] <= row["chance"] <= row["interval"][1] for row in mine], groups)
        small = rate([row["p"] < 0.05 for row in mine], groups)
        spread = [abs(row["mean"] - row["chance"]) > 2 * row["sem"] for row in mine if row["sem"] > 0]
        passed &= abs(excluded[0] - 5) <= 3 and abs(small[0] - 5) <= 3
        print(f"{design:9s} {len(mine)} rows of {len(set(groups))} permutations: interval excludes chance "
              f"{excluded[0]:.1f} +- {excluded[1]:.1f} %, p < 0.05 {small[0]:.1f} +- {small[1]:.1f} %"
              + (f"; 2 s.e.m. over splits {100 * np.mean(spread):.0f} %" if spread else ""))
        for key in ("classifier", "measure"):
            for value in sorted({row[key] for row in mine}):
                part = [row for row in mine if row[key] == value]
                print(f"          {value:13s} excludes {100 * np.mean([not r['interval'][0] <= r['chance'] <= r['interval'][1] for r in part]):.1f} %, "
                      f"p < 0.05 {100 * np.mean([r['p'] < 0.05 for r in part]):.1f} %")
    return passed


def power_summary(rows):
    for effect in EFFECTS:
        for classifier in sorted({row["classifier"] for row in rows}):
            mine = [row for row in rows if row["effect"] == effect and row["classifier"] == classifier]
            if not mine:
                continue
            expected = np.mean([row["mean"] for row in mine])
            covered = rate([row["interval"][0] <= expected <= row["interval"][1] for row in mine], range(len(mine)))
            found = rate([row["p"] < 0.05 for row in mine], range(len(mine)))
            print(f"effect {effect:.1f} {classifier:8s} {len(mine)} sets: accuracy {expected:.3f}, intervals hold it in "
                  f"{covered[0]:.0f} +- {covered[1]:.0f} %, p < 0.05 in {found[0]:.0f} +- {found[1]:.0f} %")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--classify", required=True)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--data", default=pathlib.Path(__file__).parents[1] / "data/study-in-small/A.h5",
                        help="a dataset; of its networks only the null test, of its observables both; default: the one of the study in small")
    parser.add_argument("--part", choices=("null", "power"), default="null")
    parser.add_argument("--permutations", type=int, default=200)
    parser.add_argument("--sets", type=int, default=100)
    options = parser.parse_args()
    rows = json.loads(options.out.read_text()) if options.out.exists() else []
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        data = folder / "data.h5"
        if options.part == "null":
            for seed in range(options.permutations):
                if any(row["permutation"] == seed for row in rows):
                    continue
                permute(options.data, data, seed)
                for design, head in DESIGNS.items():
                    for row in run(options, folder, head + NULL, data, seed, ["knn", "forest"]):
                        rows.append({"design": design, "permutation": seed, **row})
                for row in run(options, folder, UNKNOWN, data, seed, ["forest"]):
                    rows.append({"design": "unknown", "permutation": seed, **row})
                options.out.write_text(json.dumps(rows, indent=1) + "\n")
            sys.exit(0 if null_summary(rows) else "null test: outside 5 +- 3 %")
        for number in range(options.sets):
            for effect in EFFECTS:
                if any(row["effect"] == effect and row["set"] == number for row in rows):
                    continue
                synthetic(options.data, data, effect, 1000 * number + round(10 * effect))
                for row in run(options, folder, 'experiment = "separability"\n' + POWER, data, number, ["knn", "logistic"]):
                    rows.append({"effect": effect, "set": number, **row})
                options.out.write_text(json.dumps(rows, indent=1) + "\n")
        power_summary(rows)


if __name__ == "__main__":
    main()
