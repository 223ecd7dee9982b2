"""Writes an exported network in further formats.

  python -m experiments.export_model FINAL
  python -m experiments.export_model FINAL --format=onnx,saved_model
  python -m experiments.export_model FINAL --format=litert,litert_int8

FINAL is the folder of a final training, on images or on a text; what is
written joins the `.keras` file in its folder `model`. A model of language has
the formats keras, saved_model and onnx. litert_int8 is quantized after the
training: it looks at some of the training images, and a line says what it
makes of the validation images beside the network as it was.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from experiments import launch
from flags import base
from nascore.config import unflatten
from nascore.errors import InputError
from nascore.runs.atomic import write_json
from nascore.runs.config import FINAL_METHOD
from nascore.runs.json_files import look_up, read_object
from nascore.runs.reader import read_settings
from nascore.training.config import FinalConfig
from nascore.training.exports.formats import (
    CARD,
    FILE_NAMES,
    FORMATS,
    KERAS,
    LITERT_INT8,
    parse_formats,
)
from nascore.training.language.config import FILES

if TYPE_CHECKING:
    from nascore.training.provenance.images import FinalData


def main(args: list[str]) -> None:
    """Exports one network."""
    if len(args) != 1:
        raise InputError("name one folder of a final training")
    folder = Path(args[0]) / "model"
    is_text = (folder / FILES[KERAS]).is_file()
    known = tuple(FILES) if is_text else FORMATS
    formats = parse_formats(flags.FLAGS.format, known)
    if not formats:
        raise InputError(
            f"--format={flags.FLAGS.format} names none of: {', '.join(known)}"
        )
    if is_text:
        _export_language(Path(args[0]), formats)
    else:
        _export_network(Path(args[0]), formats)


def _export_language(path: Path, formats: Sequence[str]) -> None:
    """Exports a model of language."""
    launch.quiet_tensorflow()
    from nascore.training.exports.write import check_converters
    from nascore.training.language.model_file import convert

    check_converters(formats)
    if KERAS in formats:
        print(f"{path / 'model' / FILES[KERAS]} is there already")
    for written in convert(path, [n for n in formats if n != KERAS]):
        print(f"wrote {written}")


def _export_network(run: Path, formats: Sequence[str]) -> None:
    """Exports a network of images."""
    folder = run / "model"
    path = folder / FILE_NAMES[KERAS]
    if not path.is_file():
        raise InputError(f"{path} does not exist; is the training finished?")
    data = None
    if LITERT_INT8 in formats:
        data = _load_images(run, flags.FLAGS.data_dir)
    launch.quiet_tensorflow()
    from nascore.training.exports.write import (
        calibration,
        check_converters,
        export,
        load_keras,
    )

    check_converters(formats)
    card = read_object(folder / CARD)
    model = load_keras(path)
    if KERAS in formats:
        print(f"{path} is there already")
    images = None if data is None else calibration(data.train.images)
    others = [name for name in formats if name != KERAS]
    for written in export(model, folder, others, images):
        print(f"wrote {written}")
    names = [FILE_NAMES[name] for name in FILE_NAMES]
    card["files"] = [name for name in names if (folder / name).exists()]
    if data is not None:
        card["int8"] = _compare(folder, data)
    write_json(folder / CARD, card)


def _load_images(path: Path, data_dir: str) -> "FinalData":
    """The images of a final training.

    Raises:
      InputError: they are not there any more, or others.
    """
    from nascore.training.provenance.images import load_final

    settings = read_settings(path, FINAL_METHOD)
    stored = settings["config"]
    if data_dir:
        stored = {**stored, "data_dir": data_dir}
    config = unflatten(FinalConfig(), stored)
    data = load_final(config.data, config.training.train_on_all)
    own = look_up(settings, path / "config.json", "data.fingerprint", str)
    if own != data.source.fingerprint:
        raise InputError(
            f"{path} was trained on other images than are at --data_dir="
            f"{config.data.data_dir} now; say where they are"
        )
    return data


def _compare(folder: Path, data: "FinalData") -> dict[str, float | str]:
    """Says what 8 bits change, on images that none of both has learned."""
    from nascore.training.exports.classifier import load_classifier

    held_out = data.validation or data.train
    accuracies = {}
    for name in (KERAS, LITERT_INT8):
        probabilities = load_classifier(folder / FILE_NAMES[name]).predict(
            held_out.images
        )
        hits = probabilities.argmax(1) == held_out.labels
        accuracies[name] = float(hits.mean())
    part = "training" if data.validation is None else "validation"
    print(
        f"accuracy on the {len(held_out):,} {part} images: "
        f"{accuracies[LITERT_INT8]:.2%} with 8 bits, "
        f"{accuracies[KERAS]:.2%} before"
    )
    return {"images": len(held_out), "measured_on": part, **accuracies}


def cli() -> None:
    """Console entry point."""
    flags.DEFINE_string("format", "onnx", f"With commas: {', '.join(FORMATS)}.")
    base.define_data_dir()
    launch.run(main)


if __name__ == "__main__":
    cli()
