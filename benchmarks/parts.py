"""The parts of an ENAS search without a run folder, to be timed."""

from typing import NamedTuple, cast

from enas.config import EnasConfig
from enas.controller import LstmController
from enas.search import parts_of
from nascore.data.images import ImageData
from nascore.evaluators.shared_weights import SharedWeights
from nascore.evaluators.weights import TrainWeights
from nascore.networks.shared_cell import SharedCell
from nascore.networks.supernet import Supernet
from nascore.search.assemble import one_shot
from nascore.search.phases import AskTell


class Parts(NamedTuple):
    """What a search of ENAS is made of.

    Attributes:
      controller: the strategy.
      shared: the evaluator.
      training: of the shared weights.
      asking: the controller's phase.
    """

    controller: LstmController
    shared: SharedWeights
    training: TrainWeights
    asking: AskTell


def make_parts(
    config: EnasConfig, data: ImageData, cell: type[SharedCell] = SharedCell
) -> Parts:
    """Builds the parts.

    Args:
      config: of the search.
      data: its images.
      cell: how the layers of the supernet are computed.
    """
    supernet = Supernet(config.child, data.image_shape, data.classes, cell)
    shared = SharedWeights(supernet, data, config.weights)
    controller = LstmController(config.child.space, config.controller)
    asked = parts_of(controller, config.controller, None)
    training = TrainWeights(
        shared, asked.sample, data.train, config.data, config.search.seed
    )
    _, asking, _ = one_shot(
        config.child.space, training, shared, asked, config.search
    )
    return Parts(controller, shared, training, cast(AskTell, asking))
