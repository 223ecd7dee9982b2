"""Memory that a final training needs, counted from its settings.

The architecture is known, so what each of its operations keeps for the
gradient is counted, at the size where it stands. No network is built.
"""

from nascore.networks import costs
from nascore.networks.stack import Stack
from nascore.process.memory import FLOAT, Need, peak
from nascore.spaces.cells import NODE_INPUTS
from nascore.training.config import FinalConfig
from nascore.training.provenance.images import FinalData

# What TensorFlow's allocator holds on a CPU, over what is counted: nothing,
# unlike with the many functions of a supernet. Measured (results/memory).
_SLACK = 1.0
# Bytes of compiled graphs, layers and files: of any training, and for each
# edge of each layer. Measured.
_GRAPH = 230 * 2**20
_GRAPH_EDGE = 0.8 * 2**20
# Of a layer's output size: gradients that exist at the same time.
_BACKWARD = 6


def count_held(stack: Stack) -> int:
    """Numbers that a training step holds of one image.

    Those that are kept until the gradient has come by, and gradients.

    Args:
      stack: the plan of the network.
    """
    maps = [*stack.stems]
    for layer in stack.layers:
        maps += [layer.inside, layer.output]
    largest = max(map.size for map in maps)
    return costs.total(costs.count(stack)).kept + _BACKWARD * largest


def estimate(
    config: FinalConfig, data: FinalData, base: int, replicas: int = 1
) -> Need:
    """What a final training needs at its peak.

    Args:
      config: of the training.
      data: its images, loaded.
      base: bytes that the process held before it loaded them.
      replicas: devices that share each batch; the need is that of one.
    """
    training, network = config.training, config.network
    source = data.source
    stack = config.stack(source.image_shape, source.classes)
    numbers = count_held(stack)
    weights = costs.total(costs.count(stack)).parameters
    images = training.batch_size // (training.accumulate * replicas)
    size = FLOAT if training.precision == "float32" else FLOAT // 2
    # Weight, momentum, gradient; the average, and the sum of the parts.
    copies = 3 + (training.ema_decay > 0) + (training.accumulate > 1)
    splits = (source.train, source.validation, source.search_test, source.test)
    edges = NODE_INPUTS * network.num_nodes * len(stack.layers)
    return Need(
        {
            "process": base,
            # Of those that are trained on there is a copy in one piece.
            "images": data.train.images.nbytes
            + sum(split.images.nbytes for split in splits),
            "graph": int(_GRAPH + _GRAPH_EDGE * edges),
        },
        {
            "activations": int(_SLACK * size * images * numbers),
            "weights": copies * FLOAT * weights,
            "images for training": data.train.images.nbytes,
        },
        (
            "--batch_size",
            "--filters",
            "--num_layers",
            "--image_size (or raise --accumulate)",
        ),
        peak(),
    )
