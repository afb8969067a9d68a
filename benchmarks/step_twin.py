"""The training step of step.cpp in plain PyTorch (eager, default memory layout): KNet4 or KNet5 by SGDM.

    step_twin.py ARCHITECTURE BATCH THREADS WARM-UP STEPS [cpu]   → one line, milliseconds per step each

The same mathematics as lrid's: TensorFlow's SAME padding (ceil_mode pools, whose last window hangs over the
end), batch norm with a decay of 0.9, SGD with Nesterov momentum and weight decay on kernels and biases only.
--channels-last runs it in channels-last memory, for comparison.
"""

import sys
import time

import torch
from torch import nn
from torch.nn import functional as F


class KNet(nn.Module):
    def __init__(self, convolutions):
        super().__init__()
        widths = [3, 32, 32, 64, 128][: convolutions + 1]
        self.convolutions = nn.ModuleList(
            nn.Conv2d(a, b, 5, padding=2) for a, b in zip(widths[:-1], widths[1:])
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(b, eps=1e-5, momentum=0.1) for b in widths[1:])
        side = 32
        for i, convolution in enumerate(self.convolutions):
            nn.init.normal_(convolution.weight, std=1e-4 if i == 0 else 0.01)
            nn.init.zeros_(convolution.bias)
            side = (side + 1) // 2
        self.classifier = nn.Linear(widths[-1] * side * side, 10)
        nn.init.normal_(self.classifier.weight, std=0.01)
        nn.init.zeros_(self.classifier.bias)

    def forward(self, x):
        for i, (convolution, norm) in enumerate(zip(self.convolutions, self.norms)):
            x = convolution(x)
            if i == 0:
                x = F.relu(norm(F.max_pool2d(x, 3, 2, ceil_mode=True)))
            else:
                x = norm(F.avg_pool2d(F.relu(x), 3, 2, ceil_mode=True, count_include_pad=False))
        return self.classifier(x.flatten(1))


def main():
    arguments = [a for a in sys.argv[1:] if a not in ("--channels-last", "cpu")]
    now = time.process_time if "cpu" in sys.argv else time.perf_counter
    batch, threads, warm_up, steps = map(int, arguments[1:])
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    network = KNet({"KNet4": 3, "KNet5": 4}[arguments[0]])
    images = torch.randn(batch, 3, 32, 32)
    if "--channels-last" in sys.argv:
        network = network.to(memory_format=torch.channels_last)
        images = images.to(memory_format=torch.channels_last)
    labels = torch.randint(0, 10, (batch,))
    plain = list(network.norms.parameters())
    decaying = [p for p in network.parameters() if all(p is not q for q in plain)]
    optimizer = torch.optim.SGD(
        [{"params": decaying, "weight_decay": 1e-5}, {"params": plain}], lr=0.005, momentum=0.9, nesterov=True
    )
    times = []
    for _ in range(warm_up + steps):
        start = now()
        optimizer.zero_grad()
        F.cross_entropy(network(images), labels).backward()
        optimizer.step()
        times.append(1000 * (now() - start))
    print(" ".join(f"{t:.4f}" for t in times[warm_up:]))


if __name__ == "__main__":
    main()
