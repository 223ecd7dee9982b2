"""The DARTS search (Liu et al., 2019), put together; see `Assembly`."""

import keras

from darts.bilevel import start_alphas
from darts.config import DartsConfig, Shared201DartsConfig, check_fit
from darts.memory import estimate
from darts.parts import layout_of, make_weights
from darts.record import AlphaRecords, Derivation, RecordAlphas
from darts.train import TrainMixture
from nascore.data import images
from nascore.data.describe import describe_data, summarize
from nascore.data.images import ImageData
from nascore.errors import InputError
from nascore.process import runtime
from nascore.runs.atomic import write_json
from nascore.runs.folder import RunFolder
from nascore.search.config import SearchConfig
from nascore.search.search import Search

__all__ = ["estimate", "load", "make_search", "summarize"]


def load(config: DartsConfig | Shared201DartsConfig) -> ImageData:
    """See `Assembly.load`.

    Raises:
      InputError: no such data, fewer images than a batch, or settings that
        do not fit each other.
    """
    data = images.load(config.data)
    _check(config, data)
    return data


def _check(config: DartsConfig | Shared201DartsConfig, data: ImageData) -> None:
    """Checks what the settings ask of each other and of the data.

    Raises:
      InputError: something does not fit.
    """
    child = config.child
    check_fit(
        config.alphas,
        child.filters,
        child.precision,
        config.search.epochs,
        halved=isinstance(config, DartsConfig),
    )
    for what, split in (
        ("training", data.train),
        ("validation", data.validation),
    ):
        if len(split) < config.weights.batch_size:
            raise InputError(
                f"--batch_size={config.weights.batch_size} is more than the "
                f"{len(split)} {what} images; lower it"
            )


def make_search(
    config: DartsConfig | Shared201DartsConfig,
    run: RunFolder,
    data: ImageData | None = None,
    checkpoint_minutes: float = 10.0,
    method: str = "",
) -> Search:
    """Puts mixed cells, alphas and the data together; see `Assembly`.

    Args:
      config: the settings.
      run: where everything is written.
      data: the images; loaded as the configuration says if None.
      checkpoint_minutes: saves at least this often.
      method: what the run is called in its files; empty: what its settings
        make it.

    Raises:
      InputError: settings that do not fit the data or the run folder.
    """
    data = load(config) if data is None else data
    _check(config, data)
    length, alphas = config.search, config.alphas
    runtime.configure(length.deterministic)
    keras.utils.set_random_seed(length.seed)
    layout = layout_of(config.child)
    mixed, layers = make_weights(config, data)
    training = TrainMixture(
        mixed,
        start_alphas(alphas, layout, length.seed),
        layout,
        data,
        config.data,
        config.weights,
        alphas,
        length.seed,
        length.epochs,
    )
    history = AlphaRecords(run, layout, config.stop, alphas.alpha_from)
    search = Search(
        run,
        layout.derived,
        [training, RecordAlphas(training, mixed, history)],
        Derivation(history),
        mixed,
        SearchConfig(seed=length.seed, epochs=length.epochs, derive_samples=1),
        config,
        {"method": method or alphas.method, "data": describe_data(data)},
        checkpoint_minutes,
    )
    write_json(run.path / "layers.json", {"layers": layers})
    return search
