#!/usr/bin/env python3
"""Times lrid's classifiers and their peers on a study-sized dataset, each on a part that the peer can finish.

  svm     `classify_fit` over the whole grid of a fold; LIBLINEAR 2.50 on some points of it, in the same features
  forest  100 trees for each max_features; scikit-learn's Intel extension (binned), scikit-learn
  mlp     epochs of one network, and of a stack that shares kernel, stride and batch; PyTorch, one network

usage: classify_study.py BUILD_DIR DATASET.h5 [--part svm|forest|mlp] [--trees 100] [--threads 2] [--epochs 5]

The training part of the first split is the same for all. Needs numpy, h5py, scikit-learn-intelex, liblinear-official,
torch: scripts/setup.sh --peers.
"""
import argparse, json, os, subprocess, sys, tempfile, time
import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from classify_peers import load, objective, standardise

BASE = 'splits = 1\nsplit = ["sample"]\n[features]\nmeasures = ["all"]\n'


def lrid(options, classifier, toml):
    with tempfile.NamedTemporaryFile('w', suffix='.toml') as f:
        f.write(f'classifiers = ["{classifier}"]\n' + BASE + toml)
        f.flush()
        command = [os.path.join(options.build, 'bin', 'classify_fit'), f.name, options.dataset]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def flat(options, split):
    x, position, labels = load(options.dataset)
    train, test = standardise(x, split['train'], split['test'])
    return (np.hstack([position[split['train']], train]), np.hstack([position[split['test']], test]),
            labels[split['train']], labels[split['test']])


def svm(options):
    from liblinear.liblinearutil import train as liblinear_train, problem, parameter
    fits = lrid(options, 'svm', '')['fits']['svm']
    print(f'svm whole grid: {fits["grid_points"]} points in {fits["grid_seconds"][0]:.2f} s', flush=True)
    for c in (1.0, 500.0, 5e6):
        ours = lrid(options, 'svm', f'[svm]\nC = [{c}]\npca = [0]\n')
        x, _, labels, _ = flat(options, ours['splits'][0])
        x = np.hstack([np.ones((len(x), 1)), x])
        classes = ours['classes']
        y = np.array([classes.index(r) for r in labels], float)
        begin = time.perf_counter()
        model = liblinear_train(problem(y, x), parameter(f'-s 2 -c {c} -B -1 -q'))
        peer = time.perf_counter() - begin
        fits = ours['fits']['svm']
        above = []
        for k in range(4):
            label = model.get_labels()[k]
            w = np.array(model.get_decfun(label_idx=k)[0])
            value = objective(w, x, np.where(y == label, 1., -1.), c)[0]
            above.append(value / fits['objectives'][0][int(label)] - 1)
        print(f'svm C={c:g} no PCA: lrid {fits["seconds"][0]:.2f} s (path up to this C), LIBLINEAR {peer:.2f} s, '
              f'ratio {peer / fits["seconds"][0]:.1f}; LIBLINEAR above lrid by {max(above):.1e}', flush=True)


def forest(options):
    from sklearn.ensemble import RandomForestClassifier
    from sklearnex.ensemble import RandomForestClassifier as Intel
    for features in options.features.split(','):
        ours = lrid(options, 'forest', f'[forest]\ntrees = [{options.trees}]\nmax_features = ["{features}"]\n')
        x, z, labels, actual = flat(options, ours['splits'][0])
        fits = ours['fits']['forest']
        print(f'forest {features}, {options.trees} trees: lrid {fits["seconds"][0]:.2f} s, accuracy {fits["accuracy"][0]:.3f}',
              flush=True)
        for name, kind in (('scikit-learn-intelex', Intel), ('scikit-learn', RandomForestClassifier)):
            if name == 'scikit-learn' and not options.slow:
                continue
            model = kind(options.trees, max_features=None if features == 'all' else features, n_jobs=options.threads,
                         random_state=0)
            begin = time.perf_counter()
            model.fit(x, labels)
            peer = time.perf_counter() - begin
            print(f'  {name} {peer:.2f} s, accuracy {model.score(z, actual):.3f}, ratio {peer / fits["seconds"][0]:.1f}',
                  flush=True)


def mlp(options):
    import torch
    torch.set_num_threads(options.threads)
    for kernel in (1, 6, 21):
        fits = lrid(options, 'mlp', f'[mlp]\nkernel = [{kernel}]\nstride = [1]\nbatch = [512]\nepochs = 2\n')['fits']['mlp']
        print(f'mlp stack, kernel {kernel}: {fits["grid_points"]} networks, an epoch of each '
              f'{fits["grid_seconds"][0] / 2 / fits["grid_points"]:.4f} s', flush=True)
    for kernel, filters, pool, batch in ((6, 20, 'none', 512), (6, 40, 'max', 512), (1, 20, 'mean', 512)):
        ours = lrid(options, 'mlp', f'[mlp]\nkernel = [{kernel}]\nfilters = [{filters}]\nstride = [1]\npool = ["{pool}"]\n'
                    f'learning_rate = [1e-3]\nbatch = [{batch}]\nl2 = [1e-4]\nepochs = {options.epochs}\n')
        alone = ours['fits']['mlp']['seconds'][0] / options.epochs
        x, position, labels = load(options.dataset)
        split = ours['splits'][0]
        train = standardise(x, split['train'], split['test'])[0]
        z = np.concatenate([train.reshape(len(train), -1, 21),
                            np.repeat(position[split['train']][:, :, None], 21, 2)], 1)
        z = torch.tensor(z, dtype=torch.float32)
        y = torch.tensor([ours['classes'].index(r) for r in labels[split['train']]])
        conv = torch.nn.Conv1d(27, filters, kernel)
        full = torch.nn.Linear(filters * (22 - kernel) if pool == 'none' else filters, 4)
        optimizer = torch.optim.Adam([*conv.parameters(), *full.parameters()], lr=1e-3, weight_decay=1e-4)
        times = []
        for _ in range(options.epochs):
            begin = time.perf_counter()
            for rows in torch.randperm(len(y)).split(batch):
                optimizer.zero_grad()
                a = torch.relu(conv(z[rows]))
                a = a.flatten(1) if pool == 'none' else a.amax(2) if pool == 'max' else a.mean(2)
                torch.nn.functional.cross_entropy(full(a), y[rows]).backward()
                optimizer.step()
            times.append(time.perf_counter() - begin)
        peer = np.median(times)
        print(f'mlp kernel {kernel}, {filters} filters, {pool}: an epoch {alone:.3f} s, PyTorch {peer:.3f} s, ratio '
              f'{peer / alone:.1f}', flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('build')
    p.add_argument('dataset')
    p.add_argument('--part', default='svm,forest,mlp')
    p.add_argument('--features', default='log2,sqrt,all')
    p.add_argument('--trees', type=int, default=100)
    p.add_argument('--threads', type=int, default=2)
    p.add_argument('--epochs', type=int, default=5)
    p.add_argument('--slow', action='store_true', help='also peers that take minutes')
    options = p.parse_args()
    for part in options.part.split(','):
        globals()[part](options)


if __name__ == '__main__':
    main()
