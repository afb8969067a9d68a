"""Writes NWB files as other programs write them, with what is odd but not wrong: make_nwb_oddities.py FOLDER.

For each case NAME: NAME.nwb, NAME.args (the options of its import) and NAME.npz (`layers`, one array
[points, stimuli, units] each, and `stimuli`, computed with numpy). Prints "NAME<tab>TEXT<tab>TEXT...": what the
import must say."""
import sys
from pathlib import Path

import h5py
import numpy as np

folder = Path(sys.argv[1])
rng = np.random.default_rng(3)
text = h5py.string_dtype()
window = (0.0, 0.5)
starts = 1.0 + np.arange(12)
spikes = [np.sort(rng.uniform(0, 30, 200)) for _ in range(4)]
data = rng.normal(size=(300, 3))  # at 10 Hz


def write(name, change, userblock=0):
    with h5py.File(folder / f"{name}.nwb", "w", userblock_size=userblock) as file:
        file.attrs["nwb_version"] = "2.7.0"
        trials = file.create_group("intervals/trials")
        trials["id"], trials["start_time"], trials["stop_time"] = np.arange(12), starts, starts + 0.6
        units = file.create_group("units")
        units["id"], units["spike_times"], units["spike_times_index"] = np.arange(4), np.concatenate(spikes), 200 * np.arange(1, 5)
        series = file.create_group("acquisition/series")
        series["data"], series["starting_time"] = data, 0.0
        series["starting_time"].attrs["rate"] = 10.0
        change(file)


def replace(file, name, values, **keywords):
    if name in file:
        del file[name]
    file.create_dataset(name, data=values, **keywords)


def rates(trains, onsets):
    """[trials, units] in Hz."""
    return np.array([[np.sum((t >= s + window[0]) & (t < s + window[1])) / (window[1] - window[0]) for t in trains] for s in onsets])


def means(times, values, onsets):
    """[trials, units]: over the samples in the window."""
    return np.array([np.nanmean(values[(times >= s + window[0]) & (times < s + window[1])], axis=0) for s in onsets])


def blocks(response, points):
    """[trials, units] as [points, trials / points, units]; what remains is left out."""
    count = len(response) // points
    return response[:count * points].reshape(points, count, -1)


def by_stimulus(response, stimulus, points, names):
    """Means over the presentations of each in each block."""
    count = len(response) // points
    return np.array([[response[p * count:(p + 1) * count][stimulus[p * count:(p + 1) * count] == name].mean(axis=0) for name in names]
                     for p in range(points)])


def case(name, change, args, layers, *said, stimuli=(), userblock=0):
    write(name, change, userblock)
    (folder / f"{name}.args").write_text(f"--window {window[0]},{window[1]} " + args)
    names = sorted(layers)
    np.savez(folder / f"{name}.npz", layers=np.array(names), stimuli=np.array(stimuli, dtype=str),
             **{f"layer_{i}": layers[layer] for i, layer in enumerate(names)})
    print(name, *said, sep="\t")


UNITS, SERIES = "--series units --points 2 ", "--series acquisition/series --points 2 "
sampled = np.arange(300) / 10
without = lambda *rows: np.delete(np.arange(12), rows)

# --- What is missing is left out, and counted.
cue = starts + 0.1
cue[3] = np.nan
case("event_nan", lambda f: replace(f, "intervals/trials/cue", cue), UNITS + "--align cue",
     {"units": blocks(rates(spikes, cue[without(3)]), 2)}, "1 trial without a time in cue")

angle = np.array([0.1, 45, 0.1, np.nan] * 3, "f4")
keep = without(3, 7, 11)[:8]
case("stimulus_nan", lambda f: replace(f, "intervals/trials/angle", angle), UNITS + "--stimulus angle",
     {"units": by_stimulus(rates(spikes, starts[keep]), angle[keep], 2, angle[:2])}, "3 trials without a value in angle", stimuli=["0.1", "45"])

