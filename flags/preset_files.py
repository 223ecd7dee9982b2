"""Presets: files of flags that are known by their names.

A preset is a file below `presets/`, called by its path there without the
ending: `digits`, `final/quick`. The folder says who takes it: searches and
comparisons those that lie in none, the final training those of `final`, that
of a model of language those of `language`. Its
comment begins with its commands; then it says where it comes from, what was
found with it, and how long it takes. It is installed with the package.
"""

import difflib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, cast

from absl import flags

from flags import base
from nascore.errors import InputError

FOLDER = Path(__file__).parent / "presets"
# Folders of presets, by who takes them.
SEARCHES, TRAININGS, LANGUAGE = "", "final", "language"
GROUP = "Settings from a file"
_ENDING = ".flags"


class Preset(NamedTuple):
    """A preset, and what its comment says.

    Attributes:
      name: what `--preset` calls it.
      commands: that it is made for, as it gives them.
      about: paragraphs: where it comes from, what it does and takes.
      words: its flags.
    """

    name: str
    commands: tuple[str, ...]
    about: tuple[str, ...]
    words: tuple[str, ...]


def names(folder: str | None = None) -> list[str]:
    """Names of the presets of a folder, or of all."""
    every = [
        path.relative_to(FOLDER).with_suffix("").as_posix()
        for path in sorted(FOLDER.rglob(f"*{_ENDING}"))
    ]
    # Those that lie in no folder come first.
    every.sort(key=lambda name: (_folder_of(name), name))
    return [name for name in every if folder in (None, _folder_of(name))]


def _folder_of(name: str) -> str:
    return name.rpartition("/")[0]


def find(name: str, folder: str | None = None) -> Preset:
    """Reads the preset of a name.

    Args:
      name: see `names`.
      folder: whose presets are meant; None: all.

    Raises:
      InputError: there is none, or it is in another folder.
    """
    known = names()
    if name not in known:
        raise InputError(_unknown(name, names(folder)))
    preset = _read(name)
    if folder is not None and _folder_of(name) != folder:
        raise InputError(
            f"--preset={name} is for another command: {preset.commands[0]}; "
            f"here there are: {', '.join(names(folder))}"
        )
    return preset


def _unknown(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, 3, 0.5)
    # The name alone, of one in a folder.
    close += [other for other in known if other.endswith(f"/{name}")]
    hint = f"did you mean {' or '.join(dict.fromkeys(close))}? " * bool(close)
    text = f"--preset={name} is not known; {hint}there are: {', '.join(known)}"
    if Path(name).is_file():
        text += f" (a file of your own: --flagfile={name})"
    return text


def _read(name: str) -> Preset:
    path = FOLDER / f"{name}{_ENDING}"
    lines = path.read_text(encoding="utf-8").splitlines()
    comment = [line[1:].strip() for line in lines if line[:1] == "#"]
    paragraphs = re.split(r"\n\s*\n", "\n".join(comment).strip())
    whole = paragraphs[0].replace("\\\n", " ").splitlines()
    commands = tuple(" ".join(line.split()) for line in whole)
    about = tuple(" ".join(text.split()) for text in paragraphs[1:])
    words = tuple(line.strip() for line in lines if line[:2] == "--")
    return Preset(name, commands, about, words)


class _NameParser(flags.ArgumentParser[str]):
    """Takes the name of a preset; it is looked up before the flags are read.

    Args:
      folder: whose presets the script takes.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def flag_type(self) -> str:
        """For `--help`."""
        return f"one of {', '.join(names(self.folder))}"


def define(folder: str) -> None:
    """Defines `--preset`.

    Args:
      folder: of the presets that the script takes.
    """
    flags.DEFINE(
        _NameParser(folder),
        "preset",
        "",
        "Settings by name, for a start. Flags given beside it, before or "
        "after, hold instead of its own.",
        module_name=GROUP,
    )


def named(argv: Sequence[str]) -> Preset | None:
    """The preset that a command line, or a flag file in it, names.

    Raises:
      InputError: it is unknown, for another script, or not the only one.
    """
    if "preset" not in flags.FLAGS:
        return None
    base.peek(argv)
    flag = flags.FLAGS["preset"]
    count, name = flag.present, str(flag.value)
    folder = cast(_NameParser, flag.parser).folder
    flags.FLAGS.unparse_flags()
    if not count:
        return None
    if count > 1:
        raise InputError(
            "give --preset once; what another one has in addition is given "
            "beside it"
        )
    return find(name, folder)


def check_flags(preset: Preset) -> None:
    """Raises InputError if a preset sets what the script does not have."""
    for word in preset.words:
        flag = word[2:].partition("=")[0]
        # --noflip
        if flag not in flags.FLAGS and flag.removeprefix("no") not in (
            flags.FLAGS
        ):
            raise InputError(
                f"--preset={preset.name} is for another command: "
                f"{preset.commands[0]}; it sets --{flag}, which is no flag "
                "here"
            )
