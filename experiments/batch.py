"""Runs many jobs side by side, each in a process of its own.

A job that is finished is skipped, one that was cut off is resumed, so the
same call after a crash does only what is missing.
"""

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import joblib
from tqdm import tqdm

from experiments.jobs import Job
from nascore.errors import RunStopped
from nascore.process.joblib_backends import return_as
from nascore.runs.folder import InUseError, RunFolder
from nascore.runs.json_files import look_up, read_object
from nascore.runs.progress import LONG, duration

_ROOT = Path(__file__).resolve().parent.parent
_POLL_SECONDS = 2.0


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a job ended.

    Attributes:
      job: the job.
      exit_code: that of its process; 0 is success.
      message: the last line it printed, if it failed.
    """

    job: Job
    exit_code: int
    message: str = ""


# Processes to stop when this one is stopped.
_running: set[subprocess.Popen] = set()


def run_job(job: Job, threads: int, share_gpu: bool) -> Outcome:
    """Starts or continues one job and waits for its end.

    Args:
      job: the job.
      threads: processor threads it may use; 0 leaves them alone.
      share_gpu: whether others use the same GPU at the same time.
    """
    job.run_dir.parent.mkdir(parents=True, exist_ok=True)
    while True:
        _wait_until_free(job.run_dir)
        if job.finished:
            return Outcome(job, 0)
        with job.clock():
            code = _run_process(job, threads, share_gpu)
        # A process that a crash of this one has left, and that was still
        # starting, can have been faster than ours.
        if code == 0 or not _is_in_use(job.run_dir):
            break
    if code == 0 and not job.finished:
        # Stopped by SIGTERM, saved; not an error of its own.
        code = 128 + signal.SIGTERM
    return Outcome(job, code, "" if code == 0 else _last_line(job.log))


def _run_process(job: Job, threads: int, share_gpu: bool) -> int:
    """Starts the job's process; returns its exit code."""
    with job.log.open("a", encoding="utf-8") as log:
        process = subprocess.Popen(
            # What lies in the working folder is no module of theirs.
            [sys.executable, "-P", "-m", *job.command()],
            stdout=log,
            stderr=subprocess.STDOUT,
            env=_environment(threads, share_gpu),
        )
        _running.add(process)
        try:
            return process.wait()
        except KeyboardInterrupt:
            # Joblib runs a single job in the main thread.
            process.terminate()
            process.wait()
            raise
        finally:
            _running.discard(process)


def _environment(threads: int, share_gpu: bool) -> dict[str, str]:
    environment = dict(os.environ)
    # The scripts must be those that belong to this file, wherever it runs.
    path = environment.get("PYTHONPATH")
    environment["PYTHONPATH"] = os.pathsep.join(
        [str(_ROOT), *([path] if path else [])]
    )
    if threads:
        for name in (
            "TF_NUM_INTRAOP_THREADS",
            "TF_NUM_INTEROP_THREADS",
            "OMP_NUM_THREADS",
        ):
            environment[name] = str(threads)
    if share_gpu:
        environment["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"
    return environment


def _wait_until_free(run_dir: Path) -> None:
    """Waits while another process, perhaps left by a crash, runs it."""
    while _is_in_use(run_dir):
        time.sleep(_POLL_SECONDS)


def _is_in_use(run_dir: Path) -> bool:
    if not run_dir.exists():
        return False
    try:
        RunFolder(run_dir).close()
    except InUseError:
        return True
    return False


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line for line in reversed(lines) if line.strip()), "")


