"""A small network in JAX, trained by SGD, recorded along its training.

python examples/jax_recording.py [OUT.h5]     needs: pip install jax .
"""

import sys

import jax
import jax.numpy as jnp
import numpy as np

import lrid

SIZES = {"fc1": (64, 48), "fc2": (48, 32), "fc3": (32, 10)}


def forward(parameters, x):
    """The logits, and each layer's output: after its ReLU where it has one."""
    outputs = {}
    for i, name in enumerate(SIZES):
        x = x @ parameters[name]["w"] + parameters[name]["b"]
        if i < len(SIZES) - 1:
            x = jax.nn.relu(x)
        outputs[name] = x
    return x, outputs


def layer_change(parameters, outputs):
    """The mean over outputs of S = W·1 where the unit is active, for each stimulus (docs/observables.md)."""
    changes = {}
    for i, name in enumerate(SIZES):
        moved = parameters[name]["w"].sum(axis=0)
        active = outputs[name] > 0 if i < len(SIZES) - 1 else jnp.ones_like(outputs[name])
        changes[name] = (active * moved).mean(axis=1)
    return changes


def main(out: str) -> None:
    keys = jax.random.split(jax.random.PRNGKey(0), len(SIZES) + 2)
    parameters = {
        name: {"w": jax.random.normal(key, size) / np.sqrt(size[0]), "b": jnp.zeros(size[1])}
        for key, (name, size) in zip(keys, SIZES.items(), strict=False)
    }
    images = jax.random.normal(keys[-2], (512, 64))
    labels = jnp.argmax(images @ jax.random.normal(keys[-1], (64, 10)), axis=1)
    train, probe = slice(0, 384), images[384:]

    @jax.jit
    def step(parameters):
        def loss(p):
            logits, _ = forward(p, images[train])
            return -jax.nn.log_softmax(logits)[jnp.arange(384), labels[train]].mean()

        gradient = jax.grad(loss)(parameters)
        return jax.tree_util.tree_map(lambda p, g: p - 0.5 * g, parameters, gradient)

    activations, weights, changes = ({name: [] for name in SIZES} for _ in range(3))
    for point in range(21):
        _, outputs = forward(parameters, probe)
        change = layer_change(parameters, outputs)
        for name in SIZES:
            activations[name].append(np.asarray(outputs[name]))
            weights[name].append(np.asarray(parameters[name]["w"]))
            changes[name].append(np.asarray(change[name]))
        for _ in range(20 if point < 20 else 0):
            parameters = step(parameters)
    stacked = [
        {name: np.stack(values) for name, values in part.items()} for part in (activations, weights, changes)
    ]
    lrid.write_recording(
        out,
        stacked[0],
        weights=stacked[1],
        layer_change=stacked[2],
        positions=dict(zip(SIZES, ("early", "middle", "deep"), strict=True)),
    )
    accuracy = (jnp.argmax(forward(parameters, probe)[0], axis=1) == labels[384:]).mean()
    print(f"{out}: 21 points of {len(SIZES)} layers, accuracy {accuracy:.2f}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "jax.h5")
