"""The discrete network of one architecture, for final training and export.

A plain Keras model: the layout, the operations with stride in reduction
cells, the concatenated ends, the drop path and the auxiliary head of ENAS
(Pham et al., 2018, section 2.4, and its public code), of DARTS (Liu et al.,
2019, section 3.2 and its code), of NAS-Bench-201, of NASES's code, or a whole
network. But for the drop path every layer is Keras's own, so that what is
exported loads without this package.
"""

from collections.abc import Sequence

import keras
import tensorflow as tf
from keras import KerasTensor as Tensor

from nascore.networks.bench201 import discrete as bench201
from nascore.networks.chain import discrete as chains
from nascore.networks.config import NetworkConfig
from nascore.networks.layers import (
    Normalization,
    auxiliary_head,
    chain,
    classify,
    convolution,
    halving,
    halving_convolution,
    moving_norm,
)
from nascore.networks.macro import discrete as macro
from nascore.networks.maps import Layer, Link
from nascore.networks.operations.base import Operation, Options
from nascore.networks.operations.catalogue import find_operations
from nascore.networks.stack import Stack, plan
from nascore.spaces.bench201 import Bench201Cell
from nascore.spaces.cells import CELL_INPUTS, Architecture, Cell
from nascore.spaces.chain import ChainArchitecture, ChainSpace
from nascore.spaces.macro import MacroArchitecture

PROGRESS = "training_progress"
LOGITS = "logits"
AUXILIARY = "auxiliary"


@keras.saving.register_keras_serializable(package="nascore")
class TrainingProgress(keras.layers.Layer):
    """Holds the finished part of the training, for the drop path.

    Set `progress` while training goes on; it starts at 1, the full drop
    path, for those who do not.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes the scalar."""
        self.progress = self.add_weight(
            shape=(),
            initializer="ones",
            trainable=False,
            dtype="float32",
            name="progress",
        )

    def call(self, images: tf.Tensor) -> tf.Tensor:
        """Returns the scalar, whatever the images."""
        return tf.identity(self.progress.value)

    def compute_output_spec(self, images: Tensor) -> Tensor:
        """A float32 scalar."""
        return Tensor((), "float32")


