"""Architectures of a search that are trained at the same time."""

import contextlib
import dataclasses
from typing import Any

from experiments import cluster
from nascore.config import flatten
from nascore.errors import InputError
from nascore.evaluators.config import ChildWorkConfig
from nascore.evaluators.standalone_weights import StandaloneWeights
from nascore.process.memory import Need
from nascore.search.search import Search


def check(work: ChildWorkConfig, config: Any) -> None:
    """Refuses processes that would have nothing to do.

    Args:
      work: where architectures are trained.
      config: of the search.

    Raises:
      InputError: weights that are shared, or one architecture at a time.
    """
    settings = flatten(config)
    if not work.parallel:
        if work.scheduler:
            raise InputError(
                f"--scheduler={work.scheduler} is for --backend=dask and ray"
            )
        return
    given = f"--jobs={work.jobs}"
    if work.backend != "loky":
        given = f"--backend={work.backend}"
    if settings.get("inherit") == "shared":
        raise InputError(
            f"{given} is for architectures with weights of their own; leave "
            "it out, or take another --inherit"
        )
    if settings["num_aggregate"] == 1:
        raise InputError(
            f"{given} has nothing to do: --num_aggregate=1 asks for one "
            "architecture at a time; give --num_aggregate=4, for instance"
        )


def backend(work: ChildWorkConfig) -> contextlib.AbstractContextManager[None]:
    """Chooses joblib's back end; processes of this machine by default."""
    if work.backend == "loky":
        return contextlib.nullcontext()
    return cluster.connect(work.backend, work.scheduler, work.jobs)


def estimate(work: ChildWorkConfig, need: Need) -> Need:
    """The memory of a search and of its processes on this machine."""
    if work.jobs == 1:
        return need
    parts = {f"{work.jobs} processes": work.jobs * need.total}
    return dataclasses.replace(
        need,
        host={**need.host, **parts},
        turn_down=("--jobs", *need.turn_down),
    )


def spread(work: ChildWorkConfig, search: Search) -> None:
    """Lets a search train several architectures at once."""
    if not work.parallel:
        return
    if not isinstance(search.evaluator, StandaloneWeights):
        raise AssertionError(search.evaluator)
    # A cluster's workers are its own affair, were there only one.
    search.evaluator.spread(work.jobs if work.backend == "loky" else -1)
