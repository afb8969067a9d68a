"""The training step of step.cpp in plain PyTorch (eager): PyTorch's own modules, SGDM.

    step_twin.py ARCHITECTURE RULE BATCH THREADS WARM-UP STEPS [cpu]   → one line, milliseconds per step each

RULE: sgdm, or none (forward and backward pass alone). The same mathematics as lrid's: TensorFlow's SAME padding
(ceil_mode pools, whose last window hangs over the end; even kernels padded beforehand), batch norm with lrid's
decays, local response normalisation with alpha times the window, SGD with Nesterov momentum and weight decay on
kernels and biases only. --channels-last runs it in channels-last memory, for comparison.
"""

import sys
import time

import torch
from torch import nn
from torch.nn import functional as F


class KNet(nn.Module):
    def __init__(self, convolutions, side, classes):
        super().__init__()
        widths = [3, 32, 32, 64, 128][: convolutions + 1]
        self.convolutions = nn.ModuleList(
            nn.Conv2d(a, b, 5, padding=2) for a, b in zip(widths[:-1], widths[1:])
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(b, eps=1e-5, momentum=0.1) for b in widths[1:])
        for i, convolution in enumerate(self.convolutions):
            nn.init.normal_(convolution.weight, std=1e-4 if i == 0 else 0.01)
            nn.init.zeros_(convolution.bias)
            side = (side + 1) // 2
        self.classifier = nn.Linear(widths[-1] * side * side, classes)
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


def alexnet(response_norm, classes):
    def pool():
        return nn.MaxPool2d(3, 2, ceil_mode=True)

    def relu():
        return nn.ReLU(inplace=True)

    def lrn():
        return [nn.LocalResponseNorm(11, alpha=1e-4 * 11, beta=0.75, k=1)] if response_norm else []

    return nn.Sequential(
        nn.Conv2d(3, 96, 11, 4), relu(), *lrn(), pool(),
        nn.Conv2d(96, 256, 5, padding=2), relu(), *lrn(), nn.MaxPool2d(3, 2, padding=1),
        nn.Conv2d(256, 384, 3, padding=1), relu(),
        nn.ZeroPad2d((1, 2, 1, 2)), nn.Conv2d(384, 384, 4), relu(),
        nn.Conv2d(384, 256, 3, padding=1), relu(), pool(),
        nn.Flatten(), nn.Linear(12544, 4096), relu(), nn.Dropout(0.5),
        nn.Linear(4096, 4096), relu(), nn.Dropout(0.5), nn.Linear(4096, classes),
    )


class Block(nn.Module):
    def __init__(self, width_in, width, stride, projected, v2):
        super().__init__()
        self.v2 = v2
        momentum = 0.003 if v2 else 0.1
        self.projection = nn.Conv2d(width_in, width, 1, stride, bias=False) if projected else None
        self.projection_norm = nn.BatchNorm2d(width, momentum=momentum) if projected and not v2 else None
        self.conv1 = nn.Conv2d(width_in, width, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(width_in if v2 else width, momentum=momentum)
        self.norm2 = nn.BatchNorm2d(width, momentum=momentum)

    def forward(self, x):
        if self.v2:
            h = F.relu(self.norm1(x), inplace=True)
            shortcut = x if self.projection is None else self.projection(h)
            return self.conv2(F.relu(self.norm2(self.conv1(h)), inplace=True)) + shortcut
        shortcut = x if self.projection is None else self.projection_norm(self.projection(x))
        y = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)), inplace=True)))
        return F.relu(y.add_(shortcut), inplace=True)


def resnet(blocks, v2, classes):
    first = [nn.Conv2d(3, 64, 7, 2, 3, bias=False)]
    if not v2:
        first += [nn.BatchNorm2d(64), nn.ReLU(inplace=True)]
    first.append(nn.MaxPool2d(3, 2, ceil_mode=True))
    body, width_in = [], 64
    for group, (width, count) in enumerate(zip((64, 128, 256, 512), blocks)):
        for block in range(count):
            body.append(Block(width_in, width, 2 if group > 0 and block == 0 else 1, block == 0, v2))
            width_in = width
    if v2:
        body += [nn.BatchNorm2d(512, momentum=0.003), nn.ReLU(inplace=True)]
    return nn.Sequential(*first, *body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, classes))


def build(name, side, classes):
    if name.startswith("KNet"):
        return KNet(int(name[4]) - 1, side, classes)
    if name.startswith("AlexNet"):
        return alexnet(name.endswith("LRN"), classes)
    return resnet((3, 4, 6, 3) if "34" in name else (2, 2, 2, 2), name.endswith("v2"), classes)


def main():
    arguments = [a for a in sys.argv[1:] if a not in ("--channels-last", "cpu")]
    now = time.process_time if "cpu" in sys.argv else time.perf_counter
    name, rule = arguments[:2]
    batch, threads, warm_up, steps = map(int, arguments[2:])
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    side, classes = (32, 10) if name.startswith("KNet") else (224, 1000)
    network = build(name, side, classes)
    images = torch.randn(batch, 3, side, side)
    if "--channels-last" in sys.argv:
        network = network.to(memory_format=torch.channels_last)
        images = images.to(memory_format=torch.channels_last)
    labels = torch.randint(0, classes, (batch,))
    plain = [p for m in network.modules() if isinstance(m, nn.BatchNorm2d) for p in m.parameters()]
    decaying = [p for p in network.parameters() if all(p is not q for q in plain)]
    optimizer = torch.optim.SGD(
        [{"params": decaying, "weight_decay": 1e-5}, {"params": plain}], lr=0.005, momentum=0.9, nesterov=True
    )
    times = []
    for _ in range(warm_up + steps):
        start = now()
        optimizer.zero_grad()
        F.cross_entropy(network(images), labels).backward()
        if rule != "none":
            optimizer.step()
        times.append(1000 * (now() - start))
    print(" ".join(f"{t:.4f}" for t in times[warm_up:]))


if __name__ == "__main__":
    main()
