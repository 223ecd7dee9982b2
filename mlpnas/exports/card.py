"""What stands beside an exported model: how its input is read."""

import dataclasses
from pathlib import Path
from typing import Any

from mlpnas.config import MODEL_FILE
from mlpnas.data.encoders import TableEncoder
from mlpnas.data.load import MlpData
from mlpnas.data.tables.readings import Column, Reading
from mlpnas.exports.table_inputs import input_names, is_wide
from nascore.config import check_kind
from nascore.errors import InputError
from nascore.runs.atomic import write_json
from nascore.runs.json_files import look_up, read_object

CARD_FILE = "model_card.json"


@dataclasses.dataclass(frozen=True)
class TableCard:
    """What a model of a table takes and answers.

    Attributes:
      reading: of rows; its columns are the model's, in its order.
      classes: names.
      categories: of each column of texts.
      is_wide: whether the model takes matrices, see `table_inputs`.
    """

    reading: Reading
    classes: tuple[str, ...]
    categories: tuple[tuple[str, ...], ...]
    is_wide: bool


def write_card(folder: Path, data: MlpData) -> None:
    """Writes the card of a model into a run folder."""
    described: dict[str, Any] = {"kind": "image"}
    if isinstance(data.encoder, TableEncoder) and data.reading:
        described = _describe(data.encoder, data.reading)
    else:
        described["shape"] = list(data.encoder.shape)  # type: ignore[union-attr]
    write_json(
        folder / CARD_FILE,
        {
            "model": MODEL_FILE,
            "data": data.name,
            "classes": list(data.class_names),
            "input": described,
        },
    )


def _describe(encoder: TableEncoder, reading: Reading) -> dict[str, Any]:
    names = (*encoder.numeric, *encoder.categorical)
    wide = is_wide(encoder)
    inside = {} if wide else input_names(names)
    categories = dict(zip(encoder.categorical, encoder.categories, strict=True))
    by_name = {column.name: column for column in reading.columns}
    return {
        "kind": "table",
        # matrices: numbers and texts, columns in the order here.
        "form": "matrices" if wide else "columns",
        "missing_values": list(reading.missing),
        "columns": [
            {
                "name": name,
                "numbers": by_name[name].is_numeric,
                "decimal": by_name[name].decimal,
                "loose": by_name[name].loose,
                # What Keras calls the input.
                "input": inside.get(name),
                "categories": list(categories.get(name, [])),
            }
            for name in names
        ],
    }


def read_card(path: Path) -> TableCard:
    """Reads the card of a table's model.

    Raises:
      InputError: it is missing, damaged, or of a model of images.
    """
    card = read_object(path)
    if look_up(card, path, "input.kind", str) != "table":
        raise InputError(
            f"{path.parent} holds a network for images, and this script "
            "classifies the rows of tables and, with the networks of "
            "train_final, pictures"
        )
    columns, categories = [], []
    for entry in look_up(card, path, "input.columns", list):
        check_kind(entry, dict, f"{path} is damaged: 'input.columns'")
        column = Column(
            look_up(entry, path, "name", str),
            look_up(entry, path, "numbers", bool),
            look_up(entry, path, "decimal", str),
            look_up(entry, path, "loose", bool),
        )
        if column.decimal not in (".", ","):
            raise InputError(f"{path} is damaged: 'decimal' must be . or ,")
        columns.append(column)
        if not column.is_numeric:
            known = look_up(entry, path, "categories", list)
            categories.append(_texts(known, path, "categories"))
    return TableCard(
        Reading(
            tuple(columns),
            _texts(
                look_up(card, path, "input.missing_values", list),
                path,
                "input.missing_values",
            ),
        ),
        _texts(look_up(card, path, "classes", list), path, "classes"),
        tuple(categories),
        look_up(card, path, "input.form", str) == "matrices",
    )


def _texts(values: list[Any], path: Path, what: str) -> tuple[str, ...]:
    for value in values:
        check_kind(value, str, f"{path} is damaged: {what!r}")
    return tuple(values)
