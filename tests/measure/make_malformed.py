"""Writes a good recording and a good NWB file, and copies of them that are wrong in one way each: make_malformed.py FOLDER.

Prints for each copy "FILE<tab>COMMAND<tab>what the error must say"."""
import shutil
import sys
from pathlib import Path

import h5py
import numpy as np

folder = Path(sys.argv[1])


def good_recording(path):
    with h5py.File(path, "w") as file:
        file.attrs["format"] = "lrid-recording"
        for i, name in enumerate(["V1", "LM"]):
            group = file.create_group(f"layers/{i}")
            group.attrs["name"] = name
            group["activations"] = np.arange(2 * 3 * 4, dtype="f4").reshape(2, 3, 4)
            group["weights"] = np.ones((2, 5), "f8")


def table(group, rows, **columns):
    group["id"] = np.arange(rows)
    for name, values in columns.items():
        group[name] = values


def good_nwb(path):
    with h5py.File(path, "w") as file:
        file.attrs["nwb_version"] = "2.7.0"
        series = file.create_group("processing/ophys/DfOverF/dff")
        series.attrs["neurodata_type"] = "RoiResponseSeries"
        series["data"] = np.arange(100 * 3, dtype="i2").reshape(100, 3)
        series["data"].attrs["conversion"] = 0.5
        series["starting_time"] = 0.0
        series["starting_time"].attrs["rate"] = 10.0
        table(file.create_group("processing/ophys/ImageSegmentation/rois"), 3)
        file["processing/ophys/ImageSegmentation/rois/imaging_plane/location"] = "V1"
        series["rois"] = np.arange(3)
        series["rois"].attrs["table"] = file["processing/ophys/ImageSegmentation/rois"].ref
        table(file.create_group("intervals/trials"), 8, start_time=np.arange(8.0), stop_time=np.arange(8.0) + 1,
              stimulus=["a", "b"] * 4)
        table(file.create_group("units"), 2, spike_times=np.arange(0, 9, 0.1), spike_times_index=np.array([30, 90], "u1"))


series, trials, rois = "processing/ophys/DfOverF/dff", "intervals/trials", "processing/ophys/ImageSegmentation/rois"
RECORDING = "recording"
NWB = f"import-nwb --window 0,0.5 --points 2 --stimulus stimulus --series {series}"
UNITS = "import-nwb --window 0,0.5 --points 2 --series units"


def wide(*without):
    """Claims 2^32 values at a time, of which none is stored."""
    def change(file):
        for name in (f"{series}/data", *without):
            del file[name]
        file.create_dataset(f"{series}/data", (100, 2**32), "i2", chunks=(1, 2**16))
    return change


def replace(name, values, **attributes):
    def change(file):
        kept = dict(file[name].attrs) if name in file else {}
        if name in file:
            del file[name]
        file[name] = values
        for key, value in {**kept, **attributes}.items():
            file[name].attrs[key] = value
    return change


def attribute(name, key, value):
    def change(file):
        if value is None:
            del file[name].attrs[key]
        else:
            file[name].attrs[key] = value
    return change


def remove(*names):
    def change(file):
        for name in names:
            del file[name]
    return change


def cycle(file):
    del file["layers/1/activations"]
    file["layers/1/activations"] = file["layers"]  # a hard link upwards


def dangling(file):
    file["layers/0/layer_change"] = h5py.SoftLink("/nowhere")


def external(file):
    file["layers/0/layer_change"] = h5py.ExternalLink("no-such-file.h5", "/x")


def unwritten(*shape):
    def change(file):
        del file["layers/0/activations"]
        file.create_dataset("layers/0/activations", shape, "f8", chunks=(1, 1, 1024))
    return change


def filtered(number, name=f"{series}/data"):
    """Stored through a filter that is not there: nobody can read it, but anybody can write its chunks."""
    def change(file):
        values = file[name][:]
        attributes = dict(file[name].attrs)
        del file[name]
        creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        creation.set_chunk(values.shape)
        creation.set_filter(number, h5py.h5z.FLAG_OPTIONAL, ())
        data = h5py.h5d.create(file.id, name.encode(), h5py.h5t.py_create(values.dtype), h5py.h5s.create_simple(values.shape), creation)
        data.write_direct_chunk((0,) * values.ndim, values.tobytes()[:-3])
        for key, value in attributes.items():
            file[name].attrs[key] = value
    return change


