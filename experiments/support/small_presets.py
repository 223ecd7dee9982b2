"""The small presets, which run where nothing is asked for."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from absl import flags

from experiments.support import program
from flags import base, preset_files
from flags.methods import Method
from nascore.config import flatten
from nascore.data.config import OWN
from nascore.paths import quote
from nascore.runs.reader import read_settings
from nascore.training.config import FinalConfig

# What may be given, and still the small preset is taken.
_FREE = ("seed", "export", "data_dir")
# The smallest presets of a search, by data set.
_SHORTER = {
    "digits": "digits",
    "mnist": "mnist_small",
    "fashion_mnist": "fashion_mnist_small",
    "cifar10": "cifar10_small",
}
# Data sets that are small for themselves, not because a part was asked for.
_SMALL = ("digits", *OWN)
_FEW = 10_000
# That of a final training.
QUICK, MACRO_QUICK = "final/quick", "final/macro_quick"
CHAIN_QUICK = "final/chain_quick"
IN_TIME = "--max_hours=1 ends it in time"


def quick_for(kind: object) -> str:
    """The small preset of a final training, by the kind of a space."""
    return {"macro": MACRO_QUICK, "chain": CHAIN_QUICK}.get(str(kind), QUICK)


def values_of(name: str, config: Any) -> dict[str, Any]:
    """The settings that a preset gives.

    Args:
      name: of the preset.
      config: a dataclass of all that it may give.
    """
    found = flags.FlagValues()
    base.define(config, found)
    found(["preset", *preset_files.find(name).words])
    return {
        key: found[key].value
        for key in base.names(config)
        if found[key].present
    }


def take(name: str, config: Any, published: str) -> None:
    """Takes a preset's flags, if the user gave none, and says so.

    Args:
      name: of the preset.
      config: a dataclass whose fields are the settings.
      published: what to add to the command for the published protocol.
    """
    if not name or not set(base.given(config)) <= set(_FREE):
        return
    flags.FLAGS([program.name(), *preset_files.find(name).words])
    print(
        f"no settings are given, so the small preset {name} runs; the "
        f"published protocol: {program.name()} {published}"
    )


def take_for(methods: Iterable[Method], config: Any) -> None:
    """Takes the preset of searches, see `take`.

    Args:
      methods: what searches; the first one's preset counts.
      config: a dataclass whose fields are their settings.
    """
    first = next(iter(methods))
    take(first.preset, config, f"--preset={first.published}")


def shorter(config: Any, in_time: bool = True) -> str:
    """How to have a shorter search than one of these settings.

    Args:
      config: the settings.
      in_time: whether it can be told to end in time.
    """
    ways = [IN_TIME] * in_time
    values = flatten(config)
    name = _SHORTER.get(str(values.get("dataset")), "")
    # They are of searches in which an architecture is chosen in each step.
    if name and {"slot_init", "train_steps"} <= values.keys():
        small = values_of(name, config)
        if any(values[key] != value for key, value in small.items()):
            ways.insert(0, f"shorter: --preset={name}")
    return "; ".join(ways)


def shorter_training(config: FinalConfig) -> str:
    """How to have a shorter training than one of these settings."""
    name = quick_for(config.network.space.kind)
    small = values_of(name, config)
    if any(flatten(config)[key] != value for key, value in small.items()):
        return f"shorter: --preset={name}; {IN_TIME}"
    return IN_TIME


def take_for_training(run: Path, config: FinalConfig) -> None:
    """Takes the small preset for a search on few images, see `take`.

    Args:
      run: the folder of the search.
      config: a dataclass whose fields are the settings.
    """
    settings = read_settings(run)
    data = settings.get("data") or {}
    images = sum(
        count
        for name in ("train", "validation", "search_test")
        if isinstance(count := data.get(name), int)
    )
    if settings["config"].get("dataset") in _SMALL and images < _FEW:
        own = f"--from_run={quote(str(run))}"
        name = quick_for((settings.get("space") or {}).get("kind"))
        take(name, config, f"{own} --epochs={config.training.epochs}")
