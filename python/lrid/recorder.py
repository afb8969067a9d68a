"""Records a PyTorch network along its training.

recorder = lrid.Recorder(model, probe, out="mine.h5")
for step, batch in enumerate(batches):
    if step % 100 == 0:
        recorder.point()
    ...
recorder.point()
print(lrid.identify(recorder, model="model.h5"))
"""

from __future__ import annotations

import contextlib
import os
import random
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import h5py
import numpy as np

try:
    import torch
    from torch import Tensor, nn
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves
except ImportError as error:  # pragma: no cover
    raise ImportError("lrid.Recorder needs PyTorch, expected it installed (pip install torch)") from error

from ._errors import BadInput, LridWarning
from ._recording import PointWriter, append, create_growing, create_layer, positions_by_depth

_LAYERS: tuple[type[nn.Module], ...] = (
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
    nn.Linear,
)
_PLAIN_FORWARDS = {layer.forward for layer in _LAYERS}
_UNOBSERVED: tuple[type[nn.Module], ...] = (nn.RNNBase, nn.RNNCellBase, nn.MultiheadAttention, nn.Bilinear)

_aten = torch.ops.aten
#: Elementwise nonlinearities, by name of the ATen operator; those in place end in _.
_NONLINEARITIES = frozenset(
    [
        "relu",
        "threshold",
        "leaky_relu",
        "rrelu",
        "elu",
        "celu",
        "selu",
        "gelu",
        "silu",
        "mish",
        "tanh",
        "sigmoid",
        "hardtanh",
        "hardswish",
        "hardsigmoid",
        "softplus",
        "softshrink",
        "hardshrink",
        "log_sigmoid_forward",
        "clamp_min",
        "clamp",
        "_prelu_kernel",
    ]
)
#: What changes the shape, and not the order of elements.
_VIEWS = frozenset(["view", "_unsafe_view", "unsqueeze", "squeeze", "alias", "detach", "_reshape_alias"])


class _Layer:
    """What is known of an observed layer: a module and which of its calls in a forward pass."""

    def __init__(self, name: str, module: nn.Module, call: int) -> None:
        self.name, self.module, self.call = name, module, call
        self.index = -1
        self.units: tuple[int, ...] = ()
        self.depth = -1  # among all layers of the network, in order of the forward pass
        self.change: list[Tensor] = []  # g of each batch's stimuli
        self.kernel_sum: Tensor | None = None  # S = W∗1 of the current point


class _Pending:
    """A layer's output until it is known what comes after it."""

    def __init__(self, layer: _Layer, output: Tensor, first: int, tangent: Tensor | None) -> None:
        self.layer, self.output, self.first, self.tangent = layer, output, first, tangent
        self.aliases = [output]  # keeps them alive: they are known by identity