cases = [
    ("no_format", RECORDING, attribute("/", "format", None), '"format" is missing, expected "lrid-recording"'),
    ("other_format", RECORDING, attribute("/", "format", "lrid-dataset"), 'format is "lrid-dataset"'),
    ("format_number", RECORDING, attribute("/", "format", 3), '"format" is missing'),
    ("version", RECORDING, attribute("/", "format_version", 9), "format_version is 9"),
    ("no_layers", RECORDING, remove("layers"), "group /layers is missing"),
    ("empty_layers", RECORDING, remove("layers/0", "layers/1"), "holds no layers"),
    ("layers_dataset", RECORDING, replace("layers", np.arange(3)), "/layers is no group"),
    ("name_list", RECORDING, attribute("layers/1", "name", ["a", "b"]), "expected a single value"),
    ("same_name", RECORDING, attribute("layers/1", "name", "V1"), "expected a name of its own"),
    ("order_text", RECORDING, attribute("layers/1", "order", "first"), 'attribute "order": holds strings'),
    ("axes", RECORDING, attribute("layers/0/activations", "axes", "time,units"), "expected time, stimuli and units"),
    ("dimensions", RECORDING, replace("layers/0/activations", np.zeros((2, 3), "f4")), "expected three dimensions"),
    ("points", RECORDING, replace("layers/1/activations", np.zeros((3, 3, 4), "f4")), "points in time, other arrays have"),
    ("no_stimuli", RECORDING, replace("layers/0/activations", np.zeros((2, 0, 4), "f4")), "is empty: shape [2, 0, 4]"),
    ("int32", RECORDING, replace("layers/0/activations", np.zeros((2, 3, 4), "i4")), "is int32, expected float32, float64, or int16"),
    ("text_weights", RECORDING, replace("layers/0/weights", [["a"], ["b"]]), "is string, expected float32"),
    ("complex", RECORDING, replace("layers/0/weights", np.zeros((2, 2), "c8")), "is another type"),
    ("no_scale", RECORDING, replace("layers/0/activations", np.zeros((2, 3, 4), "i2")), 'no attribute "scale"'),
    ("zero_scale", RECORDING, replace("layers/0/activations", np.zeros((2, 3, 4), "i2"), scale=0.0), "expected a number other than 0"),
    ("scaled_float", RECORDING, attribute("layers/0/activations", "scale", 0.5), "expected that with int16 only"),
    ("layer_change", RECORDING, replace("layers/0/layer_change", np.zeros((2, 7))), "is of 7 stimuli, but the activations are of 3"),
    ("layer_change_1d", RECORDING, replace("layers/0/layer_change", np.zeros(2)), "expected [time, stimuli]"),
    ("scalar_weights", RECORDING, replace("layers/0/weights", 1.0), "is a single value"),
    ("nothing", RECORDING, remove("layers/1/activations", "layers/1/weights"), "neither activations nor weights"),
    ("cycle", RECORDING, cycle, "/layers/1/activations is no dataset"),
    ("dangling", RECORDING, dangling, "cannot read what it links to"),
    ("external", RECORDING, external, "cannot read what it links to"),
    ("unwritten", RECORDING, unwritten(2, 3, 2**31), "bytes are stored: damaged, or never written"),
    ("many_units", RECORDING, unwritten(2, 3, 2**33), "expected fewer than 2^32"),
    ("huge", RECORDING, unwritten(2, 2**20, 2**40), "which no file holds: damaged"),
    ("no_nwb", NWB, attribute("/", "nwb_version", None), '"nwb_version" is missing'),
    ("nwb1", NWB, attribute("/", "nwb_version", "1.0.6"), 'nwb_version is "1.0.6", expected 2.x'),
    ("no_series", NWB, remove(series), "holds no series"),
    ("no_data", NWB, remove(f"{series}/data"), "is no time series"),
    ("no_clock", NWB, remove(f"{series}/starting_time"), "neither timestamps nor starting_time"),
    ("no_rate", NWB, attribute(f"{series}/starting_time", "rate", None), '"rate" is missing'),
    ("zero_rate", NWB, attribute(f"{series}/starting_time", "rate", 0.0), "expected a time and a rate above 0"),
    ("text_data", NWB, replace(f"{series}/data", ["x"] * 100), "is string, expected numbers over time"),
    ("few_timestamps", NWB, replace(f"{series}/timestamps", np.arange(99.0)), "expected one for each sample"),
    ("disorder", NWB, replace(f"{series}/timestamps", np.arange(100.0)[::-1].copy()), "expected ascending times"),
    ("transposed", NWB, replace(f"{series}/data", np.zeros((3, 100))), "3 of them, but data has shape [3, 100]"),
    ("wrong_roi", NWB, replace(f"{series}/rois", np.array([0, 1, 3])), "points to row 3"),
    ("no_table", NWB, attribute(f"{series}/rois", "table", None), '"table" is missing'),
    ("table_text", NWB, attribute(f"{series}/rois", "table", "rois"), "expected a reference to an object"),
    ("conversion", NWB, attribute(f"{series}/data", "conversion", np.nan), "are not finite"),
    ("many_rois", NWB, wide(), "3 of them, but data has shape [100, 4294967296]"),
    ("movie", NWB, wide(f"{series}/rois"), "has 4294967296 values at a time, expected at most 16777216"),
    ("no_trials", NWB, remove(trials), "holds no table"),
    ("no_start", NWB, remove(f"{trials}/start_time"), 'has no column "start_time"'),
    ("short_column", NWB, replace(f"{trials}/stimulus", ["a", "b"]), "but the table has 8 rows"),
    ("nan_starts", NWB, replace(f"{trials}/start_time", np.full(8, np.nan)), "none of 8 trials can be used: 8 trials without a time"),
    ("late", NWB, replace(f"{trials}/start_time", np.arange(8.0) + 1000), "8 trials outside of the recorded time of processing/ophys"),
    ("short", NWB, replace(f"{trials}/start_time", np.arange(8.0) + 0.01), "8 trials whose window holds no sample", "0,0.05"),
    ("disjoint", NWB, replace(f"{trials}/stimulus", ["a"] * 4 + ["b"] * 4), "no stimulus is presented at each of 2 points"),
    ("ragged", NWB, replace(f"{trials}/stimulus_index", np.arange(8), neurodata_type="VectorIndex"), "has several values a row"),
    ("dataset", f"import-nwb --window 0,0.5 --points 2 --series {series}/data", lambda file: None, f"is a dataset, expected the series that it is of: {series}"),
    ("lzf", NWB, filtered(32000), "stored with lzf (filter 32000), which this HDF5 lacks: set HDF5_PLUGIN_PATH"),
    ("zstd", NWB, filtered(32015), "stored with zstd (filter 32015)"),
    ("unknown_filter", NWB, filtered(40000), "stored with a filter without a name (filter 40000)"),
    ("spikes_filter", UNITS, filtered(32008, "units/spike_times"), "stored with bitshuffle (filter 32008)"),
    ("fraction", UNITS, replace("units/id", np.array([0, 1.5])), "1.5 in row 1, expected an integer"),
    ("large_index", UNITS, replace("units/spike_times_index", np.array([30, 2**63], "u8")), "holds uint64 values out of range"),
    ("no_spikes", UNITS, replace("units/spike_times_index", np.array([0, 0])), "no unit has a spike"),
    ("all_noise", UNITS, replace("units/quality", ["noise", "Noise"]), "2 units marked as not to be used (quality)"),
    ("timeless", NWB, replace(f"{series}/timestamps", np.full(100, np.nan)), "none of them is a time"),
    ("no_index", UNITS, remove("units/spike_times_index"), "dataset /units/spike_times_index is missing"),
    ("bad_index", UNITS, replace("units/spike_times_index", np.array([30, 91])), "expected ascending numbers up to the 90"),
    ("index_back", UNITS, replace("units/spike_times_index", np.array([30, 20])), "expected ascending numbers"),
    ("nan_spikes", UNITS, replace("units/spike_times", np.full(90, np.nan)), "no unit has a spike"),
    ("observed", UNITS, replace("units/obs_intervals", np.zeros(4)), "has shape [4], expected [any, 2]"),
]
good_recording(folder / "good_recording.h5")
good_nwb(folder / "good_nwb.h5")
print("good_recording.h5", RECORDING, "", sep="\t")
print("good_nwb.h5", NWB, "", sep="\t")
print("good_nwb.h5", UNITS, "", sep="\t")
for name, command, change, message, *window in cases:
    command = command.replace("0,0.5", window[0] if window else "0,0.5")
    shutil.copy(folder / ("good_recording.h5" if command == RECORDING else "good_nwb.h5"), folder / f"{name}.h5")
    with h5py.File(folder / f"{name}.h5", "r+") as file:
        change(file)
    print(f"{name}.h5", command, message, sep="\t")
whole = (folder / "good_recording.h5").read_bytes()
with h5py.File(folder / "good_recording.h5") as file:
    layout = b"\3\1" + file["layers/0/activations"].id.get_offset().to_bytes(8, "little")  # version, contiguous, where
assert whole.count(layout) == 1
for name, content, message in [("cut.h5", whole[:len(whole) // 2], "damaged"), ("text.h5", b"time,unit\n", "not an HDF5 file"),
                               ("empty.h5", b"", "not an HDF5 file"),
                               ("layout.h5", whole.replace(layout, b"\7" + layout[1:]), "bad version number for layout")]:
    (folder / name).write_bytes(content)
    print(name, RECORDING, message, sep="\t")
