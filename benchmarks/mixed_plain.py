"""Mixed cells as one would write them with Keras's layers.

The network of DARTS's search (Liu et al., 2019, and its code), each operation
of each edge a few layers, automatic differentiation, Keras's optimizers: what
`benchmarks.mixed_step` holds ours against.
"""

from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from nascore.networks.layouts import REDUCTION, darts_layout

OPERATIONS = 8
NODES = 4
EDGES = sum(range(2, 2 + NODES))

Layer = Callable[[tf.Tensor], tf.Tensor]


def _norm() -> keras.layers.Layer:
    return keras.layers.BatchNormalization(
        momentum=0.9, epsilon=1e-5, center=False, scale=False
    )


def _filter(channels: int, size: int, strides: int, dilation: int) -> Layer:
    """Relu, depthwise, pointwise, normalization."""
    # Keras, like TensorFlow, has no kernel that dilates and strides.
    pixels = keras.layers.MaxPooling2D(1, strides) if dilation > 1 else None
    depthwise = keras.layers.DepthwiseConv2D(
        size,
        1 if pixels else strides,
        "same",
        use_bias=False,
        dilation_rate=dilation // strides if pixels else 1,
    )
    layers = [
        keras.layers.ReLU(),
        *([pixels] if pixels and strides > 1 else []),
        depthwise,
        keras.layers.Conv2D(channels, 1, use_bias=False),
        _norm(),
    ]
    return keras.Sequential(layers)


def _separable(channels: int, size: int, strides: int) -> Layer:
    return keras.Sequential(
        [
            _filter(channels, size, strides, 1),
            _filter(channels, size, 1, 1),
        ]
    )


class Halve(keras.layers.Layer):
    """Two convolutions of stride 2, one of them a pixel further."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.paths = [
            keras.layers.Conv2D(channels // 2, 1, 2, use_bias=False)
            for _ in range(2)
        ]
        self.norm = _norm()

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Relu, both convolutions, normalization."""
        x = keras.ops.relu(x)
        parts = [self.paths[0](x), self.paths[1](x[:, 1:, 1:, :])]
        return self.norm(keras.ops.concatenate(parts, axis=-1))


def _mixed_edge(channels: int, strides: int) -> list[Layer]:
    """The published operations, in their order."""
    pools = [
        keras.Sequential([kind(3, strides, "same"), _norm()])
        for kind in (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D)
    ]
    return [
        lambda x: keras.ops.zeros_like(x[:, ::strides, ::strides, :]),
        *pools,
        Halve(channels) if strides > 1 else keras.layers.Identity(),
        *(_separable(channels, size, strides) for size in (3, 5)),
        *(_filter(channels, size, strides, 2) for size in (3, 5)),
    ]


class PlainMixedNetwork(keras.Model):
    """The search network.

    Args:
      layers: cells.
      filters: channels of the first of them.
      classes: number of logits.
    """

    def __init__(self, layers: int, filters: int, classes: int) -> None:
        super().__init__()
        self.kinds = [kind == REDUCTION for kind in darts_layout(layers)]
        self.stem = keras.Sequential(
            [
                keras.layers.Conv2D(3 * filters, 3, 1, "same", use_bias=False),
                keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5),
            ]
        )
        self.links: list[list[Layer]] = []
        self.edges: list[list[list[Layer]]] = []
        before = False
        for reduces in self.kinds:
            filters *= 1 + reduces
            self.links.append(
                [
                    Halve(filters) if before else self._link(filters),
                    self._link(filters),
                ]
            )
            self.edges.append(
                [
                    _mixed_edge(filters, 1 + (reduces and source < 2))
                    for node in range(NODES)
                    for source in range(2 + node)
                ]
            )
            before = reduces
        self.head = keras.layers.Dense(classes)

    @staticmethod
    def _link(filters: int) -> Layer:
        convolution = keras.layers.Conv2D(filters, 1, use_bias=False)
        return keras.Sequential([keras.layers.ReLU(), convolution, _norm()])

    def call(self, images: tf.Tensor, shares: Sequence[tf.Tensor]) -> tf.Tensor:
        """Logits of a mixture.

        Args:
          images: float `[n, h, w, c]`.
          shares: of normal and of reduction cells, `[edges, operations]`.
        """
        before = last = self.stem(images)
        for reduces, links, edges in zip(
            self.kinds, self.links, self.edges, strict=True
        ):
            tensors = [links[0](before), links[1](last)]
            own, place = shares[int(reduces)], 0
            for _ in range(NODES):
                parts = []
                for x in list(tensors):
                    parts += [
                        own[place, number] * operation(x)
                        for number, operation in enumerate(edges[place])
                    ]
                    place += 1
                tensors.append(sum(parts[1:], start=parts[0]))
            before, last = last, keras.ops.concatenate(tensors[2:], axis=-1)
        return self.head(keras.ops.mean(last, axis=[1, 2]))
