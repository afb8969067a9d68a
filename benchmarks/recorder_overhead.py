"""What recorder.point() takes beside the probe's forward pass: ResNet-18, 128 stimuli of 224 × 224, the file included.

python benchmarks/recorder_overhead.py [STIMULI] [ROUNDS]     needs PyTorch and the package (pip install .)
"""

import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

import lrid


class Block(nn.Module):
    def __init__(self, before: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(before, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.norm2 = nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
        self.shortcut = nn.Identity()
        if stride > 1 or before != width:
            self.shortcut = nn.Sequential(
                nn.Conv2d(before, width, 1, stride, bias=False), nn.BatchNorm2d(width)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = torch.relu_(self.norm1(self.conv1(x)))
        return torch.relu_(self.norm2(self.conv2(y)) + self.shortcut(x))


def resnet18() -> nn.Module:
    widths = (64, 64, 128, 256, 512)
    blocks = [block for before, width in itertools.pairwise(widths)
              for block in (Block(before, width, 1 if before == width else 2), Block(width, width, 1))]  # fmt: skip
    stem = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(True), nn.MaxPool2d(3, 2, 1)]
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 1000))


def seconds(work: Callable[[], None]) -> tuple[float, float]:
    """Returns elapsed and processor seconds; on a machine with other work only the latter can be compared."""
    start, busy = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start, time.process_time() - busy


def main(stimuli: int, rounds: int) -> None:
    model, probe = resnet18().eval(), torch.randn(stimuli, 3, 224, 224)

    def forward() -> None:
        with torch.no_grad():
            model(probe)

    forward()
    with (
        tempfile.TemporaryDirectory(dir=".") as folder,
        lrid.Recorder(model, probe, Path(folder) / "r.h5") as recorder,
    ):
        recorder.point()
        pairs = [(seconds(forward), seconds(recorder.point)) for _ in range(rounds)]
        size = recorder.path.stat().st_size / recorder.points
    print(f"{stimuli} stimuli, {torch.get_num_threads()} threads, {size / 1e9:.2f} GB a point")
    for i, what in enumerate(("elapsed", "processor")):
        for alone, point in pairs:
            print(
                f"{what:9} forward {alone[i]:7.2f} s   point {point[i]:7.2f} s   {point[i] / alone[i]:.2f} ×"
            )
        print(f"{what:9} median {statistics.median(point[i] / alone[i] for alone, point in pairs):.2f} ×")


if __name__ == "__main__":
    main(*(map(int, sys.argv[1:3]) if len(sys.argv) > 2 else (128, 5)))
