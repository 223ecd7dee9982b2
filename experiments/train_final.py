r"""Trains the network of one architecture from scratch, tests and exports it.

  python -m experiments.train_final --architecture="0 2 0 0 ..." \
      --flagfile=flags/presets/cifar10_enas.flags
  python -m experiments.train_final --from_run=RUN --rank=1 \
      --flagfile=flags/presets/quick.flags
  python -m experiments.train_final --run_dir=FINAL --resume

The official test set is evaluated once, at the end.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from absl import flags

from experiments import launch
from flags import base
from flags import final as final_flags
from nascore.config import RunConfig
from nascore.errors import InputError
from nascore.final.config import FinalConfig
from nascore.run_reader import read_run
from nascore.runs import RunFolder, default_run_dir, is_finished, read_json

FINAL_END = "test.json"
# What a search's settings say about the data, and about its cells.
_FROM_RUN = ("dataset", "data_dir", "image_size", "operations", "num_nodes")


def settings_of_run(path: Path, rank: int) -> dict[str, Any]:
    """The settings that a final training takes over from a search.

    Args:
      path: the folder of a finished search.
      rank: place of the architecture in its final ranking, from 1.

    Raises:
      InputError: no finished search, or no such rank.
    """
    run = read_run(path)
    if not is_finished(path):
        raise InputError(
            f"{path} holds no finished search; finish it with --resume, or "
            'name an architecture with --architecture="..."'
        )
    if not 1 <= rank <= len(run.derived):
        raise InputError(
            f"--rank={rank} must be from 1 to {len(run.derived)}, the length "
            f"of the ranking of {path}"
        )
    stored = run.settings["config"]
    taken = {name: stored[name] for name in _FROM_RUN if name in stored}
    return {**taken, "architecture": run.derived[rank - 1]["architecture"]}


def read_config() -> FinalConfig:
    """Makes the configuration from the flags and the run they name."""
    if not flags.FLAGS.from_run:
        return final_flags.read()
    if flags.FLAGS.architecture:
        raise InputError("give --architecture or --from_run, not both")
    taken = settings_of_run(Path(flags.FLAGS.from_run), flags.FLAGS.rank)
    defaults = {
        name: flags.FLAGS[name].value for name in base.names(FinalConfig())
    }
    return final_flags.read({**defaults, **taken})


def open_run() -> tuple[FinalConfig, RunFolder]:
    """Makes the run folder that the flags name, or opens it to resume."""
    run_config = base.read(RunConfig())
    path = Path(run_config.run_dir)
    if not run_config.resume:
        config = read_config()
        _ = config.architecture  # Raises if there is none.
        if not run_config.run_dir:
            path = default_run_dir("final", config.data.dataset)
        return config, RunFolder.create(path)
    run = RunFolder.open(path)
    stored: Mapping[str, Any] = read_json(path / "config.json")
    if is_finished(path, end_file=FINAL_END):
        raise InputError(
            f"{path} is finished; its results are in {path / FINAL_END}"
        )
    return final_flags.read(stored.get("config", {})), run


def main(args: list[str]) -> None:
    """Trains, tests, exports."""
    launch.no_arguments(args)
    config, run = open_run()
    launch.quiet_tensorflow()
    from nascore.final.run import FinalTraining

    minutes = flags.FLAGS.checkpoint_minutes
    with run:
        training = FinalTraining(config, run, checkpoint_minutes=minutes)
        training.run()


def cli() -> None:
    """Console entry point."""
    final_flags.define()
    flags.DEFINE_string(
        "from_run", "", "Take architecture and data set from this search."
    )
    flags.DEFINE_integer(
        "rank", 1, "Place of the architecture in the ranking of --from_run.", 1
    )
    launch.run(main)


if __name__ == "__main__":
    cli()
