"""Memory that a search over shared weights needs, from its settings.

No network is built, so that a search that cannot fit is refused at once.
Counted is what a training step keeps for its gradient in the worst case, the
operation that keeps most on every edge: in a long search some architecture
comes close to it.
"""

from typing import Protocol

from nascore.data.images import ImageData
from nascore.evaluators.config import SharedWeightsConfig
from nascore.evaluators.networks import ChildConfig
from nascore.networks import costs
from nascore.networks.macro.config import MacroSupernetConfig
from nascore.networks.stack import Stack, plan
from nascore.process.memory import FLOAT, Need, peak
from nascore.spaces.cells import CELL_INPUTS, NODE_INPUTS

# What the process holds over what is counted. TensorFlow's allocator keeps
# what was freed: a quarter more than is in use. But in a search most
# architectures are mixed and keep less than the worst, and the two cancel.
# Measured (results/memory).
_SLACK = 1.0
# Tensors of a layer's size that exist while it is differentiated: gradients
# of its tensors and of one edge's. Measured: 4 to 10.
_BACKWARD = 8
# Bytes of compiled graphs, figures and buffers of files: of any search, and
# for each edge of each layer. Measured.
_GRAPH = 260 * 2**20
_GRAPH_EDGE = 4.6 * 2**20


def count_kept(stack: Stack) -> tuple[int, int]:
    """Numbers that a training step holds of one image, at its worst.

    Args:
      stack: the plan of the supernet.

    Returns:
      What is kept until the gradient has come by, in stem and layers, beside
      which the heads keep little; and how large one map of the largest layer
      is.
    """
    parts = costs.count(stack)
    names = [costs.STEM, *(layer.name for layer in stack.layers)]
    kept = sum(parts[name].kept for name in names)
    return kept, max(layer.output.size for layer in stack.layers)


class SharedSettings(Protocol):
    """What a configuration of a search over shared weights has."""

    @property
    def child(self) -> ChildConfig:
        """The network of all architectures."""

    @property
    def weights(self) -> SharedWeightsConfig:
        """How its weights are trained and measured."""


def _counts(child: ChildConfig) -> tuple[int, int, str]:
    """Tensors of a layer, edges of all layers, and the precision."""
    if isinstance(child, MacroSupernetConfig):
        # Of the layers before the first reduction all are there at once; a
        # layer is about as many nodes of a graph as two edges of a cell.
        third = child.num_layers // 3 or child.num_layers
        return third + 1, NODE_INPUTS * child.num_layers, "float32"
    edges = NODE_INPUTS * child.num_nodes * len(child.layer_types)
    return child.num_nodes + CELL_INPUTS, edges, child.precision


def estimate(config: SharedSettings, data: ImageData, base: int) -> Need:
    """What a search needs at its peak.

    Args:
      config: of the search.
      data: its images, loaded.
      base: bytes that the process held before it loaded them.
    """
    weights_config, child = config.weights, config.child
    stack = plan(child, data.image_shape, data.classes)
    kept, size = count_kept(stack)
    batch = weights_config.batch_size
    live, edges, precision = _counts(child)
    # A reward is measured forwards: a layer's tensors, edges and ends.
    forward = 3 * live * size
    numbers = max(
        batch * (kept + _BACKWARD * size),
        (weights_config.reward_batch_size or batch) * forward,
    )
    size_of = FLOAT if precision == "float32" else FLOAT // 2
    weights = costs.total(costs.count(stack)).parameters
    copied = sum(
        split.images.nbytes
        for split in (data.train, data.validation, data.search_test)
    )
    return Need(
        {
            "process": base,
            "images": copied + data.test.images.nbytes,
            "graph": int(_GRAPH + _GRAPH_EDGE * edges),
        },
        {
            "activations": int(_SLACK * size_of * numbers),
            # Weight, momentum, gradient, and the gradient with decay.
            "weights": 4 * FLOAT * weights,
            "images for training": copied,
        },
        ("--batch_size", "--filters", "--num_layers", "--image_size"),
        peak(),
    )
