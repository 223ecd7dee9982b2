"""Accuracies of given architectures with shared weights as they are."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

from enas.child import Child
from enas.config import EnasConfig
from nascore.data.images import ImageData
from nascore.errors import InputError
from nascore.networks.supernet import Supernet
from nascore.process import runtime
from nascore.runs.checkpoints import Checkpoints
from nascore.spaces.cells import Architecture


@dataclasses.dataclass(frozen=True)
class Scored:
    """What the shared weights make of an architecture.

    Attributes:
      architecture: the architecture.
      validation_accuracy: on the whole validation set; rankings go by it.
      search_test_accuracy: on images that neither the weights nor the
        controller learned from.
    """

    architecture: Architecture
    validation_accuracy: float
    search_test_accuracy: float


def score(
    child: Child,
    architecture: Architecture,
    pause: Callable[[], None] = lambda: None,
) -> Scored:
    """Measures one architecture; `pause` as in `Child.accuracy_on`."""
    values = tf.constant(architecture.to_array()[None])
    return Scored(
        architecture,
        child.accuracy_on(child.validation_images, values, pause),
        child.accuracy_on(child.search_test_images, values, pause),
    )


def load_child(config: EnasConfig, data: ImageData, run_dir: Path) -> Child:
    """Makes a child with the shared weights of a run's newest checkpoint.

    Args:
      config: the run's configuration.
      data: the run's images.
      run_dir: the run folder; nothing in it is changed.

    Raises:
      InputError: no checkpoint that can be read.
    """
    runtime.configure()
    supernet = Supernet(config.child, data.image_shape, data.classes)
    child = Child(supernet, data, config)
    checkpoints = Checkpoints(
        run_dir / "checkpoints", weight_names(child.weights)
    )
    if not checkpoints.restore(whole=False):
        raise InputError(
            f"{run_dir} has no checkpoint yet; let the search finish an epoch"
        )
    return child


def weight_names(weights: list[tf.Variable]) -> dict[str, tf.Variable]:
    """The names of the shared weights in a checkpoint."""
    return {f"weight_{place}": weight for place, weight in enumerate(weights)}
