"""Measures what a second process gives: seeds of ENAS, candidates of MLPNAS.

  python -m benchmarks.scaling OUT [--backends=threading,dask,ray]

Strong scaling is the same work on one and on two processes, weak scaling
twice the work on two. Seeds are spread as `experiments.compare` does it,
candidates as `experiments.search_mlpnas` does; a time is that of the whole
call, the start of processes and of a local cluster included. Candidates are
trained twice, the second time in processes that have started and compiled.
Each process has one thread, but for one row. It takes two cores, whatever the
machine has. Rows go to OUT/scaling.csv as they are measured; the same command
measures what is missing and writes OUT/scaling.md.
"""

import argparse
import contextlib
import csv
import dataclasses
import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import joblib
import numpy as np

from benchmarks import scaling_table
from enas.config import EnasConfig
from experiments import cluster, compare
from experiments.batch import run_jobs
from mlpnas.config import MlpnasConfig
from nascore.data.config import DataConfig
from nascore.evaluators.config import SharedWeightsConfig
from nascore.networks.config import SupernetConfig
from nascore.search.config import SearchConfig

# On one core a search of about 20 seconds, three quarters of them its start.
SEARCH = EnasConfig(
    data=DataConfig(validation_fraction=0.25),
    child=SupernetConfig(
        num_normal_cells=1, num_reduction_cells=1, num_nodes=2, filters=8
    ),
)
SEARCH = dataclasses.replace(
    SEARCH,
    controller=dataclasses.replace(
        SEARCH.controller, num_aggregate=5, train_steps=10
    ),
    weights=SharedWeightsConfig(batch_size=32),
    search=SearchConfig(epochs=3, epoch_samples=10),
)
CANDIDATE_EPOCHS = 15
SEEDS, CANDIDATES = 2, 16
CORES = 2
_THREADS = (
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "OMP_NUM_THREADS",
)


