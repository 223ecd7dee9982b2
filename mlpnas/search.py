"""The MLPNAS search (overview paper, section 4): sample, train, learn.

Its whole state is in a checkpoint after each epoch of the controller, and
what was trained of an epoch when it is interrupted; every random draw is a
function of the seed and of the place in the search.
"""

import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import NoReturn

import keras
import numpy as np
import tensorflow as tf

from mlpnas.candidates import CandidatePool, choose_jobs
from mlpnas.config import MlpnasConfig
from mlpnas.controller import make_controller
from mlpnas.data.load import MlpData, load
from mlpnas.dense import initial_weights
from mlpnas.policy import PolicyTrainer
from mlpnas.records import Measured, Proposal, Records
from mlpnas.sampling import Sampler
from mlpnas.tasks import Task, Trained, TrainerSettings
from mlpnas.trained_store import TrainedStore
from mlpnas.weight_bank import WeightBank
from nascore.errors import RunStopped
from nascore.process.runtime import make_deterministic
from nascore.runs.checkpoints import Checkpoints
from nascore.runs.folder import RunFolder
from nascore.runs.interrupts import Interrupted, StopRequest
from nascore.runs.progress import Progress
from nascore.runs.stopwatch import Stopwatch
from nascore.seeds import Stream, fold
from nascore.spaces.perceptrons import MlpArchitecture

# A candidate's place among the tasks, and what its training gave.
Result = tuple[int, Trained]


