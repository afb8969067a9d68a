#!/usr/bin/env python3
"""Times lrid's classifiers and their peers on a study-sized dataset, each on a part that the peer can finish.

  svm       `classify_fit` over the whole grid of a fold; LIBLINEAR 2.50 on some points of it, in the same features
  forest    100 trees for each max_features; scikit-learn's Intel extension (binned), scikit-learn (--slow)
  protocol  the forest's nested protocol (10 splits × 5 folds × the grid, and the final fits), estimated from its first
            fold: one forest for each max_features, read at every size; scikit-learn's Intel extension likewise
  mlp       epochs of one network, and of a stack that shares kernel, stride and batch; PyTorch, one network

usage: classify_study.py BUILD_DIR DATASET.h5 [--part svm|forest|protocol|mlp] [--trees 100] [--threads 2] [--epochs 5]

The first split is the same for all. Every program is a process of its own, whose peak memory is printed: that of lrid with
reading the data, that of a peer with Python and its libraries too. Needs numpy, h5py, scikit-learn-intelex,
liblinear-official, torch: scripts/setup.sh --peers; R's ranger is compared with where it is installed (Debian's r-cran-ranger).
"""
import argparse, json, multiprocessing, os, resource, shutil, subprocess, sys, tempfile, time
import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from classify_peers import load, objective, standardise

BASE = 'splits = 1\nsplit = ["sample"]\n[features]\nmeasures = ["all"]\n'
FULL_TREES, SPLITS, FOLDS = 1000, 10, 5  # of the protocol


def say(text):
    print(text, flush=True)


def megabytes(usage):
    return usage.ru_maxrss / 1024  # Linux: in KiB


def lrid(options, classifier, toml):
    """What classify_fit prints, and its peak memory in MiB."""
    with tempfile.NamedTemporaryFile('w', suffix='.toml') as f:
        f.write(f'classifiers = ["{classifier}"]\n' + BASE + toml)
        f.flush()
        command = [os.path.join(options.build, 'bin', 'classify_fit'), f.name, options.dataset]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit(f'classify_study.py: {" ".join(command)} ended with {process.returncode}, expected 0')
        return json.loads(output), megabytes(usage)


def call(connection, function, arguments):
    connection.send((function(*arguments), megabytes(resource.getrusage(resource.RUSAGE_SELF))))


def alone(function, *arguments):
    """What the function returns in a new process, and its peak memory in MiB."""
    context = multiprocessing.get_context('spawn')
    here, there = context.Pipe()
    process = context.Process(target=call, args=(there, function, arguments))
    process.start()
    there.close()
    try:
        return here.recv()
    except EOFError:
        sys.exit(f'classify_study.py: {function.__name__} failed, see above')
    finally:
        process.join()


def flat(dataset, train, test):
    x, position, labels = load(dataset)
    of_train, of_test = standardise(x, train, test)
    return np.hstack([position[train], of_train]), np.hstack([position[test], of_test]), labels[train], labels[test]


def liblinear(dataset, split, classes, c):
    """Seconds, and the objective of each class."""
    from liblinear.liblinearutil import train as liblinear_train, problem, parameter
    x, _, labels, _ = flat(dataset, split['train'], split['test'])
    x = np.hstack([np.ones((len(x), 1)), x])
    y = np.array([classes.index(r) for r in labels], float)
    begin = time.perf_counter()
    model = liblinear_train(problem(y, x), parameter(f'-s 2 -c {c} -B -1 -q'))
    seconds = time.perf_counter() - begin
    values = [0.] * len(classes)
    for k in range(len(classes)):
        label = model.get_labels()[k]
        w = np.array(model.get_decfun(label_idx=k)[0])
        values[int(label)] = objective(w, x, np.where(y == label, 1., -1.), c)[0]
    return seconds, values


def svm(options):
    ours, memory = lrid(options, 'svm', '')
    fits = ours['fits']['svm']
    say(f'svm, whole grid of a fold: {fits["grid_points"]} points in {fits["grid_seconds"][0]:.2f} s; {memory:.0f} MiB')
    for c in (1.0, 500.0, 5e6):
        ours, memory = lrid(options, 'svm', f'[svm]\nC = [{c}]\npca = [0]\n')
        fits = ours['fits']['svm']
        (peer, values), peer_memory = alone(liblinear, options.dataset, ours['splits'][0], ours['classes'], c)
        above = max(value / least - 1 for value, least in zip(values, fits['objectives'][0]))
        say(f'svm C={c:g} no PCA: lrid {fits["seconds"][0]:.2f} s (path up to this C), {memory:.0f} MiB; LIBLINEAR {peer:.2f} s, '
            f'{peer_memory:.0f} MiB, ratio {peer / fits["seconds"][0]:.1f}, at most {above:.1e} above lrid\'s objective')


