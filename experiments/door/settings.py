"""Settings that were given as keywords, by the names of their flags."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.support import small_presets
from flags import method_settings, methods, preset_files
from nascore.config import flatten, unflatten
from nascore.errors import InputError
from nascore.paths import expand

# What a preset says of other examples than the user's, and of what follows.
_OF_DATA = (
    *("dataset", "data_dir", "data_file", "label_column", "image_size"),
    *("train_examples", "then_train"),
)


def configure(
    name: str, preset: str | None, given: Mapping[str, Any]
) -> tuple[dict[str, Any], str]:
    """The settings of a method, of which some were given.

    Args:
      name: of the method.
      preset: whose settings hold for those that were not given; None: the
        method's small one if nothing was given, else its defaults.
      given: the others.

    Returns:
      All of its settings by name, and the preset that was taken.

    Raises:
      InputError: an unknown method, preset or setting, or a value that is
        not of the setting's kind.
    """
    method = methods.find(name)
    config = method.config
    own = convert(config, given, f"the method {name}")
    if preset is None:
        preset = "" if own else method.preset
    defaults = flatten(config)
    values = dict(defaults)
    if preset:
        found = preset_files.find(preset, preset_files.SEARCHES)
        _check_preset(found, config)
        values |= small_presets.values_of(preset, config)
    # The examples are the user's, and are trained on when asked for.
    values |= {k: defaults[k] for k in _OF_DATA if k in defaults}
    values |= own
    made = method_settings.with_settings(name, unflatten(config, values), own)
    return flatten(made), preset


def _check_preset(preset: preset_files.Preset, config: Any) -> None:
    """Raises InputError if it is for another method."""
    known = flatten(config)
    for word in preset.words:
        name = word[2:].partition("=")[0]
        if name not in known and name.removeprefix("no") not in known:
            raise InputError(
                f"preset={preset.name!r} is for another method: "
                f"{preset.commands[0]}; it sets {name}, which is none here"
            )


def convert(
    config: Any, given: Mapping[str, Any], whose: str
) -> dict[str, Any]:
    """Values of settings as the dataclasses hold them.

    Args:
      config: a dataclass of the settings.
      given: by name; lists of texts for what is written with commas.
      whose: settings these are, for messages.

    Raises:
      InputError: an unknown name.
    """
    known = flatten(config)
    found = {}
    for name, value in given.items():
        if name not in known:
            close = difflib.get_close_matches(name, known, 3, 0.6)
            hint = f"; did you mean {' or '.join(close)}?" if close else ""
            raise InputError(
                f"{name}={value!r}: {whose} has no setting of this name{hint} "
                f"(--help of its command lists the {len(known)})"
            )
        found[name] = _convert(value, known[name])
    return found


def _convert(value: Any, default: Any) -> Any:
    """Other kinds than the default's are refused where a dataclass is made."""
    if isinstance(default, str):
        if isinstance(value, Path):
            return expand(str(value))
        if isinstance(value, list | tuple):
            return ",".join(map(str, value))
    if isinstance(default, float) and type(value) is int:
        return float(value)
    # NumPy's numbers are not JSON's.
    if hasattr(value, "item") and not getattr(value, "shape", ()):
        return value.item()
    return value
