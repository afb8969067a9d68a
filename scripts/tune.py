#!/usr/bin/env python3
"""Searches configuration keys of lrid-train by Optuna's tree-structured Parzen estimator (TPE), as "Two Routes" (Kunin
et al. 2020) tuned its rules: trains one network a trial, and keeps every trial.

    scripts/tune.py --config F.toml --search KEY=RANGE... --out-dir DIR [--trials N] [options]

RANGE is LOW:HIGH (uniform), log:LOW:HIGH (log-uniform), int:LOW:HIGH, or A,B,C (one of these values, TOML or words).

    scripts/tune.py --config configs/train/base.toml --set learning_rule=ia --set epochs=1 --data-dir DIR \\
        --search rule.alpha=log:1e-4:1 --search rule.schedule=drops,constant --out-dir tuned --trials 30

Trials go on where they were when the command is given again, an interrupted one with its own network's state; so do
several processes on one folder. DIR/trials.csv has a line for each trial, for the figure of sensitivity; stdout gets
the best trial as TOML. A network that fails or diverges counts as worse than every other. Needs a Python with optuna
and h5py: scripts/setup.sh makes one, in python/ of the cache folder.

Exit code: 0 done, 1 no trial was completed, 2 bad usage or input, 130 interrupted.
"""
import argparse
import csv
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

# How an objective is read of a complete trajectory, and whether more of it is better.
METRICS = {"validation_accuracy": True, "validation_loss": False, "train_loss": False, "train_accuracy": True,
           "contrastive_accuracy": True}
ANGLES = ("weight_angle", "error_angle")


class BadUsage(Exception):
    pass


