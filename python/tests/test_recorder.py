"""Recorder: what it writes, what it leaves alone, what it refuses."""

from __future__ import annotations

import copy
import random
import warnings
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import lrid

torch = pytest.importorskip("torch")
nn, F = torch.nn, torch.nn.functional


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.conv2 = nn.Conv2d(4, 5, 3, stride=2)
        self.drop = nn.Dropout(0.5)
        self.fc = nn.Linear(5 * 3 * 3, 6)

    def forward(self, x: Any) -> Any:
        x = F.relu(self.norm(self.conv1(x)))  # the nonlinearity comes after the norm: not the layer's own
        x = F.relu(self.conv2(x))
        return self.fc(self.drop(x.flatten(1)))


@pytest.fixture
def model() -> Any:
    torch.manual_seed(0)
    return Small()


@pytest.fixture
def probe() -> Any:
    return torch.randn(10, 3, 8, 8, generator=torch.Generator().manual_seed(1))


def arrays(path: Path, what: str = "activations") -> dict[str, np.ndarray]:
    with h5py.File(path) as file:
        groups = sorted(file["layers"].values(), key=lambda group: group.attrs["order"])
        return {group.attrs["name"]: group[what][...] for group in groups if what in group}


def change(layer: Any, stimuli: Any) -> list[float]:
    """g of each stimulus from the whole Jacobian: the mean over outputs of the sum over inputs of dy/dx."""
    result = []
    for x in stimuli:
        jacobian = torch.autograd.functional.jacobian(lambda v: layer(v[None])[0], x)
        outputs = layer(x[None]).numel()
        result.append(float(jacobian.sum() / outputs))
    return result


def test_activations_weights_and_positions(tmp_path: Path, model: Any, probe: Any) -> None:
    with lrid.Recorder(model, probe, tmp_path / "r.h5", batch_size=4) as recorder:
        recorder.point()
        first = copy.deepcopy(model.state_dict())
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(0.5)
        recorder.point()
        assert recorder.points == 2 and recorder.layers == ["conv1", "conv2", "fc"]
    model.load_state_dict(first)
    model.eval()
    with torch.no_grad():
        conv1 = model.conv1(probe)
        conv2 = F.relu(model.conv2(F.relu(model.norm(conv1))))
        fc = model.fc(conv2.flatten(1))
    recorded = arrays(tmp_path / "r.h5")
    for name, expected in (("conv1", conv1), ("conv2", conv2), ("fc", fc)):
        assert recorded[name].shape == (2, 10, expected[0].numel())
        np.testing.assert_allclose(recorded[name][0], expected.flatten(1), rtol=1e-5, atol=1e-6)
    weights = arrays(tmp_path / "r.h5", "weights")
    np.testing.assert_array_equal(weights["conv2"][0], first["conv2.weight"])
    np.testing.assert_array_equal(weights["conv2"][1], 0.5 * first["conv2.weight"])
    with h5py.File(tmp_path / "r.h5") as file:
        assert [group.attrs["position"] for group in file["layers"].values()] == ["early", "middle", "deep"]
    assert [path.name for path in tmp_path.iterdir()] == ["r.h5"]


def test_the_layer_change_is_the_jacobians(tmp_path: Path, model: Any, probe: Any) -> None:
    lrid.Recorder(model, probe, tmp_path / "r.h5").point()
    recorded = arrays(tmp_path / "r.h5", "layer_change")
    model.eval()
    with torch.no_grad():
        conv1 = model.conv1(probe)
        before2 = F.relu(model.norm(conv1))
        before3 = F.relu(model.conv2(before2)).flatten(1)
    for name, layer, inputs in (
        ("conv1", model.conv1, probe),
        ("conv2", lambda v: F.relu(model.conv2(v)), before2),
        ("fc", model.fc, before3),
    ):
        np.testing.assert_allclose(recorded[name][0], change(layer, inputs), rtol=1e-4, atol=1e-7)


