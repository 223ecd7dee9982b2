"""The run folder: everything a run writes, in files that others can read.

`config.json` says what ran, the CSV files hold one row for each thing that
was measured, `checkpoints/` what a resumed run needs. Plots and reports read
these files and nothing else.
"""

import contextlib
import datetime
import itertools
import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import filelock

from nascore.config import check_kind, flatten
from nascore.errors import InputError
from nascore.runs.atomic import is_partial, remove, write_json
from nascore.runs.config import DATA_FILE, SEARCH_END, TEST_FILE
from nascore.runs.json_files import look_up, read_object
from nascore.runs.tables import Row, Table
from nascore.runs.versions import (
    STREAMS,
    changed_settings,
    check_streams,
    differences,
    git_commit,
    host,
    known_to,
    meanings,
    package_versions,
    read_config,
)
from nascore.spaces.kinds import to_fields

# What a run needs and what it took, see `nascore.process.memory`.
MEMORY_FILE = "memory.json"


class InUseError(InputError):
    """Another process holds the run folder."""


class RunFolder:
    """A run folder that this process holds, and nobody else.

    Use `create` or `open`; close it, or use it as a context manager.

    Attributes:
      path: the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._tables: dict[str, Table] = {}
        # Whether the folder was made for a run that has not begun yet.
        self._is_new = False
        self._lock = _lock(path)
        for entry in path.iterdir():
            if is_partial(entry):
                remove(entry)

    @classmethod
    def create(cls, path: Path) -> "RunFolder":
        """Makes a new run folder.

        Raises:
          InputError: the folder holds something already, or it cannot be
            written.
        """
        if (path / "config.json").exists():
            raise InputError(
                f"{path} already holds a run; add --resume to continue it, "
                "or choose another --run_dir"
            )
        if path.exists() and not path.is_dir():
            raise InputError(f"--run_dir={path} is not a folder")
        if path.is_dir() and not all(
            entry.name in _EARLY or is_partial(entry)
            for entry in path.iterdir()
        ):
            raise InputError(
                f"--run_dir={path} holds other files and no run; choose an "
                "empty or a new folder"
            )
        is_new = not path.exists()
        _make_folder(path, exist_ok=True)
        run = cls(path)
        run._is_new = is_new
        return run

    @classmethod
    def create_named(cls, method: str, dataset: str) -> "RunFolder":
        """Makes `runs/<method>-<dataset>-<time>`, which nobody else has.

        Of several that start in the same second, all but one get a number.

        Raises:
          InputError: it cannot be made.
        """
        now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
        path = Path("runs") / f"{method}-{dataset}-{now}"
        for number in itertools.count(2):
            try:
                _make_folder(path)
                break
            except FileExistsError:
                path = path.with_name(f"{method}-{dataset}-{now}-{number}")
        run = cls(path)
        run._is_new = True
        return run

    @classmethod
    def open(cls, path: Path) -> "RunFolder":
        """Opens an existing run folder, to continue its run.

        Raises:
          InputError: it holds no run, is in use or cannot be written.
        """
        if not (path / "config.json").is_file():
            raise InputError(
                f"--run_dir={path} holds no run to resume or to finish; "
                "without that, one is started there"
            )
        return cls(path)

    def __enter__(self) -> "RunFolder":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets others have the folder; one without a run is taken away."""
        if self._is_new and not (self.path / "config.json").exists():
            with contextlib.suppress(OSError):
                for name in (MEMORY_FILE, DATA_FILE, TEST_FILE):
                    (self.path / name).unlink(missing_ok=True)
                self._remove_lock()
                self.path.rmdir()
        self._lock.close()

    def _remove_lock(self) -> None:
        """Deletes the lock's file while nobody else can have taken it."""
        lock = self.path / _LOCK_NAME
        try:
            lock.unlink(missing_ok=True)
        except PermissionError:
            # Windows deletes no file that is open: ours, or by then another's.
            self._lock.close()
            lock.unlink()

    @property
    def finished(self) -> bool:
        """Whether the search came to the end that its settings ask for."""
        return is_finished(self.path)

    def record_start(self, about: Row, config: Any, space: Any = None) -> None:
        """Writes `config.json`, or adds this start to it.

        Args:
          about: what runs, on what data and devices.
          config: dataclass of settings.
          space: the search space, if one is searched.

        Raises:
          InputError: the folder holds a run of something else.
        """
        path = self.path / "config.json"
        start = {
            "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
            "time": datetime.datetime.now(datetime.UTC).isoformat(),
            "versions": package_versions(),
            "git_commit": git_commit(),
            "host": host(),
        }
        content: dict[str, Any] = {
            **about,
            "random_streams": STREAMS,
            "config": flatten(config),
            "space": to_fields(space) if space else None,
            **meanings(getattr(space, "operations", ())),
            "starts": [start],
        }
        # As read back from JSON, where tuples are lists.
        content = json.loads(json.dumps(content))
        if path.exists():
            old = read_config(path)
            self._check_same(old, content, config)
            content["starts"] = old.get("starts", []) + content["starts"]
        write_json(path, content)

    def _check_same(
        self, old: Mapping[str, Any], new: Mapping[str, Any], config: Any
    ) -> None:
        file = self.path / "config.json"
        check_streams(self.path, old)
        others = differences(
            old, new, ("config", "space", "starts", "devices", "data", "origin")
        )
        self.check_config(config, others)
        if "data" not in new:
            return
        data = look_up(old, file, "data", dict)
        # Remarks are worded anew from time to time, and name paths.
        others = differences(data, known_to(data, new["data"]), ("notes",))
        if others:
            raise InputError(
                f"{self.path} was begun on other examples, or on the same in "
                f"another order (run -> now): {'; '.join(others)}. Bring the "
                "data back as they were to continue it, or choose another "
                "--run_dir"
            )

    def check_config(self, config: Any, others: Sequence[str] = ()) -> None:
        """Checks that the run here is one of these settings.

        Args:
          config: the settings.
          others: what else differs.

        Raises:
          InputError: it is not; says what differs.
        """
        file = self.path / "config.json"
        old = look_up(read_config(file), file, "config", dict)
        changed = [*changed_settings(old, config), *others]
        if (
            check_kind(old.get("epochs"), int, f"{file}: 'epochs'")
            > (flatten(config)["epochs"])
        ):
            changed.append("epochs: may grow, not shrink")
        if changed:
            raise InputError(
                f"{self.path} holds a run of another configuration; what "
                f"differs (run -> now): {'; '.join(changed)}. Leave those "
                "flags out to continue it, or choose another --run_dir"
            )

    def table(self, name: str) -> Table:
        """The table `<name>.csv`."""
        if name not in self._tables:
            self._tables[name] = Table(self.path / f"{name}.csv")
        return self._tables[name]

    def append(self, table: str, rows: Sequence[Row]) -> None:
        """Adds rows to `<table>.csv`; the first row names the columns."""
        self.table(table).append(rows)

    def read(self, table: str) -> list[dict[str, str]]:
        """Returns the whole rows of `<table>.csv`; none if it is missing."""
        return self.table(table).read()


