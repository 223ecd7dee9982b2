"""The discrete network of one cell of NAS-Bench-201.

That of the table (Dong and Yang, 2020, section 2.1, and its code), of Keras's
own layers alone. Edges without an operation are there, times zero, so that
the network has the parameters that the table counts for it.
"""

import keras
from keras import KerasTensor as Tensor

from nascore.networks.bench201.blocks import residual_block
from nascore.networks.layers import (
    Normalization,
    chain,
    classify,
    convolution,
)
from nascore.networks.layouts import REDUCTION
from nascore.networks.maps import Layer
from nascore.networks.operations.catalogue import find_operations
from nascore.networks.stack import Stack
from nascore.spaces.bench201 import EDGES, NODES


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
    x = chain(stem, images, "stem")
    for layer in stack.layers:
        if layer.kind == REDUCTION:
            x = _reduce(x, layer, stack.padding, normalization)
        else:
            x = _connect_cell(x, layer, stack, normalization)
    last = [normalization(), keras.layers.ReLU()]
    x = chain(last, x, "last_norm")
    return classify(x, stack.classes, keep_prob, bias=True)


def _reduce(
    x: Tensor, layer: Layer, padding: str, normalization: Normalization
) -> Tensor:
    """A residual block."""
    ways = residual_block(layer.width, padding, normalization)
    ends = [
        chain(layers, x, f"{layer.name}_{name}")
        for name, layers in ways._asdict().items()
    ]
    return keras.layers.Add(name=layer.name)(ends)


def _connect_cell(
    x: Tensor, layer: Layer, stack: Stack, normalization: Normalization
) -> Tensor:
    """A cell: each node is the sum of what its edges bring."""
    names = stack.architecture.names
    tensors = [x]
    parts: list[list[Tensor]] = [[] for _ in range(NODES)]
    for (start, end), name, operation in zip(
        EDGES, names, find_operations(names), strict=True
    ):
        if start == len(tensors):
            tensors.append(_add(parts[start], layer, start))
        made = operation.discrete(layer.width, 1, normalization)
        block = f"{layer.name}_edge_{start}_{end}_{name}"
        parts[end].append(chain(made, tensors[start], block))
    return _add(parts[-1], layer, NODES - 1)


def _add(parts: list[Tensor], layer: Layer, node: int) -> Tensor:
    if len(parts) == 1:
        return parts[0]
    return keras.layers.Add(name=f"{layer.name}_node_{node}")(parts)
