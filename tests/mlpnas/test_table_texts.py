"""Texts, codes and classes stay the words of the file."""

import datetime
import decimal
import shlex

import numpy as np
import pandas as pd
import pytest

from tests.mlpnas.tables import label, number, read, refusal, write_rows


@pytest.mark.parametrize(
    "word", ["None", "NA", "null", "nan", "n/a", "N/A", "NULL", "-", "?"]
)
def test_a_class_may_be_called_nothing(word, tmp_path):
    path = write_rows(
        tmp_path / "t.csv",
        "x,disorder",
        lambda n: f"{number(n)},{[word, 'Insomnia', 'Apnea'][n % 3]}",
    )
    data = read(path, label_column="disorder")
    assert set(data.class_names) == {word, "Insomnia", "Apnea"}
    notes = " ".join(data.notes)
    assert f"'{word}' (20 rows): taken as a class" in notes
    assert f"--missing_values={shlex.quote(word)}" in notes
    other = read(path, label_column="disorder", missing_values=word)
    assert other.class_names == ("Apnea", "Insomnia")
    assert "20 rows without a label are left out" in " ".join(other.notes)


@pytest.mark.parametrize(
    ("classes", "names"),
    [
        (["007", "008", "010"], ("007", "008", "010")),
        (["1", "2", "10"], ("1", "2", "10")),
        (["1.0", "2.0", "3.0"], ("1", "2", "3")),
        (["1.5", "2.25", "3"], ("1.5", "2.25", "3.0")),
        (["true", "false", "true"], ("false", "true")),
        (["1", "2", "NA"], ("1", "2", "NA")),
        (["9" * 25, "8" * 25, "1"], ("1", "8" * 25, "9" * 25)),
    ],
)
def test_classes_keep_their_words(classes, names, tmp_path):
    path = write_rows(
        tmp_path / "t.csv",
        "x,label",
        lambda n: f"{number(n)},{classes[n % 3]}",
    )
    assert read(path).class_names == names


def test_classes_alike_are_named(tmp_path):
    path = write_rows(
        tmp_path / "t.csv", "x,label", lambda n: f"{n},{['a', 'A '][n % 2]}"
    )
    notes = " ".join(read(path).notes)
    assert "'A ' and 'a' are two classes" in notes


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["100", "101", "", "102"], ("", "100", "101", "102")),
        (["007", "008", "", "7"], ("", "007", "008", "7")),
        (["1.0", "1.50", "2", "3"], ("1.0", "1.50", "2", "3")),
        (["True", "TRUE", "false", ""], ("", "TRUE", "True", "false")),
        (["NA", "None", "", "x"], ("", "NA", "None", "x")),
        (["+1", "1e3", "0x1", "-"], ("+1", "-", "0x1", "1e3")),
    ],
)
def test_named_categories_keep_the_texts_of_the_file(words, expected, tmp_path):
    path = write_rows(
        tmp_path / "t.csv",
        "code,y,label",
        lambda n: f"{words[n % 4]},{number(n)},{label(n // 4)}",
    )
    data = read(path, categorical_columns="code")
    assert data.encoder.categories == (expected,)


def test_leading_zeros_are_noticed(tmp_path):
    path = write_rows(
        tmp_path / "t.csv",
        "zip,plain,label",
        lambda n: f"{n % 3:05d},0.{n},{label(n)}",
    )
    notes = " ".join(read(path).notes)
    assert "zip: numbers with leading zeros" in notes
    assert "--categorical_columns=zip" in notes and "plain" not in notes
    kept = read(path, categorical_columns="zip")
    assert kept.encoder.categories == (("00000", "00001", "00002"),)


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ('"length\n(mm)",y,label', ("length\n(mm)", "y")),
        ('"a,b",y,label', ("a,b", "y")),
        ('"a;b;c;d",y,label', ("a;b;c;d", "y")),
        ('\ufeff"x y",y,label', ("x y", "y")),
        ("\ufeffx,y,label", ("x", "y")),
        ("km/h,Länge (µm),label", ("km/h", "Länge (µm)")),
        ("x, y,label", ("x", " y")),
        ('"say ""x""",y,label', ('say "x"', "y")),
    ],
)
def test_headers_as_spreadsheets_write_them(header, names, tmp_path):
    path = write_rows(
        tmp_path / "t.csv",
        header,
        lambda n: f"{number(n)},{number(n + 99)},{label(n)}",
    )
    assert read(path).encoder.numeric == names
    # A name with a comma or a line break can be given, too.
    asked = '"' + names[0].replace("\n", " ").replace('"', '""') + '"'
    assert read(path, drop_columns=asked).encoder.numeric == names[1:]


