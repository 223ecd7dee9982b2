"""Flags of the benchmark over a table, and the methods that they name.

A method is named with settings of its own and, if wanted, a label:
`evolution`, `evolution:population=10:sample=3`, `REA=evolution:sample=3`.
"""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from absl import flags

from flags import base, comparison, method_settings, methods
from nascore.baselines.config import TableSearchConfig
from nascore.config import flatten, unflatten
from nascore.errors import InputError, printable
from nascore.evaluators.nasbench201.config import DATASETS, TableConfig

PREFIX = "bench201_"
# What the benchmark itself decides.
FIXED = frozenset({**flatten(TableConfig()), **flatten(TableSearchConfig())})
# A label stands in tables and in names of files.
_MOST_LETTERS = 60


class MethodVariant(NamedTuple):
    """A method with settings of its own.

    Attributes:
      label: unlike those of the others.
      method: its full name.
      config: its settings.
      given: those that were named.
    """

    label: str
    method: str
    config: Any
    given: Mapping[str, Any]


def define(protocols: Mapping[str, str]) -> None:
    """Defines the flags.

    Args:
      protocols: what each is, by name.
    """
    flags.DEFINE_list(
        "methods",
        ["random"],
        f"What searches, of: {', '.join(names())}. With settings: "
        "METHOD:SETTING=VALUE:..., and a label: LABEL=METHOD:...; a method "
        "may be named more than once.",
    )
    flags.DEFINE_integer(
        "seeds", 500, "Searches of each method, from seed 1.", 1
    )
    flags.DEFINE_integer(
        "queries",
        1000,
        "Cells that a search looks up, repeated ones included.",
        1,
    )
    flags.DEFINE_list(
        "datasets", list(DATASETS), f"On what, of: {', '.join(DATASETS)}."
    )
    each = "; ".join(f"{name}: {text}" for name, text in protocols.items())
    flags.DEFINE_list(
        "protocols",
        ["validation", "test", "published_baselines"],
        f"What a search sees and what is told of it. {each}.",
    )
    flags.DEFINE_integer(
        "published_queries",
        95,
        "Cells that a search of published_baselines looks up: what the "
        "published time of 12,000 simulated seconds paid for.",
        1,
    )
    base.define_path(
        "out",
        "comparisons/bench201",
        "Folder of searches and report; what is done there is not done again.",
    )
    comparison.define_jobs()


def names() -> list[str]:
    """The methods over the table, without what their names begin with."""
    return [
        name.removeprefix(PREFIX)
        for name in methods.names()
        if name.startswith(PREFIX)
    ]


def choose(flag: str, known: Sequence[str]) -> list[str]:
    """Reads a flag that lists some of a few names.

    Raises:
      InputError: an unknown or a repeated one, or none.
    """
    words: list[str] = flags.FLAGS[flag].value or []
    if not words or len(set(words)) < len(words) or set(words) - set(known):
        raise InputError(
            f"--{flag}={','.join(words)} must be different ones of: "
            f"{', '.join(known)}"
        )
    return [name for name in known if name in words]


def read_variants(words: Sequence[str]) -> list[MethodVariant]:
    """Reads `--methods`.

    Raises:
      InputError: no or unknown methods, settings that they do not have or
        that the benchmark decides, or two of one label.
    """
    variants = [_read_variant(word) for word in words]
    labels = [variant.label for variant in variants]
    twice = [label for label in labels if labels.count(label) > 1]
    if not variants or twice:
        what = f"{twice[0]!r} twice" if twice else "no method"
        raise InputError(
            f"--methods={','.join(words)} names {what}; name different ones, "
            "or give one another label: LABEL=METHOD:..."
        )
    return variants


def _read_variant(word: str) -> MethodVariant:
    head, *settings = word.strip().split(":")
    label, _, name = head.rpartition("=")
    name = name.removeprefix(PREFIX)
    if name not in names():
        close = difflib.get_close_matches(name, names(), 1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise InputError(
            f"--methods names {name!r}, which is no method over the table; "
            f"there are: {', '.join(names())}{hint}"
        )
    label = label or ":".join([name, *settings])
    if len(label) > _MOST_LETTERS or label != printable(label):
        raise InputError(
            f"--methods: the label {label[:80]!r} must be at most "
            f"{_MOST_LETTERS} letters that can be printed; give another: "
            "LABEL=METHOD:..."
        )
    method = f"{PREFIX}{name}"
    config = methods.find(method).config
    given = _read_settings(word, config, settings)
    config = unflatten(config, {**flatten(config), **given})
    return MethodVariant(
        label,
        method,
        method_settings.with_settings(method, config, given),
        given,
    )


def _read_settings(
    word: str, config: Any, settings: Sequence[str]
) -> dict[str, Any]:
    """Values of the settings, as the flags of a search would read them."""
    where = f"--methods: {word}"
    own = [name for name in flatten(config) if name not in FIXED]
    for setting in settings:
        name, equals, _ = setting.partition("=")
        if name in FIXED:
            raise InputError(
                f"{where}: {name} is the same for all methods here; see "
                "--datasets, --protocols, --queries and --seeds"
            )
        if name not in own or not equals:
            raise InputError(
                f"{where}: {setting!r} must be SETTING=VALUE with one of: "
                f"{', '.join(own) or 'none, for it has no settings'}"
            )
    found = flags.FlagValues()
    base.define(config, found)
    try:
        found(["methods", *(f"--{setting}" for setting in settings)])
    except flags.Error as error:
        raise InputError(f"{where}: {' '.join(str(error).split())}") from None
    return {name: found[name].value for name in own if found[name].present}
