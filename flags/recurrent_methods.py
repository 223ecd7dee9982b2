"""Methods that search recurrent cells on a text."""

from darts.recurrent.config import RecurrentDartsConfig
from enas.config import RecurrentEnasConfig
from flags.method import Method
from flags.strategies import with_each
from ienas.config import RecurrentIenasConfig
from nascore.baselines.config import AskingConfig, RecurrentConfig

_RECURRENT = Method(
    "random",
    RecurrentConfig(),
    "nascore.baselines.recurrent",
    # In a comparison all ask for as many at once as I-ENAS.
    compared=RecurrentConfig(
        asking=AskingConfig(num_aggregate=3, train_steps=25)
    ),
    measures="perplexity_score",
    rival="recurrent_random",
    preset="recurrent_small",
    published="recurrent_ptb",
)
_DARTS = _RECURRENT._replace(
    title="DARTS",
    config=RecurrentDartsConfig(),
    module="darts.recurrent.search",
    compared=None,
    preset="recurrent_darts_small",
    published="recurrent_darts_ptb",
)
RECURRENT: dict[str, Method] = {
    "recurrent_enas": _RECURRENT._replace(
        title="ENAS",
        config=RecurrentEnasConfig(),
        module="enas.recurrent",
        compared=RecurrentIenasConfig(),
    ),
    "recurrent_ienas": _RECURRENT._replace(
        title="I-ENAS",
        config=RecurrentIenasConfig(),
        module="ienas.recurrent",
        compared=None,
    ),
    "recurrent_darts": _DARTS,
    "recurrent_darts_second": _DARTS._replace(
        title="DARTS, second order", settings={"order": "second"}
    ),
    "recurrent_random": _RECURRENT._replace(rival=""),
    **with_each(_RECURRENT, "recurrent_"),
}