NONLINEARITIES = [
    nn.ReLU(),
    nn.ReLU(inplace=True),
    nn.Tanh(),
    nn.GELU(),
    nn.Sigmoid(),
    nn.LeakyReLU(0.1),
    nn.LeakyReLU(0.1, inplace=True),
    nn.ELU(),
    nn.SiLU(),
    nn.ReLU6(),
    nn.Softplus(),
    nn.PReLU(),
    nn.Hardtanh(inplace=True),
    nn.LogSigmoid(),
    nn.Threshold(0.1, 0.0),
]


@pytest.mark.parametrize("nonlinearity", NONLINEARITIES, ids=str)
def test_any_elementwise_nonlinearity(tmp_path: Path, nonlinearity: Any) -> None:
    torch.manual_seed(0)
    conv, x = nn.Conv1d(2, 3, 3), torch.randn(4, 2, 7)
    lrid.Recorder(
        nn.Sequential(conv, nonlinearity, nn.Flatten(), nn.Linear(15, 2)), x, tmp_path / "r.h5"
    ).point()
    with torch.no_grad():
        expected = nonlinearity(conv(x)).flatten(1)
    np.testing.assert_allclose(arrays(tmp_path / "r.h5")["0"][0], expected, rtol=1e-5, atol=1e-6)
    wanted = change(lambda v: nonlinearity(conv(v).clone()), x)
    np.testing.assert_allclose(
        arrays(tmp_path / "r.h5", "layer_change")["0"][0], wanted, rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize(
    "relu",
    [
        torch.relu,
        torch.relu_,
        F.relu,
        lambda v: v.relu_(),
        lambda v: v.clamp(min=0),
        lambda v: v.clamp_(min=0),
        lambda v: torch.clamp_min(v, 0),
    ],
)
def test_a_relu_by_any_name(tmp_path: Path, relu: Any) -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(5, 4)

        def forward(self, x: Any) -> Any:
            return relu(self.fc(x)) + 1

    torch.manual_seed(0)
    model, x = Net(), torch.randn(6, 5)
    lrid.Recorder(model, x, tmp_path / "r.h5").point()
    with torch.no_grad():
        expected = F.relu(model.fc(x))
    np.testing.assert_allclose(arrays(tmp_path / "r.h5")["fc"][0], expected, rtol=1e-6)
    wanted = change(lambda v: F.relu(model.fc(v)), x)
    np.testing.assert_allclose(arrays(tmp_path / "r.h5", "layer_change")["fc"][0], wanted, rtol=1e-5)


def test_what_changes_an_output_in_place_does_not_change_the_record(tmp_path: Path) -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(5, 5)

        def forward(self, x: Any) -> Any:
            y = self.fc(x)
            y += x
            return y.relu_()

    model, x = Net(), torch.randn(6, 5)
    lrid.Recorder(model, x, tmp_path / "r.h5").point()
    with torch.no_grad():
        np.testing.assert_allclose(arrays(tmp_path / "r.h5")["fc"][0], model.fc(x), rtol=1e-6)


def test_nothing_of_the_model_changes(tmp_path: Path, model: Any, probe: Any) -> None:
    model.train()
    model.norm.eval()  # frozen statistics, as in fine-tuning
    model(probe).sum().backward()
    state = copy.deepcopy(model.state_dict())
    gradients = {name: parameter.grad.clone() for name, parameter in model.named_parameters()}
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    expected = random.random(), np.random.rand(), torch.rand(1)
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    lrid.Recorder(model, probe, tmp_path / "r.h5").point()
    assert (random.random(), np.random.rand(), torch.rand(1)) == expected
    assert model.training and model.conv1.training and not model.norm.training
    for name, value in model.state_dict().items():
        assert torch.equal(value, state[name]), name
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter.grad, gradients[name]) and parameter.requires_grad
    assert not any(module._forward_hooks for module in model.modules())


def test_training_is_the_same_with_and_without(tmp_path: Path, model: Any, probe: Any) -> None:
    def train(record: bool) -> Any:
        torch.manual_seed(3)
        net = copy.deepcopy(model)
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
        recorder = lrid.Recorder(net, probe, tmp_path / "r.h5") if record else None
        for _ in range(3):
            if recorder:
                recorder.point()
            optimizer.zero_grad()
            net(probe).square().mean().backward()
            optimizer.step()
        return net.state_dict()

    for a, b in zip(train(False).values(), train(True).values(), strict=True):
        assert torch.equal(a, b)


