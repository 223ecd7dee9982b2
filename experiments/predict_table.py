"""The side of `experiments.predict` that classifies the rows of a table."""

import csv
import io
import sys
from pathlib import Path

import numpy as np

from mlpnas.config import MODEL_FILE
from mlpnas.data.tables.files import read_table
from nascore.errors import InputError, printable
from nascore.runs.atomic import placing


def is_table_model(path: Path) -> bool:
    """Whether a path is a run of MLPNAS, or the model in it."""
    return path.name == MODEL_FILE or (path / MODEL_FILE).is_file()


def main(path: Path, files: list[str], top: int, out: str) -> None:
    """Prints or writes a CSV line with the likeliest classes of each row.

    Args:
      path: the run folder, or its model.
      files: one table.
      top: classes to give for each row.
      out: a new file; empty to print.

    Raises:
      InputError: a table or a model that is no good, or a file that exists.
    """
    if len(files) != 1:
        raise InputError(
            "name one table: python -m experiments.predict RUN rows.csv"
        )
    target = Path(out)
    if out and target.exists():
        raise InputError(
            f"--out={out} exists already; choose another name, nothing is "
            "overwritten"
        )
    if out and not target.parent.is_dir():
        raise InputError(f"--out={out}: there is no folder {target.parent}")
    # TensorFlow takes seconds to import: after the arguments were checked.
    from mlpnas.exports.prediction import load_model

    model = load_model(path.parent if path.name == MODEL_FILE else path)
    reading = model.card.reading
    # A file has one decimal mark for columns that are not read loosely.
    marks = {c.decimal for c in reading.columns if not c.loose}
    frame = read_table(
        Path(files[0]),
        "",
        min(marks, default="."),
        reading.keeps_text,
    ).frame
    probabilities, notes = model.predict(frame, files[0])
    for note in notes:
        print(f"note: {printable(note)}", file=sys.stderr)
    classes = model.card.classes
    if not out:
        # To a terminal; a file holds the names as they are.
        shown = tuple(map(printable, classes))
        print(_format(probabilities, shown, top), end="")
        return
    text = _format(probabilities, classes, top)
    try:
        with placing(target) as partial:
            partial.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise InputError(f"--out={out}: {error.strerror}") from None
    print(f"wrote {out}: {len(probabilities)} rows")


def _format(
    probabilities: np.ndarray, classes: tuple[str, ...], top: int
) -> str:
    """CSV lines: the row, and pairs of a class and its probability."""
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :top]
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    names = ["row", "class", "probability"]
    for place in range(2, best.shape[1] + 1):
        names += [f"class_{place}", f"probability_{place}"]
    writer.writerow(names)
    for row, places in enumerate(best):
        cells: list[object] = [row + 1]
        for place in places:
            cells += [
                classes[place],
                f"{probabilities[row, place]:.6f}",
            ]
        writer.writerow(cells)
    return file.getvalue()
