"""Starting a network from the shared weights of a search."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np

from nascore.networks.bench201.supernet import Bench201Supernet
from nascore.networks.layouts import REDUCTION
from nascore.networks.supernet import Supernet
from nascore.spaces.bench201 import EDGES, Bench201Cell
from nascore.spaces.cells import NODE_INPUTS, Architecture

Weights = list[np.ndarray]


@dataclasses.dataclass(frozen=True)
class Transfer:
    """What a network took from a supernet.

    Attributes:
      taken: names of the blocks that start from shared weights.
      left: names of the blocks that start afresh.
    """

    taken: tuple[str, ...]
    left: tuple[str, ...]


def transfer(
    supernet: Supernet | Bench201Supernet,
    network: keras.Model,
    architecture: Architecture | Bench201Cell,
    layer_types: Sequence[str],
) -> Transfer:
    """Copies the shared weights that fit into a network.

    A block takes them if the supernet has one of the same place in the same
    kind of layer and all shapes agree; moving statistics start afresh,
    because the supernet has none.

    Args:
      supernet: holds the shared weights.
      network: of `build_network`; changed in place.
      architecture: what the network was built from.
      layer_types: the cell type of each of the network's layers.
    """
    blocks: Any = _shared_blocks
    if isinstance(supernet, Bench201Supernet):
        blocks = _bench201_blocks
    shared = dict(blocks(supernet, architecture, layer_types))
    taken, left = [], []
    for layer in network.layers:
        own = layer.trainable_variables
        if not own:
            continue
        values = shared.get(layer.name, [])
        if [v.shape for v in values] == [tuple(v.shape) for v in own]:
            for variable, value in zip(own, values, strict=True):
                variable.assign(value)
            taken.append(layer.name)
        else:
            left.append(layer.name)
    return Transfer(tuple(taken), tuple(left))


def _shared_blocks(
    supernet: Supernet, architecture: Architecture, layer_types: Sequence[str]
) -> Iterator[tuple[str, Weights]]:
    """The supernet's weights under the names of a network's blocks."""
    yield "stem", _values(supernet.stem)
    yield "classifier", _values(supernet.classifier)
    if supernet.aux_head is not None:
        yield "auxiliary_head", _values(supernet.aux_head)
    names = supernet.space.operations
    for layer, kind in zip(supernet.stack.layers, layer_types, strict=False):
        if kind != layer.kind:
            continue
        calibrations = supernet.calibrations[layer.number]
        for side, calibration in enumerate(calibrations):
            yield f"{layer.name}_input_{side}", _values(calibration)
        shared = supernet.cells[layer.number]
        slots = _slots_by_operation(shared)
        cell = architecture.cells[layer.cell]
        for place, node in enumerate(cell.nodes):
            for side, (index, op) in enumerate(node.edges):
                edge = NODE_INPUTS * place + side
                row = shared.slot_offsets[edge] + index
                values = [variable[row] for variable in slots[names[op]]]
                yield f"{layer.name}_node_{place}_{side}_{names[op]}", values


def _bench201_blocks(
    supernet: Bench201Supernet,
    cell: Bench201Cell,
    layer_types: Sequence[str],
) -> Iterator[tuple[str, Weights]]:
    """The same of NAS-Bench-201's network."""
    for name in ("stem", "last_norm", "classifier"):
        yield name, _values(getattr(supernet, name))
    for layer, blocks, kind in zip(
        supernet.stack.layers, supernet.blocks, layer_types, strict=False
    ):
        if kind != layer.kind:
            continue
        if kind == REDUCTION:
            for block in blocks:
                yield block.name, _values(block)
            continue
        slots = _slots_by_operation(blocks[0])
        still = [np.ones(layer.width), np.zeros(layer.width)]
        for place, ((start, end), name) in enumerate(
            zip(EDGES, cell.names, strict=True)
        ):
            kernels = [variable[place] for variable in slots[name]]
            if kernels:
                # There is neither scale nor offset in the search.
                block = f"{layer.name}_edge_{start}_{end}_{name}"
                yield block, [*kernels, *still]


def _slots_by_operation(shared: keras.layers.Layer) -> dict[str, Weights]:
    slots = iter(shared.slots)
    return {
        name: [
            next(slots).numpy() for _ in operation.weight_specs(shared.channels)
        ]
        for name, operation in shared.operations.items()
    }


def _values(layer: keras.layers.Layer) -> Weights:
    return [variable.numpy() for variable in layer.trainable_variables]