def test_channels_last_are_the_same_units(tmp_path: Path, model: Any, probe: Any) -> None:
    lrid.Recorder(model, probe, tmp_path / "a.h5").point()
    lrid.Recorder(
        model.to(memory_format=torch.channels_last),
        probe.to(memory_format=torch.channels_last),
        tmp_path / "b.h5",
    ).point()
    for what in ("activations", "weights", "layer_change"):
        a, b = arrays(tmp_path / "a.h5", what), arrays(tmp_path / "b.h5", what)
        for name in a:
            np.testing.assert_allclose(a[name], b[name], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float64"])
def test_other_floating_types(tmp_path: Path, model: Any, probe: Any, dtype: str) -> None:
    lrid.Recorder(model, probe, tmp_path / "a.h5").point()
    lrid.Recorder(model.to(getattr(torch, dtype)), probe, tmp_path / "b.h5").point()
    a, b = arrays(tmp_path / "a.h5"), arrays(tmp_path / "b.h5")
    for name in a:
        assert b[name].dtype == (np.float64 if dtype == "float64" else np.float32)
        np.testing.assert_allclose(a[name], b[name], rtol=0.05, atol=0.02 if dtype != "float64" else 1e-5)
    np.testing.assert_allclose(
        arrays(tmp_path / "a.h5", "layer_change")["conv1"],
        arrays(tmp_path / "b.h5", "layer_change")["conv1"],
        rtol=0.02,
        atol=2e-3,
    )


def test_autocast_is_recorded_as_it_computes(tmp_path: Path, model: Any, probe: Any) -> None:
    lrid.Recorder(model, probe, tmp_path / "a.h5").point()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        lrid.Recorder(model, probe, tmp_path / "b.h5").point()
    a, b = arrays(tmp_path / "a.h5"), arrays(tmp_path / "b.h5")
    np.testing.assert_allclose(a["fc"], b["fc"], rtol=0.1, atol=0.05)
    np.testing.assert_array_equal(
        arrays(tmp_path / "a.h5", "layer_change")["fc"], arrays(tmp_path / "b.h5", "layer_change")["fc"]
    )


def test_wrapped_models_are_looked_into(tmp_path: Path, model: Any, probe: Any) -> None:
    recorder = lrid.Recorder(nn.DataParallel(model), probe, tmp_path / "r.h5")
    recorder.point()
    assert recorder.layers == ["conv1", "conv2", "fc"]
    recorder = lrid.Recorder(torch.compile(model), probe, tmp_path / "r.h5")
    recorder.point()
    assert recorder.layers == ["conv1", "conv2", "fc"]


class Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cell, self.out = nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, x: Any) -> Any:
        for _ in range(3):
            x = torch.relu(self.cell(x))
        return self.out(x)


