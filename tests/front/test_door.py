"""`ienas`: one command for all scripts, and what each says of itself."""

import dataclasses
import json
import math
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from experiments.support import program
from flags import methods
from mlpnas.config import WorkConfig
from nascore.config import limits
from nascore.evaluators.config import ChildWorkConfig
from nascore.networks.config import NetworkConfig
from nascore.runs.config import RunConfig
from nascore.training.config import FinalConfig

ROOT = Path(__file__).parent.parent.parent
SCRIPTS = [
    path.stem
    for path in sorted((ROOT / "experiments").glob("*.py"))
    if "def cli(" in path.read_text(encoding="utf-8")
]
SEARCH = (
    "search",
    "search_darts",
    "search_enas",
    "search_ienas",
    "search_mlpnas",
    "search_nases",
)


def settings(config):
    """Name, default, choices and bounds of each field, however deep."""
    bounds = limits(config)
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            yield from settings(value)
        else:
            choices = field.metadata["choices"] or ()
            yield field.name, value, choices, bounds.get(field.name)


def configs_of(method):
    found = methods.find(method)
    return [found.config, RunConfig(), *([found.work] if found.work else [])]


WORDS_AND_CONFIGS = [
    *((["search", name], configs_of(name)) for name in methods.METHODS),
    *(
        (["-m", f"experiments.search_{name}"], configs_of(name))
        for name in ("enas", "ienas", "mlpnas")
    ),
    (["train"], [FinalConfig(), RunConfig()]),
    (["describe"], [NetworkConfig()]),
    (["compare"], [methods.find("enas").compared]),
    (
        ["compare", "--methods=mlpnas,mlpnas_random"],
        [methods.find("mlpnas").config],
    ),
]


def check_help(done, width=80):
    assert done.code == 0, done.error
    assert done.error == ""
    assert done.report["slow"] == []
    for line in done.out.splitlines():
        assert len(line) <= width or len(line.split()) == 1, line


ENTRY = re.compile(r"^  --(\w+) (.*?)(?=^  -|^\S|\Z)", re.DOTALL | re.MULTILINE)


def entries(out):
    """What help says of each flag: its default, and the rest."""
    found = {}
    for name, text in ENTRY.findall(out):
        text = " ".join(text.split())
        default, closed, rest = text.removeprefix("(default: ").partition(") ")
        assert closed, text
        found[name] = (default, rest)
    return found


@pytest.mark.parametrize(
    ("words", "configs"), WORDS_AND_CONFIGS, ids=lambda value: str(value)[:40]
)
def test_help_lists_every_setting(answer, words, configs):
    done = answer(*words, "--help")
    check_help(done)
    said = entries(done.out)
    for config in configs:
        for name, value, choices, bounds in settings(config):
            default, text = said[name]
            if isinstance(value, bool):
                assert default == ("on" if value else "off"), name
            else:
                assert default == (str(value) or "none"), name
            allowed = text[text.rindex("[") :]
            if choices:
                assert allowed == f"[one of {', '.join(choices)}]", name
            for bound in bounds or ():
                number = f"{bound:g}" if bound % 1 else f"{bound:,.0f}"
                assert number in allowed or bound == math.inf, name


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_has_help_with_examples(answer, script):
    done = answer("-m", f"experiments.{script}", "-h")
    check_help(done)
    first = done.out.split("Settings are written")[0]
    examples = first.count(f"\n  python -m experiments.{script}")
    assert examples >= 2, first
    assert "--helpfull" in done.out
    # All that absl knows of the script is there.
    read = answer("-m", f"experiments.{script}", only_read=True)
    full = answer("-m", f"experiments.{script}", "--helpfull")
    assert full.code == 0
    for name in read.report["flags"]:
        assert f"--{name} (" in full.out or f"--{name}=" in full.out, name


def test_help_says_what_numbers_are_allowed(answer):
    out = " ".join(answer("search", "ienas", "--help").out.split())
    assert "Epochs of the search. [whole number from 1 to 1,000,000]" in out
    assert "[number from 0.001 to 0.9]" in out
    assert "[number of at least 0]" in out
    assert "[one of paper, code, identity, twice]" in out
    out = " ".join(answer("compare", "-h").out.split())
    assert "Runs of each method, from --seed upwards. [whole number" in out


def test_flags_of_absl_come_last_and_only_when_asked_for(answer):
    plain, full = (answer("predict", w).out for w in ("--help", "--helpfull"))
    assert "absl." not in plain
    assert full.startswith(plain.rstrip("\n"))
    assert "--only_check_args" in full[len(plain) :]


@pytest.mark.parametrize("width", [40, 200])
def test_help_fits_the_terminal(answer, width):
    done = answer("search", "mlpnas", "--help", COLUMNS=str(width))
    check_help(done, min(width, 80))


