"""Searches cells with ENAS.

python -m experiments.search_enas --preset=digits
python -m experiments.search_enas --dataset=cifar10 --epochs=150
python -m experiments.search_enas --space=macro --preset=macro_small
python -m experiments.search_enas --run_dir=RUN --resume
"""

from experiments.support import open_run


def cli() -> None:
    """Console entry point."""
    open_run.run_method("enas", __doc__)


if __name__ == "__main__":
    cli()
