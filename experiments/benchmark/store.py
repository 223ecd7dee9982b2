"""The searches of a benchmark as files of its folder.

  benchmark.json                                  what the folder is
  searches/LABEL/settings.json                    a method and its settings
  searches/LABEL/COLUMN-QUERIES/seeds-1-100.npz   which cells were looked up

Each NPZ file is written whole or not at all, and holds no pickle.
"""

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from flags.benchmark import FIXED, MethodVariant
from nascore.config import flatten
from nascore.errors import InputError
from nascore.evaluators.nasbench201 import table
from nascore.evaluators.nasbench201.names import TableColumn
from nascore.runs.atomic import placing, write_json
from nascore.runs.json_files import look_up, read_object
from nascore.runs.versions import STREAMS, changed_settings

# In place of a cell, where a search had nothing more to ask for.
NONE = 2**16 - 1
ABOUT, SETTINGS, LOCK = "benchmark.json", "settings.json", ".lock"
_KIND = "bench201"
_NAME = re.compile(r"seeds-(\d+)-(\d+)\.npz", re.ASCII)


class Chunk(NamedTuple):
    """Some searches of one method on one column: one file.

    Attributes:
      label: of the method's variant.
      column: what is searched on.
      queries: of each search.
      seeds: the first and the last.
      file: where they go.
    """

    label: str
    column: TableColumn
    queries: int
    seeds: tuple[int, int]
    file: Path

    def __len__(self) -> int:
        return self.seeds[1] - self.seeds[0] + 1


class Stored(NamedTuple):
    """What some searches looked up.

    Attributes:
      seeds: int64 `[runs]`.
      codes: uint16 `[runs, queries]`, cells, or `NONE`.
      seconds: that they took together.
      about: commit, versions and machine.
    """

    seeds: np.ndarray
    codes: np.ndarray
    seconds: float
    about: dict[str, Any]


def open_folder(folder: Path) -> None:
    """Makes the folder of a benchmark, or checks that it is one.

    Raises:
      InputError: it holds something else, or searches of another table or
        of other random numbers.
    """
    path = folder / ABOUT
    now = {
        "benchmark": _KIND,
        "table": table.fingerprint(),
        "random_streams": STREAMS,
    }
    if not path.exists():
        if folder.exists() and not folder.is_dir():
            raise InputError(f"--out={folder} is not a folder")
        if folder.is_dir() and any(
            entry.name != LOCK for entry in folder.iterdir()
        ):
            raise InputError(
                f"--out={folder} holds other files and no benchmark; choose "
                "an empty or a new folder"
            )
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_json(path, now)
        except OSError as error:
            raise InputError(
                f"--out={folder} cannot be written: {error}"
            ) from None
        return
    stored = read_object(path)
    for name, value in now.items():
        if look_up(stored, path, name, type(value)) != value:
            raise InputError(
                f"--out={folder} holds searches of another {name}, which "
                "cannot stand beside those of today; choose another folder"
            )


def place_of(folder: Path, label: str) -> Path:
    """Where the searches of a variant are."""
    name = re.sub(r"[^\w.=,+-]", "-", label.replace(":", ","))
    # A name that begins with a dot means another place.
    return folder / "searches" / (name.lstrip(".") or "-")


def register(folder: Path, variant: MethodVariant) -> None:
    """Writes down the settings of a variant.

    Raises:
      InputError: its label stands for others here.
    """
    path = place_of(folder, variant.label) / SETTINGS
    if not path.exists():
        values = flatten(variant.config)
        own = {name: v for name, v in values.items() if name not in FIXED}
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {"label": variant.label, "method": variant.method}
        write_json(path, {**content, "settings": own})
        return
    stored = read_object(path)
    changed = changed_settings(
        look_up(stored, path, "settings", dict), variant.config
    )
    for name in ("method", "label"):
        value = look_up(stored, path, name, str)
        if value != getattr(variant, name):
            changed.insert(0, f"{name}: {value} -> {getattr(variant, name)}")
    if changed:
        raise InputError(
            f"{path.parent} holds searches of other settings (there -> now): "
            f"{'; '.join(changed)}. Give {variant.label!r} another label "
            "(LABEL=METHOD:...), or take another --out"
        )


def folder_of(
    folder: Path, label: str, column: TableColumn, queries: int
) -> Path:
    """Where a variant's searches on a column are, of so many queries."""
    return place_of(folder, label) / f"{column.key}-{queries}"


def files_of(
    folder: Path, label: str, column: TableColumn, queries: int
) -> Iterator[tuple[Path, int, int]]:
    """Files of a variant's searches on a column; their seeds, first to last."""
    for path in sorted(folder_of(folder, label, column, queries).glob("*.npz")):
        match = _NAME.fullmatch(path.name)
        if match:
            yield path, int(match[1]), int(match[2])


def file_of(
    folder: Path,
    label: str,
    column: TableColumn,
    queries: int,
    seeds: tuple[int, int],
) -> Path:
    """Where some searches go."""
    name = f"seeds-{seeds[0]}-{seeds[1]}.npz"
    return folder_of(folder, label, column, queries) / name


def save(path: Path, stored: Stored) -> None:
    """Writes searches whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with placing(path) as partial:
        np.savez_compressed(
            partial,
            seeds=stored.seeds.astype(np.int64),
            codes=stored.codes.astype(np.uint16),
            seconds=np.float64(stored.seconds),
            about=np.array(json.dumps(stored.about)),
        )


def load(chunk: Chunk) -> Stored:
    """Reads the searches of a file.

    Raises:
      InputError: it is damaged, or holds others.
    """
    path, (first, last) = chunk.file, chunk.seeds
    mend = "delete it and give the command again"
    try:
        with np.load(path, allow_pickle=False) as arrays:
            stored = Stored(
                arrays["seeds"],
                arrays["codes"],
                float(arrays["seconds"]),
                json.loads(str(arrays["about"])),
            )
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        EOFError,
        zipfile.BadZipFile,
    ) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path} is damaged ({reason}); {mend}") from None
    shape = (last - first + 1, chunk.queries)
    codes = stored.codes
    if (
        not np.array_equal(stored.seeds, np.arange(first, last + 1))
        or codes.dtype != np.uint16
        or codes.shape != shape
        or np.any((codes >= table.CELLS) & (codes != NONE))
        # A search that asked for nothing has found nothing.
        or np.any(codes[:, 0] == NONE)
        or not isinstance(stored.about, dict)
    ):
        raise InputError(
            f"{path} is damaged: it does not hold {shape[0]} searches of "
            f"{shape[1]} cells; {mend}"
        )
    return stored