picture = np.array(["cat", "dog", "", "cat", "NaN", "dog", "cat", "dog", "cat", "dog", "cat", "dog"], object)
keep = without(2, 4)
case("stimulus_blank", lambda f: replace(f, "intervals/trials/picture", picture, dtype=text), UNITS + "--stimulus picture",
     {"units": by_stimulus(rates(spikes, starts[keep]), picture[keep], 2, ["cat", "dog"])}, "2 trials without a value in picture", stimuli=["cat", "dog"])

day = np.array([1, 1, 1, np.nan, 2, 2, 2, 2, np.nan, 3, 3, 3])
case("session_nan", lambda f: replace(f, "intervals/trials/day", day), "--series units --session day",
     {"units": np.array([rates(spikes, starts[day == d][:3]) for d in (1, 2, 3)])}, "2 trials without a value in day")

case("stop_nan", lambda f: replace(f, "intervals/trials/stop_time", np.where(np.arange(12) == 5, np.nan, starts + 0.6)), UNITS,
     {"units": blocks(rates(spikes, starts[without(5)]), 2)}, "1 trial without a time in stop_time")
case("no_stop_at_all", lambda f: replace(f, "intervals/trials/stop_time", np.full(12, np.nan)), UNITS, {"units": blocks(rates(spikes, starts), 2)})


def invalid(file):
    table = file.create_group("intervals/invalid_times")
    table["id"], table["start_time"], table["stop_time"] = [0, 1], [4.2, 11.9], [4.4, np.nan]


case("invalid_times", invalid, UNITS, {"units": blocks(rates(spikes, starts[without(3, 11)]), 2)}, "2 trials in intervals/invalid_times")
case("invalid_times_asked_for", invalid, UNITS + "--use-invalid", {"units": blocks(rates(spikes, starts), 2)})

late = 1.0 + 4 * np.arange(12)
case("after_last_spike", lambda f: replace(f, "intervals/trials/start_time", late), UNITS,
     {"units": blocks(rates(spikes, late[late + 0.5 < 30]), 2)}, "4 trials outside of the recorded time of units")
early = np.r_[-2.0, -0.3, starts[:10]]
case("before_first_sample", lambda f: replace(f, "intervals/trials/start_time", early), SERIES,
     {"series": blocks(means(sampled, data, early[2:]), 2)}, "2 trials outside of the recorded time of acquisition/series (0 s to 30 s)")

# A unit observed in part of the session only, in intervals that touch; one that never was.
observed = np.array([[0, 30], [0, 5.25], [5.25, 30], [0, 6.9]])


def obs_intervals(file):
    replace(file, "units/obs_intervals", observed)
    replace(file, "units/obs_intervals_index", np.array([1, 3, 4, 4], "u1"))


response = rates(spikes, starts)[:, :3]
response[starts + 0.5 > 6.9, 2] = np.nan
case("observed_in_part", obs_intervals, UNITS, {"units": blocks(response, 2)}, "1 unit never observed", "6 of 36 responses of units that were not measured")
case("observed_asked_for", obs_intervals, UNITS + "--use-invalid", {"units": blocks(rates(spikes, starts), 2)})


def quality(file):
    replace(file, "units/quality", np.array(["good", "noise", "mua", "good"], object), dtype=text)
    replace(file, "units/spike_times", np.concatenate(spikes[:3]))
    replace(file, "units/spike_times_index", 200 * np.array([1, 2, 3, 3]))


case("bad_and_silent_units", quality, UNITS, {"units": blocks(rates([spikes[0], spikes[2]], starts), 2)},
     "1 unit marked as not to be used (quality)", "1 unit without spikes")
case("bad_units_asked_for", quality, UNITS + "--use-invalid", {"units": blocks(rates([*spikes[:3], np.array([])], starts), 2)})
padded = np.concatenate(spikes)
padded[[199, 399, 398]] = np.nan  # rows filled up, as MATLAB's
case("padded_spikes", lambda f: replace(f, "units/spike_times", padded), UNITS,
     {"units": blocks(rates(padded.reshape(4, 200), starts), 2)}, "3 spikes without a time")


def rois(file):
    table = file.create_group("processing/ophys/seg/rois")
    table["id"] = np.arange(10.0, 14)
    table["valid_roi"] = np.array([True, True, False, True])
    file["processing/ophys/seg/rois/imaging_plane/location"] = "V1"
    file["acquisition/series/rois"] = np.array([3.0, 2, 0])
    file["acquisition/series/rois"].attrs["table"] = table.ref


