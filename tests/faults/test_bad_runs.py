"""Run folders and reports that are damaged, of another kind, or in the way.

Each case is a script, its arguments, what is done to a whole folder `run`,
and words of the one line that it must answer.
"""

import json
import os

import numpy as np
import pytest

from experiments.comparison import files as report_files
from experiments.comparison.gathering import gather
from experiments.comparison.report import ROWS

DEEP = "[" * 100_000
CELL = "0 0 1 1 0 2 1 3"


def text(name, content):
    """Replaces a file of the run."""
    return lambda run: (run / name).write_text(content)


def binary(name, content):
    return lambda run: (run / name).write_bytes(content)


def change(name, edit):
    """Edits what a JSON file of the run says."""

    def damage(run):
        content = json.loads((run / name).read_text())
        edit(content)
        (run / name).write_text(json.dumps(content))

    return damage


def setting(name, value):
    return change("config.json", lambda c: c["config"].update({name: value}))


def without(name, *keys):
    def edit(content):
        for key in keys[:-1]:
            content = content[key]
        del content[keys[-1]]

    return change(name, edit)


def replace(name, old, new):
    """Replaces the first of some words in a file of the run."""

    def damage(run):
        content = (run / name).read_text()
        assert old in content
        (run / name).write_text(content.replace(old, new, 1))

    return damage


def remove(*names):
    def damage(run):
        for name in names:
            (run / name).unlink()

    return damage


def file_instead(name):
    """A file stands where a folder is to be made; not even root can."""
    return text(name, "in the way")


def entry(key, value, name="derived_architectures.json"):
    return change(name, lambda c: c["architectures"][0].update({key: value}))


def everything(run):
    for path in run.iterdir():
        path.unlink()


