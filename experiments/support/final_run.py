"""One final training from its images to its test, and what it prints."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import keras

from darts.config import Shared201DartsConfig
from enas.config import EnasConfig
from experiments.support import small_presets
from experiments.support.terms import make_terms
from flags import methods
from nascore.config import unflatten
from nascore.data.images import load
from nascore.errors import InputError, printable
from nascore.evaluators.networks import load_weights
from nascore.networks import costs
from nascore.process.memory import Watch, resident
from nascore.runs.checkpoint_files import is_saved
from nascore.runs.config import FINAL_END, RunConfig
from nascore.runs.folder import RunFolder
from nascore.runs.reader import (
    RunRecords,
    check_same_data,
    read_end,
    read_run,
)
from nascore.spaces.macro import MacroSpace
from nascore.training.config import FinalConfig
from nascore.training.devices import make_strategy
from nascore.training.exports.write import check_converters
from nascore.training.finish import Tested, finish
from nascore.training.memory import estimate
from nascore.training.provenance import disclosure
from nascore.training.provenance.history import (
    History,
    find_history,
    find_images,
)
from nascore.training.provenance.images import FinalData, load_final
from nascore.training.provenance.origin import Origin, SearchOrigin
from nascore.training.run import FinalTraining
from nascore.training.transfer import transfer


class Done(NamedTuple):
    """A training that was tested.

    Attributes:
      tested: what the test set shows.
      history: what its searches have seen of its images.
      data: its images.
      parameters: of its network.
      cut: whether it ended before its last epoch.
    """

    tested: Tested
    history: History
    data: FinalData
    parameters: int
    cut: bool


def work(
    config: FinalConfig,
    origin: Origin,
    run: RunFolder,
    run_config: RunConfig,
    checkpoints_of: Path | None = None,
) -> Done | None:
    """Trains, tests and exports.

    Args:
      config: decides the result.
      origin: the searches that architecture and weights are from.
      run: where everything is written.
      run_config: what holds for this start.
      checkpoints_of: the run folder to continue from, if one is.

    Returns:
      None on a machine that only computes along.

    Raises:
      InputError: settings, data and run folder that do not fit.
      RunStopped: see `FinalTraining.run`.
    """
    check_converters(config.training.formats)
    strategy = make_strategy(config.training)
    base_memory = resident()
    data = load_final(config.data, config.training.train_on_all)
    replicas = strategy.num_replicas_in_sync
    need = estimate(config, data, base_memory, replicas)
    watch = Watch(need, run.path)
    watch.start(run_config.ignore_memory)
    history = find_history(origin, config, data)
    begun = checkpoints_of and is_saved(checkpoints_of / "checkpoints")
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
    parameters = describe_start(training, history)
    terms = make_terms(run_config, need, small_presets.shorter_training(config))
    training.run(terms, run_config.finish)
    if not training.chief:
        return None
    tested = finish(training, history)
    watch.end()
    return Done(tested, history, data, parameters, training.cut)


def initializer(config: FinalConfig) -> Callable[[keras.Model], None] | None:
    """What copies shared weights into a fresh network, if that is asked for."""
    if not config.training.init_from_supernet:
        return None
    run = read_run(Path(config.training.init_from_supernet))
    search = _search_of(config, run)
    # Beside this training's own, if they have moved with them.
    data = find_images(SearchOrigin.of(run), config.data)[0] or load(
        search.data
    )
    check_same_data(run, data.fingerprint)
    supernet = load_weights(
        search.child, search.weights, search.data, data, run.path
    ).supernet

    def initialize(network: keras.Model) -> None:
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


def _search_of(config: FinalConfig, run: RunRecords) -> Any:
    """The settings of a search whose weights a network can start from.

    Raises:
      InputError: it has none for this network.
    """
    if run.has_bench201_weights:
        own = methods.find(methods.name_of(run.settings)).config
        if config.network.space != run.space or isinstance(
            own, Shared201DartsConfig
        ):
            raise InputError(
                f"{run.path} has no weights for this network: they are of "
                f"{'mixed ' * isinstance(own, Shared201DartsConfig)}cells of "
                "NAS-Bench-201; leave --init_from_supernet out"
            )
        return unflatten(own, run.settings["config"])
    if isinstance(run.space, MacroSpace):
        raise InputError(
            f"{run.path} has no weights for this network: in a macro search "
            "skips are added, in a final network joined; leave "
            "--init_from_supernet out"
        )
    _ = run.shared_cells  # Raises where there are none.
    search = unflatten(EnasConfig(), run.settings["config"])
    if config.network.space != search.child.space:
        raise InputError(
            f"{run.path} has no weights for this architecture: its cells have "
            f"--num_nodes={search.child.num_nodes}, the operations "
            f"{search.child.operations}, and loose ends that are joined"
        )
    return search


def describe_start(training: FinalTraining, history: History) -> int:
    """Says what is about to happen, and what is not unseen any more.

    Returns:
      Parameters of the network.
    """
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
        f"network: {len(training.config.network.layer_types)} layers, "
        f"{parameters / 1e6:.2f}M parameters; run folder "
        f"{training.run_folder.path}"
    )
    if training.resumed:
        print(
            f"resumed in epoch {training.epoch + 1} after {training.step} of "
            f"{training.loop.steps_per_epoch} steps"
        )
    sys.stdout.flush()
    return parameters


def describe_end(done: Done, path: Path) -> None:
    """Prints the result on the test set."""
    tested, history = done.tested, done.history
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
    earlier = (read_end(path / FINAL_END) or {}).get("earlier_tests", [])
    for test in earlier:
        print(
            "note: the test set was evaluated before, after "
            f"{test['epochs']} epochs, with {test['accuracy']:.2%}"
        )
    print(f"run folder: {path}")
