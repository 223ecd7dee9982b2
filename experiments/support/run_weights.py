"""The weights of a search, as its newest checkpoint has them."""

from typing import Any, NamedTuple

from darts import parts
from darts.config import Shared201DartsConfig
from enas.config import EnasConfig
from flags import methods
from nascore.config import unflatten
from nascore.data.images import load
from nascore.errors import printable
from nascore.evaluators.networks import load_weights, restore
from nascore.evaluators.shared_weights import SharedWeights
from nascore.process import runtime
from nascore.runs.reader import RunRecords, check_same_data, settings_with
from nascore.spaces.macro import MacroSpace


class Loaded(NamedTuple):
    """What a search was made of.

    Attributes:
      config: its settings.
      weights: measure its architectures.
    """

    config: Any
    weights: SharedWeights


def load_run(run: RunRecords, data_dir: str) -> Loaded:
    """Loads the images and the weights of a search.

    Args:
      run: the search.
      data_dir: where its data set is now; empty: where it was.

    Raises:
      InputError: they are not there, or other ones.
    """
    config: Any = EnasConfig()
    if run.has_bench201_weights or isinstance(run.space, MacroSpace):
        config = methods.find(methods.name_of(run.settings)).config
    config = unflatten(config, settings_with(run, data_dir))
    data = load(config.data)
    check_same_data(run, data.fingerprint)
    for note in data.notes:
        print(f"note: {printable(note)}")
    if isinstance(config, Shared201DartsConfig):
        runtime.configure()
        mixed, _ = parts.make_weights(config, data)
        return Loaded(config, restore(mixed, run.path))
    weights = load_weights(
        config.child, config.weights, config.data, data, run.path
    )
    return Loaded(config, weights)
