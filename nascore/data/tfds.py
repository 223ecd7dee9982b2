"""Data sets as tensorflow-datasets prepares and reads them."""

import contextlib
import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import requests
import tensorflow_datasets as tfds
from absl import logging as absl_logging
from google.protobuf import json_format
from tensorflow_datasets.core import hashing
from tqdm import tqdm

from nascore.data.cifar import read_cifar, read_cifar_names
from nascore.data.mnist import read_mnist
from nascore.errors import InputError

# Where tensorflow-datasets downloads from; asked before it tries, because it
# repeats a hopeless download for minutes.
_SOURCES = {
    "mnist": "https://storage.googleapis.com",
    "fashion_mnist": "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
    "cifar10": "https://www.cs.toronto.edu",
    "cifar100": "https://www.cs.toronto.edu",
}
PREPARABLE = tuple(_SOURCES)
# Begins the SHA-256 of the official test labels, one byte each.
_TEST_LABELS = {
    "mnist": "ddeff807876a9661",
    "fashion_mnist": "3d0e6c6ea990b53b",
}
_TIMEOUT_SECONDS = 20


def make_builder(name: str, data_dir: str) -> Any:
    """Returns the tensorflow-datasets builder, prepared or not.

    Raises:
      InputError: what is prepared is damaged, or `data_dir` is no folder.
    """
    if data_dir and Path(data_dir).exists() and not Path(data_dir).is_dir():
        raise InputError(f"--data_dir={data_dir} is not a folder")
    try:
        with _silent():
            return tfds.builder(name, data_dir=data_dir or None, try_gcs=False)
    # What it raises for files that do not say what it wrote.
    except (
        AssertionError,
        AttributeError,
        KeyError,
        OSError,
        RuntimeError,
        TypeError,
        ValueError,
        json_format.Error,
    ) as error:
        folder = Path(data_dir or "~/tensorflow_datasets") / name
        raise InputError(
            f"{folder} is damaged ({_short(error)}); delete it and prepare "
            "the data set again"
        ) from None


def is_prepared(builder: Any) -> bool:
    """Whether the data set's files are all there."""
    with _silent():
        return builder.is_prepared()


def read_prepared(
    name: str, data_dir: str, file_order: bool = False
) -> tuple[dict, tuple[str, ...]]:
    """Reads a data set, downloading and preparing it first if need be.

    Args:
      name: one of `PREPARABLE`.
      data_dir: the tensorflow-datasets folder; empty for its default.
      file_order: gives the examples in the order of the official files
        instead of that of the prepared ones.

    Returns:
      For `train` and `test` uint8 images `[n, h, w, c]` and int32 labels;
      then the names of the classes.

    Raises:
      InputError: it is neither prepared nor can be downloaded.
    """
    builder = make_builder(name, data_dir)
    if not is_prepared(builder):
        _download(builder, name)
    try:
        parts = {}
        for part in ("train", "test"):
            batch = read_split(builder, part, file_order)
            parts[part] = (batch["image"], batch["label"].astype(np.int32))
    except Exception as error:  # TensorFlow raises many kinds here.
        raise InputError(
            f"{builder.data_dir} is damaged ({_short(error)}); delete it and "
            "prepare the data set again"
        ) from None
    return parts, tuple(builder.info.features["label"].names)


def read_split(
    builder: Any, part: str, file_order: bool = False
) -> dict[str, Any]:
    """Reads all examples of a split of a prepared data set, as arrays.

    Args:
      builder: of tensorflow-datasets.
      part: the split's name.
      file_order: whether in the order of the official files; only for
        `PREPARABLE`.
    """
    # Several prepared files would be read in turns otherwise.
    in_order = tfds.ReadConfig(interleave_cycle_length=1)
    with _silent():
        batch = tfds.as_numpy(
            builder.as_dataset(
                split=part,
                batch_size=-1,
                read_config=in_order if file_order else None,
            )
        )
    if file_order:
        places = _file_places(part, batch)
        batch = {name: column[places] for name, column in batch.items()}
    return batch


def _file_places(part: str, batch: dict[str, Any]) -> np.ndarray:
    """Where among the prepared examples each one of the files is.

    tensorflow-datasets sorts the examples of a split by a hash of their
    keys, and the builders of `PREPARABLE` take the place in the files as
    the key. CIFAR's examples hold it as well: `test_00017`.
    """
    if "id" in batch:
        return np.argsort(batch["id"])
    hasher = hashing.Hasher(part)
    count = len(batch["image"])
    keys = sorted(range(count), key=hasher.hash_key)
    places = np.empty(count, np.int64)
    places[keys] = np.arange(count)
    return places


