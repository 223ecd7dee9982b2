"""What measures with the network of a search: new, or as a run has it."""

from pathlib import Path
from typing import Any, TypeVar

from nascore.data.config import DataConfig
from nascore.data.images import ImageData
from nascore.errors import InputError
from nascore.evaluators.config import SharedWeightsConfig
from nascore.evaluators.macro_weights import MacroWeights
from nascore.evaluators.nasbench201.shared201 import Shared201Weights
from nascore.evaluators.shared_weights import SharedWeights
from nascore.networks import supernet as cells
from nascore.networks.bench201 import supernet as bench201
from nascore.networks.bench201.config import Bench201SupernetConfig
from nascore.networks.config import SupernetConfig
from nascore.networks.macro import supernet as macro
from nascore.networks.macro.config import MacroSupernetConfig
from nascore.process import runtime
from nascore.runs.checkpoints import Checkpoints

ChildConfig = SupernetConfig | Bench201SupernetConfig | MacroSupernetConfig
Weights = TypeVar("Weights", bound=SharedWeights)


def make_weights(
    child: ChildConfig,
    config: SharedWeightsConfig,
    data: ImageData,
    standardize: bool,
) -> SharedWeights:
    """Makes the shared weights of a search, at their start.

    Args:
      child: the network.
      config: what a reward is measured on.
      data: the images.
      standardize: whether they are standardized as `data` says.

    Raises:
      InputError: an image size that the reductions do not divide.
    """
    sizes = (data.image_shape, data.classes)
    rest = (data, config, standardize)
    if isinstance(child, Bench201SupernetConfig):
        network = bench201.Bench201Supernet(child, *sizes)
        return Shared201Weights(network, *rest)
    if isinstance(child, MacroSupernetConfig):
        return MacroWeights(macro.MacroSupernet(child, *sizes), *rest)
    return SharedWeights(cells.Supernet(child, *sizes), *rest)


def describe_layers(network: Any) -> list[dict[str, object]]:
    """Lists every layer: name, type, output shape, parameters."""
    if isinstance(network, bench201.Bench201Supernet):
        return bench201.describe_layers(network)
    if isinstance(network, macro.MacroSupernet):
        return macro.describe_layers(network)
    return cells.describe_layers(network)


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
