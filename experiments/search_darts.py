"""Searches cells with DARTS, PC-DARTS or DARTS-.

python -m experiments.search_darts --preset=darts_small
python -m experiments.search_darts --preset=darts_cifar10 --order=second
python -m experiments.search_darts --run_dir=RUN --resume
"""

from experiments.support import open_run


def cli() -> None:
    """Console entry point."""
    open_run.run_method("darts", __doc__)


if __name__ == "__main__":
    cli()
