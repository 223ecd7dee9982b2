r"""Prepares a data set from its official files, without network.

  python -m experiments.prepare_data --dataset=cifar10 --source=DOWNLOADS
  python -m experiments.prepare_data --dataset=folder --source=birds.tar.gz \
      --data_dir=birds

Afterwards `tfds.load` finds the data set, and so do the searches.
"""

from collections.abc import Sequence
from pathlib import Path

from absl import flags

from experiments import launch
from flags import base
from nascore.data.config import DATASETS, DataConfig
from nascore.errors import InputError, printable


def define() -> None:
    """Defines the flags."""
    flags.DEFINE_enum(
        "dataset",
        None,
        [name for name in DATASETS if name != "digits"],
        "What to prepare.",
    )
    base.define_path(
        "source",
        None,
        "Folder of the official files (IDX .gz of MNIST and Fashion-MNIST, "
        "CIFAR's binary archive or batches), or an archive.",
    )
    base.define_path(
        "data_dir",
        "",
        "tensorflow-datasets folder (empty: its default); for "
        "--dataset=folder the folder to make.",
    )


def main(args: list[str]) -> None:
    """Prepares one data set."""
    launch.no_arguments(args)
    name, data_dir = flags.FLAGS.dataset, flags.FLAGS.data_dir
    for flag in ("dataset", "source"):
        if not flags.FLAGS[flag].value:
            raise InputError(f"--{flag} is missing; --help lists all flags")
    source = Path(flags.FLAGS.source)
    # Imports TensorFlow: after the flags were checked.
    launch.quiet_tensorflow()
    from nascore.data.tfds import prepare
    from nascore.data.unpacking import unpack_folder

    if name == "folder":
        if not data_dir:
            raise InputError("--dataset=folder needs --data_dir=NEW_FOLDER")
        notes = unpack_folder(source, Path(data_dir), _read_pictures)
        print(f"unpacked {source} into {data_dir}")
        for note in notes:
            print(f"note: {printable(note)}")
    else:
        path = prepare(name, source, data_dir)
        if path is None:
            print(f"{name} is already prepared; nothing was changed")
        else:
            print(f"prepared {name} in {path}")
        if path is not None and name.startswith("cifar"):
            print(
                "note: the checksum of the source files was not compared "
                "with the official one"
            )
    place = f" --data_dir={data_dir}" if data_dir else ""
    print(
        f"search on it: python -m experiments.search_enas --dataset={name}"
        f"{place}"
    )


def _read_pictures(folder: Path) -> Sequence[str]:
    """Reads an unpacked folder as searches do; returns how it was read.

    Raises:
      InputError: a search would refuse it.
    """
    from nascore.data.images import load

    return load(DataConfig(dataset="folder", data_dir=str(folder))).notes


def cli() -> None:
    """Console entry point."""
    define()
    launch.run(main)


if __name__ == "__main__":
    cli()
