r"""Scores given architectures with the shared weights of a run.

  python -m experiments.score_architecture RUN "0 2 0 0 ..." ["1 1 ..." ...]
  python -m experiments.score_architecture RUN --rank=1

The run may be going or finished; nothing in its folder is changed.
"""

from pathlib import Path

from absl import flags

from enas.config import EnasConfig
from experiments import launch
from experiments.support.subject import pick
from flags import base
from nascore.config import unflatten
from nascore.errors import InputError, printable
from nascore.runs.reader import check_same_data, read_run, settings_with


def main(args: list[str]) -> None:
    """Prints the accuracies of each architecture."""
    rank = flags.FLAGS.rank
    if len(args) < (2 if rank is None else 1):
        raise InputError(
            "name a run folder and an architecture in quotes, or its --rank: "
            'python -m experiments.score_architecture RUN "0 2 0 0 ..."'
        )
    run = read_run(Path(args[0]))
    texts = args[1:]
    if rank is not None:
        entry, note = pick(run, rank)
        texts.insert(0, entry["architecture"])
        print(f"note: {printable(note)}")
    space = run.shared_cells  # Raises where a search has no shared weights.
    architectures = [space.parse(text) for text in texts]
    launch.quiet_tensorflow()
    from nascore.data.images import load
    from nascore.evaluators.checkpointed import load_weights

    config = unflatten(EnasConfig(), settings_with(run, flags.FLAGS.data_dir))
    data = load(config.data)
    check_same_data(run, data.fingerprint)
    for note in data.notes:
        print(f"note: {printable(note)}")
    shared = load_weights(
        config.child, config.weights, config.data, data, run.path
    )
    for architecture in architectures:
        row = space.encode(architecture)
        scored = shared.validate(row[None])
        print(architecture)
        print(space.describe(architecture))
        print(
            f"shared weights: {scored['validation_accuracy']:.1%} on the "
            f"validation set, {scored['search_test_accuracy']:.1%} on the "
            "search-test set\n"
        )
    print("These are not the accuracies after training from scratch.")


def cli() -> None:
    """Console entry point."""
    flags.DEFINE_integer(
        "rank",
        None,
        "Score this place of the final ranking, too, or of the best so far.",
        1,
    )
    base.define_data_dir()
    launch.run(main)


if __name__ == "__main__":
    cli()
