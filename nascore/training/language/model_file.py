"""A trained model of language in files, and back."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import keras
import tensorflow as tf

from nascore.data.text import TextData, Vocabulary
from nascore.errors import InputError
from nascore.networks.recurrent.lstm import LstmLanguageModel
from nascore.networks.recurrent.model import LanguageModel
from nascore.runs.atomic import write_json
from nascore.runs.json_files import look_up, read_object
from nascore.spaces.kinds import to_fields
from nascore.training.exports import write
from nascore.training.exports.formats import KERAS
from nascore.training.language.config import FILES, FinalLanguageConfig
from nascore.training.language.layer import RecurrentLanguage

FOLDER, MODEL, CARD = "model", FILES[KERAS], "card.json"


def to_keras(model: LanguageModel, config: FinalLanguageConfig) -> keras.Model:
    """A model from tokens `[b, t]` to logits, with weights of its own.

    An LSTM is made of Keras's own layers.
    """
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    units, size = model.config.hidden_units, model.vocabulary
    if isinstance(model, LstmLanguageModel):
        layers = [
            keras.layers.Embedding(size, units, name="embedding"),
            keras.layers.LSTM(units, return_sequences=True, name="lstm"),
            keras.layers.Dense(size, name="logits"),
        ]
        x = tokens
        for layer in layers:
            x = layer(x)
        embedding = model.embedding.numpy()
        layers[0].set_weights([embedding])
        layers[1].set_weights(model.lstm.get_weights())
        layers[2].set_weights([embedding.T, model.bias.numpy()])
        return keras.Model(tokens, x, name="language_model")
    space = config.network.space
    cell = space.parse(config.training.architecture)
    layer = RecurrentLanguage(
        to_fields(space), space.format(cell), size, units, name="cell"
    )
    made = keras.Model(tokens, layer(tokens), name="language_model")
    nodes = tf.concat(list(model.cell.nodes), axis=0)
    for own, value in (
        (layer.embedding, model.embedding),
        (layer.first, model.cell.first),
        (layer.nodes, nodes),
        (layer.bias, model.bias),
    ):
        own.assign(value)
    return made


def export(
    model: LanguageModel,
    config: FinalLanguageConfig,
    data: TextData,
    path: Path,
    tested: Mapping[str, object],
) -> None:
    """Writes a model in the formats of its training, and `model/card.json`.

    Args:
      model: with the weights to write.
      config: of its training.
      data: its text.
      path: the run folder.
      tested: what it is worth.
    """
    folder = path / FOLDER
    made, formats = to_keras(model, config), config.training.formats
    write.export(made, folder, formats, names=FILES)
    vocabulary = data.vocabulary
    write_json(
        folder / CARD,
        {
            "input": "numbers of tokens, int32 [batch, steps]",
            "output": "logits of each next token",
            "files": [FILES[name] for name in formats],
            "tokens": vocabulary.kind,
            "vocabulary": list(vocabulary.symbols),
            "data": data.describe(),
            "test": dict(tested),
        },
    )


def convert(path: Path, formats: Sequence[str]) -> list[Path]:
    """Writes a trained model in further formats; returns the paths.

    Args:
      path: see `load`.
      formats: of `FILES`.

    Raises:
      InputError: no trained model, or a converter that fails.
    """
    model, _ = load(path)
    folder = _folder(path)
    written = write.export(model, folder, formats, names=FILES)
    card = read_object(folder / CARD)
    card["files"] = [n for n in FILES.values() if (folder / n).exists()]
    write_json(folder / CARD, card)
    return written


def _folder(path: Path) -> Path:
    return path / FOLDER if (path / FOLDER).is_dir() else path


def load(path: Path) -> tuple[keras.Model, Vocabulary]:
    """Reads what `export` wrote.

    Args:
      path: the run folder, or the folder of the model.

    Raises:
      InputError: there is none, or it is damaged.
    """
    folder = _folder(path)
    if not (folder / MODEL).is_file():
        raise InputError(
            f"{path} holds no trained model of language; make one with: "
            "python -m experiments.train_language"
        )
    card = read_object(folder / CARD)
    symbols = look_up(card, folder / CARD, "vocabulary", list)
    kind = look_up(card, folder / CARD, "tokens", str)
    try:
        model = keras.models.load_model(folder / MODEL)
    except (ValueError, OSError, TypeError, KeyError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"{folder / MODEL} is damaged or of another version: {reason}"
        ) from None
    return model, Vocabulary(kind, tuple(map(str, symbols)))
