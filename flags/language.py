"""Flags of the training of a model of language."""

from collections.abc import Mapping
from typing import Any

from flags import base
from nascore.runs.config import RunConfig
from nascore.training.language.config import FinalLanguageConfig

# What a training takes over from the search whose cell it trains.
FROM_SEARCH = (
    *("dataset", "data_dir", "tokens", "vocabulary"),
    *("validation_fraction", "test_fraction", "train_tokens"),
    *("functions", "num_nodes", "first_function", "cell_output"),
)


def define() -> None:
    """Defines the flags of the training and of its run folder."""
    base.define(FinalLanguageConfig())
    base.define(RunConfig())


def read(stored: Mapping[str, Any] | None = None) -> FinalLanguageConfig:
    """Reads the training's flags; `stored` holds for those not given."""
    return base.read(FinalLanguageConfig(), stored)
