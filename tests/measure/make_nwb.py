"""Writes NWB files with pynwb, and what an import of each should give, computed with numpy: make_nwb.py FOLDER.

For each case NAME: NAME.nwb, NAME.args (the command's options) and NAME.npz (`layers`, one array
[points, stimuli, units] each, and `stimuli`)."""
import sys
import warnings
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
from pynwb import NWBHDF5IO, H5DataIO, NWBFile, TimeSeries
from pynwb.ecephys import ElectricalSeries
from pynwb.misc import Units
from pynwb.ophys import DfOverF, ImageSegmentation, OpticalChannel, RoiResponseSeries

folder = Path(sys.argv[1])
rng = np.random.default_rng(7)


def new_file(name):
    return NWBFile(session_description=name, identifier=name,
                   session_start_time=datetime(2026, 1, 1, tzinfo=timezone.utc))


def save(name, nwb, args, layers, stimuli=()):
    with NWBHDF5IO(folder / f"{name}.nwb", "w") as io:
        io.write(nwb)
    (folder / f"{name}.args").write_text(args)
    np.savez(folder / f"{name}.npz", layers=np.array(sorted(layers)), stimuli=np.array(stimuli, dtype=str),
             **{f"layer_{i}": layers[layer] for i, layer in enumerate(sorted(layers))})


def add_plane(nwb, name, location, rois):
    device = nwb.devices.get("microscope") or nwb.create_device("microscope")
    plane = nwb.create_imaging_plane(
        name=name, optical_channel=OpticalChannel(name="green", description="GCaMP", emission_lambda=510.0), description=name, device=device,
        excitation_lambda=920.0, indicator="GCaMP6f", location=location)
    module = nwb.processing.get("ophys") or nwb.create_processing_module("ophys", "imaging")
    if "ImageSegmentation" not in module.data_interfaces:
        module.add(ImageSegmentation())
    table = module["ImageSegmentation"].create_plane_segmentation(name=f"rois {name}", description=name, imaging_plane=plane)
    for roi in range(rois):
        table.add_roi(id=1000 + roi, pixel_mask=[(roi, roi, 1.0)])
    return module, table


def means(times, data, starts, a, b):
    """[trials, units]: over the samples with start + a <= t < start + b."""
    return np.array([np.nanmean(data[(times >= s + a) & (times < s + b)], axis=0) for s in starts])


# 1. Regions of interest at a constant rate, float32, chunked; some of a table's rows, in another order; NaN frames
# and a lost cell. 23 trials in 4 blocks: the last 3 are left out.
nwb = new_file("roi_rate")
module, table = add_plane(nwb, "plane", "V1", 12)
data = rng.normal(size=(4000, 9)).astype(np.float32)
data[100:103, 2] = np.nan
data[:, 5] = np.nan
series = RoiResponseSeries(name="DfOverF", data=H5DataIO(data, chunks=(64, 4), compression="gzip"), unit="n.a.", rate=30.0,
                           starting_time=1.5,
                           rois=table.create_roi_table_region(region=[11, 0, 3, 4, 5, 6, 7, 8, 9], description="some"))
module.add(DfOverF(roi_response_series=series))
starts = 2 + 5.3 * np.arange(23)
for start in starts:
    nwb.add_trial(start_time=start, stop_time=start + 1)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the mean of a lost cell
    response = means(1.5 + np.arange(4000) / 30.0, data.astype(float), starts, 0.1, 0.7)
save("roi_rate", nwb, "--series processing/ophys/DfOverF/DfOverF --window 0.1,0.7 --points 4",
     {"V1": response[:20].reshape(4, 5, 9)})

# 2. Two planes with irregular timestamps (those of the second link to those of the first), int16 with conversion and
# offset; stimuli presented several times in every block, in disorder, one of them in one block only; window before the
# start.
nwb = new_file("roi_timestamps")
times = np.cumsum(rng.uniform(0.02, 0.08, size=3000))
layers, args = {}, ""
first = None
starts = 1 + 3 * np.arange(36) + rng.uniform(0, 1, 36)
orientation = np.concatenate([rng.permutation(np.repeat([0, 45, 135], 4)) for _ in range(3)])
orientation[5] = 270
for i, (location, rois) in enumerate([("V1", 4), ("LM", 3)]):
    module, table = add_plane(nwb, f"plane{i}", location, rois)
    raw = rng.integers(-3000, 3000, size=(3000, rois)).astype(np.int16)
    one = RoiResponseSeries(name=f"dff{i}", data=raw, unit="n.a.", conversion=0.25, offset=-1.5, timestamps=first or times,
                            rois=table.create_roi_table_region(region=list(range(rois)), description="all"))
    first = first or one
    if i == 0:
        module.add(DfOverF())
    module["DfOverF"].add_roi_response_series(one)
    response = means(times, raw * 0.25 - 1.5, starts, -0.5, 1.0)
    layers[location] = np.array([[response[block * 12:block * 12 + 12][orientation[block * 12:block * 12 + 12] == o].mean(axis=0)
                                  for o in (0, 45, 135)] for block in range(3)])
    args += f"--series processing/ophys/DfOverF/dff{i} "