PLOT = ["run"]
RESUME = ["--run_dir=run", "--resume"]
SEARCH = [
    ("search_enas", RESUME, text("config.json", DEEP), "nested too deeply"),
    ("search_enas", RESUME, text("config.json", "[]"), "must be an object"),
    (
        "search_enas",
        RESUME,
        text("config.json", '{"config": 5}'),
        "'config' must be an object",
    ),
    (
        "search_enas",
        RESUME,
        text("derived_architectures.json", "{}"),
        "lacks 'epochs'",
    ),
    (
        "search_enas",
        RESUME,
        text("derived_architectures.json", "[]"),
        "must be an object",
    ),
    # config.json
    ("plot_run", PLOT, everything, "run/config.json does not exist"),
    ("plot_run", PLOT, text("config.json", ""), "run/config.json cannot be"),
    ("plot_run", PLOT, text("config.json", '{"a": 1'), "run/config.json"),
    ("plot_run", PLOT, text("config.json", "[]"), "must be an object"),
    ("plot_run", PLOT, text("config.json", "null"), "must be an object"),
    ("plot_run", PLOT, text("config.json", DEEP), "nested too deeply"),
    ("plot_run", PLOT, binary("config.json", b"\xff\xfe{"), "cannot be read"),
    (
        "plot_run",
        PLOT,
        text("config.json", '{"space": ' + "9" * 5000 + "}"),
        "cannot be read",
    ),
    ("plot_run", PLOT, without("config.json", "space"), "lacks 'space'"),
    ("plot_run", PLOT, without("config.json", "config"), "lacks 'config'"),
    (
        "plot_run",
        PLOT,
        change("config.json", lambda c: c["space"].update(num_nodes="5")),
        "'space.num_nodes' must be a whole number",
    ),
    (
        "plot_run",
        PLOT,
        change("config.json", lambda c: c["space"].update(num_nodes=10**12)),
        "from 1 to 100 nodes",
    ),
    (
        "plot_run",
        PLOT,
        change("config.json", lambda c: c["space"].update(operations=[1, {}])),
        "lacks the search space",
    ),
    (
        "plot_run",
        PLOT,
        change("config.json", lambda c: c["space"].update(cell_types=["../x"])),
        "letters, digits and underscores",
    ),
    ("plot_run", PLOT, setting("epochs", "all"), "'config.epochs' must be"),
    # CSV files
    ("plot_run", PLOT, text("controller.csv", ""), "no evaluated architecture"),
    ("plot_run", PLOT, text("controller.csv", "a,b\n"), "lacks the column"),
    (
        "plot_run",
        PLOT,
        replace("controller.csv", "0.5", "half"),
        "column 'accuracy' in row 1",
    ),
    (
        "plot_run",
        PLOT,
        replace("controller.csv", "0.5", "inf"),
        "column 'accuracy' in row 1",
    ),
    (
        "plot_run",
        PLOT,
        replace("controller.csv", "\n0,0,", "\n-1,0,"),
        "no whole number from 0: ",
    ),
    (
        "plot_run",
        PLOT,
        replace("controller.csv", "\n0,0,", "\n0,0,9 9 "),
        "is no normal cell",
    ),
    (
        "plot_run",
        PLOT,
        binary("controller.csv", os.urandom(400) + b"\n"),
        "run/controller.csv",
    ),
    ("plot_run", PLOT, text("epochs.csv", "epoch\n1\n"), "run/epochs.csv"),
    ("plot_run", PLOT, replace("epochs.csv", "0.5", "1e999"), "run/epochs.csv"),
    # Rankings
    (
        "plot_run",
        PLOT,
        text("derived_architectures.json", "{}"),
        "derived_architectures.json is damaged: it lacks 'epochs'",
    ),
    ("plot_run", PLOT, entry("architecture", "0 0 9"), "entry 1: an archi"),
    ("plot_run", PLOT, entry("rank", "../../x"), "'rank' must be"),
    ("plot_run", PLOT, entry("validation_accuracy", None), "validation_acc"),
    (
        "plot_run",
        PLOT,
        change(
            "derived_architectures.json",
            lambda c: c.update(architectures=["x", 1]),
        ),
        "entry 1 must be an object",
    ),
    ("plot_run", PLOT, text("best_architectures.json", DEEP), "too deeply"),
    ("plot_run", PLOT, file_instead("plots"), "run/plots cannot be written"),
    # Other scripts that read a search
    ("rank_check", PLOT, setting("epochs", None), "'config.epochs' must be"),
    (
        "rank_check",
        PLOT,
        remove("derived_architectures.json"),
        "holds no finished search",
    ),
    ("rank_check", PLOT, text("rank_check.csv", "a\n1\n"), "rank_check.csv"),
    (
        "rank_check",
        PLOT,
        text(
            "rank_check.csv",
            "architecture,shared_accuracy,standalone_accuracy,epochs\n"
            "x,0.5,high,5\n",
        ),
        "column 'standalone_accuracy' in row 1",
    ),
    ("rank_check", PLOT, setting("filters", "4"), "--filters must be a whole"),
    ("rank_check", PLOT, without("config.json", "data"), "lacks 'data'"),
    ("rank_check", PLOT, lambda run: None, "searched on other images"),
    (
        "score_architecture",
        ["run", CELL],
        setting("child_lr_max", "fast"),
        "has 16 integers",
    ),
    (
        "score_architecture",
        ["run", f"{CELL} {CELL}"],
        setting("child_lr_max", "fast"),
        "--child_lr_max must be a finite number",
    ),
    (
        "score_architecture",
        ["run", f"{CELL} {CELL}"],
        setting("filters", 10**9),
        "--filters=1000000000 must be",
    ),
    (
        "score_architecture",
        ["run", f"{CELL} {CELL}"],
        setting("data_dir", "a\0b"),
        "cannot be printed",
    ),
    (
        "score_architecture",
        ["run", f"{CELL} {CELL}"],
        setting("dataset", "imagenet"),
        "--dataset=imagenet",
    ),
    ("train_final", ["--from_run=run"], entry("architecture", 5), "a text"),
    ("train_final", ["--from_run=run", "--rank=3"], lambda run: None, "to 2"),
    ("train_final", ["--from_run=run"], setting("num_nodes", 3), "24 integers"),
    ("train_final", ["--from_run=run"], setting("image_size", []), "whole"),
    ("train_final", ["--from_run=run"], everything, "config.json does not"),
    (
        "train_final",
        ["--run_dir=run", "--resume"],
        lambda run: None,
        "holds a run of 'enas', not of final training",
    ),
    (
        "train_final",
        ["--from_run=run", "--run_dir=run"],
        lambda run: None,
        "run",
    ),
    ("plot_final", PLOT, lambda run: None, "a run of 'enas', not of final"),
    ("plot_mlpnas", PLOT, lambda run: None, "lacks the column score"),
    (
        "search_mlpnas",
        ["--run_dir=run", "--resume"],
        lambda run: None,
        "holds a run of enas, not of mlpnas",
    ),
    # Comparisons
    ("compare", ["run"], without("config.json", "starts"), "lacks 'starts'"),
    (
        "compare",
        ["run"],
        change("config.json", lambda c: c.update(starts=[])),
        "it has no start",
    ),
    ("compare", ["run"], setting("seed", "1"), "'config.seed' must be"),
    ("compare", ["run"], setting("dataset", 7), "'config.dataset' must be"),
    ("compare", ["run"], remove("epochs.csv"), "lack the rows"),
    (
        "compare",
        ["run"],
        remove("derived_architectures.json"),
        "none of the 1 run folders is finished",
    ),
    ("compare", ["run", "run"], lambda run: None, "are both runs of enas"),
    (
        "compare",
        ["run", "--out=run/config.json"],
        lambda run: None,
        "cannot be",
    ),
]


