"""The training of one recurrent cell in a run folder; see `training.run`."""

import math
import time

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
from nascore.runs.interrupts import TimeUp
from nascore.runs.lifecycle import Lifecycle
from nascore.runs.progress import NO_TERMS, Outlook, Terms, Work
from nascore.runs.tensorboard import Board
from nascore.training.language.config import FinalLanguageConfig
from nascore.training.language.learner import Learner, starts_to_average
from nascore.training.language.model_file import export

_STEPS, _VALIDATIONS = "steps", "validations"
# Seconds that test, model and figures take at the end, at least.
_FILES = 10.0


class LanguageTraining:
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

    Attributes:
      cut: whether it ended before its last epoch, and can go on.

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
        self.cut = False
        self.config = config
        self.run_folder = run
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
        self.board = Board(run.path / "tensorboard")
        self._position = {
            name: tf.Variable(0, trainable=False, name=name)
            for name in ("epoch", "step")
        }
        self.lifecycle = Lifecycle(
            run,
            {**self.learner.state, **self._position},
            ["epochs"],
            checkpoint_minutes,
            lambda: f"in epoch {self.epoch + 1}",
        )

    @property
    def parameters(self) -> int:
        """Weights of the model."""
        return sum(w.shape.num_elements() for w in self.learner.weights)

    @property
    def epoch(self) -> int:
        """The epoch that is under way, from 0."""
        return int(self._position["epoch"])

    @property
    def step(self) -> int:
        """Windows that were learned in this epoch."""
        return int(self._position["step"])

    def run(self, terms: Terms = NO_TERMS, finish: bool = False) -> None:
        """Trains to the last epoch, or as long as there is time.

        Args:
          terms: of this start.
          finish: trains no further.

        Raises:
          Interrupted: a signal came; the state was saved.
          RunStopped: the loss exploded, or no epoch has ended.
        """
        epochs = self.config.training.epochs
        steps = len(self.learner.windows.of(0)[0])
        done = self.epoch * steps + self.step
        outlook = Outlook(self._left, lambda: _FILES)
        with self.lifecycle.working(
            epochs * steps, done, _STEPS, outlook, terms
        ):
            try:
                while self.epoch < epochs and not finish:
                    self._run_epoch()
            except TimeUp:
                self.lifecycle.say(
                    "time is up (--max_hours) after "
                    f"{self.epoch} of {epochs} epochs"
                )
        self.cut = self.epoch < epochs
        if not self.epoch:
            raise RunStopped(
                "no epoch has ended yet, so there is nothing to test; "
                "everything is saved"
            )

    def _left(self) -> Work:
        """Steps and validations that are to come; about as many each epoch."""
        epochs = self.config.training.epochs - self.epoch
        steps = len(self.learner.windows.of(self.epoch)[0])
        return {
            _STEPS: float(max(0, epochs * steps - self.step)),
            _VALIDATIONS: float(epochs),
        }

    def _run_epoch(self) -> None:
        epoch = self.epoch
        firsts, lengths = self.learner.windows.of(epoch)
        cuts = (tf.constant(firsts), tf.constant(lengths))
        self.lifecycle.stop_in_time()
        for start, stop in self.lifecycle.stretches(
            self.step, len(firsts), kind=_STEPS
        ):
            number, healthy, loss, norm = self.learner.train(
                *cuts, *(tf.constant(n) for n in (epoch, start, stop))
            )
            if not bool(healthy):
                raise RunStopped(
                    f"stopped: the training exploded in epoch {epoch + 1}, "
                    f"window {int(number)}: loss {float(loss):g}, norm of the "
                    f"gradient {float(norm):g}; the last checkpoint is from "
                    "before. Lower --text_lr or --clip_norm, in a new run"
                )
            self._position["step"].assign(stop)
            self.lifecycle.advance(stop - start, f"epoch {epoch + 1}")
        self._end_epoch(epoch, int(lengths.sum()))
        self.lifecycle.stop_if_asked()

    def _end_epoch(self, epoch: int, steps: int) -> None:
        learner, training = self.learner, self.config.training
        seconds = self.lifecycle.stopwatch.seconds
        nats, averaged = self._validate()
        before = [
            float(row["validation_loss"])
            for row in self.run_folder.read("epochs")
        ]
        tokens = steps * self.config.windows.batch_size
        loss = float(learner.loss) / steps
        row = {
            "epoch": epoch,
            "loss": loss,
            "perplexity": _perplexity(loss),
            "validation_loss": nats,
            "validation_perplexity": _perplexity(nats),
            "averaged": int(averaged),
            "seconds": round(seconds, 3),
            "tokens_per_second": round(tokens / seconds, 1),
        }
        self.run_folder.append("epochs", [row])
        self.board.scalars(
            epoch, {k: v for k, v in row.items() if k != "epoch"}
        )
        started = not averaged and starts_to_average(
            [*before, nats], training.average_after
        )
        if started:
            learner.start_averaging()
        learner.loss.assign(0.0)
        self._position["epoch"].assign(epoch + 1)
        self._position["step"].assign(0)
        self.lifecycle.end_epoch()
        best = min([nats, *before])
        self.lifecycle.line(
            f"epoch {epoch + 1}/{training.epochs}: perplexity "
            f"{row['perplexity']:.2f}, validation "
            f"{row['validation_perplexity']:.2f} (best {_perplexity(best):.2f})"
            + ", weights are averaged from here on"
            * started
        )

    def _validate(self) -> tuple[float, bool]:
        """Mean nats, and whether of averaged weights; keeps the best."""
        learner = self.learner
        averaged = int(learner.averaging) > 1
        kept = learner.swap(learner.averages) if averaged else None
        begin = time.monotonic()
        nats = learner.evaluate("validation")
        self.lifecycle.kind = _VALIDATIONS
        self.lifecycle.note(1)
        del begin
        before = [
            float(row["validation_loss"])
            for row in self.run_folder.read("epochs")
        ]
        if not before or nats < min(before):
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
        rows = run.read("epochs")
        losses = [float(row["validation_loss"]) for row in rows]
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
