"""Numbers in all the ways that people write them, and what they become."""

import numpy as np
import pandas as pd
import pytest

from mlpnas.data.tables.numbers import parse_number
from tests.mlpnas.tables import label, number, read, refusal, write_rows


def values(data):
    """All numbers of the first column, before they were scaled."""
    own = np.concatenate([data.train.features, data.validation.features])
    scaled = own[:, 0].astype(np.float64)
    return scaled * data.encoder.deviations[0] + data.encoder.means[0]


@pytest.mark.parametrize(
    ("write", "flags", "factor"),
    [
        (lambda n: f"{n}.5", {}, 1),
        (lambda n: f"+{n}.5", {}, 1),
        (lambda n: f" {n}.5 ", {}, 1),
        (lambda n: f"{n}.5e3", {}, 1000),
        (lambda n: f"{n},5", {"decimal": ","}, 1),
        (lambda n: f"{n},5", {"numeric_columns": "x"}, 1),
        (lambda n: f"{n}.5%", {"numeric_columns": "x"}, 1),
        (lambda n: f"{n},5 %", {"numeric_columns": "x"}, 1),
        (lambda n: f"${n}.50", {"numeric_columns": "x"}, 1),
        (lambda n: f"{n}.50 EUR", {"numeric_columns": "x"}, 1),
        (lambda n: f"{n + 1},500", {"numeric_columns": "x"}, 1000),
        (lambda n: f"{n + 1}.500,00 €", {"numeric_columns": "x"}, 1000),
        (lambda n: f"{n + 1} 500", {"numeric_columns": "x"}, 1000),
        (lambda n: f"{n + 1}'500", {"numeric_columns": "x"}, 1000),
        (lambda n: f"{n + 1}\u00a0500", {"numeric_columns": "x"}, 1000),
        (lambda n: hex(1000 * n + 500), {"numeric_columns": "x"}, 1000),
    ],
)
def test_a_way_to_write_numbers(write, flags, factor, tmp_path):
    path = write_rows(
        tmp_path / "t.csv", "x;label", lambda n: f"{write(n)};{label(n)}"
    )
    if "numeric_columns" in flags:
        assert "to read numbers, add" in refusal(path)
    data = read(path, **flags)
    assert data.features == 1
    found = np.sort(values(data)) / factor - 0.5
    np.testing.assert_allclose(found, np.round(found), atol=1e-4)
    assert 40 < np.ptp(found) < 60
    assert any("numbers (1 column): x" in line for line in data.report)


@pytest.mark.parametrize(
    ("text", "decimal", "loose", "expected"),
    [
        ("1,234", ".", True, 1234),
        ("1,234", ",", True, 1.234),
        ("0,234", ".", True, None),
        ("1,23", ".", True, None),
        ("1.234.567,8", ",", True, 1234567.8),
        ("1,234.567,8", ",", True, None),
        ("-$5", ".", True, -5),
        ("\u22125", ".", True, -5),
        ("5-", ".", True, None),
        ("1e5", ".", False, 1e5),
        ("1_000", ".", False, None),
        ("0x1F", ".", False, None),
        ("0x1F", ".", True, 31),
        ("", ".", True, None),
        ("%", ".", True, None),
        (".", ".", True, None),
        ("e5", ".", True, None),
        ("2021-01-02", ".", True, None),
        ("٣", ".", True, None),
        ("inf", ".", False, np.inf),
    ],
)
def test_one_text_as_a_number(text, decimal, loose, expected):
    assert parse_number(text, decimal, loose) == expected


@pytest.mark.parametrize(
    ("odd", "words"),
    [
        ("?", "--missing_values='?'"),
        ("-", "--missing_values=-"),
        ("unknown", "--missing_values=unknown"),
        ("n.a.", "--missing_values=n.a."),
    ],
)
def test_what_may_stand_for_a_missing_number(odd, words, tmp_path):
    path = write_rows(
        tmp_path / "t.csv",
        "x,y,label",
        lambda n: f"{odd if n % 7 == 3 else n},{number(n)},{label(n)}",
    )
    message = refusal(path)
    assert f"column 'x': most are numbers, but not '{odd}' in row 4" in message
    assert words in message and "--categorical_columns=x" in message
    data = read(path, missing_values=odd)
    assert data.features == 2 and "x 9" in " ".join(data.report)
    as_texts = read(path, categorical_columns="x")
    assert odd in as_texts.encoder.categories[0]


