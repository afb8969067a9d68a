#!/usr/bin/env python3
"""Compares lrid's classifiers with scikit-learn and PyTorch on the same splits with the same settings.

  forest    RandomForestClassifier         accuracy within the s.e.m. of the splits
  svm       LinearSVC                      accuracy within the s.e.m.; objective within 1e-6 of the optimum, which
                                           comes from a Newton solver here and is certified (LinearSVC may stop early)
  mlp       the same network in PyTorch    accuracy within the s.e.m. (skipped without torch)
  logistic  LogisticRegression             accuracy within the s.e.m.

usage: classify_peers.py BUILD_DIR DATASET.h5 [--splits 5] [--threads 2] [--architectures KNet4,KNet5]
                         [--classifiers svm,forest,mlp,logistic]

Needs numpy, h5py and scikit-learn; exit code 1 if a comparison fails.
"""
import argparse, json, os, subprocess, sys, tempfile, time, warnings
import numpy as np
import h5py

CONFIG = '''
splits = {splits}
split = ["network"]
[features]
measures = ["all"]
[filter]
architecture = {architectures}
[svm]
C = [{c}]
pca = [0]
[forest]
trees = [{trees}]
max_features = ["{max_features}"]
[mlp]
kernel = [6]
filters = [20]
stride = [4]
pool = ["{pool}"]
learning_rate = [1e-3]
batch = [32]
l2 = [1e-4]
epochs = 400
[logistic]
C = [{c}]
'''

# Each a line of the table: classifier and what differs from CASE.
CASE = dict(c='1.0', trees=200, max_features='sqrt', pool='none')
CASES = [('svm', dict(c='1.0')), ('svm', dict(c='500.0')), ('svm', dict(c='5e6')),
         ('forest', dict()), ('forest', dict(max_features='all', trees=50)), ('mlp', dict()), ('mlp', dict(pool='max')),
         ('logistic', dict(c='1.0')), ('logistic', dict(c='100.0'))]


def lrid_fits(build, data, classifier, case, options):
    with tempfile.NamedTemporaryFile('w', suffix='.toml') as f:
        f.write(f'classifiers = ["{classifier}"]\n' + CONFIG.format(
            **{**CASE, **case}, splits=options.splits, architectures=json.dumps(options.architectures.split(','))))
        f.flush()
        # As many cores as the peer may use.
        command = ['taskset', '-c', ','.join(map(str, sorted(os.sched_getaffinity(0))[:options.threads])),
                   os.path.join(build, 'bin', 'classify_fit'), f.name, data]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def load(path):
    with h5py.File(path) as f:
        names = [n.decode() for n in f['observable_names'][:]]
        weights = [f'weight{a}' for a in
                   ('abs_mean', 'abs_median', 'abs_norm', 'abs_thirdquartile', 'abs_var', 'raw_mean', 'raw_median',
                    'raw_norm', 'raw_thirdquartile', 'raw_var', 'sq_mean', 'sq_median', 'sq_thirdquartile')]
        acts = [f'act{a}_{s}' for a in ('abs', 'raw') for s in ('mean', 'median', 'norm', 'thirdquartile')]
        changes = [f'gradavg{a}_id' for a in ('raw', 'abs', 'sq')]
        columns = [names.index(n) for n in sorted(weights + acts + changes)]
        x = f['X'][:][:, :, columns].astype(np.float64)  # [N, T, 24]
        return x, np.eye(3)[f['meta/layer_position'][:]], np.array([r.decode() for r in f['meta/learning_rule'][:]])


def standardise(x, train, test):
    flat = x.transpose(0, 2, 1).reshape(len(x), -1)
    mean, sd = flat[train].mean(0), np.maximum(flat[train].std(0), 1e-5)
    return (flat[train] - mean) / sd, (flat[test] - mean) / sd


def objective(w, x, y, c):
    slack = np.maximum(0, 1 - y * (x @ w))
    return .5 * w @ w + c * slack @ slack, w - 2 * c * x.T @ (y * slack)


