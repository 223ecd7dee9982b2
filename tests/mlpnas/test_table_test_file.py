"""A test file is the test part, or it is refused."""

import pytest

from tests.mlpnas.tables import label, number, read, refusal, write_rows


@pytest.fixture
def train(tmp_path):
    return write_rows(
        tmp_path / "train.csv",
        "id,x,town,label",
        lambda n: f"{n:03d},{number(n)},{['Ulm', 'Bonn'][n % 2]},{label(n)}",
    )


def rows(path, header, row, count=20):
    return str(write_rows(path.parent / "test.csv", header, row, count))


@pytest.mark.parametrize(
    "nothing", ["", " ", "?"], ids=["empty", "blank", "question"]
)
def test_a_test_file_without_labels(nothing, train):
    test = rows(
        train, "id,x,town,label", lambda n: f"{n},{number(n)},Ulm,{nothing}"
    )
    message = refusal(train, test_file=test, missing_values="?")
    assert f"--test_file={test}: no row has a label in column" in message
    assert "experiments.predict" in message


def test_some_labels_of_a_test_file_are_missing(train):
    test = rows(
        train,
        "id,x,town,label",
        lambda n: f"{n},{number(n)},Ulm,{label(n) if n > 4 else ''}",
    )
    data = read(train, test_file=test)
    assert len(data.test.labels) == 15
    assert "5 of them in --test_file" in " ".join(data.notes)


def test_a_test_file_that_repeats_the_training_rows(train):
    message = refusal(train, test_file=str(train), drop_duplicates=True)
    assert "no row is left by --drop_duplicates" in message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "has no header line"),
        ("id,x,town,label\n", "has no rows"),
        ("id,x,label\n1,2,a\n", "lacks town"),
        ("id,x,town,label,more\n1,2,Ulm,a,1\n", "has more more"),
        ("id,x,town,Label\n1,2,Ulm,a\n", "lacks label"),
    ],
)
def test_a_test_file_of_other_columns(content, words, train):
    test = train.parent / "test.csv"
    test.write_text(content)
    message = refusal(train, test_file=str(test))
    assert f"--test_file={test}" in message and words in message


def test_a_test_file_is_read_as_the_data_file(tmp_path):
    # All codes of the test file look like numbers, and all have labels.
    path = write_rows(
        tmp_path / "t.csv",
        "code;x;label",
        lambda n: f"{['007', 'A', '010'][n % 3]};{n},5;{label(n)}",
    )
    test = rows(path, "label;code;x", lambda n: f"{label(n)};007;{n},5", 10)
    data = read(path, test_file=test, decimal=",")
    assert data.encoder.categories == (("007", "010", "A"),)
    assert (data.test.features[:, 1] == 1).all()


def test_a_loose_column_is_read_alike_in_both_files(tmp_path):
    path = write_rows(
        tmp_path / "t.csv",
        "x;y;label",
        lambda n: f"{n + 1}.500,25 €;{number(n)};{label(n)}",
    )
    # By themselves these look like plain numbers, of another size.
    test = rows(path, "x;y;label", lambda n: f"{n + 1}.500;1;{label(n)}")
    data = read(path, test_file=test, numeric_columns="x")
    scale, mean = data.encoder.deviations[0], data.encoder.means[0]
    first = data.test.features[0, 0].astype(float) * scale + mean
    assert first == pytest.approx(1500, rel=1e-3)


def test_columns_left_out_may_be_missing_in_a_test_file(train):
    test = rows(train, "x,town,label", lambda n: f"{number(n)},Ulm,{label(n)}")
    assert len(read(train, test_file=test, drop_columns="id").test.labels) == 20


def test_texts_that_only_a_test_file_has_are_said(train):
    test = rows(
        train, "id,x,town,label", lambda n: f"{n},{number(n)},Rome,{label(n)}"
    )
    notes = " ".join(read(train, test_file=test).notes)
    assert "column 'town': 'Rome' in 20 rows of the test part" in notes


def test_a_text_in_a_column_of_numbers_of_a_test_file(train):
    test = rows(
        train,
        "id,x,town,label",
        lambda n: f'{n},"{n},5",Ulm,{label(n)}',
    )
    message = refusal(train, test_file=test)
    assert "column 'x' holds numbers in the data file and '0,5' in" in message
    assert "with --decimal=, it is a number" in message
