"""Memory that a search needs, from its settings; no network is built."""

from darts.config import DartsConfig, Shared201DartsConfig
from darts.mixture import mixed_operations
from darts.parts import layout_of
from nascore.data.images import ImageData
from nascore.networks import costs
from nascore.networks.layouts import REDUCTION
from nascore.networks.operations.catalogue import find_operations
from nascore.networks.stack import plan
from nascore.process.memory import FLOAT, Need, peak

# Maps of a tensor's size that each tensor of a cell brings along: itself, and
# what the operations without weights make of it.
_TENSOR = 4
# Maps of the output's size that a residual block keeps.
_RESIDUAL = 6
# Maps that exist while an edge is differentiated. Measured.
_BACKWARD = 24
# Bytes of compiled graphs, figures and buffers of files. Measured.
_GRAPH = 500 * 2**20


def estimate(
    config: DartsConfig | Shared201DartsConfig, data: ImageData, base: int
) -> Need:
    """See `nascore.search.assemble.Assembly.estimate`."""
    child, groups = config.child, config.alphas.channel_groups
    layout = layout_of(child)
    stack = plan(child, data.image_shape, data.classes)
    names = mixed_operations(layout, config.alphas)
    kept = sum(operation.kept_maps for operation in find_operations(names))
    maps = weights = 0
    for layer in stack.layers:
        size = layer.inside.size
        if stack.bench201 and layer.kind == REDUCTION:
            maps += _RESIDUAL * layer.output.size
            weights += costs.count(stack)[layer.name].parameters
            continue
        edges = len(layout.edges) * (kept + len(names) / 4) / groups
        maps += int(size * (edges + _TENSOR * (2 + child.num_nodes)))
        for operation in find_operations(names):
            specs = operation.weight_specs(layer.width // groups)
            weights += len(layout.edges) * sum(spec.size for spec in specs)
    largest = max(layer.inside.size for layer in stack.layers)
    numbers = config.weights.batch_size * (maps + _BACKWARD * largest)
    size_of = FLOAT if child.precision == "float32" else FLOAT // 2
    copied = sum(
        split.images.nbytes
        for split in (data.train, data.validation, data.search_test)
    )
    # Weights, momenta, gradients; in second order two copies more.
    copies = 4 + 3 * (config.alphas.order == "second")
    return Need(
        {
            "process": base,
            "images": copied + data.test.images.nbytes,
            "graph": _GRAPH,
        },
        {
            "activations": int(size_of * numbers),
            "weights": copies * FLOAT * weights,
            "images for training": copied,
        },
        ("--batch_size", "--filters", "--num_layers", "--image_size"),
        peak(),
    )