def run_jobs(
    jobs: Sequence[Job],
    unit: str,
    parallel: int,
    backend: str = "threading",
    scheduler: str = "",
    shorter: str = "",
) -> None:
    """Runs what is missing of the jobs and shows progress over all units.

    Args:
      jobs: the jobs.
      unit: what their units are called.
      parallel: how many at a time; this machine's cores are divided among
        them. The workers of a Dask cluster decide that themselves.
      backend: `threading` for this machine; joblib's `dask` or `ray` to
        spread the searches over a cluster that shares this file system.
      scheduler: address of the cluster; empty starts one here.
      shorter: how to have less, where it takes long.

    Raises:
      InputError: the back end's package is missing.
      RunStopped: some jobs failed; the others were finished.
    """
    missing = [job for job in jobs if not job.finished]
    done = len(jobs) - len(missing)
    if done:
        print(f"{done} of {len(jobs)} jobs are finished already")
    if not missing:
        return
    pace = "as many at a time as the cluster takes"
    if not scheduler:
        pace = f"{parallel} at a time"
    print(
        f"{len(missing)} jobs to do, {pace}; what they print goes to "
        f"{missing[0].log.parent}/*.log"
    )
    sys.stdout.flush()
    # A cluster's machines have cores of their own.
    divide = parallel > 1 and not scheduler
    threads = max(1, joblib.cpu_count() // parallel) if divide else 0
    tasks = [
        joblib.delayed(run_job)(job, threads, parallel > 1) for job in missing
    ]
    with (
        _stop_children(),
        _backend(backend, scheduler, parallel),
        _Bar(jobs, unit, 0 if scheduler else parallel, shorter) as bar,
    ):
        outcomes = joblib.Parallel(
            # A cluster has its own number of processors.
            n_jobs=parallel if backend == "threading" else -1,
            batch_size=1,
            pre_dispatch="all" if backend != "threading" else parallel,
            return_as=return_as(),
        )(tasks)
        _follow(outcomes, jobs, done, bar)


def _follow(
    outcomes: Iterable[Outcome], jobs: Sequence[Job], done: int, bar: "_Bar"
) -> None:
    """Says how each job ended.

    Raises:
      RunStopped: after the last, if some failed.
    """
    failed = []
    for outcome in outcomes:
        done += 1
        text = f"{done}/{len(jobs)} {outcome.job.name}: "
        if outcome.exit_code:
            failed.append(outcome)
            text += f"failed, see {outcome.job.log}: {outcome.message}"
        else:
            text += "finished"
        bar.line(text)
    if failed:
        raise RunStopped(
            f"{len(failed)} of {len(jobs)} jobs failed: "
            f"{', '.join(outcome.job.name for outcome in failed)} "
            f"({failed[0].message}). {failed[0].job.advice}; what is finished "
            "is kept"
        )


@contextlib.contextmanager
def _stop_children() -> Iterator[None]:
    """Lets the searches save themselves when this process is stopped."""

    def stop(signum: int, frame: object) -> None:
        raise KeyboardInterrupt

    old = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except BaseException as error:
        processes = list(_running)
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
        if not isinstance(error, KeyboardInterrupt):
            raise
        raise RunStopped(
            "interrupted; the runs are saved. Give the same command again to "
            "continue"
        ) from None
    finally:
        signal.signal(signal.SIGTERM, old)


@contextlib.contextmanager
def _backend(name: str, scheduler: str, parallel: int) -> Iterator[None]:
    if name == "threading":
        with joblib.parallel_config(backend=name):
            yield
        return
    from experiments import cluster

    with cluster.connect(name, scheduler, parallel):
        yield


def _whole_seconds(job: Job) -> float:
    """What a job takes from its beginning; 0 if unknown.

    By its own word, but no more than it may.
    """
    if not job.cost_file.exists():
        return 0.0
    cost = read_object(job.cost_file)
    seconds, share = (
        look_up(cost, job.cost_file, name, float)
        for name in ("seconds", "share")
    )
    return min(seconds / share, job.most_seconds) if share else 0.0


class _Bar:
    """A bar over all jobs, moved by what their folders hold."""

    def __init__(
        self, jobs: Sequence[Job], unit: str, parallel: int, shorter: str
    ) -> None:
        self.jobs = jobs
        self.shorter = shorter
        # Jobs at a time; 0 where that is not known.
        self.parallel = parallel
        self.told = False
        self.start = time.monotonic()
        self.first = self._count()
        self.total = sum(job.total for job in jobs)
        self.bar = tqdm(
            total=self.total,
            initial=self.first,
            unit=f" {unit}",
            dynamic_ncols=True,
            disable=not sys.stderr.isatty(),
        )
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._follow, daemon=True)

    def _count(self) -> int:
        return sum(min(job.done, job.total) for job in self.jobs)

    def _follow(self) -> None:
        while not self.ended.wait(_POLL_SECONDS):
            self.bar.n = self._count()
            self.bar.refresh()
            if self.parallel and not self.told:
                self._tell()

    def _tell(self) -> None:
        """Says what all jobs take, by what the first ones say of themselves."""
        took = {job.name: _whole_seconds(job) for job in self.jobs}
        known = [seconds for seconds in took.values() if seconds]
        if not known:
            return
        self.told = True
        mean = sum(known) / len(known)
        seconds = sum(
            (took[job.name] or mean) * max(0.0, 1 - job.done / job.total)
            for job in self.jobs
        )
        seconds = time.monotonic() - self.start + seconds / self.parallel
        text = f"cost: about {duration(seconds)} in all on this machine"
        if seconds > LONG and self.shorter:
            text += f"; {self.shorter}"
        tqdm.write(text)
        sys.stdout.flush()

    def line(self, text: str) -> None:
        """Prints a line with the time left."""
        count = self._count()
        rate = (count - self.first) / (time.monotonic() - self.start)
        left = (self.total - count) / rate if rate else 0.0
        tqdm.write(f"{text}  [{tqdm.format_interval(left)} left]")
        sys.stdout.flush()

    def __enter__(self) -> "_Bar":
        self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.ended.set()
        self.thread.join()
        self.bar.close()