nwb.add_trial_column("orientation", "degrees")
for i in rng.permutation(36):  # a table need not be in order of time
    nwb.add_trial(start_time=starts[i], stop_time=starts[i] + 2, orientation=int(orientation[i]))
save("roi_timestamps", nwb, args + "--window -0.5,1.0 --points 3 --stimulus orientation", layers, ["0", "45", "135"])

# 3. Spike trains: regions through electrodes, one unit never observed in part of the session, repeats kept, sessions
# by a column, another table of trials and another column of times.
nwb = new_file("units")
device = nwb.create_device("probe")
for i, location in enumerate(["CA1", "VISp"]):
    group = nwb.create_electrode_group(f"shank{i}", description="shank", location=location, device=device)
    for _ in range(3):
        nwb.add_electrode(location=location, group=group)
spikes, where = [], [0, 3, 5, 1, 4]
for unit, electrode in enumerate(where):
    spikes.append(np.sort(rng.uniform(0, 200, size=[900, 0, 4000, 300, 1500][unit])))
    nwb.add_unit(spike_times=spikes[-1], electrodes=[electrode, (electrode + 1) % 6], id=70 + unit,
                 obs_intervals=[[0, 100]] if unit == 3 else [[0, 120], [120, 200]])
intervals = nwb.create_time_intervals(name="presentations", description="pictures")
intervals.add_column("onset", "seconds")
intervals.add_column("picture", "name")
intervals.add_column("session", "number")
rows = []
for session, pictures in enumerate([["cat", "dog", "cat", "cat", "dog"], ["dog", "cat", "cat", "dog"], ["cat", "dog", "cat", "eel"]]):
    for i, picture in enumerate(pictures):
        onset = 60.0 * session + 7.25 * i + 1
        rows.append((onset, picture, session))
        intervals.add_interval(start_time=onset - 1, stop_time=onset + 3, onset=onset, picture=picture, session=session)
rates = np.array([[np.sum((s >= onset) & (s < onset + 2.0)) / 2.0 for s in spikes] for onset, _, _ in rows])
for i, (onset, _, _) in enumerate(rows):
    if onset + 2 > 100:
        rates[i, 3] = np.nan
of = {name: [[i for i, row in enumerate(rows) if row[2] == session and row[1] == name] for session in range(3)]
      for name in ("cat", "dog")}
kept = np.array([[rates[i] for name, count in (("cat", 2), ("dog", 1)) for i in of[name][session][:count]] for session in range(3)])
save("units", nwb, "--series units --window 0,2 --session session --trials intervals/presentations --align onset "
     "--stimulus picture --repeats keep",
     {"CA1": kept[:, :, [0, 3]], "VISp": kept[:, :, [1, 2, 4]]}, ["cat", "cat", "dog"])

# 4. A plain time series with two dimensions of values (units in row-major order), trials partly after its end.
nwb = new_file("plain")
data = rng.integers(0, 255, size=(500, 3, 2)).astype(np.uint8)
nwb.add_acquisition(TimeSeries(name="grid", data=data, unit="a.u.", rate=10.0))
starts = np.arange(0.0, 60.0, 4.0)
for start in starts:
    nwb.add_trial(start_time=start, stop_time=start + 1)
covered = starts[starts + 2 <= 49.9 + 0.1]
response = means(np.arange(500) / 10.0, data.reshape(500, 6).astype(float), covered, 0, 2)
save("plain", nwb, "--series acquisition/grid --window 0,2 --points 2", {"grid": response[:12].reshape(2, 6, 6)})

# 5. Extracellular potentials: conversion for each channel, layers by a column of the electrodes.
nwb = new_file("electrical")
device = nwb.create_device("probe")
group = nwb.create_electrode_group("shank", description="shank", location="CA1", device=device)
nwb.add_electrode_column("depth", "which half")
for i in range(4):
    nwb.add_electrode(location="CA1", group=group, depth="deep" if i % 2 else "shallow")
data = rng.integers(-500, 500, size=(2000, 4)).astype(np.int32)
gain = np.array([1.0, 2.0, 0.5, 4.0], dtype=np.float32)
nwb.add_acquisition(ElectricalSeries(name="lfp", data=data, rate=100.0, conversion=1e-6, channel_conversion=gain,
                                     electrodes=nwb.create_electrode_table_region([0, 1, 2, 3], "all")))