@pytest.mark.parametrize(("name", "arguments", "damage", "words"), SEARCH)
def test_bad_searches(refused, search_run, name, arguments, damage, words):
    damage(search_run)
    refused(name, arguments, words)


FINAL = [
    ("plot_final", PLOT, text("config.json", "7"), "must be an object"),
    ("plot_final", PLOT, text("epochs.csv", ""), "no finished epoch"),
    ("plot_final", PLOT, replace("epochs.csv", "0.5", "x"), "run/epochs.csv"),
    ("plot_final", PLOT, text("test.json", "[]"), "run/test.json must be"),
    ("plot_final", PLOT, without("test.json", "accuracy"), "lacks 'accuracy'"),
    (
        "plot_final",
        PLOT,
        change("test.json", lambda c: c.update(accuracy=10**400)),
        "'accuracy' must be a finite number",
    ),
    ("plot_final", PLOT, remove("confusion.csv"), "run/confusion.csv"),
    ("plot_final", PLOT, text("confusion.csv", ",a\nx,1\ny,2\n"), "2 rows and"),
    ("plot_final", PLOT, replace("confusion.csv", "3", "-3"), "more than co"),
    ("plot_final", PLOT, replace("confusion.csv", "3", "3.5"), "more than co"),
    ("plot_final", PLOT, remove("calibration.csv"), "run/calibration.csv"),
    ("plot_final", PLOT, text("calibration.csv", "a\n1\n"), "calibration.csv"),
    ("plot_final", PLOT, file_instead("plots"), "run/plots cannot be written"),
    ("plot_run", PLOT, lambda run: None, "lacks the search space"),
    ("export_model", PLOT, lambda run: None, "run/model/network.keras does"),
    ("predict", ["run", "x.png"], lambda run: None, "no exported network"),
    (
        "train_final",
        ["--run_dir=run", "--resume"],
        lambda run: None,
        "run is finished",
    ),
    (
        "train_final",
        ["--run_dir=run", "--resume"],
        text("test.json", "{}"),
        "run/test.json is damaged: it lacks 'epochs'",
    ),
    (
        "train_final",
        ["--run_dir=run", "--resume"],
        setting("epochs", 1.5),
        "'config.epochs' must be a whole number",
    ),
    (
        "train_final",
        ["--run_dir=run", "--resume"],
        setting("lr_max", [0.1]),
        "--lr_max must be a finite number",
    ),
    (
        "train_final",
        ["--run_dir=run", "--resume"],
        setting("architecture", "0 0"),
        "has 16 integers",
    ),
    (
        "train_final",
        ["--run_dir=run", "--resume"],
        text("config.json", DEEP),
        "nested too deeply",
    ),
]


