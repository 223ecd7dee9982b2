"""The discrete network of one architecture of ENAS's macro space.

That of the public code's final training, which is not that of its search: a
layer is relu, 1x1 convolution, normalization, relu, k x k convolution,
normalization; what is added in the search is concatenated, followed by relu,
1x1 convolution and normalization; and the width doubles where all is halved.
Where that code crashes, on pools, the order of the search is kept: 1x1
convolution, normalization, pool. Of Keras's own layers alone.
"""

import keras
from keras import KerasTensor as Tensor

from nascore.networks.layers import (
    Normalization,
    chain,
    classify,
    convolution,
    halving,
)
from nascore.networks.layouts import REDUCTION
from nascore.networks.macro.operations import find_branches
from nascore.networks.maps import Layer
from nascore.networks.stack import Stack


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
      keep_prob: part of the last features that dropout keeps.
      normalization: makes the normalization layers.
    """
    stem = [convolution(stack.stem.channels, 3), normalization()]
    tensors = [chain(stem, images, "stem")]
    branches = find_branches(stack.space.operations)
    for layer in stack.layers:
        if layer.kind == REDUCTION:
            tensors = _reduce(tensors, layer, normalization)
            continue
        own = stack.architecture.layers[layer.number - 1]
        branch = branches[own.operation]
        name = f"{layer.name}_{branch.name}"
        made = branch.discrete(layer.width, 1, normalization)
        output = chain(made, tensors[-1], name)
        if layer.number > 1:
            skips = [tensors[place] for place in own.sources]
            output = _join([*skips, output], layer, normalization)
        tensors.append(output)
    return classify(tensors[-1], stack.classes, keep_prob)


def _reduce(
    tensors: list[Tensor], layer: Layer, normalization: Normalization
) -> list[Tensor]:
    """All tensors at half the size; Keras leaves out what nobody reads."""
    return [
        chain(
            [halving(x.shape[-1], layer.width), normalization()],
            x,
            f"{layer.name}_{place}",
        )
        for place, x in enumerate(tensors)
    ]


def _join(
    parts: list[Tensor], layer: Layer, normalization: Normalization
) -> Tensor:
    """Skips and output together, at the width of the layer."""
    x = parts[0]
    if len(parts) > 1:
        x = keras.layers.Concatenate(name=f"{layer.name}_concat")(parts)
    layers = [
        keras.layers.ReLU(),
        convolution(layer.width),
        normalization(),
    ]
    return chain(layers, x, f"{layer.name}_skip")
