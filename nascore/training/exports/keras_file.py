"""Looks into a `.keras` file before Keras builds what it says.

Keras's safe mode refuses code of the file. This asks more: only layers that
an exported network has, so that none of Keras's others can be made to read a
file or a model that the sender names; and no more bytes than a network has.
"""

import json
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import Any

from nascore.config import show
from nascore.errors import InputError

MAX_CONFIG_BYTES = 64 << 20
MAX_WEIGHT_BYTES = 8 << 30
_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
_MEMBERS = {"metadata.json", _CONFIG, _WEIGHTS}
# By kind: what our operations are made of, and what one more might need.
CLASSES = frozenset(
    """
    Functional Sequential InputLayer DTypePolicy __keras_tensor__
    Activation ELU LeakyReLU PReLU ReLU Softmax
    Conv2D Conv2DTranspose Dense DepthwiseConv2D SeparableConv2D
    AveragePooling2D GlobalAveragePooling2D GlobalMaxPooling2D MaxPooling2D
    Add Average Concatenate Maximum Minimum Multiply Subtract
    BatchNormalization GroupNormalization LayerNormalization
    Dropout SpatialDropout2D
    Cropping2D Flatten Rescaling Reshape UpSampling2D ZeroPadding2D
    Constant GlorotNormal GlorotUniform HeNormal HeUniform LecunNormal
    LecunUniform Ones RandomNormal RandomUniform TruncatedNormal
    VarianceScaling Zeros
    """.split()
)


def check_keras_file(path: Path, classes: Collection[str] = CLASSES) -> None:
    """Looks into a `.keras` file.

    Args:
      path: the file.
      classes: what it may be made of.

    Raises:
      InputError: it is damaged, or holds what no exported network has.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(archive, path)
            config = json.loads(archive.read(_CONFIG))
    except RecursionError:
        raise InputError(
            f"{path} cannot be loaded as a Keras model: its configuration is "
            "nested too deeply"
        ) from None
    except InputError:
        raise
    except (
        OSError,
        EOFError,
        ValueError,
        KeyError,
        NotImplementedError,
        RuntimeError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise InputError(
            f"{path} cannot be loaded as a Keras model: {error}"
        ) from None
    _check_classes(config, path, classes)


def _check_members(archive: zipfile.ZipFile, path: Path) -> None:
    for member in archive.infolist():
        if member.filename not in _MEMBERS:
            raise InputError(
                f"{path} is no exported network: it holds "
                f"{show(member.filename)}"
            )
        limit = MAX_CONFIG_BYTES
        if member.filename == _WEIGHTS:
            limit = MAX_WEIGHT_BYTES
        if member.file_size > limit:
            raise InputError(
                f"{path} is no exported network: its {member.filename} has "
                f"{member.file_size / 1e9:.1f} GB"
            )


def _check_classes(config: Any, path: Path, classes: Collection[str]) -> None:
    """Walks the configuration without calling itself: it may be deep."""
    left = [config]
    while left:
        value = left.pop()
        if isinstance(value, list):
            left += value
        if not isinstance(value, dict):
            continue
        left += value.values()
        if "class_name" not in value:
            continue
        name, module = value["class_name"], value.get("module")
        ours = module is None or str(module).split(".")[0] == "keras"
        if not isinstance(name, str) or name not in classes or not ours:
            whole = str(name) if module is None else f"{module}.{name}"
            raise InputError(
                f"{path} is no exported network: it names {whole[:80]!r}, "
                "which none has"
            )
        # Keras would read the words from a file that the sender names.
        own = value.get("config")
        words = own.get("vocabulary") if isinstance(own, dict) else None
        if isinstance(words, str):
            raise InputError(
                f"{path} is no exported network: it reads the file "
                f"{words[:80]!r}"
            )
