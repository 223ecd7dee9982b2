"""A run on a table as a user has it: searched, resumed elsewhere, used."""

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from tests.mlpnas.former import make_former

ROOT = Path(__file__).parent.parent.parent
TINY = [
    "--epochs=1", "--architectures=2", "--child_epochs=1",
    "--finetune_epochs=1", "--compare=none", "--jobs=1", "--units=8",
    "--activations=relu", "--max_layers=3", "--batch_size=16",
]  # fmt: skip
HEADER = "km/h;town;code;day;label"


def table(count, first=0):
    rng = np.random.default_rng(first)
    lines = [HEADER]
    for n in range(count):
        speed = f"{rng.normal(n % 2, 1):.2f}".replace(".", ",")
        town = ["Ulm", "None", "Köln"][n % 3]
        code = ["007", "7", "", "?"][n // 2 % 4]
        lines.append(f"{speed};{town};{code};Monday;{['no', 'yes'][n % 2]}")
    return "\n".join(lines) + "\n"


def start(folder, *words):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    # As a user starts it.
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder with a table, rows, and a run that has ended."""
    folder = tmp_path_factory.mktemp("table")
    (folder / "t.csv").write_text(table(120), encoding="utf-8")
    (folder / "rows.csv").write_text(table(7, 1), encoding="utf-8")
    done = start(
        folder,
        "-m",
        "experiments.search_mlpnas",
        *TINY,
        "--dataset=table",
        "--data_file=t.csv",
        "--label_column=label",
        "--decimal=,",
        "--categorical_columns=code",
        "--missing_values=?",
        "--run_dir=run",
    )
    return folder, done


def test_a_run_says_how_it_read_and_how_to_go_on(finished):
    folder, done = finished
    assert done.returncode == 0, done.stderr
    assert "numbers (1 column): km/h (as " in done.stdout
    assert "code (2: '007', '7')" in done.stdout
    assert "only is in the training rows: day" in done.stdout
    begin = done.stdout.index("epoch 1/1")
    assert done.stdout.index("categories (3 columns)") < begin
    assert "python -m experiments.predict run rows.csv" in done.stdout
    assert "{column: tf.constant(array)}" in done.stdout


def by_hand(folder):
    """What plain Keras says of the rows, read as docs/mlpnas.md does."""
    model = keras.models.load_model(folder / "run" / "model.keras")
    rows = pd.read_csv(
        folder / "rows.csv", dtype=str, keep_default_na=False, sep=";"
    )
    rows["km/h"] = pd.to_numeric(rows["km/h"].str.replace(",", "."))
    columns = {name: tf.constant(rows[name].to_numpy()) for name in model.input}
    return np.asarray(model(columns))[:, 0]


@pytest.mark.filterwarnings("ignore:When providing `inputs`")
def test_rows_are_classified_as_plain_keras_does(finished, forked):
    folder, _ = finished
    done = forked("predict", "run", "rows.csv", folder=folder)
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [row["row"] for row in rows] == [str(n) for n in range(1, 8)]
    expected = by_hand(folder)
    for row, chance in zip(rows, expected, strict=True):
        assert row["class"] == ["no", "yes"][int(chance > 0.5)]
        best = max(chance, 1 - chance)
        assert float(row["probability"]) == pytest.approx(best, abs=1e-5)
        assert {row["class"], row["class_2"]} == {"no", "yes"}
    # The label and what was left out are not needed, and are said.
    assert "does not take: day, label" in done.stderr
    out = folder / "classes.csv"
    done = forked(
        "predict", "run/model.keras", "rows.csv", "--top=1",
        "--out=classes.csv", folder=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    written = list(csv.DictReader(out.open(encoding="utf-8")))
    assert list(written[0]) == ["row", "class", "probability"]
    assert [row["class"] for row in written] == [r["class"] for r in rows]
    before = out.read_bytes()
    done = forked(
        "predict", "run", "rows.csv", "--out=classes.csv", folder=folder
    )
    assert done.returncode == 2 and "exists already" in done.stderr
    assert out.read_bytes() == before


def test_the_code_of_the_page_classifies_alike(finished, forked):
    folder, _ = finished
    page = (ROOT / "docs" / "mlpnas.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (code,) = [block for block in blocks if "RUN/model.keras" in block]
    (folder / "plain.csv").write_text(
        "id,code,town,km/h\n1,007,Ulm,1\n2,?,None,\n3,,Rome,3\n4,7,,-1\n"
    )
    code = code.replace("RUN", "run").replace("rows.csv", "plain.csv")
    done = start(folder, "-c", code)
    assert done.returncode == 0, done.stderr
    chances = [float(word) for word in re.findall(r"[0-9.e-]+", done.stdout)]
    done = forked("predict", "run", "plain.csv", folder=folder)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert len(rows) == len(chances) == 4
    for row, chance in zip(rows, chances, strict=True):
        best = max(chance, 1 - chance)
        assert float(row["probability"]) == pytest.approx(best, abs=1e-5)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("km/h;town\n1,5;Ulm\n", "lacks columns that the model takes: code"),
        ("km/h;town;code\n1.5;Ulm;7\n", "column 'km/h' holds numbers"),
        ("km/h;town;code\nfast;Ulm;7\n", "'fast' in row 1"),
        ("km/h;town;code\n", "has no rows"),
        ("", "has no header line"),
        (None, "is not an existing file"),
    ],
)
def test_rows_that_do_not_fit_are_one_line(
    content, words, finished, forked, tmp_path
):
    if content is not None:
        (tmp_path / "bad.csv").write_text(content)
    done = forked(
        "predict", finished[0] / "run", "bad.csv", "--out=o.csv",
        folder=tmp_path,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and words in done.stderr
    assert not (tmp_path / "o.csv").exists()


def test_unknown_texts_and_other_order_are_said(finished, forked, tmp_path):
    (tmp_path / "rows.csv").write_text(
        "code;id;town;km/h\n007;1;Rome;\n?;2;Ulm;NA\n"
    )
    done = forked("predict", finished[0] / "run", tmp_path / "rows.csv")
    assert done.returncode == 0, done.stderr
    assert "column 'town': 'Rome' in 1 rows" in done.stderr
    assert "does not take: id" in done.stderr
    assert len(done.stdout.splitlines()) == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["a.csv", "b.csv"], "name one table"),
        (["rows.csv", "--convert"], "--convert is for pictures"),
        (["rows.csv", "--out=nowhere/o.csv"], "there is no folder nowhere"),
    ],
)
def test_arguments_that_a_table_has_no_use_for(
    arguments, words, finished, forked
):
    done = forked("predict", "run", *arguments, folder=finished[0])
    assert done.returncode == 2 and words in done.stderr
    assert done.stderr.count("\n") == 1


def damage(run, change):
    card = json.loads((run / "model_card.json").read_text())
    change(card)
    (run / "model_card.json").write_text(json.dumps(card))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda card: card.pop("classes"), "lacks 'classes'"),
        (lambda card: card["classes"].append("x"), "do not belong together"),
        (lambda card: card["input"]["columns"].pop(), "do not belong"),
        (lambda card: card["input"].update(columns=[1]), "is damaged"),
        (lambda card: card.update(input={"kind": "image"}), "for images"),
    ],
)
def test_a_damaged_card_is_one_line(change, words, finished, forked, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    for name in ("model.keras", "model_card.json"):
        shutil.copy(finished[0] / "run" / name, run)
    damage(run, change)
    done = forked("predict", run, finished[0] / "rows.csv")
    assert done.returncode == 2 and words in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_model_that_reads_a_file_is_refused(finished, forked, tmp_path):
    import zipfile

    run = tmp_path / "run"
    run.mkdir()
    shutil.copy(finished[0] / "run" / "model_card.json", run)
    with (
        zipfile.ZipFile(finished[0] / "run" / "model.keras") as old,
        zipfile.ZipFile(run / "model.keras", "w") as new,
    ):
        for name in old.namelist():
            content = old.read(name)
            if name == "config.json":
                config = json.loads(content)
                for layer in config["config"]["layers"]:
                    if layer["class_name"] == "StringLookup":
                        layer["config"]["vocabulary"] = "/etc/passwd"
                content = json.dumps(config).encode()
            new.writestr(name, content)
    done = forked("predict", run, finished[0] / "rows.csv")
    assert done.returncode == 2 and "reads the file" in done.stderr


def test_a_run_goes_on_where_its_table_has_moved(finished, forked, tmp_path):
    folder, _ = finished
    run = tmp_path / "moved"
    shutil.copytree(folder / "run", run)
    resume = [f"--run_dir={run}", "--resume", "--jobs=1"]
    # Another table at the new place, then the same.
    (tmp_path / "u.csv").write_text(table(120, 5), encoding="utf-8")
    words = [*resume, "--epochs=2", f"--data_file={tmp_path / 'u.csv'}"]
    before = (run / "evaluations.csv").read_bytes()
    done = forked("search_mlpnas", *words)
    assert done.returncode == 2 and "begun on other examples" in done.stderr
    assert done.stderr.count("\n") == 1
    done = forked("search_mlpnas", *words, f"--test_file={tmp_path / 'u.csv'}")
    assert done.returncode == 2 and "begun on other examples" in done.stderr
    assert (run / "evaluations.csv").read_bytes() == before
    shutil.copy(folder / "t.csv", tmp_path / "u.csv")
    done = forked("search_mlpnas", *words)
    assert done.returncode == 0, done.stderr
    settings = json.loads((run / "config.json").read_text())
    assert settings["config"]["data_file"] == str(tmp_path / "u.csv")
    assert json.loads((run / "final.json").read_text())["epochs"] == 2
    assert len(pd.read_csv(run / "evaluations.csv")) > 2


def test_the_model_of_a_former_run_still_answers(finished, forked, tmp_path):
    folder, _ = finished
    rows = folder / "rows.csv"
    run = make_former(folder / "run", tmp_path / "run")
    answers = [forked("predict", path, rows) for path in (folder / "run", run)]
    assert answers[0].returncode == answers[1].returncode == 0
    assert answers[0].stdout == answers[1].stdout
    assert answers[1].stdout.startswith("row,class,probability")
