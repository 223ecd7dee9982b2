"""Searches over the table with who left for whom, kept in files."""

import importlib
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from flags import methods
from flags.benchmark import FIXED, MethodVariant
from nascore.config import flatten, unflatten
from nascore.errors import InputError
from nascore.evaluators.nasbench201 import table
from nascore.evaluators.nasbench201.config import TableConfig
from nascore.runs.atomic import placing
from nascore.runs.versions import STREAMS

_REMOVED = "removed"


class Searches(NamedTuple):
    """What the searches of a method found, with seeds from 1.

    Attributes:
      label: of the method.
      codes: cells, uint16 `[runs, models]`.
      removed: int32, likewise: number of who left; None where nobody does,
        or where it is not known.
      population: models that come first, 0 where there is no population.
    """

    label: str
    codes: np.ndarray
    removed: np.ndarray | None
    population: int


def search(
    folder: Path,
    variant: MethodVariant,
    looked_up: TableConfig,
    seeds: int,
    models: int,
) -> Searches:
    """Searches, or reads what the same searches found before.

    Args:
      folder: of the files.
      variant: a method and its settings.
      looked_up: what is searched on.
      seeds: how many searches.
      models: of each.

    Raises:
      InputError: a file that is damaged.
      RunStopped: a number is not finite.
    """
    values = flatten(variant.config)
    about = {
        "method": variant.method,
        "settings": {k: v for k, v in values.items() if k not in FIXED},
        "table": [table.fingerprint(), flatten(looked_up)],
        "streams": STREAMS,
        "seeds": seeds,
        "models": models,
    }
    path = folder / f"{variant.label.replace(':', ',')}.npz"
    found = _read(path, about) if path.exists() else None
    if found is None:
        found = _search(variant, looked_up, seeds, models)
        path.parent.mkdir(parents=True, exist_ok=True)
        with placing(path) as partial:
            arrays: dict[str, Any] = dict(found)
            arrays["about"] = np.array(json.dumps(about))
            np.savez_compressed(partial, **arrays)
    removed = found.get(_REMOVED)
    population = 0 if removed is None else int(values["population"])
    return Searches(variant.label, found["codes"], removed, population)


def _read(path: Path, about: dict[str, Any]) -> dict[str, np.ndarray] | None:
    """The arrays of a file; None if they are of other searches."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            found = dict(arrays)
        made = json.loads(str(found.pop("about")))
        shape = found["codes"].shape
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        raise InputError(
            f"{path} is damaged; delete it and give the command again"
        ) from None
    whole = shape == (about["seeds"], about["models"])
    return found if whole and made == json.loads(json.dumps(about)) else None


def _search(
    variant: MethodVariant, looked_up: TableConfig, seeds: int, models: int
) -> dict[str, np.ndarray]:
    # TensorFlow takes seconds to import, and what is there needs it not.
    import keras

    from nascore.evaluators.nasbench201.tabular import Tabular
    from nascore.process import runtime
    from nascore.search.many import search_many
    from nascore.spaces.bench201 import Bench201Space, codes_of

    runtime.configure()
    keras.utils.set_random_seed(1)
    method = methods.find(variant.method)
    config = unflatten(
        method.config, {**flatten(variant.config), **flatten(looked_up)}
    )
    parts = importlib.import_module(method.module)
    names = parts.make_parts(config, [1]).strategy.columns
    columns = [_REMOVED] if _REMOVED in names else []
    found = list(
        search_many(
            Bench201Space(),
            Tabular(looked_up),
            lambda some: parts.make_parts(config, some),
            range(1, seeds + 1),
            models,
            columns=columns,
        )
    )
    if min(each.rows.shape[1] for each in found) < models:
        raise InputError(
            f"{variant.label} found nothing new before {models} models; give "
            "fewer --models"
        )
    codes = [codes_of(each.rows).astype(np.uint16) for each in found]
    noted = {
        name: np.concatenate([each.columns[name] for each in found])
        for name in columns
    }
    return {
        "codes": np.concatenate(codes),
        **{name: values.astype(np.int32) for name, values in noted.items()},
    }


def check_labels(variants: Sequence[MethodVariant]) -> None:
    """Raises InputError if a label is no name of a file."""
    for variant in variants:
        if Path(variant.label).name != variant.label:
            raise InputError(
                f"--methods: the label {variant.label!r} must be the name of "
                "a file; give another: LABEL=METHOD:..."
            )
