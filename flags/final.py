"""Flags of the final training."""

from collections.abc import Mapping
from typing import Any

from flags import base
from nascore.runs.config import RunConfig
from nascore.training.config import FinalConfig

# What a training takes over from the search whose cell it trains: how its
# images are read, and what its architectures are made of.
FROM_SEARCH = (
    *("dataset", "data_dir", "image_size", "fit"),
    *("operations", "num_nodes"),
)


def define() -> None:
    """Defines the flags of the training and of its run folder."""
    base.define(FinalConfig())
    base.define(RunConfig())


def read(stored: Mapping[str, Any] | None = None) -> FinalConfig:
    """Reads the training's flags; `stored` holds for those not given."""
    return base.read(FinalConfig(), stored)
