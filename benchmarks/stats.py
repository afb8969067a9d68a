"""Compares the statistics engine with plain PyTorch on the same machine, one after the other.

usage: stats.py build/bin/bench_stats [THREADS]    (with a Python that has PyTorch: scripts/setup.sh --peers)
"""
import json
import os
import subprocess
import sys
from pathlib import Path

SIZES = [(512, 32768), (64, 802816)]
GOALS = {"sort": 40, "kthvalue": 25}


def main():
    program = sys.argv[1]
    threads = int(sys.argv[2]) if len(sys.argv) > 2 else os.cpu_count()
    report = subprocess.run([program, "--benchmark_filter=all_threads", "--benchmark_format=json"], check=True,
                            capture_output=True, text=True).stdout
    ours = {}
    for row in json.loads(report)["benchmarks"]:
        _, rows, columns = row["name"].split("/")[:3]
        ours[int(rows), int(columns)] = row["real_time"] / 1e3
    twin = Path(__file__).with_name("stats_twin.py")
    for rows, columns in SIZES:
        elements = rows * columns
        mine = ours[rows, columns]
        print(f"{rows} x {columns}: lrid {mine / elements * 1e9:.2f} ns/element")
        for order, goal in GOALS.items():
            theirs = float(subprocess.run([sys.executable, twin, str(rows), str(columns), order, str(threads)],
                                          check=True, capture_output=True, text=True).stdout)
            print(f"  PyTorch, {order}: {theirs / elements * 1e9:.0f} ns/element, ratio {theirs / mine:.0f} "
                  f"(goal {goal})")


if __name__ == "__main__":
    main()
