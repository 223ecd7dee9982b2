"""I-ENAS: a reward relative to the architectures evaluated before.

And the door to all methods in Python: `CellSearch`, `MlpSearch`, `read_run`,
`register_operation`.
"""

from typing import TYPE_CHECKING, Any

import nascore  # noqa: F401  Sets up the process: before TensorFlow.

if TYPE_CHECKING:
    from experiments.door.cell_search import CellSearch
    from experiments.door.mlp_search import MlpSearch
    from experiments.door.past import Run, read_run
    from nascore.networks.operations.keras_layer import register_operation

__all__ = ["CellSearch", "MlpSearch", "Run", "read_run", "register_operation"]

# Imported when they are asked for: the commands need none of them.
_PLACES = {
    "CellSearch": "experiments.door.cell_search",
    "MlpSearch": "experiments.door.mlp_search",
    "Run": "experiments.door.past",
    "read_run": "experiments.door.past",
    "register_operation": "nascore.networks.operations.keras_layer",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
