"""The MLPNAS search (overview paper, section 4), put together."""

import keras
import tensorflow as tf

from mlpnas.candidates import CandidatePool, choose_jobs
from mlpnas.config import MlpnasConfig
from mlpnas.data.load import MlpData, load
from mlpnas.perceptrons import Perceptrons, count_passes, trainer_settings
from mlpnas.rewards import BaselineReward
from mlpnas.strategy import MlpnasStrategy
from nascore.process.runtime import make_deterministic
from nascore.runs.folder import RunFolder
from nascore.search.config import SearchConfig
from nascore.search.phases import AskTell, StepSeeds
from nascore.search.search import Search
from nascore.seeds import Stream, fold


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
    pool = pool or CandidatePool(
        trainer_settings(config, space.outputs),
        data.fingerprint,
        data.train,
        data.validation,
        jobs or choose_jobs(count_passes(config, data)),
    )
    evaluator = Perceptrons(config, data, pool)

    def seeds(epoch: int | tf.Tensor, step: int | tf.Tensor) -> StepSeeds:
        # The strategy folds its turns in; a training's seed follows from the
        # number of its evaluation.
        seed = fold(length.seed, Stream.MLP_ARCHITECTURES, epoch)
        return StepSeeds(seed, seed)

    phase = AskTell(
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
        SearchConfig(
            seed=length.seed,
            epochs=length.epochs,
            best_count=max(40, config.finetune.top),
            derive_samples=config.finetune.top,
        ),
        config,
        {"method": method, "data": data.describe()},
        checkpoint_minutes,
    )
