"""The training of architectures that have no network in common.

Each is a Keras model of its own, whose graph is traced when its turn comes.
Where one network serves all, see `nascore.evaluators.own_training`.
"""

import gc
from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from nascore.data.config import DataConfig
from nascore.data.images import ImageData
from nascore.evaluators.config import SharedWeightsConfig
from nascore.evaluators.inheritance import Individual
from nascore.evaluators.shared_weights import SharedWeights
from nascore.evaluators.weights import TrainWeights
from nascore.runs.checkpoints import State, pack, unpack
from nascore.schedules import CosineRestarts

# Makes the network of an architecture, of the row of its integers; it gives
# logits.
Build = Callable[[np.ndarray], keras.Model]


class RowShape(NamedTuple):
    """What a network takes its architecture as.

    Attributes:
      length: integers of a row.
      array_shape: that they are reshaped to.
    """

    length: int
    array_shape: tuple[int, ...]


class OneNetwork:
    """A network that is that of one architecture, whatever it is asked for.

    Args:
      config: of its layers.
      length: integers of an architecture's row.
      model: none before the first.
    """

    def __init__(
        self, config: Any, length: int, model: keras.Model | None = None
    ) -> None:
        self.config = config
        self.space = RowShape(length, (length,))
        self.model = model
        self.trainable_variables: list[Any] = []
        if model is not None:
            self.trainable_variables = model.trainable_variables

    def __call__(
        self,
        images: tf.Tensor,
        architecture: tf.Tensor,
        training: bool = False,
        seed: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, None]:
        """Logits of images; no auxiliary head, and no dropout to seed."""
        if self.model is None:
            raise AssertionError("no network is built")
        return self.model(images, training=training), None


class UnderTraining(tf.train.experimental.PythonState):
    """The numbers of the network that is trained, between two starts.

    Attributes:
      live: variables of the network, once it is built.
      saved: what they were when it was saved; None: nothing was.
    """

    def __init__(self) -> None:
        self.live: list[tf.Variable] = []
        self.saved: list[np.ndarray] | None = None

    def serialize(self) -> bytes:
        """All as an NPZ file."""
        values = [variable.numpy() for variable in self.live]
        return pack({str(n): value for n, value in enumerate(values)})

    def deserialize(self, string_value: bytes) -> None:
        """Takes over what `serialize` returned, for the next network."""
        arrays = unpack(string_value)
        self.saved = [arrays[str(n)] for n in range(len(arrays))]


class DiscreteTraining:
    """Builds and trains one architecture after the other.

    Normalizations have moving statistics. Each network begins as a function
    of the seed and of its layers.

    Args:
      build: makes their networks.
      layers: settings of these.
      length: integers of an architecture's row.
      data: images; those of the official test set stay untouched.
      config: of the training.
      data_config: how images are changed.
      seed: of the run.
    """

    def __init__(
        self,
        build: Build,
        layers: Any,
        length: int,
        data: ImageData,
        config: SharedWeightsConfig,
        data_config: DataConfig,
        seed: int,
    ) -> None:
        self._build = build
        self._layers = layers
        self._data = data
        self._config = config
        self._data_config = data_config
        self._seed = seed
        self._under_training = UnderTraining()
        self._training: TrainWeights | None = None
        self.supernet = OneNetwork(layers, length)
        self.images = data.train
        self.steps_per_epoch = -(-len(data.train) // config.batch_size)
        self.learning_rate = CosineRestarts(
            config.child_lr_max,
            config.child_lr_min,
            config.child_lr_period,
            config.child_lr_restart == "half",
        )

    @property
    def shared(self) -> "DiscreteTraining":
        """Itself: nothing is shared."""
        return self

    @property
    def image_count(self) -> int:
        """Training images."""
        return len(self.images)

    @property
    def state(self) -> State:
        """The network that is trained."""
        return {"network": self._under_training}

    def begin(self, cells: np.ndarray, *_: Any) -> float:
        """Builds the network of an architecture; nothing is inherited.

        Args:
          cells: the row of its integers.
        """
        self._make(cells)
        return 0.0

    def set_factors(self, cells: np.ndarray, *_: Any) -> None:
        """Goes on with a network that was saved in its training."""
        self._make(cells)
        saved = self._under_training.saved
        if saved is None:
            raise AssertionError("nothing was saved")
        live = self._under_training.live
        for variable, value in zip(live, saved, strict=True):
            variable.assign(value)

    def take(self, cells: np.ndarray) -> Individual:
        """An architecture without its weights, which nobody inherits."""
        return Individual(np.array(cells, np.int32), [])

    def _make(self, cells: np.ndarray) -> None:
        # What the one before has traced would stay.
        self._training = None
        self._under_training.live = []
        keras.utils.clear_session()
        gc.collect()
        keras.utils.set_random_seed(self._seed)
        model = self._build(np.asarray(cells).ravel())
        network = OneNetwork(self._layers, cells.size, model)
        weights = SharedWeights(
            network, self._data, self._config, self._data_config.standardize
        )
        self._training = TrainWeights(
            weights,
            lambda count, seed: count,
            self._data.train,
            self._data_config,
            self._seed,
        )
        moving = [v.value for v in model.non_trainable_variables]
        momenta = self._training.momenta
        self._under_training.live = [*weights.weights, *moving, *momenta]

    @property
    def _current(self) -> TrainWeights:
        if self._training is None:
            raise AssertionError("no network is built")
        return self._training

    def train(self, *arguments: tf.Tensor) -> dict[str, tf.Tensor]:
        """See `TrainWeights.train`."""
        return self._current.train(*arguments)

    def accuracy_of(self, rows: np.ndarray, split: str) -> float:
        """See `SharedWeights.accuracy_of`; of the network that is there."""
        return self._current.shared.accuracy_of(rows, split)