def parse_value(text):
    """A value of a list of choices: a number or boolean where it is one, else the word itself."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def parse_search(text):
    """KEY=RANGE → (key, function that asks an Optuna trial for a value)."""
    key, equals, spec = text.partition("=")
    if not equals or not key or not spec:
        raise BadUsage(f"--search {text}: expected KEY=RANGE")
    if ":" not in spec:
        choices = [parse_value(word) for word in spec.split(",")]
        return key, lambda trial: trial.suggest_categorical(key, choices)
    kind, *ends = spec.split(":") if spec.count(":") == 2 else ("uniform", *spec.split(":"))
    try:
        low, high = (int if kind == "int" else float)(ends[0]), (int if kind == "int" else float)(ends[1])
    except (ValueError, IndexError):
        raise BadUsage(f"--search {text}: expected two numbers, LOW:HIGH") from None
    if kind not in ("uniform", "log", "int") or len(ends) != 2:
        raise BadUsage(f"--search {text}: expected LOW:HIGH, log:LOW:HIGH, int:LOW:HIGH or A,B,C")
    if not low < high or (kind == "log" and low <= 0):
        raise BadUsage(f"--search {text}: expected LOW below HIGH{', both above 0' if kind == 'log' else ''}")
    if kind == "int":
        return key, lambda trial: trial.suggest_int(key, low, high)
    return key, lambda trial: trial.suggest_float(key, low, high, log=kind == "log")


def toml(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else repr(value)


def read_objective(path, name):
    """The objective at a complete trajectory's last point; None where it is not finite. Angles: degrees, the mean over
    the layers that have one, the first layer, which sends no error down, left out."""
    import h5py
    import numpy as np
    with h5py.File(path) as file:
        if name in METRICS:
            value = float(file["metrics"][name][-1])
        elif "alignment" not in file:
            raise BadUsage(f"--objective {name}: {path} has no /alignment: its learning rule has no backward kernel")
        else:
            value = float(np.nanmean(file["alignment"][name][-1, 1:]))
        return value if np.isfinite(value) else None


class Interrupted(Exception):
    pass


def run_trainer(command):
    """Exit code and last line of stderr. An interruption of this process goes on to the trainer, which then writes its
    state: 130."""
    trainer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    interrupted = False
    while True:
        try:
            _, errors = trainer.communicate()
            break
        except KeyboardInterrupt:
            interrupted = True
            trainer.send_signal(signal.SIGTERM)
    stopped = interrupted or trainer.returncode in (-signal.SIGINT, -signal.SIGTERM)
    status = 130 if stopped else trainer.returncode
    return status, (errors.strip().splitlines() or [f"exit code {status}"])[-1]


def tune(args):
    try:
        import optuna
        import h5py  # noqa: F401  (read_objective needs it: say so before the first trial)
    except ImportError as error:
        raise BadUsage(f"{error}: expected a Python with optuna and h5py, see scripts/setup.sh") from None
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)  # our own lines say it
    searched = dict(parse_search(text) for text in args.search)
    if not searched:
        raise BadUsage("--search is missing: expected at least one KEY=RANGE")
    out = Path(args.out_dir)
    out.mkdir(parents=True, exist_ok=True)
    maximise = METRICS.get(args.objective, False)
    study = optuna.create_study(
        storage=f"sqlite:///{out / 'trials.db'}", study_name="tune", load_if_exists=True,
        direction="maximize" if maximise else "minimize")
    # What the trials have in common must not change under them.
    common = {"config": Path(args.config).read_text(encoding="utf-8"), "set": sorted(args.set),
              "search": sorted(args.search), "objective": args.objective}
    known = study.user_attrs.get("common")
    if known is None:
        study.set_user_attr("common", common)
    elif known != common:
        changed = ", ".join(name for name in common if common[name] != known.get(name))
        raise BadUsage(f"{out}: holds trials with other settings ({changed}): expected the same, or another --out-dir")
    # Each process draws other points; the same calls one after another draw the same.
    study.sampler = optuna.samplers.TPESampler(seed=args.seed + len(study.trials), n_startup_trials=args.startup)
    for trial in study.get_trials(states=(optuna.trial.TrialState.RUNNING,)):
        if not alive(trial.user_attrs.get("process")):
            study.enqueue_trial(trial.params, user_attrs={"file": trial.user_attrs.get("file", "")})
            study.tell(trial.number, state=optuna.trial.TrialState.FAIL)

    def objective(trial):
        trial.set_user_attr("process", process_name())
        name = trial.user_attrs.get("file") or f"trial-{trial.number:04d}.h5"
        trial.set_user_attr("file", name)
        values = {key: ask(trial) for key, ask in searched.items()}
        command = [args.train, "run", "--config", args.config, "--out", str(out / name), "--data-dir", args.data_dir,
                   "--quiet"]
        for setting in args.set + [f"{key}={toml(value)}" for key, value in values.items()]:
            command += ["--set", setting]
        status, error = run_trainer(command)
        if status == 130:
            study.enqueue_trial(trial.params, user_attrs={"file": name})
            raise Interrupted
        if status == 2:
            raise BadUsage(error)
        value = read_objective(out / name, args.objective) if status == 0 else None
        if value is None:
            trial.set_user_attr("failure", error if status else f"{args.objective} is not finite")
            raise optuna.TrialPruned
        return value

    def report(study, trial):
        write_table(study, list(searched), out / "trials.csv")
        if not args.quiet:
            value = "failed" if trial.value is None else f"{trial.value:.4g}"
            shown = ", ".join(f"{key} = {toml(value)}" for key, value in trial.params.items())
            print(f"trial {trial.number}: {args.objective} {value}  {shown}", file=sys.stderr, flush=True)

    def left():
        done = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED))
        return args.trials - len(done)

    while left() > 0:
        study.optimize(objective, n_trials=1, callbacks=[report])
    complete = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
    if not complete:
        print(f"tune.py: none of {args.trials} trials was completed, see {out / 'trials.csv'}", file=sys.stderr)
        return 1
    best = study.best_trial
    print(f"# {args.objective} {best.value:.6g}: trial {best.number} of {len(study.trials)}")
    for key, value in best.params.items():
        print(f"{key} = {toml(value)}")
    return 0


def process_name():
    """This process, told from a later one of the same number by when it started."""
    with open(f"/proc/{os.getpid()}/stat", encoding="ascii", errors="replace") as file:
        started = file.read().rpartition(")")[2].split()[19]
    return f"{os.uname().nodename} {os.getpid()} {started}"


def alive(process):
    """Whether a process that process_name() named still runs; of another host we can't tell, so yes."""
    if not process:
        return False
    host, number, started = process.split()
    if host != os.uname().nodename:
        return True
    try:
        with open(f"/proc/{number}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[19] == started
    except OSError:
        return False


def write_table(study, keys, path):
    """trials.csv: number, state, value, failure, and a column for each key."""
    rows = [[trial.number, trial.state.name.lower(), "" if trial.value is None else repr(trial.value),
             trial.user_attrs.get("failure", ""), trial.user_attrs.get("file", "")] +
            [toml(trial.params[key]) if key in trial.params else "" for key in keys]
            for trial in study.get_trials(deepcopy=False)]
    with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".tmp", newline="", delete=False,
                                     encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["trial", "state", "value", "failure", "file"] + keys)
        writer.writerows(rows)
    os.replace(file.name, path)


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(prog="tune.py", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", metavar="F.toml", help="configuration of one network")
    parser.add_argument("--set", metavar="KEY=VALUE", action="append", default=[],
                        help="overrides a key of it in every trial; may be repeated")
    parser.add_argument("--search", metavar="KEY=RANGE", action="append", default=[], help="may be repeated")
    parser.add_argument("--objective", choices=sorted(METRICS) + list(ANGLES), default="validation_accuracy",
                        help="at the last trajectory point; accuracies are maximised, losses and angles minimised")
    parser.add_argument("--trials", type=int, default=20, metavar="N", help="trials in all, earlier ones included")
    parser.add_argument("--startup", type=int, default=8, metavar="N", help="random trials before TPE begins")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the search, not of the networks")
    parser.add_argument("--out-dir", metavar="DIR")
    parser.add_argument("--data-dir", metavar="DIR", default="data")
    parser.add_argument("--train", metavar="PROGRAM", default="build/bin/lrid-train")
    parser.add_argument("--quiet", action="store_true", help="no line for each trial")
    args = parser.parse_args(arguments)
    for name in ("config", "out_dir"):
        if getattr(args, name) is None:
            raise BadUsage(f"--{name.replace('_', '-')} is missing, see --help")
    if not Path(args.config).is_file():
        raise BadUsage(f"--config {args.config}: no such file")
    if args.trials < 1 or args.startup < 1:
        raise BadUsage("--trials, --startup: expected at least 1")
    return args


def main(arguments):
    def interrupt(*_):
        raise KeyboardInterrupt
    signal.signal(signal.SIGTERM, interrupt)
    try:
        return tune(parse_arguments(arguments))
    except BadUsage as error:
        print(f"tune.py: {error}", file=sys.stderr)
        return 2
    except (KeyboardInterrupt, Interrupted):
        print("tune.py: interrupted; give the same command to go on", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
