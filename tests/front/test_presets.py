"""Presets by name, on each script that takes them."""

from pathlib import Path

import pytest

from flags import preset_files
from flags.preset_files import LANGUAGE, SEARCHES, TRAININGS

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "flags" / "presets"
FILES = {
    path.relative_to(FOLDER).with_suffix("").as_posix(): path
    for path in FOLDER.rglob("*.flags")
}
TAKERS = {
    SEARCHES: (
        ["search", "enas"],
        ["search", "random"],
        ["search", "--method=ienas_code"],
        ["-m", "experiments.search_ienas"],
        ["compare"],
    ),
    TRAININGS: (["train"],),
    LANGUAGE: (["train-language"],),
}
# Those of one method alone.
METHODS = {
    "darts_small": "darts",
    "darts_cifar10": "darts",
    "pc_darts_cifar10": "darts",
    "shared201_small": "shared201_enas",
    "shared201_cifar10": "shared201_enas",
    "shared201_darts_small": "shared201_darts",
    "shared201_darts_cifar10": "shared201_darts",
    "macro_small": "macro_enas",
    "macro_fashion_mnist": "macro_enas",
    "macro_cifar10": "macro_enas",
    "recurrent_small": "recurrent_enas",
    "recurrent_ptb": "recurrent_enas",
    "recurrent_darts_small": "recurrent_darts",
    "recurrent_darts_ptb": "recurrent_darts",
    "renas_small": "renas",
    "renas_fashion_mnist": "renas",
    "renas_cifar10": "renas",
    "nases_small": "nases",
    "nases_own_weights": "nases",
    "chain_random_small": "chain_random",
    "nases_chain_small": "nases_chain",
    "nases_code": "bench201_nases",
    "l2nas_printed": "bench201_l2nas",
    "l2nas_transfer": "bench201_l2nas",
}


def takers(name):
    """The command lines that take a preset."""
    if name in METHODS:
        return [
            ["search", METHODS[name]],
            ["search", f"--method={METHODS[name]}"],
        ]
    return TAKERS[name.rpartition("/")[0]]


def values_of(path):
    """What a preset's file says, read without the code that is tested."""
    words = [
        line[2:].partition("=")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith("--")
    ]
    return {name: value if equals else True for name, equals, value in words}


def same(value, written):
    """Whether a flag has the value that a file gives it."""
    number = value.strip("'")
    try:
        return float(number) == float(written)
    except ValueError:
        return number == str(written)


def read(answer, *words):
    done = answer(*words, only_read=True)
    assert done.code == 0, done.error
    return done.report["flags"]


def test_all_files_have_names():
    assert set(preset_files.names()) == set(FILES)
    folders = (SEARCHES, TRAININGS, LANGUAGE)
    listed = [name for each in folders for name in preset_files.names(each)]
    assert set(listed) == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_a_preset_is_its_file_on_every_script_that_takes_it(answer, name):
    for words in takers(name):
        flags = read(answer, *words, f"--preset={name}")
        wanted = values_of(FILES[name])
        assert wanted
        for flag, value in wanted.items():
            assert same(flags[flag], value), (words, flag)
        by_file = read(answer, *words, f"--flagfile={FILES[name]}")
        differ = {flag for flag in flags if flags[flag] != by_file[flag]}
        assert differ <= {"preset", "flagfile"}


@pytest.mark.parametrize(
    "words",
    [
        ["--preset=digits", "--epochs=3", "--filters=8"],
        ["--epochs=3", "--filters=8", "--preset=digits"],
        ["--epochs=3", "--preset", "digits", "--filters=8"],
    ],
)
def test_what_is_given_beside_it_holds(answer, words):
    flags = read(answer, "search", "ienas", *words)
    assert flags["epochs"] == "3" and flags["filters"] == "8"
    assert flags["num_nodes"] == "2"


def test_a_flag_file_may_name_one(answer, tmp_path):
    file = tmp_path / "mine.flags"
    file.write_text("--epochs=3\n--preset=digits\n")
    flags = read(answer, "search", "enas", f"--flagfile={file}")
    assert flags["epochs"] == "3" and flags["num_nodes"] == "2"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["search", "enas", "--preset=digit"], "did you mean digits?"),
        (["search", "enas", "--preset=zzz"], "there are: chain_random_small, "),
        (["search", "enas", "--preset="], "--preset= is not known"),
        (["train", "--preset=quick"], "did you mean final/quick?"),
        (
            ["search", "enas", "--preset=final/quick"],
            "is for another command: python -m experiments train",
        ),
        (
            ["train", "--preset=digits"],
            "is for another command: python -m experiments search ienas",
        ),
        (["search", "mlpnas", "--preset=digits"], "which is no flag here"),
        (
            ["search", "ienas", "--preset=l2nas_printed"],
            "sets --actor_lr, which is no flag here",
        ),
        (
            ["search", "enas", "--preset=digits", "--preset=mnist"],
            "give --preset once",
        ),
        (["predict", "--preset=digits"], "Unknown command line flag"),
        (
            ["search", "enas", "--preset=flags/presets/digits.flags"],
            "--flagfile=flags/presets/digits.flags",
        ),
        (["presets", "digit"], "did you mean digits?"),
    ],
)
def test_refusals_are_one_line(answer, words, said):
    done = answer(*words)
    assert done.code == 2
    (line,) = done.error.splitlines()
    assert line.startswith("error: ") and said in line, line
    assert done.out == "" and done.report["slow"] == []


def test_they_are_listed_with_what_they_are_for(answer):
    done = answer("presets")
    assert done.code == 0 and done.report["slow"] == []
    parts = dict(part.split("\n", 1) for part in done.out.strip().split("\n\n"))
    assert set(parts) == set(FILES)
    for name, part in parts.items():
        assert f"--preset={name}" in part
        assert "  python -m experiments " in part
        assert "Source: " in part and "Takes: " in part
        assert max(map(len, part.splitlines())) <= 80
    one = answer("presets", "final/quick").out
    for line in FILES["final/quick"].read_text().splitlines():
        assert line[:2] != "--" or f"    {line}\n" in one
