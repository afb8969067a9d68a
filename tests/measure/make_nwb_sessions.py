"""Writes NWB files of several sessions with pynwb, and what imports of them should give, computed with numpy:
make_nwb_sessions.py FOLDER.

For each case NAME: NAME.args (files and options of the command) and NAME.npz (`layers`, one array [points, stimuli,
units] each, and `stimuli`). Prints "NAME<tab>TEXT<tab>TEXT...": what the import must say."""
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
from pynwb import NWBHDF5IO, NWBFile
from pynwb.ophys import ImageSegmentation, OpticalChannel, RoiResponseSeries

folder = Path(sys.argv[1])
rng = np.random.default_rng(23)
# In this order: neither that of the names, nor that of the times as texts.
names = ["monday", "tuesday", "wednesday", "thursday", "friday"]
starts_at = [datetime(2026, 1, 5, 23, 30, tzinfo=timezone(timedelta(hours=9))), datetime(2026, 1, 5, 20, tzinfo=timezone.utc),
             datetime(2026, 1, 5, 18, tzinfo=timezone(timedelta(hours=-8))), datetime(2026, 1, 6, 4, tzinfo=timezone(timedelta(hours=1))),
             datetime(2026, 1, 6, 3, 0, 0, 250000, tzinfo=timezone.utc)]
window, baseline = (0.0, 0.5), (-0.4, -0.1)


