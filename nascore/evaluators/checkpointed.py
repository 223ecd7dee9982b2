"""The shared weights of a run, as its newest checkpoint has them."""

from pathlib import Path
from typing import TypeVar

from nascore.data.config import DataConfig
from nascore.data.images import ImageData
from nascore.errors import InputError
from nascore.evaluators.config import SharedWeightsConfig
from nascore.evaluators.networks import ChildConfig, make_weights
from nascore.evaluators.shared_weights import SharedWeights
from nascore.process import runtime
from nascore.runs.checkpoints import Checkpoints

Weights = TypeVar("Weights", bound=SharedWeights)


def load_weights(
    supernet: ChildConfig,
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
    shared = make_weights(supernet, config, data, data_config.standardize)
    return restore(shared, run_dir)


def restore(weights: Weights, run_dir: Path) -> Weights:
    """Gives an evaluator the weights of a run; returns it.

    Args:
      weights: of the same network.
      run_dir: the run folder; nothing in it is changed.

    Raises:
      InputError: no checkpoint that can be read.
    """
    checkpoints = Checkpoints(run_dir / "checkpoints", weights.state)
    if not checkpoints.restore(whole=False):
        raise InputError(
            f"{run_dir} has no checkpoint yet; let the search finish an epoch"
        )
    return weights
