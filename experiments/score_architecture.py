r"""Scores given architectures with the shared weights of a run.

  python -m experiments.score_architecture RUN "0 2 0 0 ..." ["1 1 ..." ...]
  python -m experiments.score_architecture RUN --rank=1

The run may be going or finished; nothing in its folder is changed.
"""

from pathlib import Path

from absl import flags

from experiments import launch
from experiments.support.subject import pick
from flags import base
from nascore.errors import InputError, printable
from nascore.runs.reader import read_run


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
    # Raises where a search has no shared weights.
    space = run.measurable
    architectures = [space.parse(text) for text in texts]
    launch.quiet_tensorflow()
    from experiments.support.cell_ranks import describe_truth
    from experiments.support.run_weights import load_run

    shared = load_run(run, flags.FLAGS.data_dir).weights
    for architecture in architectures:
        row = space.encode(architecture)
        scored = shared.validate(row[None])
        print(architecture)
        print(space.describe(architecture))
        print(
            f"shared weights: {scored['validation_accuracy']:.1%} on the "
            f"validation set, {scored['search_test_accuracy']:.1%} on the "
            "search-test set"
        )
        if run.has_bench201_weights:
            print(f"the table: {describe_truth(scored)}")
        print()
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