starts = np.arange(1.0, 18.0, 1.5)
for start in starts:
    nwb.add_trial(start_time=start, stop_time=start + 1)
response = means(np.arange(2000) / 100.0, data * 1e-6 * gain.astype(float), starts, 0, 1)
save("electrical", nwb, "--series acquisition/lfp --window 0,1 --points 3 --layer depth",
     {"shallow": response[:12, [0, 2]].reshape(3, 4, 2), "deep": response[:12, [1, 3]].reshape(3, 4, 2)})

# 6. LFP with timestamps and a pause, channels of which one is bad, and times that are not to be used.
nwb = new_file("lfp")
device = nwb.create_device("probe")
group = nwb.create_electrode_group("shank", description="shank", location="CA1", device=device)
nwb.add_electrode_column("bad_channel", "not to be used")
for i in range(3):
    nwb.add_electrode(location=["CA1", "CA3", "CA3"][i], group=group, bad_channel=i == 1)
times = np.r_[np.arange(2000) * 0.01, 35 + np.arange(2000) * 0.01]
data = rng.normal(size=(4000, 3)).astype(np.float32)
nwb.add_acquisition(ElectricalSeries(name="lfp", data=H5DataIO(data, chunks=(4000, 1), compression="gzip"), timestamps=times,
                                     electrodes=nwb.create_electrode_table_region([2, 1, 0], "all")))
nwb.add_invalid_time_interval(start_time=3.0, stop_time=3.9)
starts = np.arange(0.0, 54.0, 1.5)
for start in starts:
    nwb.add_trial(start_time=start, stop_time=start + 1)
good = [s for s in starts if (s + 1 <= 20 or s >= 35) and not (s < 3.9 and s + 1 > 3.0)]
response = means(times, data.astype(float), good, 0, 1)[:len(good) // 4 * 4].reshape(4, -1, 3)
save("lfp", nwb, "--series acquisition/lfp --window 0,1 --points 4", {"CA1": response[:, :, [2]], "CA3": response[:, :, [0]]})

# 7. Sorted units in a processing module, labelled; spikes end before the trials do.
nwb = new_file("sorted")
module = nwb.create_processing_module("ecephys", "sorting")
units = Units(name="sorted", description="by some sorter")
units.add_column("quality", "of the cluster")
spikes = [np.sort(rng.uniform(0, 50, 700)) for _ in range(4)]
for times, quality in zip(spikes, ["good", "noise", "mua", "good"]):
    units.add_unit(spike_times=times, quality=quality)
module.add(units)
starts = np.arange(1.0, 70.0, 2.0)
for start in starts:
    nwb.add_trial(start_time=start, stop_time=start + 1)
response = np.array([[np.sum((s >= start) & (s < start + 0.5)) / 0.5 for s in (spikes[0], spikes[2], spikes[3])]
                     for start in starts if start + 0.5 < 50])
save("sorted", nwb, "--series processing/ecephys/sorted --window 0,0.5 --points 3", {"sorted": response[:24].reshape(3, 8, 3)})

# 8. A series whose data lie in another file, and a link to a series of that file.
raw = new_file("raw")
data = rng.normal(size=(600, 2))
raw.add_acquisition(TimeSeries(name="raw", data=data, unit="V", rate=20.0))
with NWBHDF5IO(folder / "raw.nwb", "w") as io:
    io.write(raw)
with NWBHDF5IO(folder / "raw.nwb", "r") as opened:
    source = opened.read().acquisition["raw"]
    nwb = NWBFile(session_description="linked", identifier="linked", session_start_time=datetime(2026, 1, 1, tzinfo=timezone.utc))
    nwb.add_acquisition(TimeSeries(name="mine", data=source.data, unit="V", rate=20.0))
    nwb.add_acquisition(source)
    starts = np.arange(0.0, 29.0, 2.0)
    for start in starts:
        nwb.add_trial(start_time=start, stop_time=start + 1)
    with NWBHDF5IO(folder / "linked.nwb", "w", manager=opened.manager) as io:
        io.write(nwb, link_data=True)
response = means(np.arange(600) / 20, data, starts, 0, 1)[:14].reshape(2, 7, 2)
for name, series in (("linked", "raw"), ("linked_data", "mine")):
    (folder / f"{name}.args").write_text(f"--series acquisition/{series} --window 0,1 --points 2")
    np.savez(folder / f"{name}.npz", layers=np.array([series]), stimuli=np.array([], dtype=str), layer_0=response)
(folder / "linked_data.nwb").write_bytes((folder / "linked.nwb").read_bytes())
