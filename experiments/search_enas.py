"""Searches cells with ENAS.

python -m experiments.search_enas --flagfile=flags/presets/digits.flags
python -m experiments.search_enas --dataset=cifar10 --epochs=150
python -m experiments.search_enas --run_dir=RUN --resume
"""

from experiments import launch, searching
from flags import enas as enas_flags


def main(args: list[str]) -> None:
    """Runs or continues a search, then draws it."""
    launch.no_arguments(args)
    config, run = searching.open_run("enas", enas_flags.read)
    with launch.resumable(run.path), run:
        # TensorFlow takes seconds to import: after the flags were checked.
        launch.quiet_tensorflow()
        from enas.search import make_search

        searching.run_search(make_search, config, run)


def cli() -> None:
    """Console entry point."""
    enas_flags.define()
    launch.run(main)


if __name__ == "__main__":
    cli()
