"""Which searches are missing, and who does them."""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments.benchmark import store
from experiments.benchmark.protocols import Scope
from experiments.benchmark.store import Chunk
from experiments.jobs import Job
from flags.benchmark import MethodVariant
from nascore.config import check_kind
from nascore.errors import InputError
from nascore.evaluators.nasbench201.names import TableColumn
from nascore.runs.atomic import remove, write_json
from nascore.runs.folder import InUseError, RunFolder
from nascore.runs.json_files import look_up, read_object

# Searches of a file. They are stacked where they can be, and a stacked
# network depends on its neighbours by rounding: always the same ones.
CHUNK = 100
_PLAN = "plan.json"


def list_chunks(
    folder: Path, variants: Sequence[MethodVariant], scope: Scope
) -> list[list[Chunk]]:
    """What is there, of each variant: its files by column and seed."""
    return [
        [
            Chunk(variant.label, column, queries, (first, last), path)
            for column, queries in scope.columns().items()
            for path, first, last in store.files_of(
                folder, variant.label, column, queries
            )
        ]
        for variant in variants
    ]


def missing_chunks(
    folder: Path, variants: Sequence[MethodVariant], scope: Scope, seeds: int
) -> list[list[Chunk]]:
    """What is not there yet, of each variant.

    Args:
      folder: of the benchmark.
      variants: what searches.
      scope: on what, how long.
      seeds: searches of each, from seed 1.
    """
    found = []
    for variant, there in zip(
        variants, list_chunks(folder, variants, scope), strict=True
    ):
        own = []
        for column, queries in scope.columns().items():
            have = [c.seeds for c in there if c.column == column]
            for block in _missing_seeds(have, seeds):
                file = store.file_of(
                    folder, variant.label, column, queries, block
                )
                own.append(Chunk(variant.label, column, queries, block, file))
        found.append(own)
    return found


def _missing_seeds(
    have: Sequence[tuple[int, int]], seeds: int
) -> Iterator[tuple[int, int]]:
    """First and last of each stretch without a search, cut at `CHUNK`s."""
    missing = np.ones(seeds + 2, bool)
    missing[[0, -1]] = False
    for first, last in have:
        missing[first : last + 1] = False
    begin = 0
    for seed in range(1, seeds + 2):
        starts = missing[seed] and (seed % CHUNK == 1 or not missing[seed - 1])
        if begin and (starts or not missing[seed]):
            yield begin, seed - 1
            begin = 0
        if starts:
            begin = seed


def share_out(
    chunks: Sequence[Sequence[Chunk]], parts: int
) -> list[list[Chunk]]:
    """Deals each variant's chunks to some processes.

    All have about as much of each variant. The first chunk of every variant
    comes first, so that it is soon known what each takes; then those of one
    column follow each other.

    Args:
      chunks: of each variant.
      parts: processes; 0 gives each chunk one of its own.
    """
    if not parts:
        return [[chunk] for own in chunks for chunk in own]
    dealt: list[list[list[Chunk]]] = [[] for _ in range(parts)]
    for turn, own in enumerate(chunks):
        ends = np.linspace(0, len(own), parts + 1).round().astype(int)
        for place in range(parts):
            part = list(own[ends[place] : ends[place + 1]])
            dealt[(place + turn) % parts].append(part)
    ordered = (
        [part[0] for part in each if part]
        + [chunk for part in each for chunk in part[1:]]
        for each in dealt
    )
    return [each for each in ordered if each]


@dataclasses.dataclass(frozen=True)
class ChunksJob(Job):
    """A process that makes some chunks; its units are searches.

    Attributes:
      chunks: what it makes.
    """

    chunks: tuple[Chunk, ...]

    @property
    def done(self) -> int:
        """See `Job.done`."""
        return sum(len(c) for c in self.chunks if c.file.exists())

    def command(self) -> list[str]:
        """See `Job.command`."""
        return ["experiments.benchmark.work", str(self.run_dir)]


def make_jobs(
    folder: Path,
    variants: Sequence[MethodVariant],
    parts: Sequence[Sequence[Chunk]],
) -> list[ChunksJob]:
    """Writes down who does what.

    Args:
      folder: of the benchmark; absolute where others work in it.
      variants: what searches.
      parts: chunks of each process.

    Raises:
      InputError: others work in the folder.
    """
    by_label = {variant.label: variant for variant in variants}
    for lock in folder.glob("jobs/*/"):
        try:
            RunFolder(lock).close()
        except InUseError:
            raise InputError(
                f"--out={folder} is worked in by a process that an earlier "
                "command has left; wait for its end, or take another folder"
            ) from None
    # Of a start before, with what it thought that it takes.
    remove(folder / "jobs")
    jobs = []
    for number, chunks in enumerate(parts, 1):
        run_dir = folder / "jobs" / str(number)
        run_dir.mkdir(parents=True)
        content = [
            {
                "label": chunk.label,
                "method": by_label[chunk.label].method,
                "settings": dict(by_label[chunk.label].given),
                "column": list(chunk.column),
                "queries": chunk.queries,
                "seeds": list(chunk.seeds),
                "file": str(chunk.file),
            }
            for chunk in chunks
        ]
        write_json(run_dir / _PLAN, {"chunks": content})
        name = f"part {number} of {len(parts)}"
        total = sum(map(len, chunks))
        jobs.append(ChunksJob(name, run_dir, total, tuple(chunks)))
    return jobs


def read_plan(run_dir: Path) -> list[tuple[Chunk, str, dict[str, Any]]]:
    """Chunks with method and settings, as `make_jobs` wrote them.

    Raises:
      InputError: there is no plan, or another file.
    """
    path = run_dir / _PLAN
    entries = look_up(read_object(path), path, "chunks", list)
    found = []
    for entry in entries:
        check_kind(entry, dict, f"{path} is damaged: a chunk")
        chunk = Chunk(
            look_up(entry, path, "label", str),
            TableColumn(*look_up(entry, path, "column", list)),
            look_up(entry, path, "queries", int),
            tuple(look_up(entry, path, "seeds", list)),
            Path(look_up(entry, path, "file", str)),
        )
        settings = look_up(entry, path, "settings", dict)
        found.append((chunk, look_up(entry, path, "method", str), settings))
    return found
