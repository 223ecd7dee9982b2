"""Flags of the MLPNAS search."""

from collections.abc import Mapping
from typing import Any

from flags import base
from mlpnas.config import MlpnasConfig, WorkConfig
from nascore.runs.config import RunConfig


def define() -> None:
    """Defines the flags of the search, its run folder and its processes."""
    base.define(MlpnasConfig())
    base.define(WorkConfig())
    base.define(RunConfig())


def read(stored: Mapping[str, Any] | None = None) -> MlpnasConfig:
    """Reads the search's flags; `stored` holds for those not given."""
    return base.read(MlpnasConfig(), stored)
