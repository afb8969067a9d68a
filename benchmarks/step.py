#!/usr/bin/env python3
"""Compares lrid's training step with the same step in plain PyTorch, run in turns.

    step.py build/bin/bench_step [--python PYTHON] [--architecture KNet4] [--batch 128] [--threads 2]
            [--rounds 7] [--steps 8] [--rule sgdm] [--channels-last] [--cpu]

PYTHON needs torch. Prints the median milliseconds per step of both and their ratio (of the medians, and the
median of the rounds' own ratios, which a busy machine disturbs less). --rule none: forward and backward pass alone.
The goal is 0.65 or less for KNet4, 1.0 or less for the passes of the others.
"""

import argparse
import statistics
import subprocess
import sys
from pathlib import Path


def run(command):
    return [float(t) for t in subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--architecture", default="KNet4")
    parser.add_argument("--rule", default="sgdm", choices=["sgdm", "none"])
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--channels-last", action="store_true", help="PyTorch in channels-last memory")
    parser.add_argument("--cpu", action="store_true",
                        help="compare processor time, not time on the wall: for busy machines, with --threads 1")
    options = parser.parse_args()

    shape = [str(options.batch), str(options.threads), "3", str(options.steps), *(["cpu"] if options.cpu else [])]
    ours = [str(options.program), options.architecture, options.rule, *shape]
    twin = [options.python, str(Path(__file__).with_name("step_twin.py")), options.architecture, options.rule, *shape]
    if options.channels_last:
        twin.append("--channels-last")
    rounds = [(run(ours), run(twin)) for _ in range(options.rounds)]
    a = statistics.median(t for round_ in rounds for t in round_[0])
    b = statistics.median(t for round_ in rounds for t in round_[1])
    per_round = statistics.median(statistics.median(x) / statistics.median(y) for x, y in rounds)
    quickest = min(min(x) for x, _ in rounds) / min(min(y) for _, y in rounds)
    print(f"{options.architecture} {options.rule}, batch {options.batch}, {options.threads} threads")
    print(f"lrid {a:.1f} ms   PyTorch {b:.1f} ms   ratio {a / b:.3f}   by rounds {per_round:.3f}   "
          f"quickest steps {quickest:.3f}")


if __name__ == "__main__":
    main()