def optimum(x, y, c):
    """The least objective, and the most by which it can exceed the minimum: f is 1-strongly convex."""
    w = np.zeros(x.shape[1])
    for rising in np.geomspace(min(c, 1.), c, 1 + round(np.log10(max(c, 1.)))):  # C tenfold from step to step
        best = np.inf, np.inf
        for _ in range(100):  # Newton with halved steps, until certified or lost in rounding
            f, g = objective(w, x, y, rising)
            stalled, best = f > best[0] * (1 - 1e-14), min(best, (f, .5 * g @ g))
            if .5 * g @ g < 1e-9 * f or stalled:
                break
            active = x[y * (x @ w) < 1]
            step, t = np.linalg.solve(np.eye(len(w)) + 2 * rising * active.T @ active, -g), 1.
            while objective(w + t * step, x, y, rising)[0] > f + 1e-4 * t * (g @ step) and t > 1e-10:
                t /= 2
            w = w + t * step
    return best


def peer_svm(setting, x, position, labels, splits, threads):
    from sklearn.svm import LinearSVC
    out = dict(accuracy=[], seconds=[], objectives=[], optima=[])
    classes = np.unique(labels)
    for split in splits:
        train, test = standardise(x, split['train'], split['test'])
        train = np.hstack([np.ones((len(train), 1)), position[split['train']], train])
        test = np.hstack([np.ones((len(test), 1)), position[split['test']], test])
        model = LinearSVC(C=setting['C'], dual=len(train) < train.shape[1], fit_intercept=False, max_iter=1000,
                          random_state=0)
        begin = time.perf_counter()
        model.fit(train, labels[split['train']])
        out['seconds'].append(time.perf_counter() - begin)
        out['accuracy'].append(model.score(test, labels[split['test']]))
        y = [np.where(labels[split['train']] == k, 1., -1.) for k in classes]
        out['objectives'].append([objective(w, train, t, setting['C'])[0] for w, t in zip(model.coef_, y)])
        out['optima'].append([optimum(train, t, setting['C']) for t in y])
    return out


def peer_logistic(setting, x, position, labels, splits, threads):
    from sklearn.linear_model import LogisticRegression
    out = dict(accuracy=[], seconds=[])
    for split in splits:
        train, test = standardise(x, split['train'], split['test'])
        train = np.hstack([np.ones((len(train), 1)), position[split['train']], train])
        test = np.hstack([np.ones((len(test), 1)), position[split['test']], test])
        model = LogisticRegression(C=setting['C'], fit_intercept=False, max_iter=5000)
        begin = time.perf_counter()
        model.fit(train, labels[split['train']])
        out['seconds'].append(time.perf_counter() - begin)
        out['accuracy'].append(model.score(test, labels[split['test']]))
    return out


def peer_forest(setting, x, position, labels, splits, threads):
    from sklearn.ensemble import RandomForestClassifier
    out = dict(accuracy=[], seconds=[])
    for i, split in enumerate(splits):
        train, test = standardise(x, split['train'], split['test'])
        train, test = np.hstack([position[split['train']], train]), np.hstack([position[split['test']], test])
        features = None if setting['max_features'] == 'all' else setting['max_features']
        model = RandomForestClassifier(setting['trees'], max_features=features, n_jobs=threads, random_state=i)
        begin = time.perf_counter()
        model.fit(train, labels[split['train']])
        out['seconds'].append(time.perf_counter() - begin)
        out['accuracy'].append(model.score(test, labels[split['test']]))
    return out


