"""The training of one recurrent cell in a run folder; see `training.run`."""

import math
from typing import Any

import numpy as np
import tensorflow as tf

from nascore.data import text
from nascore.data.text import TextData
from nascore.errors import RunStopped
from nascore.process.memory import FLOAT, Need, peak
from nascore.process.runtime import configure, device_names
from nascore.runs.atomic import write_json
from nascore.runs.config import FINAL_END, LANGUAGE_METHOD
from nascore.runs.folder import RunFolder
from nascore.training.epochs import Epochs
from nascore.training.language.config import FinalLanguageConfig
from nascore.training.language.learner import Learner, starts_to_average
from nascore.training.language.model_file import export

# Seconds that test, model and figures take at the end, at least.
_FILES = 10.0


class LanguageTraining(Epochs):
    """A training of one cell on one text.

    After each epoch the validation text is read, with the averages of the
    weights once there are some. The weights of the best epoch are kept, tested
    once at the end, and exported.

    Args:
      config: decides the result.
      run: where everything is written; an earlier part of the same training
        in it is continued.
      data: the text; loaded as the configuration says if None.
      checkpoint_minutes: saves at least this often, and after every epoch.

    Raises:
      InputError: settings that do not fit the text or the run folder.
    """

    def __init__(
        self,
        config: FinalLanguageConfig,
        run: RunFolder,
        data: TextData | None = None,
        checkpoint_minutes: float = 10.0,
    ) -> None:
        self.config = config
        configure(config.training.deterministic)
        self.data = text.load(config.data) if data is None else data
        self.learner = Learner(config, self.data)
        run.record_start(
            {
                "method": LANGUAGE_METHOD,
                "data": self.data.describe(),
                "parameters": self.parameters,
                "devices": device_names(),
            },
            config,
            config.network.space,
        )
        super().__init__(
            run,
            self.learner.state,
            config.training.epochs,
            checkpoint_minutes,
        )

    @property
    def parameters(self) -> int:
        """Weights of the model."""
        return sum(w.shape.num_elements() for w in self.learner.weights)

    def steps(self, epoch: int) -> int:
        """See `Epochs.steps`."""
        return len(self.learner.windows.of(epoch)[0])

    def seconds_to_end(self) -> float:
        """See `Epochs.seconds_to_end`."""
        return _FILES

    def learn(self, epoch: int, start: int, stop: int) -> None:
        """See `Epochs.learn`."""
        number, healthy, loss, norm = self.learner.train(
            *(tf.constant(cut) for cut in self.learner.windows.of(epoch)),
            *(tf.constant(n) for n in (epoch, start, stop)),
        )
        if not bool(healthy):
            raise RunStopped(
                f"stopped: the training exploded in epoch {epoch + 1}, "
                f"window {int(number)}: loss {float(loss):g}, norm of the "
                f"gradient {float(norm):g}; the last checkpoint is from "
                "before. Lower --text_lr or --clip_norm, in a new run"
            )

    def measure(self, epoch: int) -> dict[str, Any]:
        """See `Epochs.measure`."""
        seconds = self.lifecycle.stopwatch.seconds
        nats, averaged = self._validate()
        steps = int(self.learner.windows.of(epoch)[1].sum())
        tokens = steps * self.config.windows.batch_size
        loss = float(self.learner.loss) / steps
        return {
            "epoch": epoch,
            "loss": loss,
            "perplexity": _perplexity(loss),
            "validation_loss": nats,
            "validation_perplexity": _perplexity(nats),
            "averaged": int(averaged),
            "seconds": round(seconds, 3),
            "tokens_per_second": round(tokens / seconds, 1),
        }

    def conclude(self, row: dict[str, Any]) -> str:
        """See `Epochs.conclude`."""
        losses = self._losses()
        starts = not row["averaged"] and starts_to_average(
            losses, self.config.training.average_after
        )
        if starts:
            self.learner.start_averaging()
        self.learner.loss.assign(0.0)
        return (
            f"perplexity {row['perplexity']:.2f}, validation "
            f"{row['validation_perplexity']:.2f} "
            f"(best {_perplexity(min(losses)):.2f})"
            + ", weights are averaged from here on"
            * starts
        )

    def _losses(self) -> list[float]:
        """Those of the validation after each epoch so far."""
        rows = self.run_folder.read("epochs")
        return [float(row["validation_loss"]) for row in rows]

    def _validate(self) -> tuple[float, bool]:
        """Mean nats, and whether of averaged weights; keeps the best."""
        learner = self.learner
        averaged = int(learner.averaging) > 1
        kept = learner.swap(learner.averages) if averaged else None
        nats = learner.evaluate("validation")
        self.note_validation()
        if nats < min(self._losses(), default=math.inf):
            learner.keep_best()
        if kept is not None:
            learner.swap(kept)
        if not math.isfinite(nats):
            raise RunStopped(
                "stopped: the validation loss is not finite; the last "
                "checkpoint is from before. Lower --text_lr, in a new run"
            )
        return nats, averaged

    def finish(self) -> dict[str, object]:
        """Tests the best epoch's weights, and writes model and end file."""
        learner, run = self.learner, self.run_folder
        losses = self._losses()
        best = int(np.argmin(losses))
        kept = learner.swap(learner.best)
        nats = learner.evaluate("test")
        found: dict[str, object] = {
            "measured_on": "the test text, once, with the weights of the "
            "epoch of the lowest validation loss",
            "epochs": self.epoch,
            "architecture": self.config.training.architecture,
            "parameters": self.parameters,
            "best_epoch": best + 1,
            "validation_perplexity": _perplexity(losses[best]),
            "test_perplexity": _perplexity(nats),
            "test_nats": nats,
            "test_bits": nats / math.log(2),
            "test_tokens": len(self.data.test),
        }
        export(learner.model, self.config, self.data, run.path, found)
        learner.swap(kept)
        write_json(run.path / FINAL_END, found)
        return found


def _perplexity(nats: float) -> float:
    return math.exp(min(nats, 80.0))


def estimate(config: FinalLanguageConfig, data: TextData, base: int) -> Need:
    """The memory that a training needs.

    Args:
      config: the settings.
      data: the text.
      base: bytes that the process held before.
    """
    network, windows = config.network, config.windows
    vocabulary, units = len(data.vocabulary), network.hidden_units
    longest = windows.window + (20 if windows.jitter else 0)
    tokens = longest * windows.batch_size
    nodes = network.num_nodes + 1
    weights = vocabulary * (units + 1) + (2 + 2 * nodes) * units**2
    return Need(
        {
            "process": base,
            "text": 8 * (len(data.train) + len(data.validation)),
            "graph": 300 * 2**20,
        },
        {
            "activations": FLOAT
            * tokens
            * (14 * nodes * units + 3 * vocabulary),
            # Also averages, the best ones, and copies while they are put in.
            "weights": 6 * FLOAT * weights,
        },
        ("--batch_size", "--vocabulary", "--hidden_units", "--window"),
        peak(),
    )