def is_finished(
    path: Path, epochs: int = 0, end_file: str = SEARCH_END
) -> bool:
    """Whether a folder holds a run that came to its end.

    Args:
      path: the folder.
      epochs: how many are wanted, if more than its settings ask for.
      end_file: the JSON file that a run of this kind ends with; it says
        after how many `epochs` it was written, and whether something is
        `unfinished` all the same.
    """
    if not (path / end_file).exists():
        return False
    end, settings = (
        read_object(path / name) for name in (end_file, "config.json")
    )
    if end.get("unfinished"):
        return False
    done = look_up(end, path / end_file, "epochs", int)
    asked = look_up(settings, path / "config.json", "config.epochs", int)
    return bool(end.get("stopped_early")) or done >= max(asked, epochs)


def _make_folder(path: Path, exist_ok: bool = False) -> None:
    """Raises InputError if it cannot be made, FileExistsError if it is."""
    try:
        path.mkdir(parents=True, exist_ok=exist_ok)
    except OSError as error:
        if isinstance(error, FileExistsError) and path.is_dir():
            raise
        raise InputError(
            f"--run_dir={path} cannot be made: {error.strerror}"
        ) from None


_LOCK_NAME = ".lock"
# What there can be of a run that has not begun yet.
_EARLY = (_LOCK_NAME, MEMORY_FILE, DATA_FILE, TEST_FILE)


def _lock(path: Path) -> IO[bytes]:
    """Takes the folder's lock; the system frees it when a process dies.

    The file says who has it, after a first byte: Windows lets nobody else
    read what is locked, and that byte is.

    Raises:
      InUseError: another process has it.
      InputError: the folder cannot be written, or its file system has no
        locks.
    """
    try:
        file = (path / _LOCK_NAME).open("a+b", buffering=0)
    except OSError as error:
        raise InputError(
            f"--run_dir={path} cannot be written: {error.strerror}"
        ) from None
    try:
        taken = filelock.lock_descriptor(file.fileno(), blocking=False)
    except OSError as error:
        file.close()
        raise InputError(
            f"--run_dir={path} cannot be locked: {error.strerror}; choose a "
            "folder on a disk of this machine, or have locks switched on "
            "where its network file system is mounted"
        ) from None
    if not taken:
        with file:
            file.seek(1)
            holder = file.read().decode(errors="replace").strip()
        raise InUseError(
            f"--run_dir={path} is in use by process {holder or 'unknown'}; "
            "wait for it, or choose another --run_dir"
        )
    # Only to tell others who holds it; on a full disk they are not told.
    with contextlib.suppress(OSError):
        file.truncate(0)
        file.write(f"\n{os.getpid()} on {platform.node()}".encode())
    return file
