"""Names in files that would run in a browser, a terminal or a figure."""

import json

import numpy as np
import pytest

from experiments.comparison import files as report_files
from experiments.comparison.gathering import gather
from experiments.comparison.report import ROWS, write_report
from nascore.errors import InputError, printable

SCRIPT = "<script>alert('1')</script>"
FORMULA = r"$\frac{$ a_$x$ \\ {"
ESCAPES = "\x1b[31mred\x1b[0m\x07\x9b2J\u202etxt\r\nerror: forged"


def rename(run, **names):
    """Changes what a run's `config.json` calls things."""
    content = json.loads((run / "config.json").read_text())
    content["method"] = names.pop("method", content["method"])
    content["config"] |= names
    (run / "config.json").write_text(json.dumps(content))


def test_what_is_printed_is_one_line_without_escapes():
    shown = printable(ESCAPES)
    assert shown.isprintable() and "\\x1b[31mred" in shown
    assert "txt error: forged" in shown
    assert printable("Å 語 n̈ a  b") == "Å 語 n̈ a  b"
    assert str(InputError(ESCAPES)) == shown


@pytest.mark.parametrize("dataset", [SCRIPT, FORMULA, "../../out", "=1+1"])
def test_a_report_escapes_every_name(search_run, tmp_path, dataset):
    rename(search_run, dataset=dataset, method=SCRIPT, note=SCRIPT)
    content = json.loads((search_run / "config.json").read_text())
    content["starts"][0] |= {
        "host": SCRIPT,
        "time": SCRIPT,
        "command": [SCRIPT],
    }
    (search_run / "config.json").write_text(json.dumps(content))
    other = tmp_path / SCRIPT.replace("/", "")
    other.mkdir()
    for path in search_run.iterdir():
        (other / path.name).write_bytes(path.read_bytes())
    rename(other, seed=2, filters=SCRIPT)
    unfinished = tmp_path / "<script>"
    unfinished.mkdir()
    (unfinished / "config.json").write_bytes(
        (search_run / "config.json").read_bytes()
    )
    report = tmp_path / "deep" / "er" / "report"
    rows = gather([search_run, other, unfinished])
    report_files.save(rows, report / ROWS)
    _, remarks, page = write_report(report)
    html = page.read_text()
    assert "<script" not in html.lower()
    assert html.count("&lt;script&gt;alert(&#39;1&#39;)") > 3
    assert any("<script>" in remark for remark in remarks)
    # Nothing was written elsewhere.
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["er"]
    assert [p.name for p in (tmp_path / "deep" / "er").iterdir()] == ["report"]
    assert not list(tmp_path.glob("out*"))
    assert len(list((report / "figures").iterdir())) == 10


def test_figures_of_searches_take_any_name(forked, search_run):
    rename(search_run, dataset=FORMULA, method=SCRIPT + ESCAPES)
    done = forked("plot_run", search_run, "--format=svg")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for path in (search_run / "plots").glob("*.svg"):
        assert "<script" not in path.read_text().lower()


def test_figures_of_classes_take_any_name(forked, final_run):
    names = [SCRIPT, FORMULA, "\x1b[31m", "=cmd()"]
    counts = np.arange(16).reshape(4, 4).astype(str).tolist()
    quoted = ['"' + name.replace('"', '""') + '"' for name in names]
    lines = [",".join(["", *quoted])]
    for name, row in zip(quoted, counts, strict=True):
        lines.append(",".join([name, *row]))
    (final_run / "confusion.csv").write_text("\n".join(lines) + "\n")
    done = forked("plot_final", final_run, "--format=svg")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    drawn = (final_run / "plots" / "confusion.svg").read_text()
    assert "<script" not in drawn.lower() and "\x1b" not in drawn


def test_figures_of_mlpnas_take_any_name(forked, mlp_run):
    rename(mlp_run, dataset=FORMULA, method=SCRIPT)
    final = json.loads((mlp_run / "final.json").read_text())
    final["competitors"][0]["name"] = FORMULA + ESCAPES
    (mlp_run / "final.json").write_text(json.dumps(final))
    done = forked("plot_mlpnas", mlp_run, "--format=svg")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_classes_of_a_model_card_cannot_drive_the_terminal(forked, tmp_path):
    import keras
    from PIL import Image

    pixels = keras.Input((8, 8, 1))
    x = keras.layers.GlobalAveragePooling2D()(pixels)
    model = keras.Model(pixels, keras.layers.Dense(2, "softmax")(x))
    model.save(tmp_path / "network.keras")
    card = {
        "input": {"shape": [8, 8, 1], "other_sizes": "none"},
        "classes": [ESCAPES, "\x1b]0;title\x07"],
    }
    (tmp_path / "model_card.json").write_text(json.dumps(card))
    photo = tmp_path / "\x1b[2J.png"
    Image.new("L", (8, 8), 7).save(photo)
    done = forked("predict", tmp_path / "network.keras", photo)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    assert done.stdout.rstrip("\n").isprintable()
    assert "\\x1b[31mred" in done.stdout


def test_messages_about_hostile_names_are_one_line(refused, tmp_path):
    (tmp_path / "\x1b[31m").mkdir()
    refused("plot_run", ["\x1b[31m"], r"\x1b[31m/config.json does not exist")
    header = f'"{ESCAPES}","{ESCAPES}",label\n'
    (tmp_path / "t.csv").write_text(header, newline="")
    arguments = ["--dataset=table", "--label_column=label", "--run_dir=run"]
    refused("search_mlpnas", [*arguments, "--data_file=t.csv"], "t.csv")
