"""The formats that a network is exported in; no TensorFlow."""

import importlib.util
import sys
from collections.abc import Sequence

from nascore.errors import InputError

KERAS, SAVED_MODEL, ONNX = "keras", "saved_model", "onnx"
LITERT, LITERT_INT8, OPENVINO = "litert", "litert_int8", "openvino"
FORMATS = (KERAS, SAVED_MODEL, ONNX, LITERT, LITERT_INT8, OPENVINO)
FILE_NAMES = {
    KERAS: "network.keras",
    SAVED_MODEL: "saved_model",
    ONNX: "network.onnx",
    LITERT: "network.tflite",
    LITERT_INT8: "network_int8.tflite",
    OPENVINO: "openvino",
}
# Inside the folder of OpenVINO's.
XML = "network.xml"
CARD = "model_card.json"
# What writes a format, and what runs it; their extras are called so, too.
WRITERS = {ONNX: ("onnx", "tf2onnx"), OPENVINO: ("openvino",)}
RUNNERS = {
    ONNX: "onnxruntime",
    LITERT: "ai_edge_litert",
    OPENVINO: "openvino",
}


def without_telemetry() -> None:
    """OpenVINO's converter tells its makers of each import; not from here.

    Without the package that does it, it has a stand-in.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore


def parse_formats(text: str, known: Sequence[str] = FORMATS) -> tuple[str, ...]:
    """Reads names of formats with commas between them.

    Args:
      text: the names.
      known: those that there are.

    Raises:
      InputError: an unknown format, or one whose packages are missing.
    """
    formats = tuple(dict.fromkeys(text.replace(",", " ").split()))
    for name in formats:
        if name not in known:
            raise InputError(
                f"unknown export format {name!r}; known are: {', '.join(known)}"
            )
    for name in formats:
        check_packages(name, WRITERS.get(name, ()))
    return formats


def check_packages(name: str, packages: Sequence[str]) -> None:
    """Raises InputError if a package of a format's extra is missing."""
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise InputError(
                f"{name} needs the package {package}, which is not "
                f"installed: pip install 'ienas[{name}]'"
            )
