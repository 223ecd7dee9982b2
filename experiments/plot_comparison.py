"""Makes a comparison's tables, figures and page again, from its CSV files.

python -m experiments.plot_comparison REPORT
python -m experiments.plot_comparison REPORT --targets=0.5,0.8

Targets are accuracies, of searches on a text perplexities.
"""

from pathlib import Path

from absl import flags

from experiments import launch
from nascore.errors import InputError, printable


def read_targets() -> list[float]:
    """Reads `--targets`.

    Raises:
      InputError: something that is no number.
    """
    try:
        return [float(word) for word in flags.FLAGS.targets]
    except ValueError:
        raise InputError(
            f"--targets={','.join(flags.FLAGS.targets)} must be numbers, with "
            "commas"
        ) from None


def define_targets() -> None:
    """Defines `--targets`."""
    flags.DEFINE_list(
        "targets",
        [],
        "Scores for the table of times: accuracies such as 0.5,0.8, or "
        "perplexities; empty: what is worth 50%, 75% and 90% of the best epoch "
        "mean of ENAS.",
    )


def print_report(folder: Path) -> None:
    """Writes the report and says what it found."""
    # Imports the libraries that draw: after the flags were checked.
    from experiments.comparison.report import write_report

    found, remarks, page = write_report(folder, read_targets())
    for text in remarks:
        print(f"warning: {printable(text)}")
    for text in found:
        print(printable(text))
    print(f"wrote {page}")


def main(args: list[str]) -> None:
    """Redraws one report."""
    if len(args) != 1:
        raise InputError(
            "name one report folder: "
            "python -m experiments.plot_comparison REPORT"
        )
    folder = Path(args[0])
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder")
    print_report(folder)


def cli() -> None:
    """Console entry point."""
    define_targets()
    launch.run(main)


if __name__ == "__main__":
    cli()
