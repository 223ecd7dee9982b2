"""What the search scripts share: the run folder, the end of a search."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from enas.config import EnasConfig
from experiments import plot_run
from flags import base
from nascore.errors import InputError, printable
from nascore.process.memory import Watch, resident
from nascore.runs.config import RunConfig
from nascore.runs.folder import RunFolder, check_streams
from nascore.runs.reader import read_settings

if TYPE_CHECKING:
    from enas.scoring import Scored
    from enas.search import Search

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
    if run.finished and config.schedule.epochs <= epochs:
        raise InputError(
            f"{path} is finished after {epochs} epochs; give it "
            "more with --epochs=N, or look at it with: python -m "
            f"experiments.plot_run {path}"
        )
    check_streams(path, settings)
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
    _describe_start(search)
    ranked = search.run()
    _print_end(search, ranked)
    watch.end()
    print(f"\nrun folder: {run.path}")
    for path in plot_run.plot_run(run.path):
        print(f"wrote {path}")


def _describe_start(search: "Search") -> None:
    """Says what is about to happen."""
    data, child = search.data, search.child
    height, width, channels = data.image_shape
    print(
        f"{data.name}: {len(data.train)} training, {len(data.validation)} "
        f"validation, {len(data.search_test)} search-test images of "
        f"{height}x{width}x{channels}, {data.classes} classes"
    )
    for note in data.notes:
        print(f"note: {printable(note)}")
    print(
        f"supernet: {len(search.config.child.layer_types)} layers, "
        f"{sum(w.shape.num_elements() for w in child.weights) / 1e6:.2f}M "
        f"shared weights; {search.space.size():.3g} architectures; "
        f"run folder {search.records.run.path}"
    )
    if search.resumed:
        print(
            f"resumed in epoch {search.epoch + 1} after "
            f"{search.child_step} training steps and {search.train_step} "
            "controller updates"
        )
    sys.stdout.flush()


def _print_end(search: "Search", ranked: "list[Scored]") -> None:
    """Prints the ranking, and what its numbers are not."""
    means = search.records.mean_accuracies()
    print(
        "\nmean accuracy of sampled architectures (shared weights): "
        f"{means[0]:.1%} in the first epoch, {means[-1]:.1%} in the last"
    )
    print("\nrank  validation  search-test  architecture")
    for rank, entry in enumerate(ranked, 1):
        print(
            f"{rank:4d}  {entry.validation_accuracy:10.1%}  "
            f"{entry.search_test_accuracy:11.1%}  {entry.architecture}"
        )
    print(f"\n{search.space.describe(ranked[0].architecture)}")
    print(
        "\nThese accuracies are measured with shared weights; an "
        "architecture's own accuracy shows after training it from scratch."
    )
