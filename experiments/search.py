"""Searches with any method.

python -m experiments.search --method=ienas --dataset=digits
python -m experiments.search --method=mlpnas --help
python -m experiments.search --run_dir=RUN --resume
"""

from experiments.support import open_run


def cli() -> None:
    """Console entry point."""
    open_run.run_any(__doc__)


if __name__ == "__main__":
    cli()
