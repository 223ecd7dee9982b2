"""The DARTS search of a recurrent cell, put together; see `Assembly`."""

from collections.abc import Mapping

import keras

from darts.bilevel import start_alphas
from darts.config import StopConfig
from darts.record import AlphaRecords, Derivation, RecordAlphas
from darts.recurrent.config import RecurrentDartsConfig, check_child
from darts.recurrent.layout import RecurrentLayout
from darts.recurrent.mixed import MixedLanguage
from darts.recurrent.train import TrainMixedText
from nascore.baselines import recurrent
from nascore.baselines.recurrent import FIRST_WEIGHTS, summarize
from nascore.data.text import TextData, check_length
from nascore.evaluators.language import memory
from nascore.evaluators.language.shared import show_score
from nascore.networks.config import NONE
from nascore.networks.recurrent.model import LanguageModel
from nascore.process import runtime
from nascore.process.memory import Need
from nascore.runs.folder import RunFolder
from nascore.search.config import SearchConfig
from nascore.search.search import Search
from nascore.seeds import fold

__all__ = ["estimate", "load", "make_search", "summarize"]


class RecurrentRecords(AlphaRecords):
    """As `AlphaRecords`; identities of recurrent cells are no bad sign."""

    def warning(self) -> str:
        """Nothing."""
        return ""


class RecordRecurrentAlphas(RecordAlphas):
    """As `RecordAlphas`, in perplexities."""

    def line(self, summary: Mapping[str, float]) -> str:
        """See `Phase.line`."""
        measures = self.mixed.measures
        mixture = show_score(summary[f"mixture_{measures}"])
        cell = show_score(summary[f"{measures}_mean"])
        return (
            f"mixture {mixture}, derived cell {cell} on validation with its "
            "weights"
        )


def load(config: RecurrentDartsConfig) -> TextData:
    """See `Assembly.load`.

    Raises:
      InputError: no such text, one that is too short, or a cell that cannot
        be mixed.
    """
    check_child(config.child)
    data = recurrent.load(config)
    count = config.weights.batch_size
    check_length(data.validation, count, "validation", "--batch_size")
    return data


def estimate(config: RecurrentDartsConfig, data: TextData, base: int) -> Need:
    """See `Assembly.estimate`."""
    return memory.estimate(config, data, base, mixed=True)


def make_search(
    config: RecurrentDartsConfig,
    run: RunFolder,
    data: TextData | None = None,
    checkpoint_minutes: float = 10.0,
) -> Search:
    """Puts the mixed cell, alphas and the text together; see `Assembly`."""
    data = load(config) if data is None else data
    check_child(config.child)
    length, alphas, seed = config.search, config.alphas, config.search.seed
    runtime.configure(length.deterministic)
    keras.utils.set_random_seed(seed)
    child = config.child
    layout = RecurrentLayout((NONE, *child.names), child.num_nodes)
    model = LanguageModel(
        child, len(data.vocabulary), fold(seed, FIRST_WEIGHTS)
    )
    mixed = MixedLanguage(model, data, config.weights)
    training = TrainMixedText(
        mixed,
        start_alphas(alphas, layout, seed),
        layout,
        data,
        config.weights,
        alphas,
        seed,
    )
    history = RecurrentRecords(run, layout, StopConfig(), 0)
    second = "_second" * (alphas.order == "second")
    return Search(
        run,
        layout.derived,
        [training, RecordRecurrentAlphas(training, mixed, history)],
        Derivation(history),
        mixed,
        SearchConfig(seed=seed, epochs=length.epochs, derive_samples=1),
        config,
        {"method": f"recurrent_darts{second}", "data": data.describe()},
        checkpoint_minutes,
    )
