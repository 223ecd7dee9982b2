"""Tables and images as vectors, and what is said of bad ones."""

import dataclasses
import gzip

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from mlpnas.data.config import MlpDataConfig
from mlpnas.data.load import load
from mlpnas.data.tables import checks as table_checks
from nascore.errors import InputError
from nascore.process import memory

ROWS = 90
LABELS = ["no", "maybe", "yes"]


def people(seed=0, rows=ROWS):
    """A table with numbers, texts, truth values and missing values."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": rng.normal(40, 10, rows).round(1),
            "income": rng.lognormal(10, 1, rows).round(),
            "town": rng.choice(["Ulm", "Bonn", "Kiel"], rows),
            "member": rng.choice([True, False], rows),
            "label": rng.choice(
                ["no", "maybe", "yes"], rows, p=[0.7, 0.2, 0.1]
            ),
        }
    )
    frame.loc[[3, 4, 5], "age"] = np.nan
    frame.loc[[7], "town"] = None
    return frame


def table_config(path, **changes):
    return MlpDataConfig(
        dataset="table",
        data_file=str(path),
        label_column=changes.pop("label_column", "label"),
        **changes,
    )


def write(folder, frame, name="people.csv"):
    path = folder / name
    frame.to_csv(path, index=False)
    return path


def error_of(config):
    with pytest.raises(InputError) as error:
        load(config)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_table_is_imputed_and_standardised_by_its_training_part(tmp_path):
    frame = people()
    data = load(table_config(write(tmp_path, frame)))
    assert data.class_names == ("maybe", "no", "yes")
    sizes = [len(p.labels) for p in (data.train, data.validation, data.test)]
    assert sizes == [57, 15, 18]
    # age, income; three towns and the missing one; two truth values.
    assert data.features in (7, 8)
    np.testing.assert_allclose(data.train.features[:, :2].mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(data.train.features[:, :2].std(0), 1, rtol=1e-5)
    assert abs(data.validation.features[:, :2].mean(0)).max() > 1e-3
    # By hand: the row of the table, from the income in the encoded one.
    incomes = data.train.features[:, 1] * data.encoder.deviations[1]
    incomes = np.round(incomes + data.encoder.means[1])
    ages = frame.set_index("income").loc[incomes, "age"]
    median = np.nanmedian(ages)
    filled = ages.fillna(median)
    expected = (filled - filled.mean()) / filled.std(ddof=0)
    np.testing.assert_allclose(data.train.features[:, 0], expected, atol=1e-4)
    assert np.isfinite(data.test.features).all()
    notes = " ".join(data.notes)
    assert "missing values in the training rows" in notes
    assert "classes are imbalanced: 'no' has" in notes


def test_splits_are_stratified_disjoint_and_fixed_by_their_seed(tmp_path):
    path = write(tmp_path, people(rows=300))
    data = load(table_config(path))
    again = load(table_config(path))
    other = load(table_config(path, split_seed=2))
    assert data.fingerprint == again.fingerprint != other.fingerprint
    share = [
        np.bincount(part.labels, minlength=3) / len(part.labels)
        for part in (data.train, data.validation, data.test)
    ]
    np.testing.assert_allclose(share[0], share[1], atol=0.02)
    np.testing.assert_allclose(share[0], share[2], atol=0.02)
    incomes = [
        set(part.features[:, 1].tolist())
        for part in (data.train, data.validation, data.test)
    ]
    assert not incomes[0] & incomes[1] and not incomes[0] & incomes[2]


@pytest.mark.parametrize("kind", ["csv.gz", "parquet", "npz", "semicolon"])
def test_every_file_format_gives_the_same_examples(kind, tmp_path):
    frame = people().drop(columns=["town", "member"])
    expected = load(table_config(write(tmp_path, frame)))
    path = tmp_path / f"other.{kind}"
    if kind == "csv.gz":
        path.write_bytes(gzip.compress(frame.to_csv(index=False).encode()))
    elif kind == "parquet":
        frame.to_parquet(path)
    elif kind == "npz":
        columns = {name: frame[name].to_numpy() for name in frame}
        columns["label"] = columns["label"].astype("U8")
        np.savez(path, **columns)
    else:
        path = tmp_path / "other.csv"
        frame.to_csv(path, index=False, sep=";")
    data = load(table_config(path))
    np.testing.assert_array_equal(data.train.features, expected.train.features)
    np.testing.assert_array_equal(data.test.labels, expected.test.labels)


def test_an_npz_of_images_is_flattened(tmp_path):
    digits = load_digits()
    path = tmp_path / "digits.npz"
    np.savez(path, x=digits.images, y=digits.target)
    data = load(table_config(path, label_column="y"))
    # Some pixels have one value in all training rows.
    assert 55 <= data.features < 64
    assert any("left out, because one value only" in n for n in data.notes)


def test_a_test_file_is_the_test_part(tmp_path):
    train, test = write(tmp_path, people()), people(1, 40)
    test = test.sample(frac=1, random_state=0)[
        ["label", "town", "income", "age", "member"]
    ]
    test.loc[test.index[0], "town"] = "Rome"
    path = write(tmp_path, test, "test.csv")
    data = load(table_config(train, test_file=str(path)))
    assert len(data.test.labels) == 40
    assert len(data.train.labels) + len(data.validation.labels) == ROWS
    names = np.array(data.class_names)[data.test.labels]
    assert names.tolist() == test["label"].tolist()
    # A town that training did not have is none of its towns.
    towns = data.test.features[:, 2:-2]
    assert towns[0].sum() == 0 and (towns[1:].sum(1) == 1).all()


def test_rows_without_label_and_repeated_rows_are_reported(tmp_path):
    frame = people()
    frame.loc[[0, 1], "label"] = None
    frame = pd.concat([frame, frame.iloc[[10, 11, 12]]])
    path = write(tmp_path, frame)
    notes = " ".join(load(table_config(path)).notes)
    assert "2 rows without a label are left out" in notes
    assert "3 rows repeat an earlier one" in notes
    data = load(table_config(path, drop_duplicates=True))
    sizes = [len(p.labels) for p in (data.train, data.validation, data.test)]
    assert sum(sizes) == ROWS - 2


def test_whole_numbers_can_be_classes_or_categories(tmp_path):
    frame = people()
    frame["grade"] = np.arange(ROWS) % 4 * 1.0
    frame["code"] = np.arange(ROWS) % 5
    data = load(
        table_config(
            write(tmp_path, frame),
            label_column="grade",
            categorical_columns="code",
            drop_columns="town, member, label",
        )
    )
    assert data.class_names == ("0", "1", "2", "3")
    assert data.encoder.categories == (("0", "1", "2", "3", "4"),)
    assert data.features == 2 + 5


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda f: f.rename(columns={"label": "lable"}),
            "--label_column=label is no column of the table; did you mean "
            "'lable'?",
        ),
        (
            lambda f: f.assign(age=f["age"].where(f.index != 8, np.inf)),
            "column 'age' is not finite in row 9 of --data_file",
        ),
        (lambda f: f.assign(label="yes"), "one class only (yes)"),
        (
            lambda f: f.assign(label=f["income"] / 7),
            "looks like a quantity (regression)",
        ),
        (
            lambda f: f.assign(label=[f"c{n}" for n in range(ROWS)]),
            "class 'c0' has 1 of 90 rows (90 classes in all)",
        ),
        (lambda f: f.iloc[:4], "each class needs at least 3"),
        (
            lambda f: f.assign(name=[f"n{n}" for n in range(ROWS)]),
            "column 'name' has 90 different texts, more than "
            "--max_categories=50; leave it out with --drop_columns=name",
        ),
        (
            lambda f: f.assign(
                age=[str(n) if n != 6 else "?" for n in range(ROWS)]
            ),
            "most are numbers, but not '?' in row 7",
        ),
        (
            lambda f: pd.DataFrame({"x": 1.0, "label": f["label"]}),
            "no input column is left",
        ),
        (lambda f: f.iloc[:0], "has no rows"),
    ],
)
def test_a_bad_table_is_one_clear_line(change, words, tmp_path):
    path = write(tmp_path, change(people()))
    assert words in error_of(table_config(path, max_categories=50))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a,label\n1,x\n2,y,z\n", "ragged: line 3 has 3 fields, and the"),
        (b"a,b,label\n1,2,x\n\n2,y\n", "ragged: line 4 has 2 fields"),
        (b'a,label\n1,"x\n2,y\n', "cannot be read at line"),
        (b"a,label\n1,x\n2,\xff\xfe\n", "is not UTF-8 text: line 3"),
        (b"a,a,label\n1,2,x\n", "names the column 'a' more than once"),
        (b"", "has no header line"),
        (b"\n", "has no header line"),
    ],
)
def test_a_damaged_csv_names_the_line(content, words, tmp_path):
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    assert words in error_of(table_config(path))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.parquet", b"no parquet", "cannot be read"),
        ("a.npz", b"no npz", "cannot be read"),
        ("a.csv.gz", b"no gzip", "cannot be read"),
        (
            "a.csv.gz",
            gzip.compress(b"a,label\n" * 99, mtime=0)[:30],
            "cannot be read",
        ),
        ("a.xlsx", b"", "must end in .csv, .csv.gz, .parquet, .npz"),
    ],
)
def test_a_damaged_file_is_one_clear_line(name, content, words, tmp_path):
    path = tmp_path / name
    path.write_bytes(content)
    message = error_of(table_config(path))
    assert str(path) in message and words in message


def test_npz_files_of_objects_or_of_other_lengths_are_refused(tmp_path):
    path = tmp_path / "bad.npz"
    np.savez(path, x=np.zeros((5, 2)), label=np.zeros(4))
    assert "arrays of different lengths: x 5, label 4" in error_of(
        table_config(path)
    )
    np.savez(path, x=np.array([{}, {}]), label=np.zeros(2))
    assert "cannot be read" in error_of(table_config(path))


def test_a_file_too_large_for_memory_is_refused_with_its_size(
    tmp_path, monkeypatch
):
    path = write(tmp_path, people())
    with path.open("ab") as file:
        file.truncate(10**12)  # A hole: it takes no room on the disk.
    monkeypatch.setattr(table_checks, "available", lambda: 8 * 10**9)
    message = error_of(table_config(path))
    assert "too large: 1000.0 GB in the file" in message
    assert "8.0 GB are free" in message


@pytest.mark.parametrize("name", ["people.csv", "people.parquet"])
def test_a_limit_of_the_container_counts(name, tmp_path, monkeypatch):
    # A control group that leaves 1000 bytes.
    group = tmp_path / "group"
    group.mkdir()
    for file, text in (
        ("memory.max", "50000"),
        ("memory.current", "49000"),
        ("memory.stat", "inactive_file 0\n"),
    ):
        (group / file).write_text(text)
    monkeypatch.setattr(memory, "_control_groups", lambda root: [group])
    assert memory.available() == 1000
    frame = people()
    path = write(tmp_path, frame, name)
    if name.endswith("parquet"):
        frame.to_parquet(path)
    assert "too large" in error_of(table_config(path))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.drop(columns=["town"]), "lacks town"),
        (lambda f: f.assign(extra=1), "has extra more"),
        (
            lambda f: f.rename(columns={"age": "years"}),
            "lacks age and has years more",
        ),
        (
            lambda f: f.assign(age=["old"] * len(f)),
            "column 'age' holds numbers in the data file and 'old' in row 1",
        ),
        (
            lambda f: f.assign(age=[-np.inf, *[1.0] * (len(f) - 1)]),
            "column 'age' is not finite in row 1 of --test_file",
        ),
        (
            lambda f: f.assign(label=["never"] * len(f)),
            "class 'never' has 0 of 90 rows",
        ),
    ],
)
def test_a_test_file_of_another_kind_is_refused(change, words, tmp_path):
    path = write(tmp_path, people())
    test = write(tmp_path, change(people(1)), "test.csv")
    assert words in error_of(table_config(path, test_file=str(test)))


def test_other_test_rows_have_another_fingerprint(tmp_path):
    path = write(tmp_path, people())
    test = write(tmp_path, people(1), "test.csv")
    config = table_config(path, test_file=str(test))
    first = load(config).fingerprint
    assert load(config).fingerprint == first
    write(tmp_path, people(2), "test.csv")
    assert load(config).fingerprint != first


@pytest.mark.parametrize("wanted", [57, 98, 300, 500, 601])
def test_a_subset_has_exactly_as_many_examples(wanted):
    data = load(MlpDataConfig(train_examples=wanted))
    assert len(data.train.labels) + len(data.validation.labels) == wanted


@pytest.mark.parametrize("wanted", [31, 47, 60])
def test_a_subset_of_a_table_has_exactly_as_many_rows(wanted, tmp_path):
    frame = people().assign(label=np.array(LABELS)[np.arange(ROWS) % 3])
    data = load(table_config(write(tmp_path, frame), train_examples=wanted))
    assert len(data.train.labels) + len(data.validation.labels) == wanted


def test_images_are_flattened_pixels_of_the_same_split_rules():
    data = load(MlpDataConfig(train_examples=400))
    assert len(data.train.labels) == 320
    assert len(data.validation.labels) == 80
    assert data.train.features.shape == (320, 64)
    assert data.train.features.min() == 0 and data.train.features.max() == 1
    counts = np.bincount(data.train.labels)
    assert counts.max() - counts.min() <= 3
    again = dataclasses.replace(MlpDataConfig(train_examples=400), split_seed=9)
    assert load(again).fingerprint != data.fingerprint


def test_wine_leaves_out_what_gives_the_label_away(official_files):
    path = official_files / "wine_quality" / "wine-quality.csv"
    config = MlpDataConfig(dataset="wine_quality", data_file=str(path))
    data = load(config)
    assert data.features == 11
    assert data.class_names == ("high", "low", "medium")
    assert len(data.test.labels) == 980
    notes = " ".join(data.notes)
    assert "`quality`, of which the label is a function, is left out" in notes
    assert "937 rows repeat" in notes
    assert "numbers the rows and is left out" in notes
    leaky = load(dataclasses.replace(config, leaky=True))
    assert leaky.features == 13
    assert "not those of the task" in " ".join(leaky.notes)


def test_vowels_are_means_over_utterances_of_the_official_split(
    official_files,
):
    path = official_files / "japanese_vowels" / "japanese_vowels.csv.gz"
    data = load(MlpDataConfig(dataset="japanese_vowels", data_file=str(path)))
    assert data.features == 12 and data.classes == 9
    assert len(data.train.labels) + len(data.validation.labels) == 270
    counts = np.bincount(data.test.labels).tolist()
    assert counts == [31, 35, 88, 44, 29, 24, 40, 50, 29]
