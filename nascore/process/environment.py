"""What a process must have before TensorFlow and Keras are imported.

Done in `nascore/__init__.py`, and every other package imports that first: it
is the one place that scripts, processes of a pool or a cluster, notebooks
(`import enas.search`), tests and benchmarks all come through early enough.
"""

import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

from nascore.errors import InputError
from nascore.process.streams import open_closed

BACKEND = "tensorflow"
# What this package is written for. Keras's own values, but a user's
# keras.json may have others.
_SETTINGS = {
    "floatx": "float32",
    "epsilon": 1e-7,
    "image_data_format": "channels_last",
}
# No folder can be made there: Keras neither finds settings nor writes any.
_NOWHERE = f"{os.devnull}/keras"

# What was set for other programs and does not hold here; for scripts to say.
notes: list[str] = []


def prepare() -> None:
    """Sets what the user has not; too late once TensorFlow was imported.

    TensorFlow takes oneDNN's kernels by itself only on processors with
    AVX-512. On those with AVX2, too, they are several times faster than its
    own for the depthwise convolutions of a search (benchmarks/NOTES.md).

    Keras works with TensorFlow and with its own settings here, whatever
    KERAS_BACKEND and keras.json say for other programs.

    Raises:
      InputError: Keras was imported before, with another back end or with
        other settings.
    """
    open_closed()
    if platform.machine() in ("x86_64", "AMD64"):
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    if "keras" in sys.modules:
        _check_imported(sys.modules["keras"])
        return
    other = os.environ.get("KERAS_BACKEND", BACKEND)
    if other not in ("", BACKEND):
        notes.append(f"KERAS_BACKEND={other} is not used: this is TensorFlow")
    # Set for the processes that this one starts, too.
    os.environ["KERAS_BACKEND"] = BACKEND
    if os.environ.get("KERAS_HOME", "").startswith("~"):
        # Keras would make a folder of this name where it stands.
        home = os.path.expanduser(os.environ["KERAS_HOME"])
        os.environ["KERAS_HOME"] = home
    if not _is_plain(_settings_file()):
        os.environ["KERAS_HOME"] = _NOWHERE


def _settings_file() -> Path:
    """Where Keras looks for settings when it is imported."""
    home = os.path.expanduser("~")
    base = home if os.access(home, os.W_OK) else "/tmp"  # noqa: S108
    folder = os.environ.get("KERAS_HOME", os.path.join(base, ".keras"))
    return Path(os.path.expanduser(os.path.join(folder, "keras.json")))


def _is_plain(path: Path) -> bool:
    """Whether Keras can read a settings file, and it changes nothing."""
    try:
        if not path.exists():
            return True
        content = json.loads(path.read_bytes())
    # Of a file that nobody may read, or that is nested too deeply.
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and all(
        content.get(name, value) == value for name, value in _SETTINGS.items()
    )


def _check_imported(keras: Any) -> None:
    """Raises InputError if Keras was imported for something else."""
    backend = keras.config.backend()
    if backend != BACKEND:
        raise InputError(
            f"Keras was imported with the back end {backend} and this package "
            "needs TensorFlow: start Python anew and import this package, or "
            'set os.environ["KERAS_BACKEND"] = "tensorflow", before Keras'
        )
    now = {name: getattr(keras.config, name)() for name in _SETTINGS}
    for name, value in _SETTINGS.items():
        if now[name] != value:
            raise InputError(
                f"Keras is set to {name} {now[name]!r} and this package needs "
                f"{value!r}: call keras.config.set_{name}({value!r}) before "
                "you import it"
            )
    policy = keras.config.dtype_policy().name
    if policy != _SETTINGS["floatx"]:
        raise InputError(
            f"Keras is set to the dtype policy {policy} and this package "
            'needs float32: call keras.config.set_dtype_policy("float32") '
            "before you import it, and give --precision instead"
        )
