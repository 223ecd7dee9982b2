"""What the search scripts share: the run folder, the end of a search."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from enas.config import EnasConfig
from experiments import plot_run
from flags import base
from nascore.errors import InputError, printable
from nascore.process.memory import Watch, resident
from nascore.runs.config import RunConfig
from nascore.runs.folder import RunFolder, check_streams
from nascore.runs.reader import read_settings
from nascore.search.format import check_format

if TYPE_CHECKING:
    from nascore.data.images import ImageData
    from nascore.evaluators.shared_weights import SharedWeights
    from nascore.search.ranking import Ranked
    from nascore.search.search import Search

Config = TypeVar("Config", bound=EnasConfig)
ReadFlags = Callable[[Mapping[str, Any] | None], Config]


def open_run(method: str, read: ReadFlags[Config]) -> tuple[Config, RunFolder]:
    """Makes the run folder that the flags name, or opens it to resume.

    Args:
      method: what the run is called, unless the controller is random.
      read: makes the configuration from the flags; of a resumed run from
        its own settings, except for flags that were given.

    Raises:
      InputError: flags that contradict each other or the folder.
    """
    run_config = base.read(RunConfig())
    path = Path(run_config.run_dir)
    if not run_config.resume:
        config = read(None)
        if config.controller.controller == "random":
            method = "random"
        if not run_config.run_dir:
            return config, RunFolder.create_named(method, config.data.dataset)
        return config, RunFolder.create(path)
    run = RunFolder.open(path)
    settings = read_settings(path)
    stored = settings["config"]
    config = read(stored)
    epochs = stored["epochs"]
    if run.finished and config.search.epochs <= epochs:
        raise InputError(
            f"{path} is finished after {epochs} epochs; give it "
            "more with --epochs=N, or look at it with: python -m "
            f"experiments.plot_run {path}"
        )
    check_streams(path, settings)
    check_format(path)
    return config, run


def run_search(
    make_search: "Callable[..., Search]", config: Config, run: RunFolder
) -> None:
    """Searches to the end, prints the ranking and draws the run."""
    from enas.memory import estimate
    from enas.search import check_sizes
    from nascore.data.images import load

    run_config = base.read(RunConfig())
    base_memory = resident()
    data = load(config.data)
    check_sizes(config, data)
    watch = Watch(estimate(config, data, base_memory), run.path)
    watch.start(run_config.ignore_memory)
    search = make_search(config, run, data, run_config.checkpoint_minutes)
    _describe_start(search, data)
    ranked = search.run()
    _print_end(search, ranked)
    watch.end()
    print(f"\nrun folder: {run.path}")
    for path in plot_run.plot_run(run.path):
        print(f"wrote {path}")


def _describe_start(search: "Search", data: "ImageData") -> None:
    """Says what is about to happen."""
    height, width, channels = data.image_shape
    print(
        f"{data.name}: {len(data.train)} training, {len(data.validation)} "
        f"validation, {len(data.search_test)} search-test images of "
        f"{height}x{width}x{channels}, {data.classes} classes"
    )
    for note in data.notes:
        print(f"note: {printable(note)}")
    shared = cast("SharedWeights", search.evaluator)
    count = sum(w.shape.num_elements() for w in shared.weights)
    print(
        f"supernet: {len(shared.supernet.config.layer_types)} "
        f"layers, {count / 1e6:.2f}M "
        f"shared weights; {search.space.size():.3g} architectures; "
        f"run folder {search.run_folder.path}"
    )
    if search.resumed:
        steps = ", ".join(
            f"{search.step(phase)} steps of {phase.name}"
            for phase in search.phases
        )
        print(f"resumed in epoch {search.epoch + 1} after {steps}")
    sys.stdout.flush()


def _print_end(search: "Search", ranked: "list[Ranked]") -> None:
    """Prints the ranking, and what its numbers are not."""
    measures = search.evaluator.measures
    means = search.records.column(f"{measures}_mean")
    print(
        f"\nmean {measures} of sampled architectures (shared weights): "
        f"{means[0]:.1%} in the first epoch, {means[-1]:.1%} in the last"
    )
    names = list(ranked[0].measured)
    heads = [name.replace("_", "-").removesuffix("-accuracy") for name in names]
    print("\nrank  " + "  ".join(f"{h:>10}" for h in heads) + "  architecture")
    for rank, entry in enumerate(ranked, 1):
        numbers = "  ".join(
            f"{value:{max(10, len(head))}.1%}"
            for head, value in zip(heads, entry.measured.values(), strict=True)
        )
        text = search.space.format(entry.architecture)
        print(f"{rank:4d}  {numbers}  {text}")
    print(f"\n{search.space.describe(ranked[0].architecture)}")
    print(
        "\nThese accuracies are measured with shared weights; an "
        "architecture's own accuracy shows after training it from scratch."
    )