@dataclasses.dataclass(frozen=True)
class Case:
    """What is measured.

    Attributes:
      part: `seeds` of ENAS or `candidates` of MLPNAS.
      backend: joblib's.
      workers: processes.
      threads: of each process.
      tasks: seeds or candidates.
    """

    part: str
    backend: str
    workers: int
    threads: int
    tasks: int

    def measure(self) -> tuple[float, float]:
        """Does the work; returns seconds, and those of a second time."""
        for name in _THREADS:
            os.environ[name] = str(self.threads)
        if self.part == "seeds":
            return run_seeds(self), float("nan")
        output = subprocess.run(
            [
                *(sys.executable, "-m", "benchmarks.scaling", ""),
                f"--candidates={self.tasks}",
                f"--backends={self.backend}",
                f"--workers={self.workers}",
            ],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout
        cold, warm = map(float, output.splitlines()[-1].split())
        return cold, warm


def list_cases(backends: list[str]) -> list[Case]:
    """All cases, those to be compared side by side."""
    cases = []
    for backend in backends:
        cases += [
            Case("seeds", backend, 1, 1, SEEDS // 2),
            Case("seeds", backend, 1, 1, SEEDS),
            Case("seeds", backend, 2, 1, SEEDS),
        ]
        if backend == "threading":
            cases.append(Case("seeds", backend, 1, 2, SEEDS))
            backend = "loky"
        cases += [
            Case("candidates", backend, 1, 1, CANDIDATES // 2),
            Case("candidates", backend, 1, 1, CANDIDATES),
            Case("candidates", backend, 2, 1, CANDIDATES),
        ]
    return cases


def run_seeds(case: Case) -> float:
    """Searches with so many seeds; returns seconds."""
    with tempfile.TemporaryDirectory() as folder:
        jobs = compare.plan_jobs({"enas": SEARCH}, case.tasks, Path(folder))
        begin = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):
            run_jobs(jobs, "epochs", case.workers, case.backend)
        return time.perf_counter() - begin


def train_candidates(count: int, backend: str, workers: int) -> list[float]:
    """Trains candidates twice; returns the seconds of both times."""
    from nascore.process.quiet import quiet_tensorflow

    quiet_tensorflow()
    from mlpnas.candidates.dense import initial_weights
    from mlpnas.candidates.pool import CandidatePool
    from mlpnas.candidates.tasks import Task
    from mlpnas.data.load import load
    from mlpnas.perceptrons import trainer_settings
    from nascore.process.runtime import use_one_thread

    use_one_thread()
    config = MlpnasConfig()
    training = dataclasses.replace(
        config.training, patience=CANDIDATE_EPOCHS, batch_size=32
    )
    config = dataclasses.replace(config, training=training)
    data = load(config.data)
    space = config.space.space(data.classes)
    rng = np.random.default_rng(0)
    widths = [16, 64, 256, 512]
    tasks = []
    for number in range(count):
        # The second half is like the first, so that it is twice the work.
        width = widths[number % 4]
        text = " | ".join([f"{width} relu"] * (2 + number % 8 // 4))
        architecture = space.parse(f"{text} | softmax")
        tasks.append(
            Task(
                architecture,
                initial_weights(
                    architecture, data.features, space.outputs, [number, 0]
                ),
                tuple(rng.integers(0, 2**31, 2).tolist()),
                CANDIDATE_EPOCHS,
            )
        )
    moments = [time.perf_counter()]
    with _backend(backend, workers):
        pool = CandidatePool(
            trainer_settings(config, space.outputs),
            data.fingerprint,
            data.train,
            data.validation,
            workers if backend == "loky" else -1,
        )
        with pool:
            for _ in range(2):
                done = sum(1 for _ in pool.train(tasks))
                moments.append(time.perf_counter())
    if done != count:
        raise RuntimeError(f"{done} of {count} candidates were trained")
    return np.diff(moments).tolist()


def _backend(
    backend: str, workers: int
) -> contextlib.AbstractContextManager[None]:
    if backend == "loky":
        return contextlib.nullcontext()
    return cluster.connect(backend, "", workers)


def missing(
    cases: list[Case], rounds: int, path: Path
) -> Iterator[tuple[int, Case]]:
    """What is not in the file; every second round goes backwards."""
    done = set()
    if path.exists():
        with path.open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                done.add(tuple(list(row.values())[:-2]))
    for number in range(rounds):
        for case in cases[:: -1 if number % 2 else 1]:
            key = (str(number), *map(str, dataclasses.astuple(case)))
            if key not in done:
                yield number, case


def main() -> None:
    """Measures what is missing, then writes the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--backends", default="threading,dask")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--minutes", type=float, default=60.0, help="begin nothing after this"
    )
    parser.add_argument("--candidates", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--workers", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.candidates:
        print(
            *train_candidates(
                arguments.candidates, arguments.backends, arguments.workers
            )
        )
        return
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    if joblib.cpu_count() != CORES:
        parser.error(f"it takes {CORES} cores, here are {joblib.cpu_count()}")
    begin = time.monotonic()
    path = arguments.out / "scaling.csv"
    arguments.out.mkdir(parents=True, exist_ok=True)
    names = [field.name for field in dataclasses.fields(Case)]
    cases = list_cases(arguments.backends.split(","))
    for number, case in missing(cases, arguments.rounds, path):
        if time.monotonic() - begin > 60 * arguments.minutes:
            print("time is up; the same command goes on")
            break
        seconds = [round(value, 2) for value in case.measure()]
        new = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            if new:
                writer.writerow(["round", *names, "seconds", "again_seconds"])
            writer.writerow([number, *dataclasses.astuple(case), *seconds])
        print(f"round {number + 1}, {case}: {seconds}", flush=True)
    scaling_table.write(path, arguments.out / "scaling.md")
    print(f"wrote {arguments.out / 'scaling.md'}")


if __name__ == "__main__":
    main()
