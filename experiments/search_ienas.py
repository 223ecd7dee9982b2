"""Searches cells with I-ENAS.

python -m experiments.search_ienas --flagfile=flags/presets/digits.flags
python -m experiments.search_ienas --dataset=mnist --reward_rule=code
python -m experiments.search_ienas --run_dir=RUN --resume
"""

from experiments import launch, searching
from flags import ienas as ienas_flags


def main(args: list[str]) -> None:
    """Runs or continues a search, then draws it."""
    launch.no_arguments(args)
    config, run = searching.open_run("ienas", ienas_flags.read)
    with launch.resumable(run.path), run:
        launch.quiet_tensorflow()
        from ienas.search import make_search

        searching.run_search(make_search, config, run)


def cli() -> None:
    """Console entry point."""
    ienas_flags.define()
    launch.run(main)


if __name__ == "__main__":
    cli()
