"""What a network costs, counted from its plan: the one counter.

For one image: trained numbers, multiply-adds, and the numbers that training
keeps for its gradient. Nothing is built. An operation counts its own.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from nascore.networks.auxiliary import Auxiliary
from nascore.networks.chain.plan import ChainBlock
from nascore.networks.layouts import REDUCTION
from nascore.networks.macro.costs import count_layers
from nascore.networks.maps import Costs, Layer, Map, convolution
from nascore.networks.operations.base import (
    BENCH201_OPTIONS,
    Operation,
    Options,
    WeightSpec,
)
from nascore.networks.operations.catalogue import find_operations
from nascore.networks.stack import Stack
from nascore.spaces.bench201 import Bench201Cell
from nascore.spaces.cells import CELL_INPUTS, NODE_INPUTS, Cell
from nascore.spaces.chain import CONVOLUTION, POOLS, ChainSpace

STEM = "stem"
AUXILIARY_HEAD = "auxiliary_head"
CLASSIFIER = "classifier"


def total(parts: Mapping[str, Costs], head: bool = True) -> Costs:
    """The sum of all parts.

    Args:
      parts: what `count` returns.
      head: with the auxiliary head, which is there for training only.
    """
    return _sum(
        costs for name, costs in parts.items() if head or name != AUXILIARY_HEAD
    )


def _sum(costs: Iterable[Costs]) -> Costs:
    return sum(costs, Costs())


def count(stack: Stack, architecture: Any = None) -> dict[str, Costs]:
    """Counts each part of a network, from input to output.

    Args:
      stack: its plan.
      architecture: what a supernet runs; None for the worst case of all.
        A discrete network has its own.

    Returns:
      The costs of `STEM`, of each layer by its name, of `AUXILIARY_HEAD`
      where there is one, and of `CLASSIFIER`.
    """
    if stack.bench201:
        return _count_bench201(stack, architecture)
    if stack.macro:
        return _count_macro(stack, architecture)
    if isinstance(stack.space, ChainSpace):
        return _count_chain(stack)
    maps = (stack.image, *stack.stems)
    parts = {
        STEM: _sum(
            convolution(have, make, 3)
            for have, make in itertools.pairwise(maps)
        )
    }
    for layer in stack.layers:
        costs = _links(stack, layer)
        if stack.architecture is not None:
            cell = stack.architecture.cells[layer.cell]
            costs += _discrete_cell(stack, layer, cell)
        else:
            run = (
                None if architecture is None else architecture.cells[layer.cell]
            )
            costs += _shared_cell(stack, layer, run)
        parts[layer.name] = costs
        if layer.auxiliary and stack.auxiliary is not None:
            parts[AUXILIARY_HEAD] = _auxiliary(stack.auxiliary, stack.classes)
    last = stack.layers[-1].output
    weights = last.channels * stack.classes
    # Kept is what the last relu puts out.
    parts[CLASSIFIER] = Costs(
        weights + stack.darts * stack.classes,
        weights,
        0 if stack.darts else last.size,
    )
    return parts


def _count_bench201(
    stack: Stack, architecture: Bench201Cell | None
) -> dict[str, Costs]:
    """`count` of the network of NAS-Bench-201."""
    parts = {STEM: convolution(stack.image, stack.stem, 3)}
    for layer in stack.layers:
        if layer.kind == REDUCTION:
            parts[layer.name] = _residual_block(layer)
        elif stack.architecture is not None:
            edges = _bench201_edges(stack, layer, stack.architecture)
            parts[layer.name] = _sum(edges)
        else:
            parts[layer.name] = _bench201_slots(stack, layer, architecture)
    last = stack.layers[-1].output
    weights = last.channels * stack.classes
    parts[CLASSIFIER] = Costs(
        2 * last.channels + weights + stack.classes,
        weights,
        # What normalization and relu put out.
        2 * last.size,
    )
    return parts


def _count_macro(stack: Stack, architecture: Any) -> dict[str, Costs]:
    """`count` of a whole network of ENAS's macro space."""
    weights = stack.layers[-1].output.channels * stack.classes
    return {
        STEM: convolution(stack.image, stack.stem, 3),
        **count_layers(stack, architecture),
        CLASSIFIER: Costs(weights, weights),
    }


def _count_chain(stack: Stack) -> dict[str, Costs]:
    """`count` of a chain of layers, whose convolutions have a bias."""

    def biased(have: Map, make: Map, kernel: int = 1) -> Costs:
        return convolution(have, make, kernel) + Costs(make.channels)

    def separable(have: Map, make: Map, kernel: int) -> Costs:
        depthwise = kernel**2 * have.channels
        own = Costs(depthwise, depthwise * make.pixels, have.size)
        return own + biased(have, make)

    kernel = stack.architecture[0].kernel_size
    parts = {STEM: biased(stack.image, stack.stem, kernel)}
    made = [stack.stem]
    for layer in stack.layers:
        if not isinstance(layer, ChainBlock):
            raise AssertionError(layer)
        have, make = layer.inside, layer.node
        costs = Costs(kept=make.size)
        if layer.kind == CONVOLUTION:
            costs = biased(have, make) + biased(make, make, layer.kernel)
        elif layer.kind not in POOLS:
            costs = separable(have, make, 1)
            for size in (layer.kernel, 1, layer.kernel):
                costs += separable(make, make, size)
        for source, joins in layer.joins:
            # Pixels between are not read.
            costs += biased(joins.of(made[source].channels), joins)
        # What is joined is another copy.
        keeps = layer.output.size if layer.joins else 0
        parts[layer.name] = costs + Costs(kept=keeps)
        made.append(make)
    last = stack.layers[-1].output
    weights = last.channels * stack.classes
    parts[CLASSIFIER] = Costs(weights + stack.classes, weights)
    return parts


