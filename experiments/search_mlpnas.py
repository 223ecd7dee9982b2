r"""Searches multilayer perceptrons with MLPNAS, and tests the best.

python -m experiments.search_mlpnas --dataset=mnist
python -m experiments.search_mlpnas --dataset=table \
      --data_file=people.csv --label_column=income
python -m experiments.search_mlpnas --run_dir=RUN --resume
"""

import contextlib
from pathlib import Path

from joblib import cpu_count

from experiments import launch
from flags import base
from flags import mlpnas as mlpnas_flags
from mlpnas.config import FINAL_FILE, MlpnasConfig, WorkConfig
from nascore.errors import InputError
from nascore.runs.config import RunConfig
from nascore.runs.folder import (
    RunFolder,
    check_streams,
    is_finished,
)
from nascore.runs.json_files import look_up
from nascore.runs.reader import read_end, read_settings
from nascore.search.format import check_format


def open_run() -> tuple[MlpnasConfig, RunFolder]:
    """Makes the run folder that the flags name, or opens it to resume.

    Raises:
      InputError: flags that contradict each other or the folder.
    """
    run_config = base.read(RunConfig())
    path = Path(run_config.run_dir)
    if not run_config.resume:
        config = mlpnas_flags.read()
        if not run_config.run_dir:
            name = config.data.dataset
            return config, RunFolder.create_named("mlpnas", name)
        return config, RunFolder.create(path)
    run = RunFolder.open(path)
    try:
        settings = read_settings(path)
        # A search of cells has a space of another kind.
        look_up(settings, path / "config.json", "space.units", list)
        stored = settings["config"]
        config = mlpnas_flags.read(stored)
        read_end(path / FINAL_FILE)  # Raises if it is damaged.
        if is_finished(path, config.search.epochs, FINAL_FILE):
            raise InputError(
                f"{path} is finished after {stored.get('epochs')} epochs; "
                "give it more with --epochs=N, or look at it with: python -m "
                f"experiments.plot_mlpnas {path}"
            )
        check_streams(path, settings)
        check_format(path)
    except InputError:
        run.close()
        raise
    return config, run


def main(args: list[str]) -> None:
    """Runs or continues a search, tests the best, draws the run."""
    launch.no_arguments(args)
    work = base.read(WorkConfig())
    config, run = open_run()
    with launch.resumable(run.path), run, _backend(work):
        # TensorFlow takes seconds to import: after the flags were checked.
        launch.quiet_tensorflow()
        from experiments import mlpnas_run

        run_config = base.read(RunConfig())
        # A cluster's workers are its own affair, were there only one.
        jobs = work.jobs if work.backend == "loky" else -1
        mlpnas_run.run(
            config,
            run,
            jobs,
            run_config.checkpoint_minutes,
            run_config.ignore_memory,
        )


def _backend(work: WorkConfig) -> contextlib.AbstractContextManager[None]:
    if work.backend == "loky":
        return contextlib.nullcontext()
    from experiments import cluster

    return cluster.connect(
        work.backend, work.scheduler, work.jobs or cpu_count()
    )


def cli() -> None:
    """Console entry point."""
    mlpnas_flags.define()
    launch.run(main)


if __name__ == "__main__":
    cli()
