"""Makes a comparison's tables, figures and page again, from its CSV files.

python -m experiments.plot_comparison REPORT
python -m experiments.plot_comparison REPORT --targets=0.5,0.8
"""

from pathlib import Path

from absl import flags

from experiments import launch
from nascore.errors import InputError, printable


def read_targets() -> list[float]:
    """Reads `--targets`.

    Raises:
      InputError: something that is no accuracy.
    """
    targets = []
    for word in flags.FLAGS.targets:
        try:
            targets.append(float(word))
        except ValueError:
            targets.append(-1.0)
        if not 0 < targets[-1] <= 1:
            raise InputError(
                f"--targets={','.join(flags.FLAGS.targets)} must be "
                "accuracies above 0 and up to 1, with commas"
            )
    return targets


def define_targets() -> None:
    """Defines `--targets`."""
    flags.DEFINE_list(
        "targets",
        [],
        "Accuracies for the table of times, such as 0.5,0.8; empty: 50%, 75% "
        "and 90% of the highest epoch mean of ENAS.",
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
