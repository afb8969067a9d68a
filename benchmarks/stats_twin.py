"""The 21 statistics of activations in plain PyTorch: three functions times seven statistics, the order statistics by
`sort` or by `kthvalue`. Prints the fastest of a few rounds in seconds.

usage: stats_twin.py ROWS COLUMNS sort|kthvalue THREADS
"""
import sys
import time

import torch


def statistics(values, order):
    """Means over the stimuli of the statistics of each, [3 * 7]. values: [stimuli, units]"""
    n = values.shape[1]
    descending = [round((n - 1) * (1 - q)) for q in (0.5, 0.75)]  # half to even
    results = []
    for function in (lambda v: v, torch.abs, torch.square):
        v = function(values)
        mean, variance = v.mean(1), v.var(1, unbiased=False)
        if order == "sort":
            ordered = v.sort(1, descending=True).values
            median, third_quartile = (ordered[:, k] for k in descending)
        else:
            median, third_quartile = (v.kthvalue(n - k, 1).values for k in descending)
        kurtosis = (v - mean[:, None]).pow(4).mean(1) / variance.square()
        results += [v.norm(dim=1), mean, variance, median, third_quartile,
                    3 * (mean - median) / variance.sqrt(), kurtosis]
    return torch.stack(results).mean(1)


def main():
    rows, columns, order, threads = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    torch.set_num_threads(threads)
    values = torch.randn(rows, columns, generator=torch.Generator().manual_seed(1))
    statistics(values[:2], order)
    best = float("inf")
    for _ in range(2):
        start = time.perf_counter()
        statistics(values, order)
        best = min(best, time.perf_counter() - start)
    print(best)


if __name__ == "__main__":
    main()