@keras.saving.register_keras_serializable(package="nascore")
class DropPath(keras.layers.Layer):
    """Drops the whole input of some examples, and scales the others up.

    The chance to be kept falls from 1 to `keep_prob` with the progress of
    the training (Larsson et al., 2017, as scheduled in ENAS's code).

    Args:
      keep_prob: chance at the end of the training.
    """

    def __init__(self, keep_prob: float, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.keep_prob = keep_prob
        self.seed_generator = keras.random.SeedGenerator()

    def call(
        self, x: tf.Tensor, progress: tf.Tensor, training: bool = False
    ) -> tf.Tensor:
        """Maps `[n, h, w, c]` to the same shape."""
        if not training:
            return x
        keep = 1.0 - tf.cast(progress, tf.float32) * (1.0 - self.keep_prob)
        draws = keras.random.uniform(
            (tf.shape(x)[0], 1, 1, 1), dtype="float32", seed=self.seed_generator
        )
        factor = tf.where(draws < keep, 1.0 / keep, 0.0)
        return x * tf.cast(factor, x.dtype)

    def compute_output_spec(
        self, x: Tensor, progress: Tensor, training: bool = False
    ) -> Tensor:
        """Keeps shape and type."""
        return Tensor(x.shape, x.dtype)

    def get_config(self) -> dict[str, object]:
        """See `keras.layers.Layer.get_config`."""
        return {**super().get_config(), "keep_prob": self.keep_prob}


def build_network(
    architecture: (
        Architecture | Bench201Cell | ChainArchitecture | MacroArchitecture
    ),
    input_shape: tuple[int, int, int],
    classes: int,
    config: NetworkConfig,
    normalization: Normalization = moving_norm,
) -> keras.Model:
    """Builds the network of an architecture.

    Args:
      architecture: the cells; with a single cell type it stands everywhere.
      input_shape: (height, width, channels).
      classes: number of logits.
      config: sizes and regularization; its space must be the architecture's.
      normalization: makes the normalization layers.

    Returns:
      A model from float images `[n, h, w, c]` to `{"logits": [n, classes]}`,
      float32; with an auxiliary head also `{"auxiliary": [n, classes]}`.

    Raises:
      InputError: an image size that the reductions do not divide, or an
        architecture of another space.
    """
    stack = plan(config, input_shape, classes, architecture)
    images = keras.Input(input_shape, name="images")
    if stack.bench201 or stack.macro:
        connect = macro.connect if stack.macro else bench201.connect
        logits = connect(stack, images, config.keep_prob, normalization)
        outputs = {LOGITS: logits}
    elif isinstance(stack.space, ChainSpace):
        keep_prob = config.keep_prob
        outputs = {
            LOGITS: chains.connect(stack, images, keep_prob, normalization)
        }
    else:
        outputs = _connect(stack, images, config, normalization)
    for name, value in outputs.items():
        outputs[name] = keras.layers.Activation(
            "linear", dtype="float32", name=name
        )(value)
    return keras.Model(images, outputs, name="network")


def _connect(
    stack: Stack,
    images: Tensor,
    config: NetworkConfig,
    normalization: Normalization,
) -> dict[str, Tensor]:
    """The outputs of a network of ENAS's or of DARTS's cells."""
    builder = _Builder(stack, config.drop_path_keep_prob, normalization, images)
    # One name for each layer of the network, so that weights can be found.
    before, last = _build_stem(stack, images, normalization)
    outputs = {}
    for layer in stack.layers:
        cell = stack.architecture.cells[layer.cell]
        before, last = last, builder.layer(layer, cell, before, last)
        if layer.auxiliary and stack.auxiliary is not None:
            outputs[AUXILIARY] = chain(
                auxiliary_head(stack.auxiliary, stack.classes, normalization),
                last,
                "auxiliary_head",
            )
    x = last
    if not stack.darts:
        x = keras.layers.ReLU(name="last_relu")(x)
    outputs[LOGITS] = classify(x, stack.classes, config.keep_prob, stack.darts)
    return outputs


def _build_stem(
    stack: Stack, images: Tensor, normalization: Normalization
) -> tuple[Tensor, Tensor]:
    """The stem; what the first layer takes for the two layers before it."""
    if len(stack.stems) == 1:
        only = [convolution(stack.stem.channels, 3)]
        if stack.stem.height < stack.image.height:
            only = halving_convolution(stack.stem.channels, stack.padding)
        x = chain([*only, normalization()], images, "stem")
        return x, x
    made = [images]
    for number, stem in enumerate(stack.stems):
        layers = halving_convolution(stem.channels, stack.padding)
        if number:
            layers.insert(0, keras.layers.ReLU())
        name = f"stem_{number}"
        made.append(chain([*layers, normalization()], made[-1], name))
    return made[-2], made[-1]


class _Builder:
    """Makes the layers of a network, one after the other."""

    def __init__(
        self,
        stack: Stack,
        keep_prob: float,
        normalization: Normalization,
        images: Tensor,
    ) -> None:
        self.depth = len(stack.layers)
        self.keep_prob = keep_prob
        self.normalization = normalization
        self.space = stack.space
        self.darts = stack.darts
        self.operations = find_operations(
            self.space.operations, Options(padding=stack.padding)
        )
        self.progress = None
        if keep_prob < 1:
            self.progress = TrainingProgress(name=PROGRESS)(images)

    def layer(
        self, layer: Layer, cell: Cell, before: Tensor, last: Tensor
    ) -> Tensor:
        """One layer: calibrations, nodes, ends."""
        prefix = layer.name
        tensors = [
            self._calibrate(x, link, f"{prefix}_input_{side}")
            for side, (x, link) in enumerate(
                zip((before, last), layer.inputs, strict=True)
            )
        ]
        if not self.darts:
            name = f"{prefix}_base"
            tensors[1] = self._convolve(tensors[1], layer.width, name)
        for place, node in enumerate(cell.nodes):
            terms = []
            for side, (index, op) in enumerate(node.edges):
                name = (
                    f"{prefix}_node_{place}_{side}_{self.space.operations[op]}"
                )
                stride = layer.strides if index < CELL_INPUTS else 1
                term = chain(
                    self.operations[op].discrete(
                        layer.width, stride, self.normalization
                    ),
                    tensors[index],
                    name,
                )
                if not self._spared(self.operations[op], stride):
                    term = self._drop_path(term, layer, name)
                terms.append(term)
            tensors.append(
                keras.layers.Add(name=f"{prefix}_node_{place}")(terms)
            )
        return self._join(layer, cell, tensors)

    def _join(
        self, layer: Layer, cell: Cell, tensors: Sequence[Tensor]
    ) -> Tensor:
        """Concatenates the ends, inputs of a reduction halved."""
        ends = []
        for index in self.space.ends(cell):
            end = tensors[index]
            if layer.strides > 1 and index < CELL_INPUTS:
                name = f"{layer.name}_end_{index}"
                end = self._halve(end, layer.width, False, name)
            ends.append(end)
        if len(ends) == 1:
            return ends[0]
        return keras.layers.Concatenate(name=f"{layer.name}_output")(ends)

    def _calibrate(self, x: Tensor, link: Link, name: str) -> Tensor:
        """Brings an input to the size of the other and to the width."""
        if link.halves:
            return self._halve(x, link.want.channels, True, name)
        if link.changes:
            return self._convolve(x, link.want.channels, name)
        return x

    def _convolve(self, x: Tensor, channels: int, name: str) -> Tensor:
        layers = [
            keras.layers.ReLU(),
            convolution(channels),
            self.normalization(),
        ]
        return chain(layers, x, name)

    def _halve(self, x: Tensor, channels: int, relu: bool, name: str) -> Tensor:
        layers = [halving(x.shape[-1], channels), self.normalization()]
        return chain([keras.layers.ReLU()] * relu + layers, x, name)

    def _spared(self, operation: Operation, stride: int) -> bool:
        """Whether a drop path does not touch an operation.

        ENAS spares what passes an input on; DARTS drops it where it reduces.
        """
        return operation.is_skip and not (self.darts and stride > 1)

    def _drop_path(self, x: Tensor, layer: Layer, name: str) -> Tensor:
        """Drops more in later layers, in DARTS as much in all."""
        if self.progress is None:
            return x
        depth = 1.0 if self.darts else (layer.number + 1) / self.depth
        keep = 1 - depth * (1 - self.keep_prob)
        return DropPath(keep, name=f"{name}_drop_path")(x, self.progress)
