"""The MLPNAS search (overview paper, section 4), put together."""

from collections.abc import Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from mlpnas.candidates.pool import CandidatePool, choose_jobs
from mlpnas.config import MlpnasConfig
from mlpnas.data.load import MlpData, load
from mlpnas.perceptrons import Perceptrons, count_passes, trainer_settings
from mlpnas.rewards import BaselineReward
from mlpnas.strategy import MlpnasStrategy
from nascore.process.runtime import make_deterministic
from nascore.runs.folder import RunFolder
from nascore.runs.tables import Row
from nascore.search.config import SearchConfig
from nascore.search.phases import AskTell, StepSeeds
from nascore.search.search import Search
from nascore.seeds import Stream, fold


class Epoch(AskTell):
    """All of an epoch in one step, and what is said of it; see `AskTell`."""

    strategy: MlpnasStrategy

    def summary(self, epoch: int, rows: Sequence[Row]) -> Mapping[str, float]:
        """See `Phase.summary`."""
        found = super().summary(epoch, rows)
        return {
            "architectures": len(rows),
            **found,
            "drawn_uniformly": int(found["drawn_uniformly"]),
            "shared_layers": sum(int(row["shared_layers"]) for row in rows),
            "diverged": sum(bool(row["note"]) for row in rows),
        }

    def line(self, summary: Mapping[str, float]) -> str:
        """See `Phase.line`."""
        known = self.strategy.known
        best = self.space.decode(known.rows[np.argmax(known.scores)])
        text = (
            f"{summary['architectures']} new architectures, score "
            f"{summary['score_mean']:.1%} +- {summary['score_std']:.1%}, best "
            f"{summary['best_score']:.1%} ({self.space.format(best)})"
        )
        if summary["diverged"]:
            text += f", {summary['diverged']} diverged (see {self.name}.csv)"
        if np.isfinite(summary["predictor_correlation"]):
            text += (
                ", predicted with a rank correlation of "
                f"{summary['predictor_correlation']:+.2f}"
            )
        return text


def make_search(
    config: MlpnasConfig,
    run: RunFolder,
    data: MlpData | None = None,
    checkpoint_minutes: float = 10.0,
    pool: CandidatePool | None = None,
    jobs: int = 0,
) -> Search:
    """Makes a search of MLPNAS, or of random perceptrons if so configured.

    Args:
      config: decides the result.
      run: where everything is written; an earlier part of the same search
        in it is continued.
      data: the examples; loaded as the configuration says if None.
      checkpoint_minutes: saves at least this often.
      pool: trains candidates; by default in processes of this machine.
      jobs: candidates trained at the same time; 0 means one for each core,
        unless there is too little to do.

    Raises:
      InputError: settings that do not fit the data or the run folder.
    """
    data = load(config.data) if data is None else data
    length = config.search
    if length.deterministic:
        make_deterministic()
    keras.utils.set_random_seed(length.seed)
    space = config.space.space(data.classes)
    strategy = MlpnasStrategy(space, config.policy)
    evaluator = Perceptrons(config, data, pool or make_pool(config, data, jobs))

    def seeds(epoch: int | tf.Tensor, step: int | tf.Tensor) -> StepSeeds:
        # The strategy folds its turns in; a training's seed follows from the
        # number of its evaluation.
        seed = fold(length.seed, Stream.MLP_ARCHITECTURES, epoch)
        return StepSeeds(seed, seed)

    phase = Epoch(
        space,
        strategy,
        evaluator,
        BaselineReward(config.policy),
        1,
        length.architectures,
        seeds,
    )
    method = "mlpnas" if config.policy.controller == "lstm" else "mlpnas_random"
    return Search(
        run,
        space,
        [phase],
        strategy,
        evaluator,
        _schedule(config),
        config,
        {"method": method, "data": data.describe()},
        checkpoint_minutes,
    )


def _schedule(config: MlpnasConfig) -> SearchConfig:
    top = config.finetune.top
    return SearchConfig(
        seed=config.search.seed,
        epochs=config.search.epochs,
        best_count=max(SearchConfig.best_count, top),
        derive_samples=top,
    )


def make_pool(config: MlpnasConfig, data: MlpData, jobs: int) -> CandidatePool:
    """Makes the processes of this machine that train candidates.

    Args:
      config: decides the results.
      data: the examples.
      jobs: see `make_search`.
    """
    outputs = config.space.space(data.classes).outputs
    return CandidatePool(
        trainer_settings(config, outputs),
        data.fingerprint,
        data.train,
        data.validation,
        jobs or choose_jobs(count_passes(config, data)),
    )
