"""A small network in Keras 3, trained by Adam, recorded along its training by a callback.

python examples/keras_recording.py [OUT.h5]     needs: pip install keras .  and TensorFlow, JAX or PyTorch behind it
"""

import sys

import keras
import numpy as np

import lrid


class Record(keras.callbacks.Callback):
    """A point before training and one after each epoch: outputs and kernels of all layers that have a kernel."""

    def __init__(self, probe: np.ndarray) -> None:
        super().__init__()
        self.probe = probe
        self.activations: dict[str, list[np.ndarray]] = {}
        self.weights: dict[str, list[np.ndarray]] = {}

    def point(self) -> None:
        layers = [layer for layer in self.model.layers if getattr(layer, "kernel", None) is not None]
        outputs = keras.Model(self.model.inputs[0], [layer.output for layer in layers])
        for layer, output in zip(layers, outputs(self.probe, training=False), strict=True):
            self.activations.setdefault(layer.name, []).append(keras.ops.convert_to_numpy(output))
            self.weights.setdefault(layer.name, []).append(keras.ops.convert_to_numpy(layer.kernel))

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.point()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.point()

    def write(self, out: str) -> None:
        lrid.write_recording(
            out,
            {name: np.stack(values) for name, values in self.activations.items()},
            weights={name: np.stack(values) for name, values in self.weights.items()},
        )


def main(out: str) -> None:
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    images = rng.normal(size=(640, 12, 12, 1)).astype("float32")
    labels = images[:, ::4, ::4, 0].reshape(len(images), -1).argmax(axis=1)
    model = keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            keras.layers.Conv2D(8, 3, padding="same", activation="relu", name="conv1"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(16, 3, padding="same", activation="relu", name="conv2"),
            keras.layers.Flatten(),
            keras.layers.Dense(9, name="fc3"),
        ]
    )
    model.compile(keras.optimizers.Adam(1e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    record = Record(images[512:])
    model.fit(images[:512], labels[:512], batch_size=64, epochs=20, verbose=0, callbacks=[record])
    record.write(out)
    print(f"{out}: 21 points of {len(record.activations)} layers")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "keras.h5")