def is_file_order(name: str, labels: np.ndarray) -> bool:
    """Whether test labels are those of the official files, in their order.

    Args:
      name: one of `PREPARABLE`; those whose examples hold their places need
        no test.
      labels: int32 `[n]`.
    """
    digest = hashlib.sha256(labels.astype(np.uint8).tobytes()).hexdigest()
    return digest.startswith(_TEST_LABELS.get(name, ""))


def download(builder: Any, source: str) -> str:
    """Downloads and prepares a data set.

    Args:
      builder: of tensorflow-datasets.
      source: the site that it downloads from.

    Returns:
      Why that failed; empty if it did not.
    """
    try:
        requests.head(source, timeout=_TIMEOUT_SECONDS)
        with _silent():
            builder.download_and_prepare()
    except Exception as error:  # Network, disk and checksum errors alike.
        return _short(error)
    return ""


def _download(builder: Any, name: str) -> None:
    reason = download(builder, _SOURCES[name])
    if reason:
        raise InputError(
            f"{name} is not prepared in {builder.data_dir} and cannot be "
            f"downloaded ({reason}). With internet, run the same command "
            "again; without, get the official files and run: python -m "
            f"experiments.prepare_data --dataset={name} --source=FOLDER"
        )


def prepare(name: str, source: Path, data_dir: str) -> Path | None:
    """Writes official files into the tensorflow-datasets folder, offline.

    The data set keeps its name, version, features and order, so that
    `tfds.load` then finds it like one that was downloaded.

    Args:
      name: one of `PREPARABLE`.
      source: the folder of the official files, or a CIFAR archive.
      data_dir: the tensorflow-datasets folder; empty for its default.

    Returns:
      The folder of the data set, or None if it was already prepared.

    Raises:
      InputError: missing or broken files.
    """
    builder = make_builder(name, data_dir)
    if is_prepared(builder):
        return None
    if not source.exists():
        raise InputError(f"--source={source} does not exist")
    if name in ("mnist", "fashion_mnist"):
        parts = {part: read_mnist(source, part) for part in ("train", "test")}
    else:
        parts = read_cifar(source, name)
        for label, names in read_cifar_names(source, name).items():
            classes = builder.info.features[label].num_classes
            if len(set(names)) != classes or len(names) != classes:
                raise InputError(
                    f"{source} names {len(set(names))} classes of {name}'s "
                    f"{classes}; the file of names is damaged"
                )
            builder.info.features[label].names = names
    _check_examples(parts, builder, source)
    has_ids = "id" in builder.info.features
    # The builder's own generators would download; ours yield what was read.
    builder._split_generators = lambda dl_manager: {
        part: _examples(part, *arrays, has_ids)
        for part, arrays in parts.items()
    }
    try:
        with _silent():
            builder.download_and_prepare()
    except OSError as error:
        raise InputError(
            f"{builder.data_dir} cannot be written: {_short(error)}"
        ) from None
    return Path(builder.data_dir)


def _check_examples(parts: dict, builder: Any, source: Path) -> None:
    """Raises InputError for images and labels that are not the data set's."""
    for images, labels in parts.values():
        if not len(images):
            raise InputError(f"{source} is damaged: a file has no images")
        own = "x".join(map(str, images.shape[1:]))
        asked = "x".join(map(str, builder.info.features["image"].shape))
        if own != asked:
            raise InputError(
                f"{source} is damaged: its images are {own}, and those of "
                f"{builder.name} are {asked}"
            )
        for name, column in labels.items():
            classes = builder.info.features[name].num_classes
            if len(column) and column.max() >= classes:
                raise InputError(
                    f"{source} is damaged: it has the {name} {column.max()}, "
                    f"and there are {classes} classes"
                )


def _examples(
    part: str, images: np.ndarray, labels: dict[str, np.ndarray], ids: bool
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Examples under the keys that tensorflow-datasets orders them by."""
    for place in tqdm(range(len(images)), desc=part, unit=" images"):
        record: dict[str, Any] = {"image": images[place]}
        for name, column in labels.items():
            record[name] = int(column[place])
        if ids:
            record["id"] = f"{part}_{place:05d}"
        yield place, record


def _short(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:120]}"


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Keeps tensorflow-datasets' log lines off the screen."""
    loggers = [absl_logging.get_absl_logger(), logging.getLogger("urllib3")]
    levels = [logger.level for logger in loggers]
    verbosity = absl_logging.get_verbosity()
    absl_logging.set_verbosity(absl_logging.ERROR)
    tfds.disable_progress_bar()
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        tfds.enable_progress_bar()
        absl_logging.set_verbosity(verbosity)
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
