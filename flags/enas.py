"""Flags of the ENAS search."""

from collections.abc import Mapping
from typing import Any

from enas.config import EnasConfig
from flags import base
from nascore.runs.config import RunConfig


def define() -> None:
    """Defines the flags of the search and of its run folder."""
    base.define(EnasConfig())
    base.define(RunConfig())


def read(stored: Mapping[str, Any] | None = None) -> EnasConfig:
    """Reads the search's flags; `stored` holds for those not given."""
    return base.read(EnasConfig(), stored)
