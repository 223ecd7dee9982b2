"""`~` in paths, which a shell leaves alone behind `--name=`."""

import json
import os
import subprocess
import sys

import pytest

from mlpnas.data.config import MlpDataConfig
from nascore.data.config import DataConfig
from nascore.errors import InputError
from nascore.paths import expand, make_absolute
from nascore.runs.config import RunConfig
from nascore.training.config import FinalConfig, TrainingConfig
from tests.faults.kill_anywhere import ROOT

# Prints, for each script, what each of its text flags makes of `~/x`; a
# process for each, since flags are defined once.
FLAGS = """
import importlib, json, os, sys
from absl import flags
from experiments import launch
for path in sorted(os.listdir("experiments")):
    if not path.endswith(".py") or path.startswith("__"):
        continue
    module = importlib.import_module(f"experiments.{path.removesuffix('.py')}")
    if not hasattr(module, "cli"):
        continue
    if os.fork():
        assert os.wait()[1] == 0
        continue
    sys.argv = [path]
    launch.run = lambda main, define=lambda: None, about=None: define()
    module.cli()
    found = {}
    for name in flags.FLAGS:
        flag = flags.FLAGS[name]
        owner = flags.FLAGS.find_module_defining_flag(name)
        texts = flag.flag_type() in ("string", "path")
        if texts and not owner.startswith("absl"):
            found[name] = flag.parser.parse("~/x")
    print(json.dumps([path, found]), flush=True)
    os._exit(0)
"""
NO_PATHS = {
    "architecture",
    "activations",
    "categorical_columns",
    "compare",
    "drop_columns",
    "export",
    "format",
    "functions",
    "input",
    "label_column",
    "method",
    "missing_values",
    "numeric_columns",
    "operation_order",
    "operations",
    "prompt",
    "scheduler",
    "space",
    "units",
}


def test_every_flag_of_a_path_knows_the_home_folder(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", FLAGS],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    scripts = dict(map(json.loads, done.stdout.splitlines()))
    assert len(scripts) >= 17
    known = {
        name: value
        for found in scripts.values()
        for name, value in found.items()
        if name not in NO_PATHS
    }
    assert {"run_dir", "data_dir", "out", "output", "from_run"} <= set(known)
    assert {"init_from_supernet", "data_file", "test_file"} <= set(known)
    assert {"source", "wine_file", "speakers_file"} <= set(known)
    for name, value in known.items():
        assert value == str(tmp_path / "x"), name


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


def test_what_a_leading_tilde_means(home):
    assert expand("~/runs/a") == str(home / "runs/a")
    assert expand("~") == str(home)
    for same in ("", "a/~/b", "./~/b", "runs~", "0 2 0 0"):
        assert expand(same) == same


def test_a_user_that_is_not_there(home, tmp_path):
    with pytest.raises(
        InputError, match="write ./~nobody-here/runs for a path"
    ):
        expand("~nobody-here/runs")
    # Unless something is called like that.
    (tmp_path / "~draft.csv").write_text("")
    assert expand("~draft.csv") == "~draft.csv"


def test_folders_given_as_arguments(home, search_run):
    home.mkdir()
    search_run.rename(home / "run")
    for word, code in (("~/run", 0), ("~/none", 2), ("~nobody-here/run", 2)):
        done = subprocess.run(
            [sys.executable, "-m", "experiments.plot_run", word],
            cwd=search_run.parent,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == code, done.stderr
        assert done.stderr.count("\n") == (code != 0)
    assert (home / "run" / "plots").is_dir()
    assert not any(path.name[0] == "~" for path in search_run.parent.iterdir())


def test_paths_among_settings_become_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = make_absolute(
        FinalConfig(
            DataConfig("folder", data_dir="photos"),
            training=TrainingConfig(init_from_supernet="../runs/a"),
        )
    )
    assert config.data.data_dir == str(tmp_path / "photos")
    assert config.training.init_from_supernet == str(
        tmp_path.parent / "runs" / "a"
    )
    assert config.data.dataset == "folder"
    # No path stays none.
    assert make_absolute(RunConfig()) == RunConfig()
    table = MlpDataConfig("table", "", "a.csv", "label", "b.csv")
    assert make_absolute(table).test_file == str(tmp_path / "b.csv")
    assert make_absolute(table).label_column == "label"
