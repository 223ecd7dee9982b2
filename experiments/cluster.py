"""Joblib's back ends for clusters: Dask and Ray.

The machines of the cluster need this project installed and must see the
same run folders, by a shared file system.
"""

import contextlib
import logging
from collections.abc import Iterator

import joblib

from nascore.errors import InputError


@contextlib.contextmanager
def connect(name: str, scheduler: str, parallel: int) -> Iterator[None]:
    """Makes joblib send its tasks to a cluster.

    Args:
      name: `dask` or `ray`.
      scheduler: address of a running cluster; empty starts one on this
        machine.
      parallel: tasks at a time in a cluster that is started here.

    Raises:
      InputError: the package is missing, or no cluster answers.
    """
    try:
        with (_dask if name == "dask" else _ray)(scheduler, parallel):
            yield
    except ImportError as error:
        raise InputError(
            f"--backend={name} needs the package {error.name}: pip install "
            f"'ienas[{name}]'"
        ) from None


@contextlib.contextmanager
def _dask(scheduler: str, parallel: int) -> Iterator[None]:
    from distributed import Client

    # It tells of each of its connections.
    logging.getLogger("distributed").setLevel(logging.WARNING)
    try:
        # One task at a time in each worker process: a task is a process
        # that waits for a search.
        options = {"n_workers": parallel, "threads_per_worker": 1}
        client = Client(
            scheduler or None, timeout="20s", **({} if scheduler else options)
        )
    except (OSError, ValueError) as error:
        raise InputError(
            f"--scheduler={scheduler} cannot be reached: {error}"
        ) from None
    with client, joblib.parallel_config(backend="dask"):
        yield


@contextlib.contextmanager
def _ray(scheduler: str, parallel: int) -> Iterator[None]:
    import ray
    from ray.util.joblib import register_ray

    try:
        # A running cluster knows its own processors.
        options = {} if scheduler else {"num_cpus": parallel}
        ray.init(scheduler or None, log_to_driver=False, **options)
    except (ConnectionError, ValueError) as error:
        raise InputError(
            f"--scheduler={scheduler} cannot be reached: {error}"
        ) from None
    register_ray()
    try:
        with joblib.parallel_config(backend="ray"):
            yield
    finally:
        ray.shutdown()
