"""`ienas.CellSearch`: a search for the cells of a network, in five lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from experiments.door import fitting
from experiments.door.arrays import to_parts
from experiments.door.past import Run
from experiments.door.settings import configure, convert
from flags import methods
from nascore.config import flatten
from nascore.data.own_images.arrays import Parts, read_arrays, write_arrays
from nascore.errors import InputError
from nascore.paths import expand
from nascore.spaces.cells import CellSpace


class CellSearch(Run):
    """A search for the architecture of a network that classifies images.

    ```python
    import ienas

    search = ienas.CellSearch(method="ienas", max_hours=1)
    search.fit(x, y)                  # images and their classes
    print(search.ranking)             # a DataFrame, best first
    model = search.best_model()       # trained from scratch, a Keras model
    ```

    `fit` prints its progress, writes an ordinary run folder with tables and
    figures, and can be interrupted: `resume=True` with the same `run_dir`
    goes on, and so does the command `ienas search`.

    Args:
      method: `ienas`, `enas`, `random`, `darts`, `renas`, `nases`,
        `evolution`, ...; `ienas search --help` lists all.
      space: a `CellSpace` of other operations or nodes than the method's own;
        None: those that the settings say (`operations`, `num_nodes`).
      run_dir: where everything is written; empty: a new folder in `runs`.
      resume: whether to continue the run there.
      max_hours: ends in time after so many hours, with a ranking of what
        there is; 0: no limit.
      preset: settings by name (`ienas presets`); None: the method's small one
        where no other setting is given, else the published child.
      **settings: any other setting of the method by the name of its flag,
        such as `epochs=50`, `filters=16`, `seed=2`.

    Raises:
      InputError: a `ValueError` that says in one line what is wrong, where,
        and how to mend it.
    """

    def __init__(
        self,
        method: str = "ienas",
        space: CellSpace | None = None,
        run_dir: str | Path = "",
        resume: bool = False,
        max_hours: float = 0.0,
        preset: str | None = None,
        **settings: Any,
    ) -> None:
        self._path = None
        self.method = method
        run_dir = expand(str(run_dir)) if str(run_dir) else ""
        self._start = fitting.run_settings(run_dir, resume, max_hours)
        config = methods.find(method).config
        if not {"dataset", "image_size"} <= flatten(config).keys():
            raise InputError(
                f"method={method!r} searches no cells for images of one's "
                "own; MlpSearch is for tables, and the others have commands: "
                "ienas search"
            )
        for name in ("dataset", "data_dir", "fit"):
            if name in settings:
                raise InputError(
                    f"{name}={settings[name]!r}: the images are what fit(x, y) "
                    "is given; leave it out (a data set by its name: ienas "
                    "search)"
                )
        if space is not None:
            settings |= _settings_of(space, settings)
        self._given = convert(config, settings, f"the method {method}")
        # All else is checked before the images are there, too.
        self._values, self._preset = configure(method, preset, settings)

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        validation_data: Any = None,
        test_data: Any = None,
        class_names: Any = None,
    ) -> CellSearch:
        """Searches.

        Args:
          x: images `[n, h, w]` or `[n, h, w, c]` of 1 or 3 channels, pixels
            from 0 to 255 or floats from 0 to 1; or a `tf.data.Dataset` of
            pairs. May be left out to resume.
          y: a class for each: whole numbers, texts, or rows of ones and
            zeros; None beside a dataset.
          validation_data: `(x, y)` or a dataset that rewards come from; None:
            a part of the training images (`validation_fraction`).
          test_data: likewise, for the test of `best_model`; None: a fifth of
            the training images, set aside by class.
          class_names: of the classes 0, 1, 2, ...; None: the labels.

        Returns:
          Itself.

        Raises:
          InputError: they are no images with classes, or too few.
          RunStopped: it was interrupted; what is saved goes on with
            `resume=True`.
        """
        parts: Parts | None = None
        names: tuple[str, ...] = ()
        if x is not None:
            parts, names = to_parts(
                x, y, validation_data, test_data, class_names
            )
        elif not self._start.resume:
            raise InputError("x is missing: call fit(x, y)")
        if self._start.resume:
            self._path = fitting.go_on(
                "",
                self._given,
                self._start,
                lambda file: _check_same(file, parts, names),
            )
            return self

        def write(file: Path) -> dict[str, Any]:
            write_arrays(file, parts or {}, names)
            return {"dataset": "arrays", "data_dir": str(file)}

        if self._preset:
            print(f"settings of the preset {self._preset}")
        self._path = fitting.start(
            self.method, self._values, self._start, write
        )
        return self


def _settings_of(space: CellSpace, given: dict[str, Any]) -> dict[str, Any]:
    """The settings that make a space."""
    if type(space) is not CellSpace:
        raise InputError(
            f"space={space!r} must be a CellSpace (nascore.spaces.cells)"
        )
    for name in ("operations", "num_nodes"):
        if name in given:
            raise InputError(
                f"{name}={given[name]!r} and space both say what cells are "
                "made of; give one"
            )
    return {
        "operations": ",".join(space.operations),
        "num_nodes": space.num_nodes,
    }


def _check_same(
    file: Path, parts: Parts | None, names: tuple[str, ...]
) -> None:
    """Raises InputError if a run was started with other images."""
    if parts is None:
        return
    own, own_names = read_arrays(file)
    same = own.keys() == parts.keys() and own_names == names
    if not same or not all(
        np.array_equal(a, b)
        for part in own
        for a, b in zip(own[part], parts[part], strict=True)
    ):
        raise InputError(
            f"{file} holds other images than fit() was given; leave them out "
            "to go on with those, or choose another run_dir"
        )
