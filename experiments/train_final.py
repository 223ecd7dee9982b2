r"""Trains one architecture from scratch, tests and exports it.

  python -m experiments.train_final --from_run=RUN --rank=1 \
      --preset=final/quick
  python -m experiments.train_final --preset=final/cifar10_enas \
      --data_dir=DATA
  python -m experiments.train_final --run_dir=FINAL --resume

The official test set is evaluated once, at the end.
"""

import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from absl import flags

from enas.config import EnasConfig
from experiments import final_resume, launch, plot_final
from experiments.support.subject import read_final
from flags import base, preset_files
from flags import final as final_flags
from nascore.config import unflatten
from nascore.errors import InputError, printable
from nascore.process.memory import Watch, resident
from nascore.runs.checkpoint_files import is_saved
from nascore.runs.config import FINAL_END, FINAL_METHOD, RunConfig
from nascore.runs.folder import RunFolder, is_finished
from nascore.runs.reader import (
    check_same_data,
    read_end,
    read_run,
    read_settings,
)
from nascore.runs.versions import check_streams
from nascore.training.config import FinalConfig
from nascore.training.provenance.origin import Origin, SearchOrigin

if TYPE_CHECKING:
    import keras

    from nascore.training.finish import Tested
    from nascore.training.provenance.history import History
    from nascore.training.run import FinalTraining

# What a search's settings say about the data, and about its cells.
_FROM_RUN = (
    *("dataset", "data_dir", "image_size", "fit"),
    *("operations", "num_nodes"),
)


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
    if not flags.FLAGS.from_run:
        if flags.FLAGS["rank"].present:
            raise InputError(
                f"--rank={flags.FLAGS.rank} needs --from_run=RUN, the search "
                "whose ranking is meant"
            )
        return read_final()
    if flags.FLAGS.architecture:
        raise InputError("give --architecture or --from_run, not both")
    taken = settings_of_run(Path(flags.FLAGS.from_run), flags.FLAGS.rank)
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
    if not run_config.resume:
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


def initializer(config: FinalConfig) -> "Callable[[keras.Model], None] | None":
    """What copies shared weights into a fresh network, if that is asked for."""
    if not config.training.init_from_supernet:
        return None
    from nascore.data.images import load
    from nascore.evaluators.checkpointed import load_weights
    from nascore.training.provenance.history import find_images
    from nascore.training.transfer import transfer

    run = read_run(Path(config.training.init_from_supernet))
    search = unflatten(EnasConfig(), run.settings["config"])
    # Beside this training's own, if they have moved with them.
    data = find_images(SearchOrigin.of(run), config.data)[0] or load(
        search.data
    )
    check_same_data(run, data.fingerprint)
    supernet = load_weights(
        search.child, search.weights, search.data, data, run.path
    ).supernet

    def initialize(network: "keras.Model") -> None:
        result = transfer(
            supernet, network, config.architecture, config.network.layer_types
        )
        if not result.taken:
            raise InputError(
                f"no shared weight of {run.path} fits this network; give it "
                f"the search's --filters={search.child.filters} and layout"
            )
        print(
            f"{len(result.taken)} of {len(result.taken) + len(result.left)} "
            f"blocks start from shared weights: {', '.join(result.taken)}\n"
            f"afresh start: {', '.join(result.left)}"
        )

    return initialize


def describe_start(training: "FinalTraining", history: "History") -> None:
    """Says what is about to happen, and what is not unseen any more."""
    from nascore.networks import costs
    from nascore.training.provenance import disclosure

    data = training.data
    stack = training.config.stack(data.source.image_shape, data.source.classes)
    parameters = costs.total(costs.count(stack)).parameters
    height, width, channels = data.source.image_shape
    validation = 0 if data.validation is None else len(data.validation)
    print(
        f"{data.source.name}: {len(data.train)} training, {validation} "
        f"validation, {len(data.test)} test images of "
        f"{height}x{width}x{channels}, {data.source.classes} classes"
    )
    for line in disclosure.warnings(history):
        print(f"warning: {printable(line)}", file=sys.stderr)
    for note in (*data.source.notes, *disclosure.notes(history)):
        print(f"note: {printable(note)}")
    print(
        f"network: {len(stack.layers)} layers, "
        f"{parameters / 1e6:.2f}M parameters; run folder "
        f"{training.run_folder.path}"
    )
    if training.resumed:
        print(
            f"resumed in epoch {training.epoch + 1} after {training.step} of "
            f"{training.loop.steps_per_epoch} steps"
        )
    sys.stdout.flush()


def describe_end(tested: "Tested", history: "History", path: Path) -> None:
    """Prints the result on the test set."""
    from nascore.training.provenance import disclosure

    evaluation = tested.whole
    low, high = evaluation.interval
    print(
        f"\n{evaluation.per_class.to_string(index=False, float_format='%.4f')}"
    )
    print(
        f"\nofficial test set: accuracy {evaluation.accuracy:.2%} (95% "
        f"interval {low:.2%} to {high:.2%}), loss {evaluation.loss:.4f}, "
        f"calibration error {evaluation.calibration_error:.4f}"
    )
    if history.rewarded_tests is not None:
        print(
            f"not clean: {disclosure.part_of(history.rewarded_tests)} test "
            "images chose the architecture"
        )
    if tested.unrewarded is not None:
        low, high = tested.unrewarded.interval
        print(
            f"the {tested.unrewarded.images} others: accuracy "
            f"{tested.unrewarded.accuracy:.2%} (95% interval {low:.2%} to "
            f"{high:.2%})"
        )
    print(f"run folder: {path}")


def main(args: list[str]) -> None:
    """Trains, tests, exports."""
    launch.no_arguments(args)
    config, origin, run = open_run()
    run_config = base.read(RunConfig())
    # All machines continue from what the first one has saved.
    saved = Path(flags.FLAGS.run_dir or run.path)
    checkpoints_of = saved if flags.FLAGS.resume else None
    with launch.resumable(saved), run:
        launch.quiet_tensorflow(config.training.distribute != "multiworker")
        from nascore.training.devices import make_strategy
        from nascore.training.exports.write import check_converters
        from nascore.training.finish import finish
        from nascore.training.memory import estimate
        from nascore.training.provenance.history import find_history
        from nascore.training.provenance.images import load_final
        from nascore.training.run import FinalTraining

        check_converters(config.training.formats)
        strategy = make_strategy(config.training)
        base_memory = resident()
        data = load_final(config.data, config.training.train_on_all)
        replicas = strategy.num_replicas_in_sync
        need = estimate(config, data, base_memory, replicas)
        watch = Watch(need, run.path)
        watch.start(run_config.ignore_memory)
        history = find_history(origin, config, data)
        begun = flags.FLAGS.resume and is_saved(saved / "checkpoints")
        training = FinalTraining(
            config,
            run,
            data,
            checkpoint_minutes=run_config.checkpoint_minutes,
            strategy=strategy,
            # What was saved holds all that a search's weights were for.
            initialize=None if begun else initializer(config),
            checkpoints_of=checkpoints_of,
            origin=origin,
        )
        describe_start(training, history)
        training.run()
        if not training.chief:
            return
        tested = finish(training, history)
        describe_end(tested, history, run.path)
        watch.end()
    for path in plot_final.plot_final(run.path):
        print(f"wrote {path}")


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
