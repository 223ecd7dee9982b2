"""The formats that a network is exported in; no TensorFlow."""

import importlib.util
from collections.abc import Sequence

from nascore.errors import InputError

KERAS, SAVED_MODEL, ONNX = "keras", "saved_model", "onnx"
FORMATS = (KERAS, SAVED_MODEL, ONNX)
FILE_NAMES = {
    KERAS: "network.keras",
    SAVED_MODEL: "saved_model",
    ONNX: "network.onnx",
}
CARD = "model_card.json"
ONNX_PACKAGES = ("onnx", "tf2onnx")


def parse_formats(text: str) -> tuple[str, ...]:
    """Reads names of formats with commas between them.

    Raises:
      InputError: an unknown format, or one whose packages are missing.
    """
    formats = tuple(dict.fromkeys(text.replace(",", " ").split()))
    for name in formats:
        if name not in FORMATS:
            raise InputError(
                f"unknown export format {name!r}; known are: "
                f"{', '.join(FORMATS)}"
            )
    if ONNX in formats:
        check_packages(ONNX_PACKAGES)
    return formats


def check_packages(packages: Sequence[str]) -> None:
    """Raises InputError if a package of the ONNX extra is missing."""
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise InputError(
                f"ONNX needs the package {package}, which is not installed: "
                "pip install 'ienas[onnx]'"
            )