case("invalid_roi", rois, SERIES, {"V1": blocks(means(sampled, data, starts), 2)[:, :, [0, 2]]},
     "1 unit of acquisition/series marked as not to be used (valid_roi)")


# --- Time by the timestamps. A pause, another rate behind it, samples without a time.
def stamped(times, lost=()):
    def change(file):
        del file["acquisition/series/starting_time"]
        stamps = times.copy()
        stamps[list(lost)] = np.nan
        file["acquisition/series/timestamps"] = stamps
    return change


times = np.r_[np.arange(50) * 0.1, 8 + np.arange(250) * 0.02]
measured = starts[[0, 1, 2, 3, 7, 8, 9, 10, 11]]
case("pause", stamped(times), SERIES, {"series": blocks(means(times, data, measured), 2)}, "3 trials in a pause of acquisition/series")
lost = [12, 13, 90]
times = np.arange(300) * 0.05
kept = np.delete(np.arange(300), lost)
case("samples_without_time", stamped(times, lost), SERIES, {"series": blocks(means(times[kept], data[kept], starts), 2)})
gappy = data.copy()
gappy[50:55] = np.nan  # all of trial 4's window
gappy[60:62, 1] = np.nan
gappy[70:74, 2] = np.nan
response = means(sampled, np.where(np.isnan(gappy), 0, gappy), starts)
response[5, 1] = np.mean(gappy[62:65, 1])
response[6, 2] = np.nan
case("values_nan", lambda f: replace(f, "acquisition/series/data", gappy), SERIES, {"series": blocks(response[without(4)], 2)},
     "1 trial in which acquisition/series has no value", "1 of 30 responses of acquisition/series that were not measured")
shifted = starts + np.linspace(0, 0.099, 12)
held = [i for i, s in enumerate(shifted) if np.any((sampled >= s) & (sampled < s + 0.05))]
window = (0.0, 0.05)
case("short_window", lambda f: replace(f, "intervals/trials/start_time", shifted),
     "--series acquisition/series --points 1", {"series": blocks(means(sampled, data, shifted[held]), 1)},
     f"{12 - len(held)} trials whose window holds no sample of acquisition/series (one every 0.1 s)")
window = (0.0, 0.5)


# --- Types before names.
def not_an_index(file):
    replace(file, "intervals/trials/stim", np.array(["a", "b"] * 6, object), dtype=text)
    for name in ("stim_index", "image_index"):
        replace(file, f"intervals/trials/{name}", np.arange(12) % 2)
        file[f"intervals/trials/{name}"].attrs["neurodata_type"] = "VectorData"


ab = np.array(["a", "b"] * 6)
case("not_an_index", not_an_index, UNITS + "--stimulus stim", {"units": by_stimulus(rates(spikes, starts), ab, 2, ["a", "b"])}, stimuli=["a", "b"])
case("column_called_index", not_an_index, UNITS + "--stimulus image_index",
     {"units": by_stimulus(rates(spikes, starts), np.arange(12) % 2, 2, [0, 1])}, stimuli=["0", "1"])


def renamed_index(file):
    file["units"].move("spike_times_index", "where")
    file["units/where"].attrs["neurodata_type"] = "VectorIndex"
    file["units/where"].attrs["target"] = file["units/spike_times"].ref


case("index_by_target", renamed_index, UNITS, {"units": blocks(rates(spikes, starts), 2)})


def whole_doubles(file):
    for name in ("intervals/trials/id", "units/id", "units/spike_times_index"):
        replace(file, name, file[name][:].astype("f8"))


case("whole_doubles", whole_doubles, UNITS, {"units": blocks(rates(spikes, starts), 2)})
case("text_trial_ids", lambda f: replace(f, "intervals/trials/id", np.array([f"t{i}" for i in range(12)], object), dtype=text), UNITS,
     {"units": blocks(rates(spikes, starts), 2)})


