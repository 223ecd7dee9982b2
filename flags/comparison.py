"""Flags of the comparison: those of the searches, and which to compare."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

from absl import flags

from flags import base, method_settings, methods
from nascore.config import flatten, unflatten
from nascore.errors import InputError

BACKENDS = ("threading", "dask", "ray")
# What a method evaluates in an epoch is the product of the first of these
# that it has.
_EVALUATIONS = (
    ("epoch_models",),
    ("epoch_queries",),
    ("train_steps", "num_aggregate"),
)


def define() -> None:
    """Defines the flags of the comparison alone."""
    flags.DEFINE_list(
        "methods",
        ["enas", "ienas", "random"],
        f"What to compare, of: {', '.join(methods.names())}. ienas takes "
        "--reward_rule, random is uniform architectures. All other settings, "
        "--num_aggregate included, are the same for all that have them.",
    )
    flags.DEFINE_integer(
        "seeds", 5, "Runs of each method, from --seed upwards.", 1
    )
    define_jobs()
    flags.DEFINE_float(
        "max_hours",
        0.0,
        "Hours that each run may take, all of its starts together, its ranking "
        "included; runs are then compared as far as they came. 0: no limit.",
        0.0,
        1_000_000.0,
    )
    base.define_path(
        "out",
        "",
        "Folder of the comparison; empty: comparisons/<dataset>. The runs go "
        "to its sub-folder runs.",
    )
    flags.DEFINE_integer(
        "rank_check",
        0,
        "Train this many of each run's proposals standalone, and compare "
        "the ranking with that of the shared weights; 0 is off.",
        0,
    )
    flags.DEFINE_integer(
        "rank_check_epochs", 5, "Epochs of each standalone training.", 1
    )


def define_jobs() -> None:
    """Defines how many runs there are at a time, and where."""
    flags.DEFINE_integer("jobs", 1, "Runs at the same time.", 1)
    flags.DEFINE_enum(
        "backend",
        "threading",
        BACKENDS,
        "Where they run: threading is this machine; dask and ray spread them "
        "over a cluster that shares this file system.",
    )
    flags.DEFINE_string(
        "scheduler",
        "",
        "Address of the Dask scheduler or the Ray cluster; empty starts one "
        "on this machine.",
    )


def define_searches() -> None:
    """Defines the flags of the searches that `--methods` names.

    Raises:
      InputError: unknown, repeated or no methods, or some whose scores are
        not the same.
    """
    names = flags.FLAGS.methods
    if not names or len(set(names)) < len(names):
        raise InputError(
            f"--methods={','.join(names)} must be different ones of: "
            f"{', '.join(methods.names())}"
        )
    for name in names:
        if name not in methods.names():
            raise InputError(
                f"--methods={','.join(names)} must be different ones of: "
                f"{', '.join(methods.names())}"
            )
        base.define(shared_config(name))
    measured = {name: methods.find(name).measures for name in names}
    if len(set(measured.values())) > 1:
        each = ", ".join(f"{name} by {what}" for name, what in measured.items())
        raise InputError(
            f"--methods={','.join(names)} rank architectures by different "
            f"measures ({each}), which cannot be compared"
        )


def shared_config(name: str) -> Any:
    """The settings that a comparison gives a method, at their defaults."""
    method = methods.find(name)
    return method.config if method.compared is None else method.compared


def read(names: Sequence[str]) -> dict[str, Any]:
    """Reads the settings of each method.

    Raises:
      InputError: a flag that would have no effect, or other data sets.
    """
    configs = {name: _read(name) for name in names}
    _check_effect(names)
    sets = {
        name: flatten(config).get("dataset") for name, config in configs.items()
    }
    if len(set(sets.values())) > 1:
        each = ", ".join(f"{name} {data}" for name, data in sets.items())
        raise InputError(
            f"the methods would search other data sets ({each}); name one "
            "with --dataset"
        )
    _check_alike(configs)
    if not flags.FLAGS.max_hours:
        _check_evaluations(configs)
    return configs


def _check_alike(configs: Mapping[str, Any]) -> None:
    """Raises InputError if methods see other data, or build other sizes.

    They may by their defaults: DARTS takes half of the images for its alphas.
    """
    odd = [
        f"--{name} ({', '.join(f'{m} {v}' for m, v in found.items())})"
        for name, found in _shared_values(configs).items()
        if len(set(found.values())) > 1
    ]
    if odd:
        raise InputError(
            "the methods would have other data or networks than each "
            f"other by their defaults; give {', '.join(odd)}"
        )


def _check_evaluations(configs: Mapping[str, Any]) -> None:
    """Raises InputError if methods evaluate other numbers in an epoch.

    More tries find more. Methods that sample nothing, such as DARTS, have no
    such number; equal time needs none.
    """
    found: dict[str, int] = {}
    flags_of: dict[str, None] = {}
    for method, config in configs.items():
        values = flatten(config)
        for factors in _EVALUATIONS:
            if values.keys() >= set(factors):
                found[method] = math.prod(values[name] for name in factors)
                flags_of |= dict.fromkeys(factors)
                break
    if len(set(found.values())) > 1:
        each = ", ".join(f"{method} {count}" for method, count in found.items())
        raise InputError(
            "the methods would evaluate unequal numbers of architectures in "
            f"an epoch ({each}); make them equal with "
            f"{', '.join(f'--{name}' for name in flags_of)}, or give all the "
            "same time with --max_hours"
        )


def _shared_values(configs: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Values of what compared methods must agree in, by setting and method."""
    found: dict[str, dict[str, Any]] = {}
    for method, config in configs.items():
        data = getattr(config, "data", None)
        child = getattr(config, "child", None)
        images = flatten(data) if dataclasses.is_dataclass(data) else {}
        sizes = {
            name: getattr(child, name)
            for name in ("num_nodes", "filters", "hidden_units")
            if hasattr(child, name)
        }
        layers = getattr(child, "layer_types", None)
        if layers is not None:
            # Those of --num_layers are not the same for ENAS and DARTS.
            sizes["num_normal_cells --num_reduction_cells"] = " ".join(
                f"{kind[0]}" for kind in layers
            )
        for name, value in {**images, **sizes}.items():
            found.setdefault(name, {})[method] = value
    return found


def _read(name: str) -> Any:
    method = methods.find(name)
    values = {**flatten(base.read(shared_config(name))), **method.alone}
    return method_settings.with_settings(name, unflatten(method.config, values))


def _check_effect(names: Sequence[str]) -> None:
    """Raises InputError for a flag that every method has for itself."""
    for name in names:
        for key, value in base.given(shared_config(name)).items():
            own = [methods.find(other).settings.get(key) for other in names]
            if None not in own and value not in own:
                raise InputError(
                    f"--{key}={value} has no effect: each of "
                    f"--methods={','.join(names)} has its own"
                )
