"""Searches cells with ENAS.

python -m experiments.search_enas --flagfile=flags/presets/digits.flags
python -m experiments.search_enas --dataset=cifar10 --epochs=150
python -m experiments.search_enas --run_dir=RUN --resume
"""

from experiments.support import open_run


def cli() -> None:
    """Console entry point."""
    open_run.run_method("enas")


if __name__ == "__main__":
    cli()
