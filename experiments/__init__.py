"""The scripts people run."""

import sys
from importlib.util import find_spec
from pathlib import Path


def _refuse_others() -> None:
    """Ends where a file of the user's would be imported in place of ours.

    `python -m` looks in the working folder first, and some of our names are
    everybody's. Nothing of ours is imported before it is known to be that.
    """
    root = Path(__file__).resolve().parent.parent
    for name in ("nascore", "enas", "ienas", "mlpnas", "flags"):
        spec = find_spec(name)
        if spec is None:
            continue
        # A folder without __init__.py has no origin.
        places = [spec.origin, *(spec.submodule_search_locations or ())]
        found = Path(next(place for place in places if place))
        if found.resolve() != root / name / "__init__.py":
            print(
                f"error: {found.resolve()} stands in the way of the package "
                f"{name} in {root}: rename it, work in another folder, or "
                "start with python -P, which looks there for nothing",
                file=sys.stderr,
            )
            sys.exit(2)


_refuse_others()

import nascore  # noqa: E402, F401  Sets up the process: before TensorFlow.