def hashes(file):
    replace(file, "intervals/trials/image", np.array([2**63 + 5, 2**63 + 1000, 7] * 4, "u8"))
    replace(file, "units/id", np.array([2**64 - 1, 2**63, 1, 2], "u8"))


case("hashes", hashes, UNITS + "--stimulus image",
     {"units": by_stimulus(rates(spikes, starts), np.arange(12) % 3, 2, [2, 0, 1])}, "2 points, 3 stimuli",
     stimuli=["7", str(2**63 + 5), str(2**63 + 1000)])
case("booleans", lambda f: replace(f, "intervals/trials/go", np.arange(12) % 2 == 1), UNITS + "--stimulus go",
     {"units": by_stimulus(rates(spikes, starts), np.arange(12) % 2, 2, [0, 1])}, stimuli=["FALSE", "TRUE"])
kind = h5py.enum_dtype({"gray": 3, "grating": 5}, "u1")
case("enumeration", lambda f: replace(f, "intervals/trials/kind", np.array([3, 5] * 6, "u1"), dtype=kind), UNITS + "--stimulus kind",
     {"units": by_stimulus(rates(spikes, starts), np.array([3, 5] * 6), 2, [5, 3])}, stimuli=["grating", "gray"])


def chosen_elements(file):
    for name, values, elements in (("intervals/trials/kind", np.array([2, 0] * 6, "u1"), ["movie", "flash", "grating"]),
                                   ("units/quality", np.array([0, 1, 0, 0], "u1"), ["good", "noise"])):
        replace(file, name, values)
        replace(file, f"{name}_elements", np.array(elements, object), dtype=text)
        file[name].attrs["neurodata_type"] = "EnumData"
        file[name].attrs["elements"] = file[f"{name}_elements"].ref


case("enum_data", chosen_elements, UNITS + "--stimulus kind",
     {"units": by_stimulus(rates([spikes[0], *spikes[2:]], starts), np.array([2, 0] * 6), 2, [2, 0])},
     "1 unit marked as not to be used (quality)", stimuli=["grating", "movie"])
contrast = np.array([0.0, -0.0, 0.5] * 4)
case("minus_zero", lambda f: replace(f, "intervals/trials/contrast", contrast), UNITS + "--stimulus contrast",
     {"units": by_stimulus(rates(spikes, starts), contrast, 2, [0, 0.5])}, stimuli=["0", "0.5"])
case("half_precision", lambda f: replace(f, "intervals/trials/contrast", np.array([0.1, 1 / 3, 6.1e-5] * 4, "f2")), UNITS + "--stimulus contrast",
     {"units": by_stimulus(rates(spikes, starts), np.arange(12) % 3, 2, [2, 0, 1])}, stimuli=["6.1e-05", "0.1", "0.3333"])


def one_value_a_row(file):
    replace(file, "intervals/trials/stim", np.array([1, 2] * 6))
    replace(file, "intervals/trials/stim_index", np.arange(1, 13))


case("one_value_a_row", one_value_a_row, UNITS + "--stimulus stim", {"units": by_stimulus(rates(spikes, starts), np.array([1, 2] * 6), 2, [1, 2])},
     stimuli=["1", "2"])


# --- Where things are.
def processed(file):
    file.move("units", "processing/ecephys/sorted")


case("units_in_processing", processed, "--points 2 --series processing/ecephys/sorted", {"sorted": blocks(rates(spikes, starts), 2)})


def soft(file):
    file.move("acquisition/series", "analysis/real")
    file["acquisition/linked"] = h5py.SoftLink("/analysis")


case("soft_link_to_group", soft, "--points 2 --series acquisition/linked/real", {"real": blocks(means(sampled, data, starts), 2)})


def external(file):
    with h5py.File(folder / "other.h5", "w") as other:
        file.copy("acquisition/series", other, "ophys/dff")
        table = other.create_group("seg/rois")
        table["id"] = [5, 6, 7]
        other["seg/rois/imaging_plane/location"] = "LM"
        other["ophys/dff/rois"] = [0, 1, 2]
        other["ophys/dff/rois"].attrs["table"] = table.ref
        other["back"] = h5py.ExternalLink("external_link.nwb", "/")
    del file["acquisition/series"]
    file["processing/ext"] = h5py.ExternalLink("other.h5", "/ophys")
    file["processing/all"] = h5py.ExternalLink("other.h5", "/")
    file["processing/none"] = h5py.ExternalLink("nowhere.h5", "/")


