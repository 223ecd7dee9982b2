"""Writes an exported network in further formats.

  python -m experiments.export_model FINAL
  python -m experiments.export_model FINAL --format=onnx,saved_model

FINAL is the folder of a final training; what is written joins the
`network.keras` in its folder `model`.
"""

from pathlib import Path

from absl import flags

from experiments import launch
from nascore.errors import InputError
from nascore.runs.atomic import write_json
from nascore.runs.json_files import read_object
from nascore.training.exports.formats import (
    CARD,
    FILE_NAMES,
    FORMATS,
    KERAS,
    parse_formats,
)


def main(args: list[str]) -> None:
    """Exports one network."""
    if len(args) != 1:
        raise InputError("name one folder of a final training")
    formats = parse_formats(flags.FLAGS.format)
    if not formats:
        raise InputError(
            f"--format={flags.FLAGS.format} names none of: {', '.join(FORMATS)}"
        )
    folder = Path(args[0]) / "model"
    path = folder / FILE_NAMES[KERAS]
    if not path.is_file():
        raise InputError(f"{path} does not exist; is the training finished?")
    launch.quiet_tensorflow()
    from nascore.training.exports.write import (
        check_converters,
        export,
        load_keras,
    )

    check_converters(formats)
    card = read_object(folder / CARD)
    model = load_keras(path)
    if KERAS in formats:
        print(f"{path} is there already")
    for written in export(model, folder, [f for f in formats if f != KERAS]):
        print(f"wrote {written}")
    names = [FILE_NAMES[name] for name in FILE_NAMES]
    card["files"] = [name for name in names if (folder / name).exists()]
    write_json(folder / CARD, card)


def cli() -> None:
    """Console entry point."""
    flags.DEFINE_string(
        "format", "onnx", "With commas: keras, saved_model, onnx."
    )
    launch.run(main)


if __name__ == "__main__":
    cli()
