"""The report's numbers, against plain Python over made-up runs."""

import csv
import html
import json
import shutil

import numpy as np
import pytest

from experiments.comparison import rows as comparison_rows
from experiments.comparison.report import ROWS, write_report
from experiments.comparison.tables import make_tables
from experiments.comparison.verdicts import verdicts
from nascore.cells import CellSpace
from nascore.errors import InputError

SPACE = CellSpace(num_nodes=2)
EPOCHS, PER_EPOCH = 3, 8


def make_run(folder, method, seed, accuracies, dataset="mnist", **settings):
    """Writes the files that a finished search leaves, from accuracies."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng([seed, len(method)])
    rule = {"ienas": "paper"}.get(method, "")
    config = {
        "dataset": dataset,
        "seed": seed,
        "epochs": EPOCHS,
        "filters": 8,
        "controller": "random" if method == "random" else "lstm",
        **({"reward_rule": rule} if rule else {}),
        **settings,
    }
    start = {
        "time": "2026-01-01T00:00:00",
        "versions": {"tensorflow": "2.21.0"},
        "git_commit": "0123e456" * 5,
        "host": "x86_64, 2 cores",
        "command": ["search"],
    }
    content = {
        "method": method,
        "config": config,
        "data": {"fingerprint": "f"},
        "space": {
            "operations": list(SPACE.operations),
            "num_nodes": SPACE.num_nodes,
            "cell_types": list(SPACE.cell_types),
        },
        "devices": ["CPU"],
        "starts": [start],
    }
    (folder / "config.json").write_text(json.dumps(content))
    accuracies = np.reshape(accuracies, (EPOCHS, PER_EPOCH))
    evaluations, epochs = [], []
    for epoch, row in enumerate(accuracies):
        for step, accuracy in enumerate(row):
            cells = SPACE.sample(rng).cells
            evaluations.append(
                {
                    "epoch": epoch,
                    "step": step,
                    "normal_cell": str(cells[0]),
                    "reduction_cell": str(cells[1]),
                    "accuracy": accuracy,
                    "reward": accuracy,
                    "baseline": 0.5,
                    "entropy": 10.0,
                    "log_prob": -10.0,
                    "seconds": 0.1,
                }
            )
        epochs.append(
            {
                "epoch": epoch,
                "accuracy_mean": row.mean(),
                "accuracy_std": row.std(),
                "accuracy_max": row.max(),
                "validation_accuracy": 0.5,
                "search_test_accuracy": 0.5,
                "seconds": 2.0,
            }
        )
    for name, table in (("controller", evaluations), ("epochs", epochs)):
        with (folder / f"{name}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, list(table[0]))
            writer.writeheader()
            writer.writerows(table)
    ranking = [
        {
            "rank": rank + 1,
            "architecture": str(SPACE.sample(rng)),
            "validation_accuracy": 0.6 - rank / 100 + seed / 1000,
            "search_test_accuracy": 0.5,
        }
        for rank in range(4)
    ]
    (folder / "derived_architectures.json").write_text(
        json.dumps({"epochs": EPOCHS, "architectures": ranking})
    )
    return folder


def draw(seed, shift=0.0):
    rng = np.random.default_rng(seed)
    trend = np.repeat([0.2, 0.4, 0.6], PER_EPOCH)
    noise = rng.integers(-10, 11, EPOCHS * PER_EPOCH) / 128
    return np.round((trend + noise + shift) * 128) / 128


@pytest.fixture
def folders(tmp_path):
    """ENAS, I-ENAS (better by about 0.1) and random, six seeds each."""
    shifts = {"enas": 0.0, "ienas": 0.1, "random": -0.05}
    return [
        make_run(
            tmp_path / f"{method}-{seed}",
            method,
            seed,
            draw(10 * seed + place, shift),
        )
        for seed in range(1, 7)
        for place, (method, shift) in enumerate(shifts.items())
    ]


def accuracies_of(folders, method):
    """By seed, `[epochs, evaluations]`, read without the code under test."""
    values = {}
    for folder in folders:
        name, seed = folder.name.split("-")
        if name == method:
            with (folder / "controller.csv").open() as file:
                column = [float(r["accuracy"]) for r in csv.DictReader(file)]
            values[int(seed)] = np.reshape(column, (EPOCHS, PER_EPOCH))
    return values


def row_of(table, **wanted):
    for name, value in wanted.items():
        table = table[table[name] == value]
    assert len(table) == 1
    return table.iloc[0]


def test_table_1_equals_plain_python(folders):
    tables = make_tables(comparison_rows.gather(folders))
    ours = accuracies_of(folders, "ienas")
    anchor = {
        seed: int(np.argmax(values)) // PER_EPOCH
        for seed, values in ours.items()
    }
    for method, name in (("enas", "enas"), ("ienas", "ienas_paper")):
        values = accuracies_of(folders, method)
        row = row_of(
            tables.table_1,
            method=name,
            scope="epoch of I-ENAS's first maximum",
        )
        chosen = [values[seed][anchor[seed]] for seed in values]
        assert row["mean"] == pytest.approx(np.mean(chosen))
        assert row["std"] == pytest.approx(np.mean([v.std() for v in chosen]))
        every = row_of(tables.table_1, method=name, scope="all epochs")
        assert every["mean"] == pytest.approx(
            np.mean([v.mean() for v in values.values()])
        )
        assert every["std"] == pytest.approx(
            np.mean([v.std(axis=1).mean() for v in values.values()])
        )
    # The paper's table I, typed in anew.
    row = row_of(
        tables.table_1, method="enas", scope="epoch of I-ENAS's first maximum"
    )
    assert (row["published_mean"], row["published_std"]) == (0.860, 0.066)
    assert row["published_epoch"] == 28


def test_metrics_and_times_equal_plain_python(folders):
    tables = make_tables(comparison_rows.gather(folders), [0.35, 0.99])
    values = accuracies_of(folders, "ienas")
    for seed, own in values.items():
        row = row_of(tables.metrics, method="ienas_paper", seed=seed)
        assert row["curve_mean"] == pytest.approx(own.mean())
        assert row["last_epoch_mean"] == pytest.approx(own[-1].mean())
        assert row["best_accuracy"] == own.max()
        assert row["best_at_evaluation"] == int(np.argmax(own)) + 1
        assert row["evaluations"] == own.size
        assert row["seconds"] == pytest.approx(6.0)
    first = [
        int(np.argmax(own.mean(axis=1) >= 0.35)) + 1 for own in values.values()
    ]
    row = row_of(tables.reached, method="ienas_paper", target=0.35)
    assert row["reached"] == 6
    assert row["epochs"] == np.median(first)
    assert row["evaluations"] == np.median(first) * PER_EPOCH
    assert row["seconds"] == np.median(first) * 2
    never = row_of(tables.reached, method="enas", target=0.99)
    assert never["reached"] == 0 and np.isnan(never["epochs"])


def test_differences_are_paired_by_seed(folders):
    tables = make_tables(comparison_rows.gather(folders))
    enas, ienas = (accuracies_of(folders, name) for name in ("enas", "ienas"))
    expected = [ienas[seed].mean() - enas[seed].mean() for seed in enas]
    row = row_of(
        tables.differences,
        first="ienas_paper",
        second="enas",
        metric="curve_mean",
    )
    assert row["mean"] == pytest.approx(np.mean(expected))
    assert row["effect_size"] == pytest.approx(
        np.mean(expected) / np.std(expected, ddof=1)
    )
    assert row["p_value"] == pytest.approx(2 / 64)


def test_the_verdict_says_what_the_seeds_allow(folders, tmp_path):
    def said(chosen):
        tables = make_tables(comparison_rows.gather(chosen))
        return verdicts(tables, "mnist")[0]

    assert said(folders).endswith("these runs support that I-ENAS is better.")
    both = verdicts(make_tables(comparison_rows.gather(folders)), "mnist")
    assert len(both) == 2
    assert "those of random" in both[1]
    assert both[1].endswith("these runs support that I-ENAS is better.")
    few = [f for f in folders if int(f.name.split("-")[1]) <= 5]
    assert "5 seeds cannot decide it" in said(few)
    assert "p = 0.062" in said(few)
    one = [f for f in folders if f.name.endswith("-1")]
    assert "one pair of runs says nothing about chance" in said(one)
    assert "nothing can be said" in said(
        [f for f in folders if f.name.startswith("enas")]
    )
    same = [
        make_run(tmp_path / "same" / f"{method}-{seed}", method, seed, values)
        for seed in range(1, 9)
        for place, method in enumerate(("enas", "ienas"))
        for values in [draw(100 * seed + place)]
    ]
    assert said(same).endswith("do not show that either is better.")


def test_operations_and_diversity(folders):
    rows = comparison_rows.gather(folders)
    tables = make_tables(rows)
    shares = tables.operations.groupby(["method", "cell"])["share"].sum()
    np.testing.assert_allclose(shares, 1)
    last = rows.evaluations[
        (rows.evaluations["method"] == "enas")
        & (rows.evaluations["epoch"] == EPOCHS - 1)
    ]
    words = " ".join(last["normal_cell"]).split()[1::2]
    row = row_of(
        tables.operations,
        method="enas",
        cell="normal",
        operation="max_pool_3x3",
    )
    assert row["share"] == pytest.approx(words.count("3") / len(words))
    assert (tables.diversity["collapsed_runs"] == 0).all()
    # ln(2 * 5 * 2 * 5 * 3 * 5 * 3 * 5) for each cell.
    assert row_of(tables.diversity, method="enas")[
        "entropy_uniform"
    ] == pytest.approx(2 * np.log(100 * 225))


def test_a_collapsed_controller_is_named(folders, tmp_path):
    folder = next(f for f in folders if f.name == "ienas-1")
    with (folder / "controller.csv").open() as file:
        table = list(csv.DictReader(file))
    for row in table[-PER_EPOCH:]:
        for name in ("normal_cell", "reduction_cell"):
            row[name] = table[0][name]
    with (folder / "controller.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]))
        writer.writeheader()
        writer.writerows(table)
    out = tmp_path / "report"
    comparison_rows.save(comparison_rows.gather(folders), out / ROWS)
    _, warnings, page = write_report(out)
    (text,) = [w for w in warnings if "collapsed" in w]
    assert "I-ENAS collapsed in 1 of 6 runs" in text
    assert html.escape(text, quote=False) in page.read_text().replace(
        "&#39;", "'"
    )


def test_rank_check_is_kendalls_tau(folders):
    shared, alone = [0.9, 0.8, 0.7, 0.6], [0.5, 0.6, 0.4, 0.3]
    folder = folders[0]
    with (folder / "rank_check.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            [
                "architecture",
                "shared_accuracy",
                "standalone_accuracy",
                "epochs",
            ]
        )
        for place in range(4):
            writer.writerow([f"a{place}", shared[place], alone[place], 3])
    tables = make_tables(comparison_rows.gather(folders))
    row = row_of(tables.rank_check, method="enas")
    # Of six pairs one is the wrong way round: (5 - 1) / 6.
    assert row["tau"] == pytest.approx(4 / 6)
    assert row["standalone_mean"] == pytest.approx(0.45)


def test_a_report_is_made_again_from_its_csv_alone(folders, tmp_path):
    out = tmp_path / "report"
    comparison_rows.save(comparison_rows.gather(folders), out / ROWS)
    write_report(out)
    first = {
        path.relative_to(out): path.read_bytes()
        for path in out.rglob("*")
        if path.suffix in (".csv", ".json", ".html", ".png", ".pdf")
    }
    assert len(first) > 15
    for folder in folders:
        shutil.rmtree(folder)
    for place in ("tables", "figures"):
        shutil.rmtree(out / place)
    (out / "report.html").unlink()
    write_report(out)
    for path, content in first.items():
        assert (out / path).read_bytes() == content, path


def test_the_page_needs_no_other_file(folders, tmp_path):
    out = tmp_path / "report"
    comparison_rows.save(comparison_rows.gather(folders), out / ROWS)
    found, _, page = write_report(out)
    text = page.read_text()
    assert text.count("data:image/png;base64,") == 5
    assert 'src="http' not in text and "<link" not in text
    assert found[0] in text
    assert "0123e45601" in text
    assert "0.860" in text and "paper, epoch 28" in text
    assert (
        "nan"
        not in text.replace("nanos", "")
        .lower()
        .split("<body>")[1]
        .split("data:image")[0]
    )


def test_unfair_and_unfinished_runs_are_named(folders, tmp_path):
    make_run(tmp_path / "enas-7", "enas", 7, draw(7), filters=16, epochs=EPOCHS)
    unfinished = make_run(tmp_path / "enas-8", "enas", 8, draw(8))
    (unfinished / "derived_architectures.json").unlink()
    rows = comparison_rows.gather([*folders, tmp_path / "enas-7", unfinished])
    assert any("filters: 8 -> 16" in note for note in rows.notes)
    assert any("enas-8 is not finished" in note for note in rows.notes)
    assert 8 not in set(rows.runs["seed"])


def test_two_runs_of_one_seed_are_refused(folders, tmp_path):
    twin = make_run(tmp_path / "twin", "enas", 1, draw(1))
    with pytest.raises(InputError, match="both runs of enas on mnist"):
        comparison_rows.gather([*folders, twin])
    (twin / "derived_architectures.json").unlink()
    with pytest.raises(InputError, match="none of the 1 run folders"):
        comparison_rows.gather([twin])


@pytest.mark.parametrize("name", ["epochs.csv", "evaluations.csv.gz"])
@pytest.mark.parametrize("damage", ["missing", "garbage", "columns"])
def test_damaged_rows_are_named(folders, tmp_path, name, damage):
    out = tmp_path / "report"
    comparison_rows.save(comparison_rows.gather(folders), out)
    if damage == "missing":
        (out / name).unlink()
    elif damage == "garbage":
        (out / name).write_bytes(b"\x1f\x8b\xff\xfe")
    else:
        import pandas as pd

        pd.DataFrame({"a": [1]}).to_csv(out / name)
    with pytest.raises(InputError, match=name.partition(".")[0]):
        comparison_rows.load(out)