def peer_forest(dataset, train, test, intel, features, sizes, threads):
    """Per number of trees: seconds to fit, seconds to score the test samples, accuracy there."""
    if intel:
        from sklearnex.ensemble import RandomForestClassifier
    else:
        from sklearn.ensemble import RandomForestClassifier
    x, z, labels, actual = flat(dataset, train, test)
    result = []
    for trees in sizes:
        model = RandomForestClassifier(trees, max_features=None if features == 'all' else features, n_jobs=threads,
                                       random_state=0)
        begin = time.perf_counter()
        model.fit(x, labels)
        fitted = time.perf_counter()
        probability = model.predict_proba(z)
        scored = time.perf_counter()
        right = np.mean(model.classes_[probability.argmax(1)] == actual)
        result.append((fitted - begin, scored - fitted, right))
    return result


RANGER = """
suppressMessages(library(ranger))
a <- commandArgs(TRUE); size <- as.integer(a[2:5]); file <- file(a[1], "rb")
read <- function(rows) list(x = matrix(readBin(file, "double", rows * size[3]), rows), y = readBin(file, "integer", rows))
train <- read(size[1]); test <- read(size[2]); colnames(train$x) <- colnames(test$x) <- paste0("f", seq_len(size[3]))
seconds <- system.time(forest <- ranger(x = train$x, y = factor(train$y), num.trees = as.integer(a[6]), mtry = size[4],
  min.node.size = 1, probability = TRUE, num.threads = as.integer(a[7]), seed = 1, verbose = FALSE))["elapsed"]
p <- predict(forest, test$x, verbose = FALSE)$predictions
cat(seconds, mean(as.integer(colnames(p))[max.col(p, "first")] == test$y))
"""


def peer_ranger(dataset, train, test, features, trees, threads):
    """R's ranger, where there is one: seconds to fit, accuracy."""
    x, z, labels, actual = flat(dataset, train, test)
    classes = sorted(set(labels))
    width = x.shape[1]
    tried = {'log2': int(np.log2(width)), 'sqrt': int(np.sqrt(width)), 'all': width}[features]
    with tempfile.NamedTemporaryFile() as f:
        for part, of in ((x, labels), (z, actual)):
            np.asarray(part, float).ravel(order='F').tofile(f)
            np.array([classes.index(one) for one in of], np.int32).tofile(f)
        f.flush()
        out = subprocess.run(['Rscript', '-e', RANGER, f.name, str(len(x)), str(len(z)), str(width), str(tried), str(trees),
                              str(threads)], check=True, stdout=subprocess.PIPE, text=True).stdout
    return [float(word) for word in out.split()]


def forest(options):
    for features in options.features.split(','):
        ours, memory = lrid(options, 'forest', f'[forest]\ntrees = [{options.trees}]\nmax_features = ["{features}"]\n')
        fits, split = ours['fits']['forest'], ours['splits'][0]
        say(f'forest {features}, {options.trees} trees: lrid {fits["seconds"][0]:.2f} s, accuracy {fits["accuracy"][0]:.3f}, '
            f'{memory:.0f} MiB')
        for name, intel in (('scikit-learn-intelex', True), ('scikit-learn', False)):
            if not intel and not options.slow:
                continue
            [(peer, _, accuracy)], memory = alone(peer_forest, options.dataset, split['train'], split['test'], intel, features,
                                                  [options.trees], options.threads)
            say(f'  {name} {peer:.2f} s, accuracy {accuracy:.3f}, {memory:.0f} MiB, ratio {peer / fits["seconds"][0]:.1f}')
        if shutil.which('Rscript') and not subprocess.run(['Rscript', '-e', 'library(ranger)'], capture_output=True).returncode:
            (peer, accuracy), memory = alone(peer_ranger, options.dataset, split['train'], split['test'], features,
                                             options.trees, options.threads)
            say(f'  ranger {peer:.2f} s, accuracy {accuracy:.3f}, {memory:.0f} MiB, ratio {peer / fits["seconds"][0]:.1f}')


def protocol(options):
    few, many = sorted(map(int, options.protocol_trees.split(',')))

    def estimate(few_seconds, many_seconds):
        """Seconds of FULL_TREES trees: each costs the same, whatever is done once is in both."""
        return many_seconds + (FULL_TREES - many) * max(0., many_seconds - few_seconds) / (many - few)

    total, peer_total = 0., 0.
    for features in options.features.split(','):
        # Two sizes make a grid. Both programs read the smaller forest's votes off the larger forest, for nothing.
        fits, memory = zip(*(lrid(options, 'forest', f'[forest]\ntrees = [1, {n}]\nmax_features = ["{features}"]\n')
                             for n in (few, many)))
        split = fits[0]['splits'][0]
        fold = [row for row, of in zip(split['train'], split['inner']) if of != 0]
        held_out = [row for row, of in zip(split['train'], split['inner']) if of == 0]
        seconds = [one['fits']['forest']['grid_seconds'][0] for one in fits]
        ours = estimate(*seconds)
        peer, peer_memory = alone(peer_forest, options.dataset, fold, held_out, True, features, [few, many], options.threads)
        peer_seconds = [fit + score for fit, score, _ in peer]
        theirs = estimate(*peer_seconds)
        total, peer_total = total + ours, peer_total + theirs
        say(f'protocol, a fold of {len(fold)}, {features}: lrid {seconds[0]:.2f} s for {few} trees, {seconds[1]:.2f} s for {many}, '
            f'accuracy {fits[1]["fits"]["forest"]["grid_accuracy"][1]:.3f}, {max(memory):.0f} MiB; scikit-learn-intelex '
            f'{peer_seconds[0]:.2f} s, {peer_seconds[1]:.2f} s, {peer[1][2]:.3f}, {peer_memory:.0f} MiB; '
            f'{FULL_TREES} trees: {ours:.0f} s, {theirs:.0f} s, ratio {theirs / ours:.1f}')
    # The final fits come on top for both: ten, each of the setting that was chosen.
    minutes = SPLITS * FOLDS / 60
    say(f'protocol, {SPLITS} splits × {FOLDS} folds without the final fits, estimated: lrid {total * minutes:.0f} min, '
        f'scikit-learn-intelex {peer_total * minutes:.0f} min, ratio {peer_total / total:.1f}')


