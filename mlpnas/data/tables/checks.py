"""What is checked of every table before and after it is read."""

from pathlib import Path

from nascore.errors import InputError
from nascore.process.memory import available

# Memory that a table takes while it is read and encoded, in bytes of the file.
GROWTH = {".csv": 4, ".gz": 20, ".tsv": 4, ".parquet": 12, ".npz": 3}
# What pyarrow and pandas raise for files that are damaged or too new.
BROKEN = (
    ValueError,
    OSError,
    KeyError,
    TypeError,
    IndexError,
    OverflowError,
    NotImplementedError,
    MemoryError,
)


def check_size(path: Path, where: str) -> None:
    """Raises InputError for a file that would not fit into memory."""
    size, free = path.stat().st_size, available()
    growth = GROWTH[path.suffix.lower()]
    if size * growth > free:
        raise InputError(
            f"{where} is too large: {size / 1e9:.1f} GB in the file need "
            f"about {size * growth / 1e9:.1f} GB of memory, and "
            f"{free / 1e9:.1f} GB are free; take a part of its rows"
        )


def check_cells(count: int, where: str) -> None:
    """Raises InputError for more values than fit into memory."""
    free = available()
    if 8 * count * GROWTH[".npz"] > free:
        raise InputError(
            f"{where} is too large: its {count:.3g} values need more than the "
            f"{free / 1e9:.1f} GB of memory that are free"
        )


def check_header(names: list[str], where: str) -> None:
    """Raises InputError for a table without names, or with one name twice."""
    if not any(names):
        raise InputError(f"{where} has no header line with column names")
    seen: set[str] = set()
    for name in filter(None, names):
        if name in seen:
            raise InputError(
                f"{where} names the column {name!r} more than once"
            )
        seen.add(name)
