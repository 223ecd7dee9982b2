"""More training for the best architecture, and its test accuracy.

Overview paper, section 5.2: the most promising architecture is trained for
50 more epochs and then tested.
"""

import dataclasses
import time
from collections.abc import Callable

import tensorflow as tf

from mlpnas.candidates.tasks import LayerWeights
from mlpnas.candidates.trainer import Trainer
from mlpnas.config import MlpnasConfig
from mlpnas.data.load import MlpData
from mlpnas.perceptrons import trainer_settings
from nascore.seeds import Stream, fold
from nascore.spaces.perceptrons import MlpArchitecture


@dataclasses.dataclass(frozen=True)
class Finetuned:
    """A network after fine-tuning.

    Attributes:
      weights: of the epoch with the lowest validation loss.
      epochs: trained, beyond those of the search.
      validation_accuracy: with these weights.
      test_accuracy: with these weights.
      searched_test_accuracy: with the weights that the search left.
      seconds: of the fine-tuning.
    """

    weights: list[LayerWeights]
    epochs: int
    validation_accuracy: float
    test_accuracy: float
    searched_test_accuracy: float
    seconds: float


def finetune(
    config: MlpnasConfig,
    data: MlpData,
    architecture: MlpArchitecture,
    weights: list[LayerWeights],
    after_epoch: Callable[[dict[str, float]], None] = lambda row: None,
) -> Finetuned:
    """Trains on from the weights that the search left, then tests.

    Args:
      config: the search's configuration.
      data: the examples; the test part is used once, at the end.
      architecture: hidden layers.
      weights: of all layers.
      after_epoch: called with what each epoch measured.
    """
    begin = time.monotonic()
    tuning = config.finetune
    settings = dataclasses.replace(
        trainer_settings(config, config.space.space(data.classes).outputs),
        patience=tuning.finetune_patience,
        keep_best=True,
    )
    trainer = Trainer(settings, data.train, data.validation)
    trainer.start(architecture, weights)
    _, searched = trainer.evaluate(data.test, weights)
    seed = fold(config.search.seed, Stream.MLP_FINETUNING)
    epoch = 0
    while epoch < tuning.finetune_epochs and not trainer.stopped_early:
        rows = trainer.run(tf.convert_to_tensor(seed), epoch + 1)
        measured = {
            name: float(values[-1]) for name, values in rows._asdict().items()
        }
        after_epoch({"epoch": epoch, **measured})
        epoch += 1
    best = trainer.weights()
    _, validation = trainer.evaluate(data.validation, best)
    _, test = trainer.evaluate(data.test, best)
    return Finetuned(
        best, epoch, validation, test, searched, time.monotonic() - begin
    )
