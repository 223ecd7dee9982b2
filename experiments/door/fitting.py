"""One search from Python, on the way that the commands take."""

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from experiments import launch
from experiments.support import open_run, program
from flags import method_settings, methods
from flags.methods import Method
from nascore.config import unflatten
from nascore.errors import InputError
from nascore.runs.config import DATA_FILE, TEST_FILE, RunConfig
from nascore.runs.folder import RunFolder
from nascore.runs.reader import read_settings


def start(
    name: str,
    values: Mapping[str, Any],
    run_config: RunConfig,
    write: Callable[[Path], dict[str, Any]],
) -> Path:
    """Searches in a new run folder, to the end or the limit of time.

    Args:
      name: of the method.
      values: all of its settings.
      run_config: where, and for how long.
      write: writes the examples into a file, and returns the settings that
        say how they are read.

    Returns:
      The run folder.

    Raises:
      InputError: settings and examples that do not fit.
      RunStopped: it was interrupted, and is saved.
    """
    method = methods.find(name)
    made = unflatten(method.config, values)
    if run_config.run_dir:
        run = RunFolder.create(Path(run_config.run_dir))
    else:
        called = method_settings.name_with(name, made)
        run = RunFolder.create_named(called, "arrays")
    with run:
        settings = write(run.path / DATA_FILE)
        config = unflatten(method.config, {**values, **settings})
        _run(name, method, config, run, run_config)
    return run.path


def go_on(
    name: str,
    given: Mapping[str, Any],
    run_config: RunConfig,
    check: Callable[[Path], None],
) -> Path:
    """Goes on with the search in a run folder.

    Args:
      name: of the method; empty: that of the run.
      given: settings that are to hold instead of its own, such as `epochs`.
      run_config: see `start`.
      check: raises InputError if the examples in a file are others.

    Returns:
      The run folder.

    Raises:
      InputError: the run is of something else, or finished.
      RunStopped: see `start`.
    """
    path = Path(run_config.run_dir)
    with RunFolder.open(path) as run:
        own = methods.name_of(read_settings(path))
        called = name or own
        method = methods.find(called)

        def read(stored: dict[str, Any]) -> Any:
            values = {**stored, **given}
            if (path / DATA_FILE).exists():
                # Beside its run, wherever that is now.
                key = "data_file" if "data_file" in stored else "data_dir"
                values[key] = str(path / DATA_FILE)
                if stored.get("test_file"):
                    values["test_file"] = str(path / TEST_FILE)
            return unflatten(method.config, values)

        config = open_run.reopen(called, path, read)
        run.check_config(config)
        if (path / DATA_FILE).exists():
            check(path / DATA_FILE)
        _run(own, method, config, run, run_config)
    return path


def _run(
    name: str,
    method: Method,
    config: Any,
    run: RunFolder,
    run_config: RunConfig,
) -> None:
    launch.begin()
    with program.called(f"ienas search {name}"), launch.resumable(run.path):
        launch.quiet_tensorflow()
        script = importlib.import_module(method.script)
        script.run(method, config, run, run_config, method.work)


def run_settings(
    run_dir: str | Path, resume: bool, max_hours: float
) -> RunConfig:
    """What holds for one start.

    Raises:
      InputError: one is not allowed.
    """
    if resume and not run_dir:
        raise InputError("resume=True needs run_dir, the run to continue")
    return RunConfig(
        run_dir=str(run_dir), resume=resume, max_hours=float(max_hours)
    )
