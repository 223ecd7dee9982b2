"""The searches that a final training takes something from."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nascore.config import DataConfig, flatten, unflatten
from nascore.json_files import check_kind, look_up
from nascore.run_reader import RunRecords


@dataclasses.dataclass(frozen=True)
class Search:
    """A search, and the images that it used.

    Attributes:
      run: its folder, as it was named.
      fingerprint: see `ImageData.fingerprint`.
      data: the settings of its images.
    """

    run: str
    fingerprint: str
    data: DataConfig

    @classmethod
    def of(cls, run: RunRecords) -> "Search":
        """The search that a run folder holds."""
        return cls(
            str(run.path),
            look_up(
                run.settings, run.path / "config.json", "data.fingerprint", str
            ),
            unflatten(DataConfig(), run.settings["config"]),
        )


@dataclasses.dataclass(frozen=True)
class Origin:
    """Where a final training comes from.

    Attributes:
      architecture: the search that found the architecture; None if it was
        given by hand, when nothing is known of how it was found.
      weights: the search that the shared weights are from; None if the
        training starts afresh.
    """

    architecture: Search | None = None
    weights: Search | None = None

    def to_json(self) -> dict[str, Any]:
        """As `config.json` keeps it."""
        return {
            name: search and {**vars(search), "data": flatten(search.data)}
            for name, search in vars(self).items()
        }

    @classmethod
    def from_json(cls, settings: Mapping[str, Any], file: Path) -> "Origin":
        """Reads it; an older `config.json` names none.

        Raises:
          InputError: it is damaged.
        """
        searches = {}
        stored = check_kind(
            settings.get("origin", {}), dict, f"{file} is damaged: 'origin'"
        )
        for name, value in stored.items():
            if value is not None:
                searches[name] = Search(
                    look_up(value, file, "run", str),
                    look_up(value, file, "fingerprint", str),
                    unflatten(DataConfig(), look_up(value, file, "data", dict)),
                )
        return cls(searches.get("architecture"), searches.get("weights"))


NOWHERE = Origin()
