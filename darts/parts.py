"""Alphas and weights of a search, by what it searches."""

from typing import Any

from darts.config import DartsConfig, Shared201DartsConfig
from darts.layout import AlphaLayout
from darts.layout201 import Bench201Layout
from darts.mixture import mixed_operations
from nascore.data.images import ImageData
from nascore.evaluators.config import SharedWeightsConfig
from nascore.evaluators.mixed_weights import MixedWeights
from nascore.evaluators.nasbench201.shared201 import Mixed201Weights
from nascore.networks import mixed_supernet
from nascore.networks.bench201 import supernet as bench201
from nascore.networks.bench201.config import Bench201SupernetConfig
from nascore.networks.mixed_cell import MixedCell
from nascore.networks.mixed_edge import make_mixtures

Layers = list[dict[str, object]]


def layout_of(child: Any) -> AlphaLayout:
    """Which alphas there are.

    Args:
      child: settings of the network of mixed cells.
    """
    if isinstance(child, Bench201SupernetConfig):
        return Bench201Layout()
    return AlphaLayout(child.names, child.num_nodes)


def make_weights(
    config: DartsConfig | Shared201DartsConfig, data: ImageData
) -> tuple[MixedWeights, Layers]:
    """The evaluator of a search, and a list of the layers of its network.

    Args:
      config: the settings.
      data: the images.

    Raises:
      InputError: an image size that the reductions do not divide.
    """
    child, groups = config.child, config.alphas.channel_groups
    layout = layout_of(child)
    names = mixed_operations(layout, config.alphas)
    measure = SharedWeightsConfig(batch_size=config.weights.batch_size)
    sizes, scaled = (data.image_shape, data.classes), config.data.standardize
    if not isinstance(child, Bench201SupernetConfig):
        network = mixed_supernet.MixedSupernet(
            child, layout.wiring, names, *sizes, groups
        )
        mixed = MixedWeights(network, data, measure, names, scaled)
        return mixed, mixed_supernet.describe_layers(network)
    mixtures = make_mixtures(names, bench201.OPTIONS, [1])

    def make_cell(width: int, name: str) -> MixedCell:
        return MixedCell(
            width,
            bench201.WIRING,
            mixtures,
            groups=groups,
            kernel_init=child.kernel_init,
            name=name,
        )

    cells = bench201.Bench201Supernet(child, *sizes, make_cell, groups)
    return (
        Mixed201Weights(cells, data, measure, names, scaled),
        bench201.describe_layers(cells),
    )
