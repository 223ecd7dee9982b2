r"""Searches multilayer perceptrons with MLPNAS, and tests the best.

python -m experiments.search_mlpnas --dataset=mnist
python -m experiments.search_mlpnas --dataset=table \
      --data_file=people.csv --label_column=income
python -m experiments.search_mlpnas --run_dir=RUN --resume
"""

from experiments.support import open_run


def cli() -> None:
    """Console entry point."""
    open_run.run_method("mlpnas", __doc__)


if __name__ == "__main__":
    cli()