def test_a_layer_called_several_times(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model, x = Twice(), torch.randn(5, 4)
    with pytest.raises(
        lrid.BadInput, match=r'cell: the forward pass calls it several times.*calls="separate"'
    ):
        lrid.Recorder(model, x, tmp_path / "r.h5").point()
    assert list(tmp_path.iterdir()) == []
    recorder = lrid.Recorder(model, x, tmp_path / "r.h5", calls="separate", batch_size=2)
    recorder.point()
    recorder.point()
    assert recorder.layers == ["cell", "cell:2", "cell:3", "out"]
    with torch.no_grad():
        once = torch.relu(model.cell(x))
        twice = torch.relu(model.cell(once))
    np.testing.assert_allclose(arrays(tmp_path / "r.h5")["cell:2"][1], twice, rtol=1e-6)
    np.testing.assert_allclose(
        arrays(tmp_path / "r.h5", "layer_change")["cell:2"][0],
        change(lambda v: torch.relu(model.cell(v)), once),
        rtol=1e-5,
    )
    recorder = lrid.Recorder(model, x, tmp_path / "r.h5", layers=["out"])
    recorder.point()
    assert recorder.layers == ["out"]


def test_a_shared_layer_is_one(tmp_path: Path) -> None:
    shared = nn.Linear(4, 4)
    model = nn.Sequential(shared, nn.ReLU(), shared)
    with pytest.raises(lrid.BadInput, match="several times"):
        lrid.Recorder(model, torch.randn(5, 4), tmp_path / "r.h5").point()
    recorder = lrid.Recorder(model, torch.randn(5, 4), tmp_path / "r.h5", calls="separate")
    recorder.point()
    assert recorder.layers == ["0", "0:2"]


def test_named_layers_keep_their_depth(tmp_path: Path, model: Any, probe: Any) -> None:
    lrid.Recorder(model, probe, tmp_path / "r.h5", layers=["fc", "conv1"]).point()
    with h5py.File(tmp_path / "r.h5") as file:
        found = {group.attrs["name"]: group.attrs["position"] for group in file["layers"].values()}
    assert found == {"conv1": "early", "fc": "deep"}


class Custom(torch.autograd.Function):
    """A linear map with a backward pass of its own and no forward-mode derivative, as feedback alignment's are."""

    @staticmethod
    def forward(ctx: Any, x: Any, weight: Any, bias: Any) -> Any:
        return x @ weight.t() + bias

    @staticmethod
    def backward(ctx: Any, gradient: Any) -> Any:
        return gradient, None, None


class CustomLinear(nn.Linear):
    def forward(self, x: Any) -> Any:
        return Custom.apply(x, self.weight, self.bias)


class Gated(nn.Linear):
    def forward(self, x: Any) -> Any:
        return super().forward(x) * torch.sigmoid(x.sum(1, keepdim=True))


class Stubborn(CustomLinear):
    def forward(self, x: Any) -> Any:
        return super().forward(x).square()


def test_layers_of_other_libraries(tmp_path: Path) -> None:
    torch.manual_seed(0)
    x = torch.randn(5, 4)
    model = nn.Sequential(CustomLinear(4, 3), nn.ReLU(), Gated(3, 2))
    lrid.Recorder(model, x, tmp_path / "r.h5").point()
    changes = arrays(tmp_path / "r.h5", "layer_change")
    plain = nn.Linear(4, 3)
    plain.load_state_dict(model[0].state_dict())
    np.testing.assert_allclose(changes["0"][0], change(lambda v: F.relu(plain(v)), x), rtol=1e-5)
    with torch.no_grad():
        hidden = model[1](model[0](x))
    np.testing.assert_allclose(changes["2"][0], change(model[2], hidden), rtol=1e-4)
    stubborn = nn.Sequential(Stubborn(4, 3))
    with pytest.raises(lrid.BadInput, match=r"0: is no linear map and has no forward-mode derivative"):
        lrid.Recorder(stubborn, x, tmp_path / "s.h5").point()
    lrid.Recorder(stubborn, x, tmp_path / "s.h5", layer_change=False).point()
    assert "0" in arrays(tmp_path / "s.h5") and not arrays(tmp_path / "s.h5", "layer_change")


def test_padding_parametrizations_and_sequences(tmp_path: Path) -> None:
    torch.manual_seed(0)
    circular = nn.Conv2d(2, 3, 3, padding=1, padding_mode="circular", groups=1)
    spectral = nn.utils.parametrizations.spectral_norm(nn.Conv2d(3, 2, 3, padding=2, dilation=2))
    model = nn.Sequential(circular, nn.Tanh(), spectral).eval()
    x = torch.randn(3, 2, 6, 6)
    lrid.Recorder(model, x, tmp_path / "r.h5").point()
    changes = arrays(tmp_path / "r.h5", "layer_change")
    with torch.no_grad():
        hidden = model[1](circular(x))
        np.testing.assert_allclose(arrays(tmp_path / "r.h5", "weights")["2"][0], spectral.weight, rtol=1e-5)
    np.testing.assert_allclose(
        changes["0"][0], change(lambda v: torch.tanh(circular(v)), x), rtol=1e-4, atol=1e-7
    )
    np.testing.assert_allclose(changes["2"][0], change(spectral, hidden), rtol=1e-4, atol=1e-7)

    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    x = torch.randn(3, 5, 8)
    with pytest.warns(lrid.LridWarning, match="self_attn"):
        recorder = lrid.Recorder(layer, x, tmp_path / "t.h5")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", lrid.LridWarning)
        recorder.point()
    assert {"linear1", "linear2"} <= set(recorder.layers)
    assert arrays(tmp_path / "t.h5")["linear1"].shape == (1, 3, 5 * 16)


def test_several_inputs(tmp_path: Path) -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(4, 3)

        def forward(self, a: Any, b: Any) -> Any:
            return self.fc(a * b)

    model, a, b = Two(), torch.randn(6, 4), torch.randn(6, 4)
    for probe in ((a, b), {"b": b, "a": a}, [a.numpy(), b.numpy()]):
        lrid.Recorder(model, probe, tmp_path / "r.h5", batch_size=4).point()
        with torch.no_grad():
            np.testing.assert_allclose(arrays(tmp_path / "r.h5")["fc"][0], model(a, b), rtol=1e-5, atol=1e-6)


def test_wrong_uses_are_one_line(tmp_path: Path, model: Any, probe: Any) -> None:
    out = tmp_path / "r.h5"

    class Sometimes(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.use = nn.Linear(4, 4), nn.Linear(4, 4), True

        def forward(self, x: Any) -> Any:
            return self.b(self.a(x)) if self.use else self.a(x)

    class Turned(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(4, 4)

        def forward(self, x: Any) -> Any:
            return self.fc(x.transpose(0, 1))

    def changing() -> None:
        net = Sometimes()
        recorder = lrid.Recorder(net, torch.randn(3, 4), out)
        recorder.point()
        net.use = False
        recorder.point()

    cases = [
        (lambda: lrid.Recorder("model", probe, out), "model: is a str"),
        (lambda: lrid.Recorder(nn.ReLU(), probe, out), "ReLU has no convolution and no linear layer"),
        (lambda: lrid.Recorder(nn.LazyLinear(3), probe, out), "is not initialised yet"),
        (lambda: lrid.Recorder(model, "probe", out), "probe: is a str"),
        (lambda: lrid.Recorder(model, probe[:0], out), "stimuli"),
        (lambda: lrid.Recorder(model, (probe, probe[:3]), out), "the same number of all inputs"),
        (
            lambda: lrid.Recorder(model, probe, out, layers=["conv9"]),
            "layers: conv9: expected names of modules",
        ),
        (lambda: lrid.Recorder(model, probe, out, layers="conv1"), "expected a list of names"),
        (lambda: lrid.Recorder(model, probe, tmp_path), "is a folder"),
        (lambda: lrid.Recorder(model, probe, tmp_path / "none" / "r.h5"), "expected one that exists"),
        (lambda: lrid.Recorder(Turned(), torch.randn(3, 4, 4), out).point(), "as the first dimension"),
        (changing, "b: not called in every forward pass"),
        (lambda: lrid.identify(lrid.Recorder(model, probe, out)), "nothing is recorded yet"),
    ]
    for use, message in cases:
        with pytest.raises(lrid.BadInput) as caught:
            use()
        assert message in str(caught.value) and "\n" not in str(caught.value), str(caught.value)


def test_a_layer_that_is_never_called_is_said(tmp_path: Path, probe: Any) -> None:
    model = Small()
    model.spare = nn.Linear(3, 3)
    with pytest.warns(lrid.LridWarning, match="does not call them: spare"):
        lrid.Recorder(model, probe, tmp_path / "r.h5").point()
    with pytest.raises(lrid.BadInput, match="spare: not called"):
        lrid.Recorder(model, probe, tmp_path / "r.h5", layers=["conv1", "spare"]).point()


def test_the_statistics_are_those_of_the_values(tmp_path: Path, model: Any, probe: Any) -> None:
    from lrid._programs import run

    lrid.Recorder(model, probe, tmp_path / "r.h5").point()
    run("lrid-observe", "recording", tmp_path / "r.h5", "--out", tmp_path / "o.h5")
    values = lrid.read(tmp_path / "o.h5")["observables"]
    assert list(values["layer"].values) == ["conv1", "conv2", "fc"]
    conv2 = arrays(tmp_path / "r.h5")["conv2"][0]
    np.testing.assert_allclose(
        values.sel(layer="conv2", observable="actsq_mean")[0], (conv2.astype("f8") ** 2).mean(), rtol=1e-5
    )
    assert np.isfinite(values.sel(observable="gradavgabs_id")).all()