def peer_mlp(setting, x, position, labels, splits, threads):
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(threads)
    classes, points = np.unique(labels), x.shape[1]
    out = dict(accuracy=[], seconds=[])
    for i, split in enumerate(splits):
        def tensor(z, rows):
            z = z.reshape(len(z), -1, points)
            constant = np.repeat(position[rows][:, :, None], points, 2)
            return torch.tensor(np.concatenate([z, constant], 1), dtype=torch.float32)
        train, test = (tensor(z, split[s]) for z, s in
                       zip(standardise(x, split['train'], split['test']), ('train', 'test')))
        y = torch.tensor(np.searchsorted(classes, labels[split['train']]))
        torch.manual_seed(i)
        kernel, stride, filters = setting['kernel'], setting['stride'], setting['filters']
        conv = torch.nn.Conv1d(train.shape[1], filters, kernel, stride)
        width = filters * ((points - kernel) // stride + 1) if setting['pool'] == 'none' else filters
        full = torch.nn.Linear(width, len(classes))
        for layer in (conv, full):
            torch.nn.init.zeros_(layer.bias)
        torch.nn.init.xavier_uniform_(full.weight)
        limit = np.sqrt(6 / (kernel * (train.shape[1] + filters)))
        torch.nn.init.uniform_(conv.weight, -limit, limit)

        def network(z):
            a = torch.relu(conv(z))
            return full(a.flatten(1) if setting['pool'] == 'none' else
                        a.amax(2) if setting['pool'] == 'max' else a.mean(2))
        optimizer = torch.optim.Adam([*conv.parameters(), *full.parameters()], lr=setting['learning_rate'],
                                     weight_decay=setting['l2'])
        begin = time.perf_counter()
        for _ in range(400):
            for rows in torch.randperm(len(y)).split(setting['batch']):
                optimizer.zero_grad()
                torch.nn.functional.cross_entropy(network(train[rows]), y[rows]).backward()
                optimizer.step()
        out['seconds'].append(time.perf_counter() - begin)
        with torch.no_grad():
            out['accuracy'].append(float((classes[network(test).argmax(1).numpy()] == labels[split['test']]).mean()))
    return out


def main():
    warnings.filterwarnings('ignore', message='Liblinear failed to converge')  # shown as a figure instead
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('build')
    p.add_argument('dataset')
    p.add_argument('--splits', type=int, default=5)
    p.add_argument('--threads', type=int, default=2)
    p.add_argument('--architectures', default='KNet4,KNet5')
    p.add_argument('--classifiers', default='svm,forest,mlp,logistic')
    options = p.parse_args()
    x, position, labels = load(options.dataset)
    bad = 0
    print(f'{options.splits} splits grouped by network, {options.threads} threads; accuracy: mean ± s.e.m.')
    print(f'{"classifier":<10} {"setting":<34} {"lrid":<15} {"peer":<15} {"s lrid":>8} {"s peer":>8} {"ratio":>7}  '
          'objective above the optimum (lrid, peer; worst)')
    for name, case in CASES:
        if name not in options.classifiers.split(','):
            continue
        fits = lrid_fits(options.build, options.dataset, name, case, options)
        ours = fits['fits'][name]
        peer = globals()['peer_' + name](ours['setting'], x, position, labels, fits['splits'], options.threads)
        text = ', '.join(f'{v}' for v in ({**CASE, **case}[k] for k in
                                          dict(svm=['c'], forest=['trees', 'max_features'], mlp=['pool'], logistic=['c'])[name]))
        if peer is None:
            print(f'{name:<10} {text:<34} skipped: no torch')
            continue
        a, b = np.array(ours['accuracy']), np.array(peer['accuracy'])
        sem = lambda v: v.std(ddof=1) / np.sqrt(len(v)) if len(v) > 1 else 0.
        ok = abs(a.mean() - b.mean()) <= np.hypot(sem(a), sem(b)) + 1e-12
        note = ''
        if name == 'svm':
            best = np.array(peer['optima'])  # [split, class, (objective, bound on the gap)]
            above = lambda v: (np.array(v) / best[:, :, 0] - 1).max()
            note = f'{above(ours["objectives"]):.1e}, {above(peer["objectives"]):.1e}  ' \
                   f'(optimum certified to {(best[:, :, 1] / best[:, :, 0]).max():.0e})'
            ok = above(ours['objectives']) <= 1e-6
        bad += not ok
        s, t = np.median(ours['seconds']), np.median(peer['seconds'])
        print(f'{name:<10} {text:<34} {a.mean():.3f} ± {sem(a):.3f}   {b.mean():.3f} ± {sem(b):.3f}   '
              f'{s:8.3f} {t:8.3f} {t / s:7.1f}  {note}{"" if ok else "   NOT WITHIN"}', flush=True)
    sys.exit(bad > 0)


if __name__ == '__main__':
    main()
