"""Flags of the final training."""

from collections.abc import Mapping
from typing import Any

from flags import base
from nascore.runs.config import RunConfig
from nascore.training.config import FinalConfig


def define() -> None:
    """Defines the flags of the training and of its run folder."""
    base.define(FinalConfig())
    base.define(RunConfig())


def read(stored: Mapping[str, Any] | None = None) -> FinalConfig:
    """Reads the training's flags; `stored` holds for those not given."""
    return base.read(FinalConfig(), stored)