def _residual_block(layer: Layer) -> Costs:
    """Two convolutions; beside them a mean of 2x2 pixels and a 1x1."""
    have, make = layer.inside, layer.output
    shortcut = have.channels * make.channels
    return _sum(
        [
            convolution(have, make, 3),
            convolution(make, make, 3),
            Costs(shortcut, shortcut * make.pixels, make.size // 2),
        ]
    )


def _bench201_edges(
    stack: Stack, layer: Layer, cell: Bench201Cell
) -> Iterator[Costs]:
    """The edges of a discrete cell, and the sums of its nodes."""
    for operation in find_operations(cell.names):
        yield _discrete_edge(operation, layer.inside, layer.output)
    yield Costs(kept=stack.space.nodes * layer.output.size)


def _bench201_slots(
    stack: Stack, layer: Layer, cell: Bench201Cell | None
) -> Costs:
    """A cell over shared weights: all of them, and what one cell runs."""
    operations = find_operations(stack.space.operations, BENCH201_OPTIONS)
    width, length = layer.width, stack.space.length
    slots = sum(_numbers(o.weight_specs(width)) for o in operations)
    chosen = [operations[place] for place in cell.operations] if cell else []
    products = [operation.multiply_adds(width) for operation in chosen]
    maps = [operation.kept_maps for operation in chosen]
    if cell is None:
        products = [length * max(o.multiply_adds(width) for o in operations)]
        maps = [length * max(o.kept_maps for o in operations)]
    kept = sum(maps) + stack.space.nodes
    return Costs(
        length * slots,
        layer.output.pixels * sum(products),
        kept * layer.output.size,
    )


def _links(stack: Stack, layer: Layer) -> Costs:
    """What brings a layer's inputs to the size of its cell."""
    # The first layer of a supernet reads the stem twice, and its relu is made
    # once.
    twice = stack.architecture is None and layer.number == 0
    return _sum(
        convolution(link.have, link.want, keep_input=not (twice and place))
        for place, link in enumerate(layer.inputs)
        if link.changes
    )


def _numbers(specs: Iterable[WeightSpec]) -> int:
    return sum(spec.size for spec in specs)


def _shared_cell(stack: Stack, layer: Layer, cell: Cell | None) -> Costs:
    """A cell over shared weights: all of its slots, and what one cell runs."""
    space, width, out = stack.space, layer.width, layer.output
    operations = find_operations(space.operations)
    edges = NODE_INPUTS * space.num_nodes
    products = [operation.multiply_adds(width) for operation in operations]
    maps = [operation.kept_maps for operation in operations]
    if cell is None:
        # All tensors but one, which the first node reads.
        ends = space.num_tensors - 1
        run, kept = edges * max(products), edges * max(maps)
    else:
        chosen = [op for node in cell.nodes for _, op in node.edges]
        ends = len(space.ends(cell))
        run = sum(products[op] for op in chosen)
        kept = sum(maps[op] for op in chosen)
    slots = sum(
        NODE_INPUTS * (node + CELL_INPUTS) for node in range(space.num_nodes)
    )
    slot = sum(_numbers(o.weight_specs(width)) for o in operations)
    return Costs(
        slots * slot + space.num_tensors * width**2 + 2 * width,
        out.pixels * (run + ends * width**2),
        # What edges keep and each node's sum; what the last normalization
        # has read, and its output. A loose end keeps no more.
        (kept + space.num_nodes + 2) * out.size,
    )


def _discrete_cell(stack: Stack, layer: Layer, cell: Cell) -> Costs:
    """A cell of its own, and ENAS's convolution before its second input."""
    operations = find_operations(
        stack.space.operations, Options(padding=stack.padding)
    )
    inside, node_map = layer.inside, layer.node
    costs = Costs() if stack.darts else convolution(inside, inside)
    for node in cell.nodes:
        for index, op in node.edges:
            have = inside if index < CELL_INPUTS else node_map
            costs += _discrete_edge(operations[op], have, node_map)
        costs += Costs(kept=node_map.size)
    for index in stack.space.ends(cell):
        if index < CELL_INPUTS and inside != node_map:
            costs += convolution(inside, node_map, keep_input=False)
    return costs + Costs(kept=layer.output.size)


def _discrete_edge(operation: Operation, have: Map, make: Map) -> Costs:
    strides = have.height // make.height
    before, behind = operation.discrete_maps(strides)
    return Costs(
        _numbers(operation.discrete_specs(make.channels, strides)),
        make.pixels * operation.multiply_adds(make.channels, strides),
        before * have.size + behind * make.size,
    )


def _auxiliary(head: Auxiliary, classes: int) -> Costs:
    """The auxiliary head; only its first relu is large enough to count."""
    first, second = head.maps
    costs = convolution(first.of(head.read.channels), first)
    costs += convolution(first, second, head.kernel)
    weights = second.channels * classes
    numbers = weights + head.bias * classes
    if not head.last_norm:
        numbers -= 2 * second.channels
    return Costs(
        costs.parameters + numbers,
        costs.multiply_adds + weights,
        head.read.size,
    )
