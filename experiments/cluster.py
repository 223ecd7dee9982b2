"""Joblib's back ends for clusters: Dask and Ray.

The machines of the cluster need this project installed and must see the
same run folders, by a shared file system.
"""

import contextlib
import logging
import sys
from collections.abc import Iterator

import joblib

from nascore.errors import InputError

# Joblib's own back end but for one thing.
_DASK = "ienas_dask"
# A cluster that grows with its tasks may need some for its first worker.
_WORKER_SECONDS = 60


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
            if _count_processors(name, scheduler) == 1:
                print(
                    f"warning: the {name} cluster has one processor only, for "
                    "which joblib starts nothing there: the work is done here",
                    file=sys.stderr,
                )
            yield
    except ImportError as error:
        raise InputError(
            f"--backend={name} needs the package {error.name}: pip install "
            f"'ienas[{name}]'"
        ) from None


def _count_processors(name: str, scheduler: str) -> int:
    """What joblib makes of the cluster, once it has a worker."""
    try:
        return joblib.effective_n_jobs(-1)
    except TimeoutError:
        raise InputError(
            f"--scheduler={scheduler} answers and has no worker; start one "
            f"for it, see --backend={name}"
        ) from None


@contextlib.contextmanager
def _dask(scheduler: str, parallel: int) -> Iterator[None]:
    from distributed import Client
    from joblib._dask import DaskDistributedBackend

    class Backend(DaskDistributedBackend):
        """Uses a cluster of one thread, too, where joblib would not."""

        def effective_n_jobs(self, n_jobs: int) -> int:
            """Tasks at a time; with 1 joblib would do them all here."""
            return max(2, super().effective_n_jobs(n_jobs))

    joblib.register_parallel_backend(_DASK, Backend)
    # It tells of each of its connections.
    logging.getLogger("distributed").setLevel(logging.WARNING)
    try:
        # One task at a time in each worker process: a task is a process
        # that waits for a search.
        options = {
            "n_workers": parallel,
            "threads_per_worker": 1,
            # Any free port: another cluster may have the usual one.
            "dashboard_address": ":0",
        }
        client = Client(
            scheduler or None,
            # One that is started here answers when the machine comes to it.
            timeout="20s" if scheduler else "10m",
            **({} if scheduler else options),
        )
    except (OSError, ValueError) as error:
        raise InputError(
            f"--scheduler={scheduler} cannot be reached: {error}"
        ) from None
    with (
        client,
        joblib.parallel_config(
            backend=_DASK, wait_for_workers_timeout=_WORKER_SECONDS
        ),
    ):
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
