"""`ienas.MlpSearch`: a search for the perceptron of a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from experiments.door import fitting, tables
from experiments.door.past import Run
from experiments.door.settings import configure, convert
from flags import methods
from nascore.errors import InputError
from nascore.paths import expand
from nascore.runs.config import DATA_FILE, TEST_FILE

_METHODS = ("mlpnas", "mlpnas_random")


class MlpSearch(Run):
    """A search for the layers of a perceptron that classifies rows.

    ```python
    import ienas

    search = ienas.MlpSearch(max_hours=0.5)
    search.fit(frame.drop(columns="income"), frame["income"])
    print(search.ranking)
    model = search.best_model()       # a Keras model, fine-tuned and tested
    print(search.evaluate(x_new, y_new))
    ```

    `fit` also compares with gradient boosting and random search. The model
    takes a dictionary of the columns; missing numbers are NaN, missing texts
    empty.

    Args:
      method: `mlpnas` or `mlpnas_random`.
      run_dir: where everything is written; empty: a new folder in `runs`.
      resume: whether to continue the run there.
      max_hours: ends in time after so many hours; 0: no limit.
      preset: settings by name (`ienas presets`); None: the method's defaults.
      **settings: any other setting of the method by the name of its flag,
        such as `epochs=10`, `categorical_columns=["zip"]`.

    Raises:
      InputError: a `ValueError` that says in one line what is wrong, where,
        and how to mend it.
    """

    def __init__(
        self,
        method: str = "mlpnas",
        run_dir: str | Path = "",
        resume: bool = False,
        max_hours: float = 0.0,
        preset: str | None = None,
        **settings: Any,
    ) -> None:
        self._path = None
        self.method = method
        if method not in _METHODS:
            raise InputError(
                f"method={method!r} is not one of: {', '.join(_METHODS)} "
                "(CellSearch is for images)"
            )
        run_dir = expand(str(run_dir)) if str(run_dir) else ""
        self._start = fitting.run_settings(run_dir, resume, max_hours)
        for name in ("dataset", "data_file", "test_file", "label_column"):
            if name in settings:
                raise InputError(
                    f"{name}={settings[name]!r}: the rows are what fit(x, y) "
                    "is given; leave it out (a file: ienas search mlpnas)"
                )
        config = methods.find(method).config
        self._given = convert(config, settings, f"the method {method}")
        # All else is checked before the rows are there, too.
        self._values, _ = configure(
            method, preset or "", {**settings, **_table(Path(DATA_FILE))}
        )

    def fit(
        self, x: Any = None, y: Any = None, test_data: Any = None
    ) -> MlpSearch:
        """Searches.

        Args:
          x: a `DataFrame`, a dictionary of columns or an array
            `[n, columns]`. May be left out to resume.
          y: a class for each row.
          test_data: `(x, y)` of the same columns; None: a part of the rows
            (`test_fraction`).

        Returns:
          Itself.

        Raises:
          InputError: they are no table with classes, or too few rows.
          RunStopped: it was interrupted; what is saved goes on with
            `resume=True`.
        """
        if x is None and not self._start.resume:
            raise InputError("x is missing: call fit(x, y)")
        if x is not None and y is None:
            raise InputError("y is missing: give fit(x, y) a class a row")
        given = {} if x is None else {DATA_FILE: tables.to_table(x, y)}
        if test_data is not None:
            given[TEST_FILE] = tables.to_table(*test_data)
        if self._start.resume:
            self._path = fitting.go_on(
                "",
                self._given,
                self._start,
                lambda file: tables.check_same(file.parent, given),
            )
            return self

        def write(file: Path) -> dict[str, Any]:
            for name, columns in given.items():
                tables.write_table(file.with_name(name), columns)
            settings = _table(file, list(given[DATA_FILE])[-1])
            if TEST_FILE in given:
                settings["test_file"] = str(file.with_name(TEST_FILE))
            return settings

        self._path = fitting.start(
            self.method, self._values, self._start, write
        )
        return self


def _table(file: Path, label: str = tables.LABEL) -> dict[str, Any]:
    """The settings that say where the rows are."""
    return {
        "dataset": "table",
        "data_file": str(file),
        "label_column": label,
    }
