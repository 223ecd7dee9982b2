"""Searches cells with I-ENAS.

python -m experiments.search_ienas --preset=digits
python -m experiments.search_ienas --dataset=mnist --reward_rule=code
python -m experiments.search_ienas --run_dir=RUN --resume
"""

from experiments.support import open_run


def cli() -> None:
    """Console entry point."""
    open_run.run_method("ienas", __doc__)


if __name__ == "__main__":
    cli()
