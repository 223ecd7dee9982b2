"""The searches that a final training takes something from."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nascore.config import check_kind, flatten, unflatten
from nascore.data.config import DataConfig
from nascore.errors import InputError
from nascore.runs.checkpoint_files import fingerprint
from nascore.runs.json_files import look_up
from nascore.runs.reader import RunRecords


@dataclasses.dataclass(frozen=True)
class SearchOrigin:
    """A search, and the images that it used.

    Attributes:
      run: its folder, as it was named.
      fingerprint: see `ImageData.fingerprint`.
      data: the settings of its images.
      weights: fingerprint of the checkpoint that shared weights are taken
        from; empty where none are, and in records of earlier versions.
    """

    run: str
    fingerprint: str
    data: DataConfig
    weights: str = ""

    @classmethod
    def of(cls, run: RunRecords, weights: bool = False) -> "SearchOrigin":
        """The search that a run folder holds.

        Args:
          run: what was read of it.
          weights: whether its shared weights are taken.
        """
        return cls(
            str(run.path),
            look_up(
                run.settings, run.path / "config.json", "data.fingerprint", str
            ),
            unflatten(DataConfig(), run.settings["config"]),
            fingerprint(run.path / "checkpoints") if weights else "",
        )

    def check_same(self, other: "SearchOrigin", flag: str) -> None:
        """Checks that another folder holds this search, as it was.

        Args:
          other: what the folder holds now.
          flag: that named it.

        Raises:
          InputError: it searched on other images, or has other weights.
        """
        what = ""
        if other.fingerprint != self.fingerprint:
            what = "searched on other images than"
        elif self.weights and other.weights != self.weights:
            what = "has other shared weights than"
        if what:
            raise InputError(
                f"--{flag}={other.run} {what} {self.run} had when this "
                "training was begun from it; name that search, wherever it "
                "is now, or start anew in another --run_dir"
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

    architecture: SearchOrigin | None = None
    weights: SearchOrigin | None = None

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
                searches[name] = SearchOrigin(
                    look_up(value, file, "run", str),
                    look_up(value, file, "fingerprint", str),
                    unflatten(DataConfig(), look_up(value, file, "data", dict)),
                    check_kind(
                        value.get("weights", ""),
                        str,
                        f"{file} is damaged: 'weights'",
                    ),
                )
        return cls(searches.get("architecture"), searches.get("weights"))


NOWHERE = Origin()
