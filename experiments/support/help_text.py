"""What `--help` prints: purpose, examples, all settings in groups."""

import math
import pydoc
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from absl import flags

from experiments.support import program
from flags import base
from flags.preset_files import GROUP as FROM_FILE

HELP = ("-h", "-help", "--help", "-?", "--helpshort")
FULL = ("-helpfull", "--helpfull")
# Wider lines are hard to read, narrower ones hold no words.
_WIDEST, _NARROWEST = 80, 30
_HOW = (
    "Settings are written --name=value, before or after other words; what is "
    "on or off is switched with --name and --noname."
)
_OWN = "This command"
_EVERYWHERE = "In every command"
_COMMON = (
    ("-h, --help", "Shows this."),
    ("--helpfull", "The same, and the flags of absl at the end."),
    ("--version", "Says which version this is."),
)
_FLAGFILE = (
    "--flagfile=FILE",
    "Reads settings from a file of yours, one on each line; those after it "
    "hold instead of its own.",
)


def asked(argv: Sequence[str]) -> str:
    """Which help a command line asks for: `help`, `full`, or none."""
    words = argv[1 : argv.index("--") if "--" in argv else None]
    for kind, spellings in (("full", FULL), ("help", HELP)):
        if any(word in spellings for word in words):
            return kind
    return ""


def show(text: str) -> None:
    """Prints a text; in a terminal that it does not fit into, by pages."""
    lines = text.count("\n") + 1
    both = sys.stdout.isatty() and sys.stdin.isatty()
    if both and lines >= shutil.get_terminal_size().lines:
        pydoc.pager(text)
        return
    print(text)


def width() -> int:
    """Columns to fill."""
    columns = shutil.get_terminal_size((_WIDEST, 24)).columns
    return min(_WIDEST, max(_NARROWEST, columns))


def wrap(text: str, indent: str = "", hang: str | None = None) -> str:
    """Breaks a text into lines.

    Args:
      text: of any number of lines, one paragraph.
      indent: before the first line.
      hang: before the others; None: the same.
    """
    return textwrap.fill(
        text,
        width(),
        initial_indent=indent,
        subsequent_indent=indent if hang is None else hang,
        break_long_words=False,
        break_on_hyphens=False,
    )


def of_script(about: str, full: bool) -> str:
    """The help of the script whose flags are defined.

    Args:
      about: its docstring.
      full: whether the flags of absl are listed, too.
    """
    parts = [program.name(), *_reflow(program.rewrite(about)), wrap(_HOW)]
    groups = dict(_groups())
    for heading, found in groups.items():
        if not _is_absl(heading) and heading != FROM_FILE:
            parts.append(_list(heading, [_describe(flag) for flag in found]))
    files = [_describe(flag) for flag in groups.get(FROM_FILE, ())]
    parts.append(_list(FROM_FILE, [*files, _FLAGFILE]))
    parts.append(_list(_EVERYWHERE, _COMMON))
    for heading, found in groups.items():
        if full and _is_absl(heading):
            parts.append(_list(heading, [_describe(flag) for flag in found]))
    return "\n\n".join(parts)


def _groups() -> Iterator[tuple[str, list[Any]]]:
    """Headings with their flags, those of the script itself first."""
    by_module = flags.FLAGS.flags_by_module_dict()
    own = {
        name
        for name in by_module
        if name in sys.modules or name in (sys.argv[0], "__main__")
    }
    scripts = [flag for n in own if not _is_absl(n) for flag in by_module[n]]
    if scripts:
        yield _OWN, scripts
    for name, found in by_module.items():
        if name not in own or _is_absl(name):
            yield name, found


def _is_absl(heading: str) -> bool:
    return heading.startswith("absl.")


def _list(heading: str, entries: Sequence[tuple[str, str]]) -> str:
    lines = [wrap(heading)]
    for head, text in entries:
        lines += [wrap(head, "  ", "      "), wrap(text, "      ")]
    return "\n".join(lines)


def _describe(flag: Any) -> tuple[str, str]:
    """A flag's name with its default; what it does and may be."""
    text = " ".join(str(flag.help).split())
    if isinstance(flag.parser, flags.EnumParser):
        # Absl puts the values before it.
        text = text.partition(">: ")[2]
    if text and text[-1] not in ".!?":
        text += "."
    return (
        f"--{flag.name} (default: {_show(flag)})",
        f"{text} [{_allowed(flag)}]",
    )


def _show(flag: Any) -> str:
    """A default as it is typed."""
    value = flag.default
    if flag.boolean:
        return "on" if value else "off"
    if value is None or value == "" or value == []:
        return "none"
    return ",".join(value) if isinstance(value, list) else str(value)


def _allowed(flag: Any) -> str:
    """What a flag may be."""
    parser = flag.parser
    kind = parser.flag_type()
    if flag.boolean:
        return "on or off"
    if isinstance(parser, flags.EnumParser):
        return f"one of {', '.join(parser.enum_values)}"
    if kind not in ("int", "float"):
        names = {"string": "text", "comma separated list of strings": "list"}
        return names.get(kind, kind)
    own = (parser.lower_bound, parser.upper_bound)
    least, greatest = base.LIMITS.get(flag.name, own)
    words = ["whole number" if kind == "int" else "number"]
    # An upper bound alone is nowhere.
    if least is not None and (greatest is None or greatest == math.inf):
        words.append(f"of at least {_number(least)}")
    elif least is not None:
        words.append(f"from {_number(least)} to {_number(greatest)}")
    return " ".join(words)


def _number(value: float) -> str:
    if value == int(value) and abs(value) < 2**53:
        return f"{int(value):,}"
    return f"{value:g}"


def _reflow(text: str) -> Iterator[str]:
    """The paragraphs of a docstring; commands keep their lines."""
    for paragraph in textwrap.dedent(text).strip().split("\n\n"):
        lines = paragraph.split("\n")
        if any(line.lstrip().startswith(_COMMAND) for line in lines):
            yield "\n".join(_commands(lines))
        else:
            yield wrap(paragraph)


_COMMAND = ("python -m ", "ienas ")


def _commands(lines: Sequence[str]) -> Iterator[str]:
    """Commands as a shell reads them, broken where they are too long."""
    whole = "\n".join(lines).replace("\\\n", " ").split("\n")
    for line in whole:
        broken = textwrap.wrap(
            " ".join(line.split()),
            # For the blank and the backslash.
            width() - 2,
            initial_indent="  ",
            subsequent_indent="      ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        yield " \\\n".join(broken)