@pytest.mark.parametrize(("name", "arguments", "damage", "words"), FINAL)
def test_bad_final_trainings(
    refused, final_run, name, arguments, damage, words
):
    damage(final_run)
    refused(name, arguments, words)


MLP = [
    ("plot_mlpnas", PLOT, text("config.json", "{}"), "lacks 'config'"),
    ("plot_mlpnas", PLOT, replace("evaluations.csv", "0.5", "x"), "'score' in"),
    ("plot_mlpnas", PLOT, text("final.json", "{"), "run/final.json cannot be"),
    ("plot_mlpnas", PLOT, without("final.json", "finetuned"), "'finetuned'"),
    (
        "plot_mlpnas",
        PLOT,
        change("final.json", lambda c: c.update(competitors=[5])),
        "lacks 'name'",
    ),
    (
        "plot_mlpnas",
        PLOT,
        change(
            "final.json", lambda c: c["finetuned"].update(test_accuracy="a")
        ),
        "'test_accuracy' must be",
    ),
    ("plot_mlpnas", PLOT, file_instead("plots"), "run/plots cannot be"),
    ("plot_run", PLOT, replace("evaluations.csv", "0.5", "x"), "'score' in"),
    ("plot_run", PLOT, without("config.json", "space"), "the search space"),
    (
        "search_mlpnas",
        ["--run_dir=run", "--resume"],
        lambda run: None,
        "run is finished after 2 epochs",
    ),
    (
        "search_mlpnas",
        ["--run_dir=run", "--resume"],
        setting("units", 8),
        "--units must be a text",
    ),
    (
        "search_mlpnas",
        ["--run_dir=run", "--resume"],
        change("final.json", lambda c: c.update(epochs="2")),
        "run/final.json is damaged: 'epochs'",
    ),
    (
        "search_mlpnas",
        ["--run_dir=run"],
        lambda run: None,
        "already holds a run",
    ),
]


@pytest.mark.parametrize(("name", "arguments", "damage", "words"), MLP)
def test_bad_runs_of_mlpnas(refused, mlp_run, name, arguments, damage, words):
    damage(mlp_run)
    refused(name, arguments, words)


@pytest.fixture
def report(search_run):
    """The folder `run` of a report of one search."""
    rows = gather([search_run])
    report_files.save(rows, search_run / ROWS)
    return search_run / ROWS


def column(name, value, place=0, file="runs.csv"):
    """Changes one value of a table."""

    def damage(rows):
        lines = (rows / file).read_text().splitlines()
        words = lines[1 + place].split(",")
        words[lines[0].split(",").index(name)] = value
        lines[1 + place] = ",".join(words)
        (rows / file).write_text("\n".join(lines) + "\n")

    return damage


