"""Searches of recurrent cells over shared weights, with any strategy.

As ENAS's (Pham et al., 2018, section 3.1), but for who is asked: the shared
weights learn random cells, not those of the strategy.
"""

from collections.abc import Callable
from typing import Any

import keras

from nascore.baselines.config import RecurrentConfig, RecurrentSearchConfig
from nascore.baselines.one_shot import parts_of
from nascore.data import text
from nascore.data.text import TextData, check_length, summarize
from nascore.errors import InputError
from nascore.evaluators.language.memory import estimate
from nascore.evaluators.language.shared import SharedLanguage
from nascore.evaluators.language.weights import TrainText
from nascore.networks.recurrent.model import LanguageModel
from nascore.process import runtime
from nascore.runs.folder import RunFolder
from nascore.search.assemble import CellParts, one_shot
from nascore.search.search import Search
from nascore.seeds import fold
from nascore.strategies import named

__all__ = ["estimate", "load", "make_search", "summarize"]

# Stream of the first weights, see `nascore.seeds.fold`.
FIRST_WEIGHTS = 51


def load(config: Any) -> TextData:
    """See `Assembly.load`.

    Args:
      config: of a search of recurrent cells.

    Raises:
      InputError: no such text, one that is too short, or settings that do
        not fit each other.
    """
    named.check(getattr(config, "strategy", None))
    if getattr(config.search, "early_stop", False):
        raise InputError(
            "--early_stop is a rule of accuracies and knows no perplexity; "
            "leave it out"
        )
    data = text.load(config.data)
    learning = config.weights
    check_length(data.train, learning.batch_size, "training", "--batch_size")
    check_length(
        data.validation,
        learning.reward_streams,
        "validation",
        "--reward_streams",
    )
    return data


def make_search(
    config: RecurrentConfig,
    run: RunFolder,
    data: TextData | None = None,
    checkpoint_minutes: float = 10.0,
) -> Search:
    """Puts shared weights and strategy together; see `Assembly`."""
    method = f"recurrent_{config.strategy.kind}"
    return search_cells(
        config, run, data, checkpoint_minutes, parts_of(config), method
    )


def search_cells(
    config: RecurrentSearchConfig,
    run: RunFolder,
    data: TextData | None,
    checkpoint_minutes: float,
    make: Callable[[], CellParts],
    method: str,
) -> Search:
    """Makes a search of recurrent cells over shared weights.

    Args:
      config: decides the result, together with `make`.
      run: see `Assembly.make_search`; likewise below.
      data: likewise.
      checkpoint_minutes: likewise.
      make: makes what the method adds.
      method: what the run is called in its files.

    Raises:
      InputError: settings that do not fit the text or the run folder.
    """
    data = load(config) if data is None else data
    schedule = config.search
    runtime.configure(schedule.deterministic)
    keras.utils.set_random_seed(schedule.seed)
    model = LanguageModel(
        config.child, len(data.vocabulary), fold(schedule.seed, FIRST_WEIGHTS)
    )
    shared = SharedLanguage(model, data, config.weights)
    parts, space = make(), config.child.space
    training = TrainText(shared, parts.sample, data, schedule.seed)
    return Search(
        run,
        space,
        one_shot(space, training, shared, parts, schedule),
        parts.strategy,
        shared,
        schedule,
        config,
        {"method": method, "data": data.describe()},
        checkpoint_minutes,
    )