def peer_mlp(dataset, split, classes, kernel, filters, pool, batch, epochs, threads):
    """Median seconds of an epoch."""
    import torch
    torch.set_num_threads(threads)
    x, position, labels = load(dataset)
    train = standardise(x, split['train'], split['test'])[0]
    points = x.shape[1]
    z = np.concatenate([train.reshape(len(train), -1, points),
                        np.repeat(position[split['train']][:, :, None], points, 2)], 1)
    z = torch.tensor(z, dtype=torch.float32)
    y = torch.tensor([classes.index(r) for r in labels[split['train']]])
    conv = torch.nn.Conv1d(z.shape[1], filters, kernel)
    full = torch.nn.Linear(filters * (points + 1 - kernel) if pool == 'none' else filters, len(classes))
    optimizer = torch.optim.Adam([*conv.parameters(), *full.parameters()], lr=1e-3, weight_decay=1e-4)
    times = []
    for _ in range(epochs):
        begin = time.perf_counter()
        for rows in torch.randperm(len(y)).split(batch):
            optimizer.zero_grad()
            a = torch.relu(conv(z[rows]))
            a = a.flatten(1) if pool == 'none' else a.amax(2) if pool == 'max' else a.mean(2)
            torch.nn.functional.cross_entropy(full(a), y[rows]).backward()
            optimizer.step()
        times.append(time.perf_counter() - begin)
    return np.median(times)


def mlp(options):
    for kernel in (1, 6, 21):
        ours, memory = lrid(options, 'mlp', f'[mlp]\nkernel = [{kernel}]\nstride = [1]\nbatch = [512]\nepochs = 2\n')
        fits, inner = ours['fits']['mlp'], ours['splits'][0]['inner']
        # Of the whole training part, as below, rather than of a fold.
        epoch = fits['grid_seconds'][0] / 2 / fits['grid_points'] * len(inner) / (len(inner) - inner.count(0))
        say(f'mlp stack, kernel {kernel}: {fits["grid_points"]} networks, an epoch of each {epoch:.4f} s; {memory:.0f} MiB')
    for kernel, filters, pool, batch in ((6, 20, 'none', 512), (6, 40, 'max', 512), (1, 20, 'mean', 512)):
        ours, memory = lrid(options, 'mlp', f'[mlp]\nkernel = [{kernel}]\nfilters = [{filters}]\nstride = [1]\n'
                            f'pool = ["{pool}"]\nlearning_rate = [1e-3]\nbatch = [{batch}]\nl2 = [1e-4]\n'
                            f'epochs = {options.epochs}\n')
        epoch = ours['fits']['mlp']['seconds'][0] / options.epochs
        peer, peer_memory = alone(peer_mlp, options.dataset, ours['splits'][0], ours['classes'], kernel, filters, pool, batch,
                                  options.epochs, options.threads)
        say(f'mlp kernel {kernel}, {filters} filters, {pool}: an epoch {epoch:.3f} s, {memory:.0f} MiB; PyTorch {peer:.3f} s, '
            f'{peer_memory:.0f} MiB, ratio {peer / epoch:.1f}')


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('build')
    p.add_argument('dataset')
    p.add_argument('--part', default='svm,forest,protocol,mlp')
    p.add_argument('--features', default='log2,sqrt,all')
    p.add_argument('--trees', type=int, default=100)
    p.add_argument('--protocol-trees', default='20,100', help='two sizes from which the protocol is estimated')
    p.add_argument('--threads', type=int, default=2)
    p.add_argument('--epochs', type=int, default=5)
    p.add_argument('--slow', action='store_true', help='also peers that take minutes')
    options = p.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:options.threads])  # of all that is started from here, too
    for part in options.part.split(','):
        {'svm': svm, 'forest': forest, 'protocol': protocol, 'mlp': mlp}[part](options)


if __name__ == '__main__':
    main()