class Session:
    def __init__(self, number):
        self.name, self.start = names[number], starts_at[number]
        self.neurons = rng.permutation(10)[:[8, 10, 9, 7, 10][number]]
        # Ids are even where neurons are, and otherwise of another neuron in each session.
        places = rng.permutation(5)
        self.ids = np.array([n % 2 + 2 * places[n // 2] for n in self.neurons])
        self.quality = ["good" if n != 3 else "mua" for n in self.neurons]
        self.snr = rng.uniform(1, 9, len(self.neurons)).astype(np.float32)
        self.snr[self.neurons == 4] = np.nan if number == 2 else 5
        self.isolated = self.neurons != 7
        self.spikes = [np.sort(rng.uniform(0, 130, 3000)) for _ in self.neurons]
        self.onsets = 1.0 + 2.0 * np.arange(60) + rng.uniform(0, 0.3, 60)
        self.stimulus = rng.permutation(np.repeat([0, 45, 90], 20))
        self.stimulus[:2] = 135 if number != 1 else 0  # not at every point
        self.correct = rng.random(60) < 0.8
        self.contrast = rng.choice([0.1, 0.5, 1.0], 60).astype(np.float32)
        # Samples at 20 Hz, with a pause from 40 s to 61 s.
        self.times = np.r_[np.arange(0, 40, 0.05), np.arange(61, 130, 0.05)]
        self.rois = 4 + number
        self.fluorescence = rng.normal(size=(len(self.times), self.rois))
        self.fluorescence[:, 3] = 0.1
        self.is_cell = np.arange(self.rois) != [0, 1, 3, 4, 4][number]

    def write(self):
        nwb = NWBFile(session_description=self.name, identifier=self.name, session_start_time=self.start)
        for column in ("neuron", "quality", "snr", "isolated", "location"):
            nwb.add_unit_column(column, column)
        for i, neuron in enumerate(self.neurons):
            nwb.add_unit(id=int(self.ids[i]), spike_times=self.spikes[i], neuron=f"n{neuron}", quality=self.quality[i], snr=self.snr[i],
                         isolated=bool(self.isolated[i]), location="V1" if neuron % 2 == 0 else "LM")
        for column in ("orientation", "correct", "contrast"):
            nwb.add_trial_column(column, column)
        for i, onset in enumerate(self.onsets):
            nwb.add_trial(start_time=onset, stop_time=onset + 1, orientation=int(self.stimulus[i]), correct=bool(self.correct[i]),
                          contrast=self.contrast[i])
        plane = nwb.create_imaging_plane(
            name="plane", optical_channel=OpticalChannel(name="green", description="x", emission_lambda=510.0), description="x",
            device=nwb.create_device("microscope"), excitation_lambda=920.0, indicator="GCaMP6f", location="V1")
        module = nwb.create_processing_module("ophys", "imaging")
        module.add(ImageSegmentation())
        table = module["ImageSegmentation"].create_plane_segmentation(name="rois", description="x", imaging_plane=plane)
        table.add_column("cell_probability", "whether it is one, and how likely")
        for roi in range(self.rois):
            table.add_roi(id=roi, pixel_mask=[(roi, roi, 1.0)], cell_probability=[float(self.is_cell[roi]), 0.5])
        module.add(RoiResponseSeries(name="dff", data=self.fluorescence, unit="n.a.", timestamps=self.times,
                                     rois=table.create_roi_table_region(region=list(range(self.rois)), description="all")))
        with NWBHDF5IO(folder / f"{self.name}.nwb", "w") as io:
            io.write(nwb)

    def rates(self, span):
        """[trials, units] in Hz."""
        return np.array([[np.sum((s >= t + span[0]) & (s < t + span[1])) / (span[1] - span[0]) for s in self.spikes] for t in self.onsets])

    def means(self, span):
        """[trials, rois], NaN in the pause."""
        inside = [(self.times >= t + span[0]) & (self.times < t + span[1]) for t in self.onsets]
        return np.array([self.fluorescence[i].mean(axis=0) if i.sum() > 4 else np.full(self.rois, np.nan) for i in inside])

    def by_stimulus(self, response, trials, stimuli=(0, 45, 90)):
        """[stimuli, units]: means over those of `trials`."""
        return np.array([response[trials & (self.stimulus == s)].mean(axis=0) for s in stimuli])


sessions = [Session(i) for i in range(5)]
for session in sessions:
    session.write()
scrambled = ["thursday.nwb", "monday.nwb", "friday.nwb", "wednesday.nwb", "tuesday.nwb"]
given = [next(s for s in sessions if f"{s.name}.nwb" == file) for file in scrambled]
files = " ".join(scrambled)
everyone = [np.ones(60, bool)] * 5
common = "--window 0,0.5 --stimulus orientation "


def case(name, args, layers, *said, stimuli=("0", "45", "90")):
    (folder / f"{name}.args").write_text(args)
    np.savez(folder / f"{name}.npz", layers=np.array(sorted(layers)), stimuli=np.array(stimuli, dtype=str),
             **{f"layer_{i}": layers[layer] for i, layer in enumerate(sorted(layers))})
    print(name, *said, sep="\t")


def matched(order, keys, responses, used=None):
    """Layers of the units that are in all sessions by `keys` of each, in the order of the first one's."""
    kept = [[k for i, k in enumerate(keys[s]) if used is None or used[s][i]] for s in range(5)]
    shared = [k for k in kept[0] if all(k in other for other in kept)]
    layers = {}
    for layer, parity in (("V1", 0), ("LM", 1)):
        of_layer = [k for k in shared if order[0].neurons[list(keys[0]).index(k)] % 2 == parity]
        layers[layer] = np.array([responses[s][:, [list(keys[s]).index(k) for k in of_layer]] for s in range(5)])
    return layers, len({k for other in kept for k in other}) - len(shared)


# 1. By id, whatever the order that they are given in.
responses = [s.by_stimulus(s.rates(window), e) for s, e in zip(sessions, everyone)]
layers, missing = matched(sessions, [s.ids for s in sessions], responses)
partial = sum(int(np.sum(s.stimulus == 135)) for s in sessions)
case("by_id", files + " --series units " + common, layers, f"{missing} units that not every file has in use (id)",
     f"{partial} trials of stimuli that not every point has (135)", "5 points, 3 stimuli")

# 2. By a column, with conditions, a baseline and standardized; missing values meet no condition.
response = [s.rates(window) - s.rates(baseline) for s in sessions]
chosen = [s.correct & np.isin(s.contrast, np.array([0.5, 1.0], np.float32)) for s in sessions]
used = [np.array([q == "good" for q in s.quality]) & (s.snr > 2) & s.isolated for s in sessions]
responses = [s.by_stimulus(r, c) for s, r, c in zip(sessions, response, chosen)]
layers, missing = matched(sessions, [s.neurons for s in sessions], responses, used)
conditions = '''--where-units "quality == good and not (snr <= 2 or isolated == false)" --where-trials 'correct and contrast in [0.5, 1]' '''
baselines = "--baseline=-0.4,-0.1 "
case("conditions", files + " --series units --match neuron " + common + conditions + baselines, layers,
     f"{np.sum(~np.array(chosen))} trials excluded by --where-trials 'correct and contrast in [0.5, 1]'",
     f"{sum(np.sum(~u) for u in used)} units excluded by --where-units", f"{missing} units that not every file has in use (neuron)")


def zscore(values, axis):
    return (values - values.mean(axis=axis, keepdims=True)) / values.std(axis=axis, keepdims=True)


case("zscore", files + " --series units --match neuron --normalize zscore " + common + conditions + baselines,
     {name: zscore(values, (0, 1)) for name, values in layers.items()}, "normalized: zscore of each unit over all points and stimuli")

# 3. By a list of ids, in the order of the list, some cells of it empty, and one of a unit that is not in use.
responses = [s.by_stimulus(s.rates(window), e) for s, e in zip(sessions, everyone)]
tracked = [n for n in range(10) if n != 5 and all(n in s.neurons for s in sessions[:2])]
lines = ["comment," + ",".join(f'"{s.name}.nwb"' if i % 2 else s.name for i, s in enumerate(sessions))]
for n in tracked:
    lines.append(f"neuron {n}," + ",".join(str(s.ids[list(s.neurons).index(n)]) if n in s.neurons else "" for s in sessions))
(folder / "tracked.csv").write_text("\n".join(lines) + "\n")
monday, friday = [[next(str(s.ids[i]) for i, n in enumerate(s.neurons) if n == wanted) for wanted in tracked[:2]]
                  for s in (sessions[0], sessions[4])]
for name, rows in (("typo", [(monday[0], friday[0]), (monday[1], 77)]), ("twice", [(monday[0], friday[0]), (monday[1], friday[0])]),
                   ("apart", [(monday[0], ""), ("", friday[1])])):  # those are wrong
    (folder / f"{name}.csv").write_text("monday,friday\n" + "".join(f"{a},{b}\n" for a, b in rows))
used = [np.array([q == "good" for q in s.quality]) for s in sessions]
shared = [n for n in tracked if n != 3 and all(n in s.neurons for s in sessions)]
case("by_csv", files + " --series units --match tracked.csv --where-units 'quality != mua' " + common,
     {layer: np.array([responses[i][:, [list(s.neurons).index(n) for n in shared if n % 2 == parity]] for i, s in enumerate(sessions)])
      for layer, parity in (("V1", 0), ("LM", 1))},
     f"{len(tracked) - len(shared)} units of tracked.csv that not every file has in use", "monday.nwb: 1 unit not in tracked.csv")


# 4. Other units in each file: as many as the largest file has, NaN in the others; two points a file.
def halves(session):
    first = np.arange(60) < 30
    return [session.by_stimulus(session.rates(window), half) for half in (first, ~first)]


def padded(blocks):
    most = max(block.shape[-1] for block in blocks)
    return np.array([np.pad(block, ((0, 0), (0, most - block.shape[-1])), constant_values=np.nan) for block in blocks])


layers = {layer: padded([half[:, s.neurons % 2 == parity] for s in sessions for half in halves(s)]) for layer, parity in (("V1", 0), ("LM", 1))}
case("samples", files + " --series units --match none --points 2 " + common, layers, "10 points, 3 stimuli")
standard = {layer: np.concatenate([zscore(values[2 * f:2 * f + 2], (0, 1)) for f in range(5)]) for layer, values in layers.items()}
case("samples_zscore", files + " --series units --match none --points 2 --normalize zscore " + common, standard,
     "zscore of each unit over the points of its file and all stimuli")

# 5. As they are given; only the first two.
responses = [s.by_stimulus(s.rates(window), e, (0, 45, 90, 135)) for s, e in zip(given[:2], everyone)]
case("given", "thursday.nwb monday.nwb --order given --match none --series units " + common,
     {layer: padded([r[:, s.neurons % 2 == parity] for r, s in zip(responses, given[:2])]) for layer, parity in (("V1", 0), ("LM", 1))},
     "2 points, 4 stimuli", stimuli=("0", "45", "90", "135"))

# 6. Regions of interest over a pause: trials of which the response or the baseline lies in it are left out. The condition
# is on the first of a column's two numbers. One file, whose trials are in blocks.
session = sessions[4]
response = session.means(window) - session.means(baseline)
good = ~np.isnan(response[:, 0])
later = np.flatnonzero(good)
blocks = np.array([response[later[p * (len(later) // 4):(p + 1) * (len(later) // 4)]] for p in range(4)])
lost = (session.onsets + window[1] > 40) & (session.onsets < 61)
case("pause", "friday.nwb --series processing/ophys/dff --points 4 --window 0,0.5 --where-units cell_probability " + baselines,
     {"V1": blocks[:, :, session.is_cell]}, f"{np.sum(lost)} trials in a pause of processing/ophys/dff",
     f"{np.sum(~good & ~lost)} trial in a pause of processing/ophys/dff (baseline)",
     "1 unit of processing/ophys/dff excluded by --where-units 'cell_probability'", stimuli=())
response = session.means(window)
response = response[~np.isnan(response[:, 0])]
blocks = response[:len(response) // 4 * 4].reshape(4, -1, session.rois)
standard = np.zeros_like(blocks)
others = np.arange(session.rois) != 3
standard[:, :, others] = zscore(blocks[:, :, others], (0, 1))
case("constant", "friday.nwb --series processing/ophys/dff --points 4 --window 0,0.5 --normalize zscore", {"V1": standard},
     "over all points and stimuli, 1 unit without variation set to 0", stimuli=())
responses = [s.by_stimulus(s.means(window) - s.means(baseline), ~np.isnan(s.means(window) - s.means(baseline))[:, 0]) for s in sessions]
shared = [r for r in range(4) if all(s.is_cell[r] for s in sessions)]
assert shared == [2]
case("rois", files + " --series processing/ophys/dff --where-units 'cell_probability == 1' " + common + baselines,
     {"V1": np.array([r[:, shared] for r in responses])})