@pytest.mark.parametrize("odd", ["", "  ", "NA", " nan", "null", "na", "None"])
def test_what_is_a_missing_number_without_a_word(odd, tmp_path):
    path = write_rows(
        tmp_path / "t.csv",
        "x,y,label",
        lambda n: f"{odd if n % 7 == 3 else n},{number(n)},{label(n)}",
    )
    data = read(path)
    assert data.features == 2
    assert "x 9" in " ".join(data.report)


def test_a_number_can_stand_for_a_missing_one(tmp_path):
    path = write_rows(
        tmp_path / "t.csv",
        "x,label",
        lambda n: f"{-999 if n % 7 == 3 else f'{n}.0'},{label(n)}",
    )
    data = read(path, missing_values="-999")
    assert data.encoder.means[0] > 0
    notes = read(path, missing_values="-99").notes
    assert any("no input column has '-99'" in note for note in notes)


def test_columns_that_need_different_marks(tmp_path):
    path = write_rows(
        tmp_path / "t.csv",
        "x;y;z;label",
        lambda n: f"{n},25;{n}.75;{n}%;{label(n)}",
    )
    message = refusal(path)
    assert "column 'x': '0,25' in row 1 is no plain number" in message
    assert "column 'z': '0%' in row 1" in message
    assert "--decimal=, for the whole file ('0,25' is 0.25 then)" in message
    assert "column 'y': '0.75' in row 1" in refusal(path, decimal=",")
    data = read(path, numeric_columns="x,z")
    assert data.features == 3
    assert data.encoder.means[1] - data.encoder.means[0] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (lambda n: ["0", "1", "2", "3+"][n % 4], "but not '3+'"),
        (lambda n: f"2021-01-{1 + n % 20:02d}", "looks like dates or times"),
        (lambda n: f"{n % 20}.2.2020", "looks like dates or times"),
        (lambda n: f"12:{n % 20:02d}", "looks like dates or times"),
        (lambda n: ["ulm", "Ulm", "Kiel"][n % 3], "differ in blanks or cap"),
        (lambda n: ["Ulm ", "Ulm", "Kiel"][n % 3], "differ in blanks or cap"),
    ],
)
def test_categories_that_may_be_meant_otherwise_are_said(row, words, tmp_path):
    path = write_rows(
        tmp_path / "t.csv",
        "x,y,label",
        lambda n: f"{row(n)},{number(n)},{label(n)}",
    )
    notes = read(path).notes
    assert any("column 'x'" in note and words in note for note in notes)
    # Nobody is told what he has said himself.
    asked = read(path, categorical_columns="x").notes
    assert not any("taken as" in note for note in asked)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"numeric_columns": "town"}, "column 'town' holds numbers and 'Ulm'"),
        ({"numeric_columns": "label"}, "--numeric_columns names 'label'"),
        ({"categorical_columns": "label"}, "--categorical_columns names"),
        ({"drop_columns": "label"}, "--drop_columns names 'label'"),
        ({"numeric_columns": "wn"}, "--numeric_columns=wn is no column"),
        (
            {"numeric_columns": "x", "categorical_columns": "y, x"},
            "both name 'x'",
        ),
        ({"decimal": ";"}, "--decimal=; is not one of"),
    ],
)
def test_flags_that_a_table_contradicts(flags, words, tmp_path):
    path = write_rows(
        tmp_path / "t.csv",
        "x,y,town,label",
        lambda n: f"{n},{number(n)},{['Ulm', 'Bonn'][n % 2]},{label(n)}",
    )
    assert words in refusal(path, **flags)


def test_the_reading_of_a_wide_table_stays_short(tmp_path):
    rng = np.random.default_rng(0)
    names = [f"c{n}" for n in range(1000)]
    frame = pd.DataFrame(rng.random((60, 1000)).round(3), columns=names)
    frame.loc[3, "c777"] = np.nan
    frame["town"] = ["Ulm", "Bonn"] * 30
    frame["label"] = ["a", "b"] * 30
    frame.to_csv(tmp_path / "t.csv", index=False)
    report = read(tmp_path / "t.csv").report
    assert len(report) == 4 and max(map(len, report)) < 300
    text = " ".join(report)
    assert "numbers (1000 columns): c0 (as " in text and "994 more" in text
    assert "c777 1" in text and "town (2: 'Bonn', 'Ulm')" in text