class Recorder:
    """Records activations, weights and layer-wise activity changes of a model's layers, point by point.

    Args:
        model: the network. DataParallel, DistributedDataParallel and compiled models are looked into.
        probe: the stimuli, the same at every point: a tensor [stimuli, ...], or a tuple or dict of tensors where the
            model takes several inputs. They go to the model's device and floating type.
        out: the recording file to write. It is whole after every point, whenever the process ends.
        layers: names of modules (`model.named_modules()`); None: all convolutions and linear layers that the forward
            pass calls.
        batch_size: stimuli that go through the network at once.
        calls: what to do with a layer that one forward pass calls several times: "once" is an error, "separate" makes
            each call a layer of its own, named `name:2` and so on.
        weights, layer_change: whether to record them.

    An activation is the layer's output, and where an elementwise nonlinearity is what uses it first, the output of
    that. The layer-wise activity change is how much the layer's mean output moves when all its inputs move by one
    (observables.md, "Layer-wise activity change"): in closed form for a linear map alone or with a ReLU, else by
    forward-mode differentiation. Layers stand in the order of the forward pass, and are early, middle or deep by
    thirds of all the network's layers.

    A point leaves the model, its mode, the random state and all gradients as they were: modules are evaluated with
    `training` false and set back. Raises BadInput for what can't be recorded.
    """

    def __init__(
        self,
        model: nn.Module,
        probe: Any,
        out: str | os.PathLike[str] = "mine.h5",
        layers: Sequence[str] | None = None,
        *,
        batch_size: int = 128,
        calls: Literal["once", "separate"] = "once",
        weights: bool = True,
        layer_change: bool = True,
    ) -> None:
        if not isinstance(model, nn.Module):
            raise BadInput(f"model: is a {type(model).__name__}, expected a torch.nn.Module")
        if calls not in ("once", "separate"):
            raise BadInput(f'calls: {calls!r}: expected "once" or "separate"')
        if batch_size < 1:
            raise BadInput(f"batch_size: {batch_size}: expected at least 1")
        self._model = _unwrapped(model)
        self._probe = _as_probe(probe)
        self.stimuli: int = len(self._probe[0][0] if self._probe[0] else next(iter(self._probe[1].values())))
        self._batch_size, self._calls = batch_size, calls
        self._with_weights, self._with_change = weights, layer_change
        self._modules = _observed_modules(self._model, layers)
        self._named = layers is not None
        self._layers: dict[tuple[int, int], _Layer] = {}
        self._writer = PointWriter(out)

    @property
    def path(self) -> Path:
        """The recording file."""
        return self._writer.path

    @property
    def points(self) -> int:
        """Number of points so far."""
        return self._writer.points

    @property
    def layers(self) -> list[str]:
        """Names of the observed layers in order of the forward pass; empty before the first point."""
        return [layer.name for layer in sorted(self._layers.values(), key=lambda layer: layer.index)]

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Removes the spare copy that lies beside the file while it grows. A later point would make it anew."""
        self._writer.close()

    def point(self) -> None:
        """Records the network as it is now."""
        known = dict(self._layers)
        try:
            with _untouched(self._model), self._writer.point() as file, torch.no_grad():
                _Pass(self, file).run()
        except BaseException:
            self._layers = known
            raise


class _Pass(TorchDispatchMode):
    """One point: the probe set goes through the network, and every layer's output to the file.

    Forward hooks hand over what layers return. As a dispatch mode it sees each operation before it is made: the first
    that uses a layer's output is its nonlinearity, or shows that it has none.
    """

    def __init__(self, recorder: Recorder, file: h5py.File) -> None:
        super().__init__()
        self._recorder, self._file, self._point = recorder, file, recorder.points
        self._pending: dict[int, _Pending] = {}
        self._later: list[Callable[[], None]] = []
        self._own = False  # what runs is ours, not the network's
        self._first, self._count = 0, 0  # the batch's stimuli
        self._called: dict[int, int] = {}  # calls of each module in this forward pass
        self._order: list[int] = []  # modules in order of their first call
        self._seen: list[_Layer] = []

    def run(self) -> None:
        recorder = self._recorder
        model = recorder._model
        for layer in recorder._layers.values():
            layer.change, layer.kernel_sum = [], None
        handles = [
            module.register_forward_hook(self._hook(name, module, recorded), with_kwargs=True)
            for name, module, recorded in recorder._modules
        ]
        try:
            with self._eager():
                for self._first in range(0, recorder.stimuli, recorder._batch_size):
                    self._count = min(recorder._batch_size, recorder.stimuli - self._first)
                    self._called, self._order, self._seen = {}, [], []
                    arguments, keywords = self._batch(model)
                    with self:
                        model(*arguments, **keywords)
                    self._finish_all()
                    self._check_batch()
        finally:
            for handle in handles:
                handle.remove()
        self._complete()

    # --- The forward pass ---

    def _batch(self, model: nn.Module) -> tuple[list[Any], dict[str, Any]]:
        parameter = next((p for p in model.parameters() if p.is_floating_point()), None)

        def part(values: Tensor) -> Tensor:
            values = values[self._first : self._first + self._count]
            if parameter is None:
                return values
            cast = values.is_floating_point() and not torch.is_autocast_enabled(parameter.device.type)
            return values.to(parameter.device, parameter.dtype if cast else None)

        positional, named = self._recorder._probe
        return [part(values) for values in positional], {name: part(values) for name, values in named.items()}

    @contextlib.contextmanager
    def _eager(self) -> Iterator[None]:
        """No compiled code and no fused layers: neither calls hooks."""
        with contextlib.ExitStack() as stack:
            if any(
                getattr(m, "_compiled_call_impl", None) is not None for m in self._recorder._model.modules()
            ):
                stack.enter_context(torch.compiler.set_stance("force_eager"))
            fast = getattr(torch.backends, "mha", None)
            if fast is not None:
                stack.callback(fast.set_fastpath_enabled, fast.get_fastpath_enabled())
                fast.set_fastpath_enabled(False)
            yield

    def _hook(self, name: str, module: nn.Module, recorded: bool) -> Callable[..., None]:
        def hook(_: nn.Module, arguments: tuple[Any, ...], keywords: dict[str, Any], output: Any) -> None:
            if self._own:
                return
            call = self._called[id(module)] = self._called.get(id(module), 0) + 1
            if call == 1:
                self._order.append(id(module))
            if not recorded:
                return
            if call > 1 and self._recorder._calls == "once":
                raise BadInput(
                    f"layers: {name}: the forward pass calls it several times, expected once: give "
                    f'calls="separate" to record each call as a layer, or name the layers to record'
                )
            self._own = True
            try:
                self._differentiate()
                self._take(name, module, call, arguments[0] if arguments else keywords.get("input"), output)
            finally:
                self._own = False

        return hook

    def _take(self, name: str, module: nn.Module, call: int, input: Any, output: Any) -> None:
        if not isinstance(output, Tensor):
            raise BadInput(f"layers: {name}: returns a {type(output).__name__}, expected a tensor")
        layer = self._layer(name, module, call, output)
        tangent = self._tangent(layer, input, output) if self._recorder._with_change else None
        self._pending[id(output)] = _Pending(layer, output, self._first, tangent)

    def _layer(self, name: str, module: nn.Module, call: int, output: Tensor) -> _Layer:
        recorder = self._recorder
        if output.dim() == 0 or output.shape[0] != self._count:
            raise BadInput(
                f"layers: {name}: returns shape {list(output.shape)}, expected the batch's {self._count} "
                f"stimuli as the first dimension"
            )
        units = tuple(output.shape[1:])
        layer = recorder._layers.get((id(module), call))
        if layer is None:
            if self._point > 0 or self._first > 0:
                raise BadInput(
                    f"layers: {name}: call {call} is not made in every forward pass, expected the same "
                    f"layers and calls for all stimuli at all points"
                )
            layer = _Layer(name if call == 1 else f"{name}:{call}", module, call)
            layer.index, layer.units = len(recorder._layers), units
            recorder._layers[id(module), call] = layer
            self._create(layer, output)
        elif layer.units != units:
            raise BadInput(
                f"layers: {layer.name}: returns units {list(units)}, before {list(layer.units)}: expected "
                f"the same for all stimuli at all points"
            )
        self._seen.append(layer)
        return layer

    def _create(self, layer: _Layer, output: Tensor) -> None:
        dtype = np.dtype(np.float64 if output.dtype == torch.float64 else np.float32)
        group = create_layer(self._file, layer.index, layer.name, None)
        units = int(np.prod(layer.units, dtype=np.int64))
        if not output.is_floating_point() or units == 0:
            raise BadInput(
                f"layers: {layer.name}: returns {output.dtype} of shape {list(output.shape)}, expected "
                f"real numbers"
            )
        create_growing(group, "activations", (self._recorder.stimuli, units), dtype)
        if self._recorder._with_weights and (weight := _weight(layer.module)) is not None:
            create_growing(group, "weights", weight.shape, weight.dtype)
        if self._recorder._with_change:
            create_growing(group, "layer_change", (self._recorder.stimuli,), np.dtype(np.float64))

    def _dataset(self, layer: _Layer, what: str) -> h5py.Dataset | None:
        group = self._file[f"layers/{layer.index:04}"]
        if what not in group:
            return None
        data = group[what]
        if len(data) == self._point:
            data.resize(self._point + 1, axis=0)
        return data

    def __torch_dispatch__(
        self, operator: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if self._own or not self._pending:
            return operator(*args, **kwargs)
        name = operator.overloadpacket.__name__
        used = {
            id(pending): pending
            for leaf in tree_leaves((args, kwargs))
            if isinstance(leaf, Tensor)
            if (pending := self._pending.get(id(leaf))) is not None
        }
        if not used:
            return operator(*args, **kwargs)
        if name in _VIEWS and len(used) == 1:
            (pending,) = used.values()
            view = operator(*args, **kwargs)
            pending.aliases.append(view)
            self._pending[id(view)] = pending
            return view
        if name.rstrip("_") in _NONLINEARITIES and len(used) == 1 and id(args[0]) in self._pending:
            (pending,) = used.values()
            if pending.tangent is not None:
                self._take_change(pending, pending.tangent, args[0], operator, name, args[1:], kwargs)
            result = operator(*args, **kwargs)
            self._finish(pending, result[0] if isinstance(result, tuple) else result)
            return result
        for pending in used.values():
            self._finish_linear(pending)
        return operator(*args, **kwargs)

    # --- A layer's output ---

    def _finish(self, pending: _Pending, output: Tensor) -> None:
        for alias in pending.aliases:
            self._pending.pop(id(alias), None)
        data = self._dataset(pending.layer, "activations")
        assert data is not None
        values = output.detach().reshape(self._count, -1)
        values = values.to("cpu", torch.float64 if data.dtype == np.float64 else torch.float32)
        append(data, self._point, pending.first, values.numpy())

    def _finish_linear(self, pending: _Pending) -> None:
        """There is no nonlinearity."""
        if pending.tangent is not None:
            mean = pending.tangent.flatten(1).mean(1, dtype=torch.float64)
            self._add_change(pending.layer, mean.expand(self._count))
        self._finish(pending, pending.output)

    def _finish_all(self) -> None:
        for pending in list({id(p): p for p in self._pending.values()}.values()):
            self._finish_linear(pending)
        self._differentiate()

    def _add_change(self, layer: _Layer, change: Tensor) -> None:
        layer.change.append(change.detach().to("cpu", torch.float64))

    def _take_change(
        self,
        pending: _Pending,
        tangent: Tensor,
        input: Tensor,
        operator: Any,
        name: str,
        rest: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        """g of each stimulus for a layer with a nonlinearity, from the nonlinearity's input: at once for a ReLU, else
        later, as a dispatch mode can't differentiate."""
        units = tangent[0].numel()
        if _is_relu(name, rest, kwargs):
            active = (input > 0).reshape(self._count, *tangent.shape[1:])
            moved = torch.where(active, tangent, torch.zeros((), dtype=tangent.dtype, device=tangent.device))
            self._add_change(pending.layer, moved.flatten(1).sum(1, dtype=torch.float64) / units)
            return
        outside = getattr(operator.overloadpacket, operator._overloadname)
        if name.endswith("_"):
            outside = getattr(getattr(_aten, name.rstrip("_")), operator._overloadname)
        point = input.detach().to(tangent.dtype, copy=True)
        moving = tangent.expand(self._count, *tangent.shape[1:]).reshape(point.shape)
        wide = [r.to(tangent.dtype) if isinstance(r, Tensor) and r.is_floating_point() else r for r in rest]

        def nonlinearity(values: Tensor) -> Tensor:
            result = outside(values, *wide, **kwargs)
            return result[0] if isinstance(result, tuple) else result

        def differentiate() -> None:
            _, moved = torch.func.jvp(nonlinearity, (point,), (moving.contiguous(),))
            self._add_change(
                pending.layer, moved.reshape(self._count, -1).sum(1, dtype=torch.float64) / units
            )

        self._later.append(differentiate)

    def _differentiate(self) -> None:
        for work in self._later:
            work()
        self._later.clear()

    def _tangent(self, layer: _Layer, input: Any, output: Tensor) -> Tensor:
        """What the layer's output moves by when every input moves by one: [1, ...] where that is the same for all
        stimuli (S = W∗1), else [batch, ...]."""
        if not isinstance(input, Tensor) or not input.is_floating_point() or input.shape[0] != self._count:
            raise BadInput(
                f"layers: {layer.name}: its first argument is not the batch's stimuli, expected a tensor of "
                f"real numbers (or layer_change=False)"
            )
        if layer.kernel_sum is not None:
            return layer.kernel_sum
        module = _Bare(layer.module)
        wide = torch.float64 if output.dtype == torch.float64 else torch.float32
        state = {
            name: value.detach().to(wide) if value.is_floating_point() else value.detach()
            for name, value in [*module.named_parameters(), *module.named_buffers()]
        }
        without_bias = {
            name: torch.zeros_like(value) if name == "inner.bias" else value for name, value in state.items()
        }
        one = input[:1].detach().to(wide)

        def apply(values: Tensor, tensors: dict[str, Tensor] = state) -> Tensor:
            result: Tensor = torch.func.functional_call(module, tensors, (values,))
            return result

        with torch.autocast(input.device.type, enabled=False):
            plain = type(layer.module).forward in _PLAIN_FORWARDS and "forward" not in vars(layer.module)
            sums = apply(torch.ones_like(one), without_bias)
            if plain or _is_affine(apply, one, sums):
                layer.kernel_sum = sums
                return sums
            batch = input.detach().to(wide)
            try:
                _, moved = torch.func.jvp(apply, (batch,), (torch.ones_like(batch),))
            except (RuntimeError, NotImplementedError) as error:
                reason = str(error).splitlines()[0]
                raise BadInput(
                    f"layers: {layer.name}: is no linear map and has no forward-mode derivative ({reason}): "
                    f"expected one of both, or layer_change=False"
                ) from None
        return moved

    # --- Completeness ---

    def _check_batch(self) -> None:
        recorder = self._recorder
        if not self._seen:
            raise BadInput("layers: the forward pass calls none of them, expected at least one")
        missing = [layer.name for layer in recorder._layers.values() if layer not in self._seen]
        if missing:
            raise BadInput(
                f"layers: {', '.join(missing)}: not called in every forward pass, expected the same layers "
                f"and calls for all stimuli at all points"
            )
        if self._point > 0 or self._first > 0:
            return
        unused = [
            name
            for name, module, recorded in recorder._modules
            if recorded and id(module) not in self._called
        ]
        if unused and recorder._named:
            raise BadInput(
                f"layers: {', '.join(unused)}: not called in the forward pass, expected layers that are"
            )
        if unused:
            warnings.warn(
                f"left out, as the forward pass does not call them: {', '.join(unused)}",
                LridWarning,
                stacklevel=4,
            )

    def _complete(self) -> None:
        recorder = self._recorder
        layers = list(recorder._layers.values())
        if self._point == 0:
            positions = dict(zip(self._order, positions_by_depth(len(self._order)), strict=True))
            for layer in layers:
                self._file[f"layers/{layer.index:04}"].attrs["position"] = positions[id(layer.module)]
        for layer in layers:
            data = self._dataset(layer, "weights")
            if data is not None:
                weight = _weight(layer.module)
                assert weight is not None
                append(data, self._point, 0, weight.astype(data.dtype, copy=False))
            data = self._dataset(layer, "layer_change")
            if data is not None:
                data[self._point] = torch.cat(layer.change).numpy()
            layer.change, layer.kernel_sum = [], None


