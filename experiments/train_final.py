r"""Trains one architecture from scratch, tests and exports it.

  python -m experiments.train_final --from_run=RUN --rank=1 \
      --preset=final/quick
  python -m experiments.train_final --preset=final/cifar10_enas \
      --data_dir=DATA
  python -m experiments.train_final --preset=final/darts \
      --architecture=DARTS_V2
  python -m experiments.train_final --run_dir=FINAL --resume

The official test set is evaluated once, at the end.
"""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from absl import flags

from experiments import final_resume, launch, plot_final
from experiments.support import program, small_presets
from experiments.support.network import settings_of
from experiments.support.open_run import check_begun
from experiments.support.subject import read_final, read_ranked, searched
from flags import base, preset_files
from flags import final as final_flags
from nascore.errors import InputError
from nascore.networks.config import NetworkConfig
from nascore.paths import quote
from nascore.runs.config import FINAL_END, FINAL_METHOD, RunConfig
from nascore.runs.folder import RunFolder, is_finished
from nascore.runs.reader import read_end, read_run, read_settings
from nascore.runs.versions import check_streams
from nascore.spaces.bench201 import Bench201Space
from nascore.spaces.cells import CellSpace
from nascore.spaces.chain import ChainSpace
from nascore.spaces.darts_cells import DartsSpace
from nascore.spaces.macro import MacroSpace
from nascore.spaces.published import for_both
from nascore.spaces.recurrent import RecurrentSpace
from nascore.training.config import FinalConfig
from nascore.training.provenance.origin import Origin, SearchOrigin


def settings_of_run(
    path: Path, rank: int, given: Mapping[str, Any]
) -> dict[str, Any]:
    """The settings that a final training takes over from a search.

    Args:
      path: the folder of a finished search.
      rank: place of the architecture in its final ranking, from 1.
      given: settings of the network that the user gave.

    Raises:
      InputError: no finished search, or no such rank.
    """
    run = read_ranked(path, rank)
    if isinstance(run.space, RecurrentSpace):
        raise InputError(
            f"{path} is a search of recurrent cells; train what it found "
            "with: python -m experiments.train_language "
            f"--from_run={quote(str(path))}"
        )
    # Raises where there is no network to train.
    space = run.trainable
    stored = run.settings["config"]
    taken = {
        name: stored[name] for name in final_flags.FROM_SEARCH if name in stored
    }
    kinds = DartsSpace | Bench201Space | ChainSpace | MacroSpace
    if isinstance(run.space, kinds):
        # Edges of DARTS mixed more than a cell may have.
        taken |= settings_of(run.space, given)
    best = space.parse(run.derived[rank - 1]["architecture"])
    text = space.format(best)
    if isinstance(space, CellSpace):
        text = for_both(space, text)
    return {**taken, "architecture": text}


def read_origin(config: FinalConfig) -> Origin:
    """The searches that the flags name.

    Raises:
      InputError: one is none.
    """
    architecture, weights = (
        SearchOrigin.of(read_run(Path(run)), name == "weights") if run else None
        for name, run in (
            ("architecture", flags.FLAGS.from_run),
            ("weights", config.training.init_from_supernet),
        )
    )
    return Origin(architecture, weights)


def read_config() -> FinalConfig:
    """Makes the configuration from the flags and the run they name."""
    path = searched()
    if path is None:
        return read_final()
    taken = settings_of_run(path, flags.FLAGS.rank, base.given(NetworkConfig()))
    small_presets.take_for_training(path, FinalConfig())
    defaults = {
        name: flags.FLAGS[name].value for name in base.names(FinalConfig())
    }
    return final_flags.read({**defaults, **taken})


def open_run() -> tuple[FinalConfig, Origin, RunFolder]:
    """Makes the run folder that the flags name, or opens it to resume.

    Returns:
      The configuration, the searches behind it, the folder.

    Raises:
      InputError: flags that contradict each other or the folder.
    """
    run_config = base.read(RunConfig())
    path = Path(run_config.run_dir)
    if not run_config.reopens:
        config = read_config()
        _ = config.architecture  # Raises if there is none.
        origin = read_origin(config)
        if config.training.distribute == "multiworker" and worker_index():
            return config, origin, scratch_folder()
        if not run_config.run_dir:
            run = RunFolder.create_named("final", config.data.dataset)
            return config, origin, run
        return config, origin, RunFolder.create(path)
    stored = read_settings(path, FINAL_METHOD)
    config = final_flags.read(stored["config"])
    origin = Origin.from_json(stored, path / "config.json")
    read_end(path / FINAL_END)  # Raises if it is damaged.
    if is_finished(path, end_file=FINAL_END):
        raise InputError(
            f"{path} is finished; its results are in {path / FINAL_END}"
        )
    check_streams(path, stored)
    if run_config.finish:
        check_begun(path, "test")
    origin = final_resume.follow(origin, config, stored["config"], path)
    if config.training.distribute == "multiworker" and worker_index():
        return config, origin, scratch_folder()
    return config, origin, RunFolder.open(path)


def worker_index() -> int:
    """Place of this process among the machines of TF_CONFIG; 0 writes.

    Raises:
      InputError: TF_CONFIG is missing or says something else.
    """
    try:
        task = json.loads(os.environ["TF_CONFIG"])["task"]
        return int(task["index"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            "--distribute=multiworker needs TF_CONFIG with the cluster and "
            'this task, such as {"cluster": {"worker": ["a:2222", "b:2222"]}, '
            f'"task": {{"type": "worker", "index": 0}}}}; it has none that '
            f"reads: {error!r}"
        ) from None


def scratch_folder() -> RunFolder:
    """A folder for a process that computes along; the first one writes."""
    return RunFolder.create(Path(tempfile.mkdtemp(prefix="worker-")))


def main(args: list[str]) -> None:
    """Trains, tests, exports."""
    launch.no_arguments(args)
    config, origin, run = open_run()
    run_config = base.read(RunConfig())
    # All machines continue from what the first one has saved.
    saved = Path(flags.FLAGS.run_dir or run.path)
    checkpoints_of = saved if run_config.reopens else None
    with launch.resumable(saved), run:
        launch.quiet_tensorflow(config.training.distribute != "multiworker")
        from experiments.support import final_run

        done = final_run.work(config, origin, run, run_config, checkpoints_of)
        if done is None:
            return
        final_run.describe_end(done, run.path)
        if done.cut:
            hours = run_config.max_hours
            print(f"go on with: {launch.resuming(run.path, hours)}")
    for path in plot_final.plot_final(run.path):
        print(f"wrote {path}")
    trained = quote(str(run.path))
    print("\nnext:")
    for command in (
        f"python -m experiments.predict {trained} photo.png",
        f"python -m experiments.export_model {trained} --format=saved_model",
    ):
        print(f"  {program.rewrite(command)}")


def define() -> None:
    """Defines all flags of the script."""
    final_flags.define()
    preset_files.define(preset_files.TRAININGS)
    base.define_path(
        "from_run", "", "Take architecture and data set from this search."
    )
    flags.DEFINE_integer(
        "rank", 1, "Place of the architecture in the ranking of --from_run.", 1
    )


def cli() -> None:
    """Console entry point."""
    define()
    launch.run(main)


if __name__ == "__main__":
    cli()
