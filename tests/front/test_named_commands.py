"""Whatever names a command, a preset or a flag names one that exists."""

import ast
import re
import shlex
from pathlib import Path

import pytest

from experiments.support import program
from flags import methods
from tests.rooms import ROOMS

ROOT = Path(__file__).parent.parent.parent
# Where an f-string has a value.
HOLE = "HOLE"
CALLED = "|".join([*program.COMMANDS, *map(re.escape, ["plot-[a-z]+"])])
COMMAND = re.compile(
    rf"(?:python3? -m experiments(?:\.\w+)?(?=[\s`]|$)|\bienas (?={CALLED}))"
    r"[^`\n&|;]*",
    re.MULTILINE,
)
FLAG = re.compile(r"(?<![\w-])--([a-z]\w+)")
# Of other programs: Dask's worker, git, nvidia-smi, ruff; and of our
# benchmarks and fault tests, which have parsers of their own.
FOREIGN = {"nthreads", "porcelain", "query", "kills", "only", "check"}


def texts():
    """Place and text of all that people read."""
    for path in [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/*.md"))]:
        yield path.name, path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "flags" / "presets").rglob("*.flags")):
        lines = path.read_text(encoding="utf-8").splitlines()
        text = "\n".join(line.removeprefix("# ") for line in lines)
        yield path.relative_to(ROOT).as_posix(), text
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            for text in strings(ast.parse(path.read_text(encoding="utf-8"))):
                yield path.relative_to(ROOT).as_posix(), text


def strings(tree):
    """All texts of a module; of f-strings with holes for the values."""
    inside = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            inside |= {id(value) for value in ast.walk(node)}
            yield "".join(
                part.value if isinstance(part, ast.Constant) else HOLE
                for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if id(node) not in inside:
                yield node.value


TEXTS = list(texts())


def commands():
    """Place and words of each command, those of `ienas` alike."""
    found = {}
    for place, text in TEXTS:
        for match in COMMAND.finditer(text.replace("\\\n", " ")):
            command = re.sub(r"\[|\]|\.\.\.", " ", match.group())
            command = re.sub(r"[.,:)]+(?=\s|$)", " ", command)
            if command.count('"') % 2:
                continue  # Cut within an architecture: prose, no command.
            words = shlex.split(command)
            found.setdefault(tuple(words), place)
    return [(place, list(words)) for words, place in found.items()]


def to_answer(words):
    """As the server takes them; a value that is a hole tells nothing."""
    if words[0] == "ienas":
        rest = words[1:]
    elif words[2] == "experiments":
        rest = words[3:]
    else:
        rest = ["-m", words[2], *words[3:]]
    rest = [word for word in rest if word not in ("COMMAND", "METHOD")]
    # The script of a placeholder cannot be asked for its flags.
    return [word for word in rest if HOLE not in word]


COMMANDS = commands()


def test_there_are_some():
    places = {place for place, _ in COMMANDS}
    assert {"README.md", "experiments/predict.py"} <= places
    assert "flags/presets/digits.flags" in places
    assert "nascore/runs/json_files.py" not in places
    assert len(COMMANDS) > 50


@pytest.mark.parametrize(
    ("place", "words"), COMMANDS, ids=lambda value: " ".join(value)[:60]
)
def test_named_commands_can_be_read(answer, place, words):
    asked = to_answer(words)
    done = answer(*asked, only_read=True)
    assert done.code == 0, (place, words, done.error)


@pytest.fixture(scope="module")
def known(answer):
    """The flags of all scripts, with every method."""
    starts = [
        *(["search", name] for name in methods.METHODS),
        *(
            ["-m", f"experiments.{path.stem}"]
            for path in sorted((ROOT / "experiments").glob("*.py"))
            if "def cli(" in path.read_text(encoding="utf-8")
        ),
    ]
    found = {"help", "helpshort", "helpfull", "version", "flagfile"}
    # As help calls any flag.
    found |= {"name"}
    for words in starts:
        done = answer(*words, only_read=True)
        assert done.code == 0, done.error
        found |= set(done.report["flags"])
    return found


def test_named_flags_exist(known):
    wrong = {}
    for place, text in TEXTS:
        for flag in FLAG.findall(text):
            bare = flag.removeprefix("no")
            if not {flag, bare} & (known | FOREIGN) and HOLE not in flag:
                wrong[flag] = place
    assert wrong == {}


def test_named_presets_exist():
    names = {
        path.relative_to(ROOT / "flags" / "presets").with_suffix("").as_posix()
        for path in (ROOT / "flags" / "presets").rglob("*.flags")
    }
    found = set()
    for _, text in TEXTS:
        found |= set(re.findall(r"--preset=([\w/]+)", text)) - {HOLE}
    assert len(found) > 5 and found <= names, found - names
    for place, text in TEXTS:
        for path in re.findall(r"flags/presets/[\w/]+\.flags", text):
            assert (ROOT / path).is_file(), (place, path)