case("external_link", external, "--points 2 --series processing/ext/dff/", {"LM": blocks(means(sampled, data, starts), 2)})


def one_channel(file):
    replace(file, "acquisition/series/data", data[:, 0])
    file["acquisition/series/channel_conversion"] = [2.5]


case("one_channel", one_channel, SERIES, {"series": blocks(means(sampled, 2.5 * data[:, :1], starts), 2)})


def peak_channels(file):
    electrodes = file.create_group("general/extracellular_ephys/electrodes")
    electrodes["id"] = [850, 851, 900]
    electrodes.create_dataset("location", data=["CA1", "VISp", ""], dtype=text)
    file["units/peak_channel_id"] = [900, 851, 850, 851]


response = rates(spikes, starts)
case("peak_channels", peak_channels, UNITS, {"CA1": blocks(response[:, [2]], 2), "VISp": blocks(response[:, [1, 3]], 2), "unknown": blocks(response[:, [0]], 2)})



# 2⁶³ + 1 and 2⁶³ + 2 are the same double.
def peak_channels_of_64_bits(file):
    electrodes = file.create_group("general/extracellular_ephys/electrodes")
    electrodes["id"] = np.array([2**63 + 1, 2**63 + 2, 7], "u8")
    electrodes.create_dataset("location", data=["CA1", "VISp", "LGN"], dtype=text)
    file["units/peak_channel_id"] = np.array([2**63 + 2, 2**63 + 1, 7, 2**63 + 2], "u8")


case("peak_channels_of_64_bits", peak_channels_of_64_bits, UNITS,
     {"CA1": blocks(response[:, [1]], 2), "LGN": blocks(response[:, [2]], 2), "VISp": blocks(response[:, [0, 3]], 2)})


def region_of_the_shank(file):
    electrodes = file.create_group("general/extracellular_ephys/electrodes")
    electrodes["id"] = np.array([10.0, 11.0])
    for name, location in (("left", "CA3"), ("right", "")):
        file.create_group(f"general/extracellular_ephys/{name}").attrs["location"] = location
    electrodes.create_dataset("group", data=[file[f"general/extracellular_ephys/{name}"].ref for name in ("left", "right")], dtype=h5py.ref_dtype)
    file["units/peak_channel_id"] = np.array([11, 10, np.nan, 10])


case("region_of_the_shank", region_of_the_shank, UNITS, {"CA3": blocks(response[:, [1, 3]], 2), "unknown": blocks(response[:, [0, 2]], 2)})


def one_factor(file):
    replace(file, "acquisition/series/data", data[:, :1])
    file["acquisition/series/channel_conversion"] = 2.5
    movie = file.create_group("acquisition/movie")
    movie.create_dataset("data", (0, 0, 0), "u1")
    movie["timestamps"] = np.arange(5.0)
    movie.create_dataset("external_file", data=["a.avi", "b.avi"], dtype=text)


case("one_factor", one_factor, SERIES, {"series": blocks(means(sampled, 2.5 * data[:, :1], starts), 2)})

# --- The same numbers in whatever layout, and behind a user block.
many = rng.integers(-300, 300, size=(300, 7, 5)).astype("f4")
for name, layout in {"contiguous": {}, "along_time": {"chunks": (300, 1, 1)}, "along_units": {"chunks": (1, 7, 5)}, "crossed": {"chunks": (64, 3, 2)},
                     "whole": {"chunks": (300, 7, 5)}, "beyond": {"chunks": (1000, 7, 2), "maxshape": (None, None, None)}}.items():
    for block in (0, 1024):
        keywords = {**layout, "compression": "gzip", "shuffle": True} if layout else {}
        case(f"layout_{name}_{block}", lambda f: replace(f, "acquisition/series/data", many, **keywords), SERIES,
             {"series": blocks(means(sampled, many.reshape(300, 35).astype(float), starts), 2)}, userblock=block)
