"""The part of an exported model that takes the columns of a table.

Plain Keras operations on all columns at once: with one for each column,
building and loading took a time that grew with their square.
"""

import re
from collections.abc import Sequence

import keras
import numpy as np

from mlpnas.data.encoders import MISSING, TableEncoder

# From so many columns on a model takes matrices: an input for each column
# costs milliseconds to build, to load, and in each call.
MOST_INPUTS = 1000
NUMBERS, TEXTS = "numbers", "texts"
# Columns of these names get another name inside: Keras calls its operations
# so, and no two may have one name.
_KERAS_NAMES = re.compile(
    r"(cast|concatenate|dense|divide|dropout|equal|functional|isnan|"
    r"logical_or|string_lookup|subtract|take|where)(_\d+)?"
)

Inputs = dict[str, keras.KerasTensor]


def is_wide(encoder: TableEncoder) -> bool:
    """Whether a model takes matrices instead of columns."""
    return len(encoder.numeric) + len(encoder.categorical) > MOST_INPUTS


def input_names(columns: Sequence[str]) -> dict[str, str]:
    """What the inputs of columns are called inside Keras.

    The keys of what a model takes are the columns' own names. Keras allows
    no slash in the name of an input, nor one that an operation has.

    Returns:
      The name inside for each column; mostly its own.
    """
    taken = set(columns)
    names = {}
    for place, column in enumerate(columns):
        name = column
        if (
            not name.isprintable()
            or not name
            or "/" in name
            or _KERAS_NAMES.fullmatch(name)
        ):
            name = f"column_{place}"
            while name in taken:
                name += "_"
            taken.add(name)
        names[column] = name
    return names


def table_inputs(
    encoder: TableEncoder, missing: Sequence[str] = ()
) -> tuple[Inputs, keras.KerasTensor]:
    """Makes the inputs of a table, and encodes them.

    Args:
      encoder: how the table was encoded.
      missing: texts that count as missing, beside "".

    Returns:
      The inputs, and float32 `[n, numbers + categories]`. The inputs are a
      dictionary of columns, each `[n, 1]`: float64 with NaN where missing,
      texts with "" where missing. Of more than `MOST_INPUTS` columns they
      are the matrices `numbers` and `texts`, `[n, columns]` in the order of
      the encoder, as far as there are such columns.
    """
    inputs: Inputs = {}
    parts = []
    if encoder.numeric:
        raw = _take(encoder, encoder.numeric, NUMBERS, "float64", inputs)
        # Doubles, as the table was encoded: a large number with a small
        # deviation would lose its digits.
        known = keras.ops.where(keras.ops.isnan(raw), encoder.medians, raw)
        scaled = keras.ops.divide(
            keras.ops.subtract(known, encoder.means), encoder.deviations
        )
        parts.append(keras.ops.cast(scaled, "float32"))
    if encoder.categorical:
        raw = _take(encoder, encoder.categorical, TEXTS, "string", inputs)
        parts.append(_one_hot(encoder, raw, missing))
    joined = parts[0] if len(parts) == 1 else keras.ops.concatenate(parts, -1)
    return inputs, joined


def _take(
    encoder: TableEncoder,
    columns: Sequence[str],
    kind: str,
    dtype: str,
    inputs: Inputs,
) -> keras.KerasTensor:
    """Adds the inputs of columns; returns all of them as a matrix."""
    if is_wide(encoder):
        inputs[kind] = keras.Input((len(columns),), name=kind, dtype=dtype)
        return inputs[kind]
    names = input_names((*encoder.numeric, *encoder.categorical))
    for column in columns:
        inputs[column] = keras.Input((1,), name=names[column], dtype=dtype)
    own = [inputs[column] for column in columns]
    if len(own) == 1:
        return own[0]
    # The layer, unlike the operation, takes texts.
    return keras.layers.Concatenate(dtype=dtype)(own)


def _one_hot(
    encoder: TableEncoder, raw: keras.KerasTensor, missing: Sequence[str]
) -> keras.KerasTensor:
    """Brings texts `[n, columns]` to float32 `[n, categories]`.

    One vocabulary serves all columns. A text that a column does not have in
    training is none of its categories: all zeros among them.
    """
    known = sorted({text for texts in encoder.categories for text in texts})
    aliases = sorted(set(missing) - set(known)) if MISSING in known else []
    unknown = "[UNK]"
    while unknown in {*known, *aliases}:
        unknown += "_"
    # The first place is for unknown texts.
    numbers = {text: n for n, text in enumerate([*known, *aliases], 1)}
    lookup = keras.layers.StringLookup(
        vocabulary=list(numbers), oov_token=unknown
    )
    found = lookup(raw)
    for alias in aliases:
        is_alias = keras.ops.equal(found, numbers[alias])
        found = keras.ops.where(is_alias, numbers[MISSING], found)
    counts = [len(texts) for texts in encoder.categories]
    columns = np.repeat(np.arange(len(counts)), counts)
    wanted = np.array(
        [numbers[text] for texts in encoder.categories for text in texts]
    )
    spread = keras.ops.take(found, columns, axis=1)
    return keras.ops.cast(keras.ops.equal(spread, wanted), "float32")