class Search:
    """An MLPNAS search in a run folder.

    Args:
      config: decides the result.
      run: where everything is written; an earlier part of the same search
        in it is continued.
      data: the examples; loaded as the configuration says if None.
      pool: trains candidates; by default in processes of this machine.
      jobs: candidates trained at the same time; 0 means one for each core,
        unless there is too little to do.
      checkpoint_minutes: saves at least this often.

    Raises:
      InputError: settings that do not fit the data or the run folder.
    """

    def __init__(
        self,
        config: MlpnasConfig,
        run: RunFolder,
        data: MlpData | None = None,
        pool: CandidatePool | None = None,
        jobs: int = 0,
        checkpoint_minutes: float = 10.0,
    ) -> None:
        self.config = config
        self.data = load(config.data) if data is None else data
        self.space = config.space.space(self.data.classes)
        self.checkpoint_seconds = 60 * checkpoint_minutes
        if config.search.deterministic:
            make_deterministic()
        keras.utils.set_random_seed(config.search.seed)
        self.policy = PolicyTrainer(
            make_controller(self.space, config.policy), config.policy
        )
        self.sampler = Sampler(self.policy, config)
        self.bank = WeightBank(config.training.bank_megabytes)
        self.pool = pool or CandidatePool(
            trainer_settings(config, self.space.outputs),
            self.data.fingerprint,
            self.data.train,
            self.data.validation,
            jobs or choose_jobs(count_passes(config, self.data)),
        )
        # Trained candidates of the epoch under way, by their place in it,
        # and the best of all, by their number.
        self._pending = TrainedStore()
        self.best = TrainedStore()
        self._epoch = tf.Variable(0, trainable=False)
        self._stopwatch = Stopwatch()
        method = "mlpnas" if config.policy.controller == "lstm" else "random"
        self.records = Records(run, config, method, self.data, self.space)
        self.checkpoints = Checkpoints(
            run.path / "checkpoints",
            self._variables(),
            check=self.records.ledger.check,
        )
        self.resumed = self.checkpoints.restore()
        self.records.rewind()
        self._saved = time.monotonic()
        self._stopwatch.go_on()

    @property
    def epoch(self) -> int:
        """The epoch that is under way, from 0."""
        return int(self._epoch)

    def _variables(self) -> dict:
        """The state, each part under a name of its own."""
        policy = {
            f"policy_{number}": variable
            for number, variable in enumerate(self.policy.state)
        }
        return {
            **policy,
            "epoch": self._epoch,
            "seconds": self._stopwatch.noted,
            "weight_bank": self.bank,
            "pending": self._pending,
            "best": self.best,
            "tables": self.records.ledger,
        }

    def run(self) -> list[Measured]:
        """Searches to the last epoch; returns the best, best first.

        Raises:
          Interrupted: a signal came; the state was saved.
          RunStopped: a process of the pool died, the policy's loss is not
            finite, or no training went well.
        """
        search = self.config.search
        self._progress = Progress(
            search.epochs * search.architectures,
            len(self.records.measured) + len(self._pending.entries),
            "architectures",
        )
        stopped = False
        with StopRequest() as self._stop, self.pool:
            while self.epoch < search.epochs and not stopped:
                stopped = not self._run_epoch()
        self._progress.close()
        if self.records.ranking(1)[0].diverged:
            raise RunStopped(
                f"all {len(self.records.measured)} architectures diverged in "
                "training, see candidates.csv; lower --child_lr in a new run"
            )
        top = self.config.finetune.top
        self.records.finish(top, self.epoch, stopped)
        return self.records.ranking(top)

    def _run_epoch(self) -> bool:
        """Returns False if there is nothing new to train."""
        seen = {entry.architecture for entry in self.records.measured}
        sequences, uniform = self.sampler.sample(self.epoch, seen)
        if not len(sequences):
            self._progress.line(
                f"ended after {self.epoch} epochs: no new architecture was "
                f"found; {len(self.records.measured)} of "
                f"{self.space.size():.3g} are measured"
            )
            return False
        proposals, tasks = self._propose(sequences)
        results = self._train(tasks)
        losses = self._learn(sequences, proposals, results)
        row = self.records.end_epoch(
            self.epoch,
            proposals,
            {
                "drawn_uniformly": uniform,
                "diverged": sum(t.diverged_at is not None for t in results),
                **losses,
                "bank_megabytes": self.bank.size / 1e6,
                "seconds": round(self._stopwatch.seconds, 3),
            },
        )
        self._epoch.assign(self.epoch + 1)
        self._pending.entries.clear()
        self._stopwatch.restart()
        self._save()
        self._report(row)
        return True

    def _report(self, row: Mapping[str, float]) -> None:
        """Prints an epoch's line."""
        best = self.records.ranking(1)[0]
        text = (
            f"epoch {self.epoch}/{self.config.search.epochs}: "
            f"{row['architectures']} new architectures, score "
            f"{row['score_mean']:.1%} +- {row['score_std']:.1%}, best "
            f"{best.score:.1%} ({self.space.format(best.architecture)})"
        )
        if row["diverged"]:
            text += f", {row['diverged']:.0f} diverged (see candidates.csv)"
        if np.isfinite(row["predictor_correlation"]):
            text += (
                ", predicted with a rank correlation of "
                f"{row['predictor_correlation']:+.2f}"
            )
        self._progress.line(text)

    def _propose(
        self, sequences: np.ndarray
    ) -> tuple[list[Proposal], list[Task]]:
        """Notes what the policy says, and gives each its first weights."""
        scored = self.policy.score(tf.constant(sequences))
        log_probs = scored.log_probs.numpy().sum(1)
        proposals, tasks = [], []
        first = len(self.records.measured)
        for place, ids in enumerate(sequences):
            architecture = self.space.decode(ids)
            task = make_task(
                self.config, self.data, architecture, first + place
            )
            shared = 0
            if self.config.training.one_shot:
                weights, shared = self.bank.look_up(architecture, task.weights)
                task = task._replace(weights=weights)
            tasks.append(task)
            proposals.append(
                Proposal(
                    architecture,
                    float(log_probs[place]),
                    float(scored.entropy[place]),
                    float(scored.predicted[place]),
                    shared,
                )
            )
        return proposals, tasks

    def _train(self, tasks: Sequence[Task]) -> list[Trained]:
        """Trains the candidates that are not trained yet."""
        done = self._pending.entries
        places = [place for place in range(len(tasks)) if place not in done]
        label = f"epoch {self.epoch + 1}/{self.config.search.epochs}"
        results = self.pool.train([tasks[place] for place in places])
        try:
            for place, trained in self._wait_for(results):
                done[places[place]] = trained
                score = f"{trained.score(self.config.training.score):.1%}"
                self._progress.advance(1, label, score=score)
                if time.monotonic() - self._saved > self.checkpoint_seconds:
                    self._save_within_epoch()
        except RunStopped:
            self._save_within_epoch()
            raise
        return [done[place] for place in range(len(tasks))]

    def _wait_for(self, results: Iterator[Result]) -> Iterator[Result]:
        """The results as they come; what still runs at a signal is given up.

        It can take longer than the system lets a process live that it has
        told to stop.
        """
        while True:
            try:
                with self._stop.waiting():
                    result = next(results, None)
            except KeyboardInterrupt:
                self._interrupt(self._stop.signum or signal.SIGINT)
            if result is None:
                return
            yield result

    def _learn(
        self,
        sequences: np.ndarray,
        proposals: Sequence[Proposal],
        results: Sequence[Trained],
    ) -> dict[str, float]:
        """Stores weights, writes rows, trains the controller."""
        if self.config.training.one_shot:
            # In the order of sampling, whichever was ready first.
            for proposal, trained in zip(proposals, results, strict=True):
                # What diverged would be the end of all that shares with it.
                if trained.diverged_at is None:
                    self.bank.store(proposal.architecture, trained.weights)
        rule = self.config.training.score
        scores = tf.constant([t.score(rule) for t in results], tf.float32)
        rewards = self.policy.rewards(scores)
        first = len(self.records.measured)
        self.records.add(self.epoch, proposals, results, rewards.numpy())
        for place, trained in enumerate(results):
            self.best.entries[first + place] = trained
        kept = self.records.ranking(self.config.finetune.top)
        self.best.entries = {
            entry.number: self.best.entries[entry.number] for entry in kept
        }
        measured = self.records.measured
        known = [self.space.encode(entry.architecture) for entry in measured]
        try:
            loss = self.policy.train(tf.constant(sequences), scores)
            error = self.policy.train_predictor(
                tf.constant(np.array(known)),
                tf.constant([entry.score for entry in measured], tf.float32),
            )
        except FloatingPointError as fault:
            raise RunStopped(
                f"stopped: {fault} after the architectures of epoch "
                f"{self.epoch + 1}; the last checkpoint is intact. Lower "
                "--controller_lr or --predictor_lr in a new run"
            ) from None
        return {"policy_loss": loss, "predictor_error": error}

    def _interrupt(self, signum: int) -> NoReturn:
        self._save_within_epoch()
        self._progress.close()
        raise Interrupted(
            signum,
            f"interrupted after {self.epoch} epochs and "
            f"{len(self._pending.entries)} architectures of the next; "
            "everything is saved",
        )

    def _save_within_epoch(self) -> None:
        self._stopwatch.note()
        self._save()

    def _save(self) -> None:
        self.checkpoints.save()
        self._saved = time.monotonic()


def make_task(
    config: MlpnasConfig,
    data: MlpData,
    architecture: MlpArchitecture,
    number: int,
) -> Task:
    """The training of candidate `number` from fresh weights."""
    seed = config.search.seed
    weights = initial_weights(
        architecture,
        data.features,
        config.space.space(data.classes).outputs,
        fold(seed, Stream.MLP_WEIGHTS, number),
    )
    low, high = fold(seed, Stream.MLP_TRAINING, number).numpy().tolist()
    return Task(
        architecture, weights, (low, high), config.training.child_epochs
    )


def count_passes(config: MlpnasConfig, data: MlpData) -> float:
    """Examples that all candidates of a search see, in all their epochs."""
    candidates = float(config.search.epochs * config.search.architectures)
    epochs = config.training.child_epochs
    return len(data.train.labels) * epochs * candidates


def trainer_settings(config: MlpnasConfig, outputs: int) -> TrainerSettings:
    """How the candidates of a search are trained."""
    training = config.training
    return TrainerSettings(
        outputs,
        training.batch_size,
        training.child_lr,
        training.patience,
        config.space.dropout_rate,
        deterministic=config.search.deterministic,
    )
