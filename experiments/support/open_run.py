"""The way of every search script: flags, run folder, work."""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from absl import flags

from experiments import launch
from experiments.support import help_text, program, small_presets
from flags import base, method_settings, methods, preset_files, spaces
from nascore.config import flatten
from nascore.errors import InputError
from nascore.paths import quote
from nascore.runs.checkpoint_files import is_saved
from nascore.runs.config import FINAL_METHOD, TRAINED, RunConfig
from nascore.runs.csv_files import read_table
from nascore.runs.folder import RunFolder, is_finished
from nascore.runs.json_files import read_object
from nascore.runs.reader import read_end, read_settings
from nascore.runs.versions import check_continues


def run_method(name: str, about: str | None) -> None:
    """Runs a script that searches with one method; see `launch.run`.

    Args:
      name: of the method; its flags may make another of it, such as one
        with a random controller.
      about: docstring of the script.
    """
    spaces.define(name)
    preset_files.define(preset_files.SEARCHES)
    found: list[str] = []

    def define() -> None:
        found.append(_in_space(name))
        _define(methods.find(found[0]))

    def main(args: list[str]) -> None:
        # What makes a method of another space is its own, not the user's.
        _main(args, found[0], fixed=found[0] != name)

    launch.run(main, define, about)


def _in_space(name: str) -> str:
    """The method that `--space` makes of a method, and how it is called."""
    own = spaces.method_in(name)
    if own != name:
        program.start_as(f"{program.front()} search {own}")
    return own


def run_any(about: str | None) -> None:
    """Runs the script whose `--method` says what to search with.

    Args:
      about: docstring of the script.
    """
    flags.DEFINE_string(
        "method",
        "",
        f"One of: {', '.join(methods.names())}. The other flags are those of "
        "the method: --method=NAME --help lists them. A run that is resumed "
        "has its own.",
    )
    spaces.define()
    base.define(RunConfig())
    preset_files.define(preset_files.SEARCHES)
    found: list[str] = []

    def define() -> None:
        base.peek(sys.argv)
        name = flags.FLAGS.method or _method_of_run()
        reopens = base.read(RunConfig()).reopens
        flags.FLAGS.unparse_flags()
        if name:
            found.append(_in_space(name))
            _define(methods.find(found[0]))
        elif sys.argv[1:] and not reopens and not _asks():
            # Flags of a method mean nothing without it.
            raise _no_method()

    def main(args: list[str]) -> None:
        if not found:
            run_config = base.read(RunConfig())
            if run_config.reopens:
                RunFolder.open(Path(run_config.run_dir))  # Raises: no run.
            raise _no_method()
        _main(args, found[0], fixed=True)

    launch.run(main, define, about)


def _asks() -> bool:
    """Whether the command line asks for help or the version."""
    return bool(help_text.asked(sys.argv)) or "--version" in sys.argv


def _no_method() -> InputError:
    return InputError(
        "name a method, such as python -m experiments.search --method=ienas; "
        f"there are: {', '.join(methods.names())} (--run_dir=RUN --resume "
        "goes on with a run)"
    )


def _method_of_run() -> str:
    """That of the run to resume, if there is one."""
    run_config = base.read(RunConfig())
    path = Path(run_config.run_dir) / "config.json"
    if not run_config.reopens or not path.is_file():
        return ""
    name = methods.name_of(read_object(path))
    if name == FINAL_METHOD:
        run = quote(str(path.parent))
        raise InputError(
            f"{path.parent} is a final training; go on with: python -m "
            f"experiments.train_final --run_dir={run} --resume"
        )
    return name


def _define(method: methods.Method) -> None:
    """Defines the flags of a method, and of its run folder."""
    base.define(method.config)
    if method.work is not None:
        base.define(method.work)
    base.define(RunConfig())


