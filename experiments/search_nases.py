"""Searches cells in the embedding of an autoencoder, with NASES.

python -m experiments.search_nases --preset=nases_small
python -m experiments.search_nases --preset=nases_small --inherit=none
python -m experiments.search_nases --run_dir=RUN --resume
"""

from experiments.support import open_run


def cli() -> None:
    """Console entry point."""
    open_run.run_method("nases", __doc__)


if __name__ == "__main__":
    cli()