def test_help_does_not_need_flags_that_can_be_read(answer):
    check_help(answer("search", "enas", "--epochs=x", "--help", "--nowhere"))
    check_help(answer("help", "search", "enas"))


def test_commands_are_listed_with_a_line_each(answer):
    done = answer()
    check_help(done)
    for word in program.COMMANDS:
        (line,) = [
            line
            for line in done.out.splitlines()
            if line.startswith(f"  {word} ")
        ]
        assert len(line.split()) > 3
    for name in methods.names():
        assert name in done.out
    assert answer("--help").out == answer("-h").out == done.out


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_is_reached(script):
    words = program.command_of(script).split()
    if words[0] == "search" and len(words) > 1:
        assert program.search_script(words[1]) == script
    elif words == ["plot"]:
        assert program.script_of(script) == script
    else:
        assert program.script_of(words[0]) == script
    assert program.script_of(script.replace("_", "-")) == script


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["serach"], "there is no command 'serach'; did you mean search"),
        (["zzz"], "there is no command 'zzz'; python -m experiments lists"),
        (["launch"], "there is no command 'launch'"),
        (["../evil"], "there is no command '../evil'"),
        (["--epochs=3"], "name a command before --epochs=3"),
        (["search", "enass"], "'enass' is not known; there are: enas, "),
        (["search", "enass"], "did you mean enas?"),
        (["search", "enas", "--epoch=3"], "'epoch'. Here it is --epochs ("),
        (["search", "enas", "--epochs=x"], "--epochs=x"),
        (["train", "--batchsize=3"], "Did you mean: batch_size"),
        (["search", "--dataset=digits"], "name a method, such as python"),
        (["search"], "name a method, such as python -m experiments search "),
        (["ienas"], "did you mean search ienas?"),
        (["plot"], "name one folder: python -m experiments plot FOLDER"),
        (["describe"], 'run: python -m experiments describe "0 2 ..."'),
        (["plot", "nowhere"], "nowhere is not a folder"),
        (["plot", "tests"], "tests holds no run and no comparison"),
    ],
)
def test_refusals_are_one_line_and_quick(answer, words, said):
    done = answer(*words)
    assert done.code == 2
    (line,) = done.error.splitlines()
    assert line.startswith("error: ") and said in line
    assert done.out == ""
    # A folder is looked into with what draws it.
    assert done.report["slow"] == [] or words == ["plot", "tests"]


def test_the_version(answer):
    for words in (["--version"], ["search", "enas", "--version"]):
        done = answer(*words)
        assert done.code == 0 and done.out.startswith("ienas")


def test_plot_takes_what_the_folder_holds(answer, tmp_path):
    for method, flag in (("enas", "--window"), ("final training", "--format")):
        (tmp_path / "config.json").write_text(json.dumps({"method": method}))
        done = answer("plot", tmp_path, "--help")
        assert done.code == 0 and flag in done.out
        assert ("--window" in done.out) == (method == "enas")
    (tmp_path / "config.json").unlink()
    (tmp_path / "rows").mkdir()
    assert "--targets" in answer("plot", tmp_path, "--help").out


def test_a_method_of_another_package_is_there(answer, tmp_path):
    about = tmp_path / "toy-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Name: toy\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        "[ienas.methods]\ntoy = tests.toy.config:TOY\n"
    )
    path = os.pathsep.join([str(ROOT), str(tmp_path)])
    done = subprocess.run(
        [sys.executable, "-m", "experiments", "search", "toy", "--help"],
        env={**os.environ, "PYTHONPATH": path},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("python -m experiments search toy\n")
    assert "--beads (default: 5)" in done.stdout


def test_a_stopped_run_says_how_it_was_called(tmp_path):
    code = textwrap.dedent(
        f"""
        import sys
        from pathlib import Path
        from experiments import launch
        from experiments.support import program
        program.start_as("ienas search random")
        Path({str(tmp_path)!r}, "config.json").touch()
        def main(args):
            with launch.resumable(Path({str(tmp_path)!r})):
                raise KeyboardInterrupt
        launch.run(main)
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 130
    assert f"ienas search random --run_dir={tmp_path} --resume" in done.stderr


def test_workers_settings_are_no_results():
    """What `configs_of` leans on: where trainings are beside each other."""
    found = {
        name: type(method.work)
        for name, method in methods.METHODS.items()
        if method.work
    }
    own = ("renas", "nases_chain", "chain_random")
    assert found == {
        **dict.fromkeys(("mlpnas", "mlpnas_random"), WorkConfig),
        **dict.fromkeys(own, ChildWorkConfig),
    }