class _Bare(nn.Module):
    """A module's forward without its hooks."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, values: Tensor) -> Tensor:
        result: Tensor = self.inner.forward(values)
        return result


def _is_relu(name: str, rest: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    kind = name.rstrip("_")
    if kind == "relu":
        return True
    if kind == "threshold":
        return tuple(rest) == (0, 0)
    bounds = (*rest, *kwargs.values())
    return (
        kind in ("clamp_min", "clamp")
        and not any(isinstance(b, Tensor) for b in bounds)
        and (
            kwargs.get("min", rest[0] if rest else None) == 0
            and kwargs.get("max", rest[1] if len(rest) > 1 else None) is None
        )
    )


def _is_affine(apply: Callable[[Tensor], Tensor], one: Tensor, sums: Tensor) -> bool:
    """Whether moving an input by one, or by minus a half, moves the output by `sums` times that."""
    start = apply(one)
    for step in (1.0, -0.5):
        error = (apply(one + step) - start - step * sums).abs().max()
        if not bool(error <= 1e-3 * (sums.abs().max() + start.abs().max() * 1e-2)):
            return False
    return True


def _weight(module: nn.Module) -> np.ndarray[Any, Any] | None:
    weight = getattr(module, "weight", None)
    if not isinstance(weight, Tensor):
        return None
    wide = torch.float64 if weight.dtype == torch.float64 else torch.float32
    return weight.detach().to("cpu", wide).contiguous().numpy()


def _unwrapped(model: nn.Module) -> nn.Module:
    while True:
        if type(model).__name__ == "FullyShardedDataParallel":
            raise BadInput(
                "model: its parameters are sharded (FullyShardedDataParallel), expected a whole model"
            )
        if isinstance(model, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
            model = model.module
        elif hasattr(model, "_orig_mod"):  # torch.compile's
            model = model._orig_mod
        else:
            break
    for name, parameter in model.named_parameters():
        if isinstance(parameter, nn.parameter.UninitializedParameter):
            raise BadInput(f"model: {name} is not initialised yet, expected a model that has run once")
        if type(parameter.data).__name__ == "DTensor":
            raise BadInput(f"model: {name} is sharded (DTensor), expected a whole model")
    return model


def _as_probe(probe: Any) -> tuple[list[Tensor], dict[str, Tensor]]:
    positional: list[Tensor] = []
    named: dict[str, Tensor] = {}
    if isinstance(probe, Mapping):
        named = {str(name): torch.as_tensor(values).detach().clone() for name, values in probe.items()}
    elif isinstance(probe, (tuple, list)) and any(
        isinstance(values, (Tensor, np.ndarray)) for values in probe
    ):
        positional = [torch.as_tensor(values).detach().clone() for values in probe]
    else:
        try:
            positional = [torch.as_tensor(probe).detach().clone()]
        except (TypeError, ValueError, RuntimeError):
            raise BadInput(
                f"probe: is a {type(probe).__name__}, expected a tensor of stimuli, or a tuple or dict of "
                f"tensors"
            ) from None
    lengths = {len(values) if values.dim() else 0 for values in [*positional, *named.values()]}
    if len(lengths) != 1 or 0 in lengths:
        raise BadInput(
            f"probe: holds {sorted(lengths) or 'no'} stimuli, expected the same number of all inputs, at "
            f"least 1"
        )
    return positional, named


def _observed_modules(model: nn.Module, layers: Sequence[str] | None) -> list[tuple[str, nn.Module, bool]]:
    """Name, module, and whether it is recorded: all layers count for depth."""
    modules = dict(model.named_modules())
    found = {name: module for name, module in modules.items() if isinstance(module, _LAYERS)}
    if layers is None:
        if not found:
            raise BadInput(
                f"model: {type(model).__name__} has no convolution and no linear layer, expected one (or "
                f"names of modules as layers; scripted models hide theirs)"
            )
        others = [
            f"{name} ({type(module).__name__})"
            for name, module in modules.items()
            if isinstance(module, _UNOBSERVED)
        ]
        if others:
            warnings.warn(
                f"left out, as they are no convolutions or linear layers: {', '.join(others)}",
                LridWarning,
                stacklevel=3,
            )
        names = list(found)
    else:
        if isinstance(layers, str):
            raise BadInput(f"layers: {layers!r}: expected a list of names")
        names = list(dict.fromkeys(layers))
        unknown = [name for name in names if name not in modules]
        if unknown or not names:
            raise BadInput(
                f"layers: {', '.join(unknown) or 'empty'}: expected names of modules, e.g. "
                f"{', '.join([name for name in found if name][:4])}"
            )
        found |= {name: modules[name] for name in names}
    return [(name or type(module).__name__, module, name in names) for name, module in found.items()]


@contextlib.contextmanager
def _untouched(model: nn.Module) -> Iterator[None]:
    """Puts all modules into evaluation mode, and afterwards back; keeps the state of all generators of numbers."""
    modes = [(module, module.training) for module in model.modules()]
    devices = sorted({p.device.index for p in model.parameters() if p.device.type == "cuda"})
    python, numpy = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=devices):
        try:
            for module, _ in modes:
                module.training = False
            yield
        finally:
            for module, training in modes:
                module.training = training
            random.setstate(python)
            np.random.set_state(numpy)