def _main(args: list[str], name: str, fixed: bool) -> None:
    """Runs or continues a search."""
    launch.no_arguments(args)
    method = methods.find(name)
    # Raises where a value is not allowed.
    work = None if method.work is None else base.read(method.work)
    run_config = base.read(RunConfig())
    if not run_config.reopens:
        small_presets.take_for([method], method.config)
    config, run = open_run(name, fixed)
    with launch.resumable(run.path), run:
        # TensorFlow takes seconds to import: after the flags were checked.
        launch.quiet_tensorflow()
        script = importlib.import_module(method.script)
        script.run(method, config, run, run_config, work)


def open_run(name: str, fixed: bool = True) -> tuple[Any, RunFolder]:
    """Makes the run folder that the flags name, or opens it to resume.

    Args:
      name: of the method.
      fixed: whether the settings that make the method are its own, not the
        user's.

    Raises:
      InputError: flags that contradict each other or the folder.
    """
    run_config = base.read(RunConfig())
    path = Path(run_config.run_dir)
    if not run_config.reopens:
        config = _read(name, fixed)
        if run_config.run_dir:
            return config, RunFolder.create(path)
        dataset = flatten(config).get("dataset", "data")
        called = method_settings.name_with(name, config)
        return config, RunFolder.create_named(called, dataset)
    run = RunFolder.open(path)
    try:
        config = reopen(
            name,
            path,
            lambda stored: _read(name, fixed, stored),
            run_config.finish,
        )
        run.check_config(config)
        return config, run
    except InputError:
        run.close()
        raise


def _read(name: str, fixed: bool, stored: dict[str, Any] | None = None) -> Any:
    config = methods.find(name).config
    read = base.read(config, stored)
    if fixed:
        read = method_settings.with_settings(name, read, base.given(config))
    return read


def reopen(
    name: str,
    path: Path,
    read: Callable[[dict[str, Any]], Any],
    finish: bool = False,
) -> Any:
    """The settings of a run that is to go on, or to end.

    Args:
      name: of the method.
      path: the folder of the run.
      read: makes the settings of those that are stored there.
      finish: whether it is to end.

    Raises:
      InputError: it is of another method, finished or of another version, or
        nothing is there yet to end with.
    """
    method = methods.find(name)
    settings = read_settings(path)
    own = methods.name_of(settings)
    if own in methods.names() and methods.find(own).module != method.module:
        raise InputError(
            f"{path} holds a run of {own}, not of {name}; continue it with "
            f"--method={own} or with its own script"
        )
    stored = settings["config"]
    config = read(stored)
    values = flatten(config)
    more = values["epochs"] > stored["epochs"]
    # After the search, see `AfterConfig`.
    end = read_end(path / method.end)  # Raises if it is damaged.
    later = _what_is_left(values, path, end)
    done = is_finished(path, end_file=method.end)
    if done and finish and later:
        raise InputError(
            f"{path} has its ranking, and {later}; go on with: "
            f"{launch.resuming(path)}"
        )
    if done and (finish or not (more or later)):
        raise InputError(
            f"{path} is finished after {stored['epochs']} epochs; give it "
            f"more with {'--resume ' * finish}--epochs=N, or look at it with: "
            f"python -m experiments.plot_run {quote(str(path))}"
        )
    check_continues(path, settings)
    if finish:
        check_begun(path, "rank")
    return config


def _what_is_left(
    values: dict[str, Any], path: Path, end: dict[str, Any] | None
) -> str:
    """What a search that has ended still has to do; empty: nothing."""
    if values.get("then_train") and not (path / TRAINED).exists():
        return "two architectures are still to be trained (--then_train)"
    cells = values.get("rank_cells", 0)
    if cells and end:
        # Slow to import.
        from experiments.support import cell_ranks

        if cell_ranks.left(path, cells, end["epochs"]):
            return "cells are still to be measured (--rank_cells)"
    return ""


def check_begun(path: Path, verb: str) -> None:
    """Checks that a run has something to end with.

    Args:
      path: its folder.
      verb: what is to be done at its end.

    Raises:
      InputError: no epoch of it has ended and was saved.
    """
    epochs = read_table(path / "epochs.csv", ["epoch"])
    if is_saved(path / "checkpoints") and len(epochs):
        return
    raise InputError(
        f"{path} has not ended its first epoch, so there is nothing to {verb} "
        "yet; continue it with --resume"
    )
