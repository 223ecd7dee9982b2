"""The shared weights of a run, as its newest checkpoint has them."""

from pathlib import Path

from nascore.data.config import DataConfig
from nascore.data.images import ImageData
from nascore.errors import InputError
from nascore.evaluators.config import SharedWeightsConfig
from nascore.evaluators.shared_weights import SharedWeights
from nascore.networks.config import SupernetConfig
from nascore.networks.supernet import Supernet
from nascore.process import runtime
from nascore.runs.checkpoints import Checkpoints


def load_weights(
    supernet: SupernetConfig,
    config: SharedWeightsConfig,
    data_config: DataConfig,
    data: ImageData,
    run_dir: Path,
) -> SharedWeights:
    """Makes an evaluator of the shared weights of a run.

    Args:
      supernet: the run's.
      config: the run's.
      data_config: the run's.
      data: the run's images.
      run_dir: the run folder; nothing in it is changed.

    Raises:
      InputError: no checkpoint that can be read.
    """
    runtime.configure()
    shared = SharedWeights(
        Supernet(supernet, data.image_shape, data.classes),
        data,
        config,
        data_config.standardize,
    )
    checkpoints = Checkpoints(run_dir / "checkpoints", shared.state)
    if not checkpoints.restore(whole=False):
        raise InputError(
            f"{run_dir} has no checkpoint yet; let the search finish an epoch"
        )
    return shared
