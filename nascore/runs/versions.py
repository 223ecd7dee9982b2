"""What wrote a run, and whether this version can continue it."""

import os
import platform
import re
import subprocess
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from nascore.config import flatten, resumable_names
from nascore.errors import InputError
from nascore.runs.json_files import read_object
from nascore.runs.tables import Row

# Which random numbers a run draws, see `nascore.seeds` and `nascore.draws`.
# One that began with others cannot be continued: raise this whenever a change
# of the code changes them. Runs that name none drew the first.
STREAMS = 2

# `dil_conv_*` filters once, as DARTS's does. Runs of it say so under this
# name; older ones are from when it was twice, which is `dil_sep_conv_*` today.
_REPEATS = "dil_conv_repeats"
_DILATED = re.compile(r"\bdil_conv_")

PACKAGES = ("ienas", "tensorflow", "keras", "numpy", "tensorflow-datasets")


def check_streams(path: Path, settings: Row) -> None:
    """Checks that a run drew the random numbers of today.

    Args:
      path: its folder.
      settings: what its `config.json` holds.

    Raises:
      InputError: it drew others.
    """
    if settings.get("random_streams", 1) != STREAMS:
        raise InputError(
            f"{path} was begun by a version that draws other random numbers, "
            "so this one cannot continue it; finish it with that version, or "
            "start anew in another folder"
        )


def check_continues(path: Path, settings: Row) -> None:
    """Checks that this version can continue a search.

    Final trainings keep their state as they always did.

    Args:
      path: its folder.
      settings: what its `config.json` holds.

    Raises:
      InputError: it drew other random numbers, or keeps its state otherwise.
    """
    check_streams(path, settings)
    # Former searches, whose checkpoints hold other names, did not say of what
    # kind their space is.
    space = settings.get("space")
    if space and "kind" not in space:
        raise InputError(
            f"{path} was begun by a version that keeps the state of a search "
            "otherwise, so this one cannot continue it; plots, scores, "
            "comparisons and models of what is there still work. Finish it "
            "with that version, or start anew in another folder"
        )


def meanings(operations: Iterable[str]) -> Row:
    """What a run records of operations whose meaning has changed."""
    dilated = any(map(_DILATED.match, operations))
    return {_REPEATS: 1} if dilated else {}


def read_config(path: Path) -> dict[str, Any]:
    """Reads the `config.json` of a run, operations under today's names.

    Raises:
      InputError: it is missing or damaged.
    """
    settings = read_object(path)
    if settings.get(_REPEATS) == 1:
        return settings
    for part in (settings.get("config"), settings.get("space")):
        if isinstance(part, dict) and "operations" in part:
            part["operations"] = _rename(part["operations"])
    return settings


def _rename(names: Any) -> Any:
    if isinstance(names, list):
        return [_rename(name) for name in names]
    if isinstance(names, str):
        return _DILATED.sub("dil_sep_conv_", names)
    return names


def differences(old: Row, new: Row, ignore: Iterable[str] = ()) -> list[str]:
    """Says which values differ, one `name: old -> new` each."""
    skipped = set(ignore)
    return [
        f"{name}: {old.get(name)} -> {new.get(name)}"
        for name in sorted({*old, *new} - skipped)
        if old.get(name) != new.get(name)
    ]


def changed_settings(old: Row, config: Any) -> list[str]:
    """Says which settings make another run of it.

    One that the older run does not name came later: it ran without.

    Args:
      old: settings of the run.
      config: dataclass of today's.
    """
    new = known_to(old, flatten(config))
    return differences(old, new, resumable_names(config))


def known_to(old: Row, new: Row) -> Row:
    """What the older of two records names, too; the rest came later."""
    return {name: value for name, value in new.items() if name in old}


def package_versions() -> dict[str, str]:
    """The versions of Python and of what results depend on."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "not installed"
    return versions


def host() -> str:
    """What a run is on."""
    return f"{platform.machine()}, {os.cpu_count()} cores"


def git_commit() -> str:
    """The commit of the source tree, "+changes" if it was edited."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return "unknown"
    try:
        commit, status = (
            subprocess.run(
                ["git", "-C", str(root), *arguments],
                capture_output=True,
                text=True,
                check=True,
                timeout=10,
            ).stdout.strip()
            for arguments in (["rev-parse", "HEAD"], ["status", "--porcelain"])
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return commit + ("+changes" if status else "")
