"""The discrete network of a chain of layers, of Keras's own layers alone.

That of NASES's public code (jimliu741523/NASES, `model.py`): a convolution,
then layers that are two convolutions, four separable ones or a pool, each
joined with layers before it. Convolutions have a bias although a
normalization follows, as there.
"""

import keras
from keras import KerasTensor as Tensor

from nascore.networks.chain.plan import ChainBlock
from nascore.networks.layers import Normalization, chain, classify
from nascore.networks.stack import Stack
from nascore.spaces.chain import CONVOLUTION, MAX_POOL, POOLS


def connect(
    stack: Stack,
    images: Tensor,
    keep_prob: float,
    normalization: Normalization,
) -> Tensor:
    """The logits of images.

    Args:
      stack: the plan of the network.
      images: its input.
      keep_prob: part of the last features that dropout keeps; the public code
        drops none.
      normalization: makes the normalization layers.
    """
    stem = stack.stem.channels
    first = [_convolve(stem, stack.architecture[0].kernel_size)]
    x = chain([*first, normalization()], images, "stem")
    made = [x]
    for layer in stack.layers:
        if not isinstance(layer, ChainBlock):
            raise AssertionError(layer)
        x = chain(_layers(layer, normalization), x, f"{layer.name}_own")
        made.append(x)
        x = _join(layer, made, normalization)
    return classify(x, stack.classes, keep_prob, bias=True)


def build_chain(stack: Stack, normalization: Normalization) -> keras.Model:
    """A network that gives the logits of images alone, without dropout.

    Args:
      stack: its plan.
      normalization: makes the normalization layers.
    """
    images = keras.Input(stack.image.shape, name="images")
    return keras.Model(images, connect(stack, images, 1.0, normalization))


def _layers(
    layer: ChainBlock, normalization: Normalization
) -> list[keras.layers.Layer]:
    """What a layer does to the one before, without what it joins."""
    if layer.kind in POOLS:
        pool = keras.layers.AveragePooling2D
        if layer.kind == MAX_POOL:
            pool = keras.layers.MaxPooling2D
        return [pool(2, padding="same")]
    make, sizes = _convolve, [1, layer.kernel]
    if layer.kind != CONVOLUTION:
        make, sizes = _separate, sizes * 2
    found: list[keras.layers.Layer] = []
    for size in sizes:
        convolution = make(layer.width, size)
        found += [keras.layers.ReLU(), convolution, normalization()]
    return found


def _join(
    layer: ChainBlock, made: list[Tensor], normalization: Normalization
) -> Tensor:
    """The outputs of other layers, then its own."""
    parts = []
    for source, join in layer.joins:
        x, name = made[source], f"{layer.name}_join_{source}"
        strides = -(-x.shape[1] // join.height), -(-x.shape[2] // join.width)
        layers = [
            _convolve(join.channels, 1),
            normalization(),
            keras.layers.ReLU(),
        ]
        if max(strides) > 1:
            # Pixels are picked by a pool of one pixel, see
            # `nascore.networks.layers.halving`.
            layers.insert(0, keras.layers.AveragePooling2D(1, strides))
        parts.append(chain(layers, x, name))
    if not parts:
        return made[-1]
    joined = keras.layers.Concatenate(name=f"{layer.name}_output")
    return joined([*parts, made[-1]])


def _convolve(channels: int, size: int) -> keras.layers.Conv2D:
    return keras.layers.Conv2D(
        channels, size, padding="same", kernel_initializer="he_normal"
    )


def _separate(channels: int, size: int) -> keras.layers.SeparableConv2D:
    return keras.layers.SeparableConv2D(
        channels,
        size,
        padding="same",
        depthwise_initializer="he_normal",
        pointwise_initializer="he_normal",
    )