REPORTS = [
    (text("about.json", "[]"), "rows/about.json must be an object"),
    (text("about.json", DEEP), "nested too deeply"),
    (without("about.json", "notes"), "lacks 'notes'"),
    (without("about.json", "about", "digits"), "of 'digits' must be an obj"),
    (without("about.json", "about", "digits", "spaces"), "lacks the search"),
    (remove("proposals.csv"), "rows/proposals.csv does not exist"),
    (binary("evaluations.csv.gz", b"no gzip"), "evaluations.csv.gz is damaged"),
    (binary("evaluations.csv.gz", b"\x1f\x8b\x08" + bytes(20)), "is damaged"),
    (column("seed", "one"), "column 'seed' in row 1"),
    (column("dataset", "mnist"), "('digits', 'enas', 1) is only in one"),
    (column("method", "other"), "do not belong together"),
    (
        column("score_mean", "high", file="epochs.csv"),
        "column 'score_mean' in row 1",
    ),
    (text("runs.csv", "a,b\n1,2\n"), "rows/runs.csv lacks the column"),
    (lambda rows: file_instead("../tables")(rows), "run cannot be written"),
]


@pytest.mark.parametrize(("damage", "words"), REPORTS)
def test_bad_reports(refused, report, damage, words):
    damage(report)
    refused("plot_comparison", ["run"], words)


PLACES = [
    ("search_enas", ["--run_dir=file"], "--run_dir=file is not a folder"),
    ("search_ienas", ["--run_dir=file/run"], "--run_dir=file/run cannot be"),
    ("search_mlpnas", ["--run_dir=full"], "holds other files and no run"),
    ("search_enas", ["--run_dir=full", "--resume"], "holds no run to resume"),
    ("search_mlpnas", ["--run_dir=empty", "--resume"], "holds no run to res"),
    ("train_final", ["--from_run=file"], "file is not a folder"),
    ("compare", ["file"], "file is not a folder"),
    ("compare", ["empty"], "empty/config.json does not exist"),
    ("rank_check", ["empty"], "empty/config.json does not exist"),
    ("plot_run", ["file"], "file is not a folder"),
    ("plot_final", ["empty"], "empty/config.json does not exist"),
    ("plot_mlpnas", ["empty"], "empty/config.json does not exist"),
    ("plot_comparison", ["empty"], "holds no rows"),
    ("export_model", ["empty"], "network.keras does not exist"),
    ("predict", ["empty", "x.png"], "empty holds no exported network"),
    ("score_architecture", ["empty", CELL], "empty/config.json does not"),
]


@pytest.mark.parametrize(("name", "arguments", "words"), PLACES)
def test_places_that_are_no_run_folders(
    refused, tmp_path, name, arguments, words
):
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "full" / "other.txt").write_text(str(np.pi))
    refused(name, arguments, words)


COMPARE = (
    "--dataset=digits --image_size=8 --num_layers=2 --filters=4 --epochs=1 "
    "--methods=enas --seeds=1 --out=out"
).split()


@pytest.mark.parametrize(
    ("name", "arguments", "job", "content", "words"),
    [
        ("compare", COMPARE, "enas-seed1", "[]", "must be an object"),
        ("compare", COMPARE, "enas-seed1", "{}", "lacks 'config'"),
        ("compare", COMPARE, "enas-seed1", '{"config": 5}', "'config' must"),
        ("compare", COMPARE, "enas-seed1", DEEP, "nested too deeply"),
        (
            "mlpnas_tables",
            ["--tables=1", "--seeds=1", "--out=out"],
            "mnist-seed1",
            "{}",
            "lacks 'config'",
        ),
    ],
)
def test_batches_whose_runs_are_damaged(
    refused, tmp_path, name, arguments, job, content, words
):
    folder = tmp_path / "out" / "runs" / job
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(content)
    refused(name, arguments, words)


def test_a_search_without_networks_of_ours_is_not_trained(
    refused, forked, tmp_path
):
    done = forked(
        "search",
        "--method=bench201_random",
        "--epochs=1",
        "--epoch_queries=3",
        "--run_dir=run",
        folder=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    for name, arguments in (
        ("train_final", ["--from_run=run"]),
        ("score_architecture", ["run", "--rank=1"]),
        ("rank_check", ["run"]),
    ):
        refused(name, arguments, "run is a search of bench201; this needs one")
