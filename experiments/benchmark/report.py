"""The report of a benchmark: rows, tables, figures and page."""

from collections.abc import Sequence
from pathlib import Path

from experiments.benchmark import page
from experiments.benchmark.figures import draw
from experiments.benchmark.results import Results
from experiments.benchmark.rows import write_rows
from experiments.benchmark.tables import make_tables
from experiments.benchmark.verdicts import leader, verdicts
from experiments.reports.document import write_document
from experiments.support import program
from nascore.errors import InputError, printable
from nascore.paths import quote
from nascore.runs.atomic import write_json
from nascore.runs.versions import git_commit, host, package_versions


def write_report(
    results: Results, folder: Path, command: str, jobs: int = 1
) -> None:
    """Writes everything and says what was found.

    Args:
      results: what was searched.
      folder: of the benchmark.
      command: that made it.
      jobs: processes for the tests.

    Raises:
      InputError: the folder cannot be written.
    """
    try:
        _write(results, folder, command, jobs)
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error}") from None


def _write(results: Results, folder: Path, command: str, jobs: int) -> None:
    for place in ("rows", "tables", "figures"):
        (folder / place).mkdir(exist_ok=True)
    tables = make_tables(results, jobs)
    for name, table in tables._asdict().items():
        table.to_csv(
            folder / "tables" / f"{name}.csv",
            index=False,
            float_format="%.6g",
        )
    write_rows(results, folder / "rows")
    images = list(draw(results, tables.differences, folder / "figures"))
    found, remarks = verdicts(results, tables), page.warnings(results, folder)
    write_json(
        folder / "about.json",
        {
            "command": command,
            "commit": git_commit(),
            "machine": host(),
            "versions": package_versions(),
            "verdicts": found,
            "warnings": remarks,
        },
    )
    write_document(
        page.make_document(results, tables, found, remarks, images, command),
        folder / "report.html",
        folder / "report.md",
    )
    for text in remarks:
        print(f"warning: {printable(text)}")
    for text in found:
        print(printable(text))
    print(f"wrote {folder / 'report.html'} and report.md beside it")
    protocol, dataset = results.scope.protocols[0], results.scope.datasets[-1]
    at = results.scope.budget(protocol)
    best = leader(tables, protocol, dataset, at)
    print(f"next, one such search to look into: {_search(results, best)}")


def _search(results: Results, label: str) -> str:
    """The command of one search in a run folder."""
    variant = next(v for v in results.variants if v.label == label)
    protocol, dataset = results.scope.protocols[0], results.scope.datasets[-1]
    column = protocol.searched(dataset)
    words: Sequence[str] = [
        *("python", "-m", "experiments.search", f"--method={variant.method}"),
        f"--dataset={dataset}",
        *[f"--search_on={column.split}"] * (column.split != "validation"),
        *[f"--search_epochs={column.epochs}"] * (column.epochs != 200),
        *[f"--search_dataset={column.dataset}"] * (column.dataset != dataset),
        *(f"--{name}={value}" for name, value in variant.given.items()),
    ]
    return program.rewrite(" ".join(map(quote, words)))
