"""Makes the report of mlpnas_tables again, from its CSV files.

  python -m experiments.mlpnas_report FOLDER
  python -m experiments.mlpnas_report mlpnas_tables

Reads `runs.csv` and `competitors.csv`, as `experiments.mlpnas_tables` writes
them; writes `report.html`, `tables.md` with the same numbers, and
`differences.csv`.
"""

from pathlib import Path

from experiments import launch
from nascore.errors import InputError


def main(args: list[str]) -> None:
    """Makes one report again."""
    if len(args) != 1:
        raise InputError(
            "name one folder of tables: "
            "python -m experiments.mlpnas_report FOLDER"
        )
    folder = Path(args[0])
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder")
    # What computes is imported where it is needed, after the arguments.
    from experiments.reports import perceptrons

    perceptrons.write(folder)


def cli() -> None:
    """Console entry point."""
    launch.run(main)


if __name__ == "__main__":
    cli()