def test_line_breaks_and_delimiters_in_fields(tmp_path):
    path = write_rows(
        tmp_path / "t.csv",
        "town,y,label",
        lambda n: '"{}",{},{}'.format(
            ["Ulm\nam Ufer", "Bonn, Rhein"][n % 2], number(n), label(n // 2)
        ),
    )
    assert read(path).encoder.categories == (("Bonn, Rhein", "Ulm\nam Ufer"),)


@pytest.mark.parametrize(
    ("name", "separator"),
    [("t.tsv", "\t"), ("t.csv", "|"), ("T.CSV", ";"), ("t.csv", "\t")],
)
def test_delimiters(name, separator, tmp_path):
    path = write_rows(
        tmp_path / name,
        separator.join(["x", "y", "label"]),
        lambda n: separator.join([number(n), number(-n - 1), label(n)]),
    )
    assert read(path).features == 2


def test_kinds_of_parquet(tmp_path):
    rows = np.arange(60)
    frame = pd.DataFrame(
        {
            "price": [decimal.Decimal(int(n)) / 4 for n in rows],
            "day": [datetime.date(2021, 1, 1 + n % 9) for n in rows],
            "code": pd.array(100 + rows % 3, dtype="Int64"),
            "member": rows % 2 == 0,
            "raw": np.array([b"Ulm", b"Bonn"], object)[rows // 2 % 2],
            "kind": pd.Categorical(np.array(["p", "q"])[rows // 4 % 2]),
            "label": np.array(["a", "b"])[rows // 3 % 2],
        }
    )
    frame.loc[5, "code"] = pd.NA
    frame.loc[7, "price"] = None
    path = tmp_path / "t.parquet"
    frame.to_parquet(path)
    data = read(path, categorical_columns="code")
    assert data.encoder.numeric == ("price",)
    found = dict(
        zip(data.encoder.categorical, data.encoder.categories, strict=True)
    )
    assert (
        {"100", "101", "102"} <= set(found["code"]) <= {"", "100", "101", "102"}
    )
    assert found["raw"] == ("Bonn", "Ulm")
    assert found["member"] == ("False", "True")
    assert found["kind"] == ("p", "q")
    assert "2021-01-01" in found["day"]
    assert "looks like dates" in " ".join(data.notes)
    # A float stands for a whole number where some are missing.
    frame["code"] = frame["code"].astype("float64")
    frame.to_parquet(path)
    again = read(path, categorical_columns="code")
    assert again.encoder.categories == data.encoder.categories


def test_a_named_index_of_parquet_is_a_column(tmp_path):
    rows = np.arange(60)
    frame = pd.DataFrame(
        {"x": rows / 7, "label": np.array(["a", "b"])[rows % 2]}
    )
    path = tmp_path / "t.parquet"
    frame.set_index("label").to_parquet(path)
    assert read(path).class_names == ("a", "b")
    frame.sample(frac=1, random_state=0).to_parquet(path)
    assert read(path).encoder.numeric == ("x",)


def test_bytes_of_npz_are_texts(tmp_path):
    rows = np.arange(60)
    np.savez(
        tmp_path / "t.npz",
        x=rows / 7,
        label=np.array([b"yes", b"no"])[rows % 2],
    )
    assert read(tmp_path / "t.npz").class_names == ("no", "yes")


def test_a_sheet_is_refused_with_the_way_out(tmp_path):
    (tmp_path / "t.xlsx").write_bytes(b"PK")
    assert "save its sheet as CSV" in refusal(tmp_path / "t.xlsx")
    (tmp_path / "t.csv").write_bytes("x,label\n1,a\n".encode("utf-16"))
    assert "save it as UTF-8" in refusal(tmp_path / "t.csv")
