"""Flags of the I-ENAS search."""

from collections.abc import Mapping
from typing import Any

from flags import base
from ienas.config import IenasConfig
from nascore.runs.config import RunConfig


def define() -> None:
    """Defines the flags of the search and of its run folder."""
    base.define(IenasConfig())
    base.define(RunConfig())


def read(stored: Mapping[str, Any] | None = None) -> IenasConfig:
    """Reads the search's flags; `stored` holds for those not given."""
    return base.read(IenasConfig(), stored)
