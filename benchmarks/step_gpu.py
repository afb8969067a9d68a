#!/usr/bin/env python3
"""Compares what `lrid-train benchmark` measured on a GPU with the same training steps in plain PyTorch.

    lrid-train benchmark SWEEP.toml --out costs.toml --data-dir DATA
    step_gpu.py costs.toml [--device cuda] [--rounds 5] [--without compile,graph]

For each architecture, batch size and precision of the table, PyTorch's step with SGD and momentum (the network of
step_twin.py, images already on the device): eager, by torch.compile, and eager but captured in a CUDA graph. Prints how
many times as fast lrid's step is, alone and in the table's cohort (network-steps a second), for each rule. Medians of
stretches of 0.2 s; channels-last memory where the precision is bf16, and the faster of both otherwise.

The goals (issue "The trainer at the limit of a GPU", H200): KNet4 at batch 128 alone 4 x eager, in a cohort 15 x; ResNet-18
at batch 256 in bf16 1.15 x eager autocast, FA 1.03 x SGDM's time, IA 1.1 x (SGDM + its two products a layer).
"""

import argparse
import statistics
import sys
import time
import tomllib
from contextlib import nullcontext
from pathlib import Path

import torch
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parent))
from step_twin import build  # noqa: E402

KINDS = ("eager", "compile", "graph")


class Twin:
    """A network with its optimiser and one batch."""

    def __init__(self, architecture, batch, precision, device, channels_last):
        self.device = device
        side, classes = (32, 10) if architecture.startswith("KNet") else (224, 1000)
        layout = torch.channels_last if channels_last else torch.contiguous_format
        torch.manual_seed(0)
        self.network = build(architecture, side, classes).to(device).to(memory_format=layout)
        self.images = torch.randn(batch, 3, side, side, device=device).to(memory_format=layout)
        self.labels = torch.randint(0, classes, (batch,), device=device)
        self.mixed = precision == "bf16"
        norms = [p for m in self.network.modules() if isinstance(m, torch.nn.BatchNorm2d) for p in m.parameters()]
        decaying = [p for p in self.network.parameters() if all(p is not q for q in norms)]
        self.optimizer = torch.optim.SGD(
            [{"params": decaying, "weight_decay": 1e-5}, {"params": norms}], lr=0.005, momentum=0.9, nesterov=True
        )

    def loss(self):
        with torch.autocast(self.device, torch.bfloat16) if self.mixed else nullcontext():
            return F.cross_entropy(self.network(self.images), self.labels)

    def eager(self):
        def step():
            self.optimizer.zero_grad()
            self.loss().backward()
            self.optimizer.step()

        return step

    def compile(self):
        loss = torch.compile(self.loss, mode="reduce-overhead")

        def step():
            self.optimizer.zero_grad()
            loss().backward()
            self.optimizer.step()

        return step

    def graph(self):
        if self.device == "cpu":
            return None
        step = self.eager()
        stream = torch.cuda.Stream()
        with torch.cuda.stream(stream):  # warm up as PyTorch's notes on CUDA graphs ask
            for _ in range(3):
                step()
        torch.cuda.synchronize()
        captured = torch.cuda.CUDAGraph()
        self.optimizer.zero_grad()
        with torch.cuda.graph(captured):
            self.loss().backward()
            self.optimizer.step()
        return captured.replay


def milliseconds(step, device, rounds):
    def wait():
        if device != "cpu":
            torch.cuda.synchronize()

    def stretch(steps):
        wait()
        start = time.perf_counter()
        for _ in range(steps):
            step()
        wait()
        return 1000 * (time.perf_counter() - start) / steps

    stretch(5)
    steps = max(1, round(200 / stretch(2)))
    return statistics.median(stretch(steps) for _ in range(rounds))


def twin_times(kind, architecture, batch, precision, options):
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "tf32"
    times = []
    for channels_last in (True,) if precision == "bf16" else (False, True):
        try:
            step = getattr(Twin(architecture, batch, precision, options.device, channels_last), kind)()
            if step is not None:
                times.append(milliseconds(step, options.device, options.rounds))
        except Exception as error:  # one kind of twin that fails leaves the others
            print(f"{architecture}, {precision}, {kind}: {error}", file=sys.stderr)
    return min(times, default=None)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("costs", type=Path, help="table that lrid-train benchmark wrote")
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--without", default="", help="kinds of twins to leave out: compile,graph")
    options = parser.parse_args()
    kinds = [kind for kind in KINDS if kind not in options.without.split(",")]
    table = tomllib.loads(options.costs.read_text())
    if options.device == "cuda" and not torch.cuda.is_available():
        sys.exit("step_gpu.py: there is no CUDA device here, expected --device cpu or another machine")
    if options.device == "cpu":
        torch.set_num_threads(table["threads"])
    name = torch.cuda.get_device_name() if options.device == "cuda" else table["device"]
    print(f"{name}, PyTorch {torch.__version__}; lrid on {table['device']}, {table['software']}")
    twins = {}
    heads = [f"{kind} ms" for kind in kinds] + [f"x {kind}" for kind in kinds] + [f"cohort x {kind}" for kind in kinds]
    print("| network | batch | numbers | rule | lrid ms | cohort | its ms | " + " | ".join(heads) + " |")
    print("|---" * (7 + len(heads)) + "|")
    for cost in table["network"]:
        if cost["task"] not in ("cifar10", "imagenet"):
            continue  # the twins are classifiers
        key = cost["architecture"], cost["batch_size"], cost["precision"]
        if key not in twins:
            twins[key] = [twin_times(kind, *key, options) for kind in kinds]
        alone = 1000 * cost["step_seconds"]
        cohort = 1000 * cost.get("cohort_step_seconds", cost["step_seconds"])
        cells = [f"{t:.3f}" if t else "-" for t in twins[key]]
        for ours in (alone, cohort):
            cells += [f"{t / ours:.2f}" if t else "-" for t in twins[key]]
        print(f"| {key[0]} | {key[1]} | {key[2]} | {cost['learning_rule']} | {alone:.3f} | {cost.get('cohort', 1)} | "
              f"{cohort:.3f} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
