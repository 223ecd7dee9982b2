"""What the layers of a whole network cost; see `nascore.networks.costs`."""

from typing import Any

from nascore.networks.layouts import REDUCTION
from nascore.networks.macro.operations import (
    Branch,
    entry_specs,
    find_branches,
)
from nascore.networks.maps import Costs, Layer, convolution
from nascore.networks.operations.base import WeightSpec
from nascore.networks.stack import Stack
from nascore.spaces.macro import MacroArchitecture, MacroLayer


def count_layers(stack: Stack, architecture: Any) -> dict[str, Costs]:
    """The costs of each layer and of each reduction, by its name.

    Args:
      stack: the plan of the network.
      architecture: what a supernet runs; None for the worst case of all. A
        discrete network has its own, and only what it reads.
    """
    own: MacroArchitecture | None = stack.architecture or architecture
    branches = find_branches(stack.space.operations)
    parts = {}
    done = 0
    for layer in stack.layers:
        if layer.kind == REDUCTION:
            tensors = len(layer.inputs)
            if stack.architecture is not None:
                tensors = len(read_after(stack.architecture, done))
            each = convolution(layer.inputs[0].have, layer.output)
            parts[layer.name] = sum([each] * tensors, Costs())
            continue
        done = layer.number
        chosen = None if own is None else own.layers[done - 1]
        if stack.architecture is not None:
            assert chosen is not None  # noqa: S101
            parts[layer.name] = _discrete(layer, branches, chosen)
        else:
            parts[layer.name] = _shared(layer, branches, chosen)
    return parts


def read_after(architecture: MacroArchitecture, layers: int) -> list[int]:
    """The tensors so far that a layer after the first `layers` reads."""
    later = {layers}
    for layer in architecture.layers[layers:]:
        later.update(layer.sources)
    return sorted(place for place in later if place <= layers)


def _numbers(specs: tuple[WeightSpec, ...]) -> int:
    return sum(spec.size for spec in specs)


def _discrete(
    layer: Layer, branches: tuple[Branch, ...], own: MacroLayer
) -> Costs:
    """A layer of a discrete network: operation, joined skips."""
    branch, output = branches[own.operation], layer.output
    before, behind = branch.discrete_maps(1)
    costs = Costs(
        _numbers(branch.discrete_specs(layer.width, 1)),
        output.pixels * branch.multiply_adds(layer.width),
        (before + behind) * output.size,
    )
    if layer.number == 1:
        return costs
    joined = output.of((len(own.sources) + 1) * layer.width)
    # The concatenation is kept by its relu.
    return costs + convolution(joined, output)


def _shared(
    layer: Layer, branches: tuple[Branch, ...], own: MacroLayer | None
) -> Costs:
    """A layer over shared weights: all of them, and what one network runs."""
    width, output = layer.width, layer.output
    run = branches if own is None else (branches[own.operation],)
    entries = len(branches) * _numbers(entry_specs(width))
    slots = sum(_numbers(branch.weight_specs(width)) for branch in branches)
    added = layer.number > 1
    # What the 1x1 convolution made, normalized; what the operation keeps;
    # the sum with the skips, and that normalized.
    kept = 2 + max(branch.kept_maps for branch in run) + 2 * added
    return Costs(
        entries + slots + 2 * width * added,
        output.pixels * max(branch.multiply_adds(width) for branch in run),
        kept * output.size,
    )
