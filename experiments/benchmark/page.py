"""What stands on the page of a benchmark's report, and in its Markdown."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from experiments.benchmark import page_tables, store
from experiments.benchmark.protocols import Protocol
from experiments.benchmark.results import Results
from experiments.benchmark.tables import (
    EXACT,
    NOISE,
    OPTIMUM,
    ResultTables,
)
from experiments.benchmark.verdicts import search_verdicts
from experiments.reports.document import Document, Image, Section
from nascore.errors import printable
from nascore.runs.json_files import look_up, read_object

_NOTE = (
    "Accuracies in percent, mean +- standard deviation over runs, of NAS-"
    "Bench-201 (Dong and Yang, ICLR 2020): means over its trainings after 200 "
    "epochs, looked up, nothing trained here. CIFAR-10's test accuracy is that "
    "of another network, trained on the validation images, too. A query is a "
    "cell that a search looks up, a repeated one included. A difference is "
    "called supported if its 95% t interval leaves out 0 and its sign-flip p, "
    "corrected by Holm for all pairs of methods of its protocol and data set, "
    "is below 0.05; else it is undecided, which is not the same as equal. "
    "Cells that compute the same were trained apart, and differ by a standard "
    f"deviation of about {', '.join(map(str, NOISE.values()))} points (CIFAR-"
    "10, CIFAR-100, ImageNet-16-120) among the better fifth: a smaller gap "
    "ranks searchers on this table, not the networks that they find."
)
_FILES = (
    ("tables/", "the numbers of every table as CSV"),
    ("figures/", "every figure as PNG"),
    ("rows/runs.csv.gz", "the best cell of every run after 50 ... queries"),
    ("rows/cells.csv.gz", "all six accuracies of these cells"),
    ("searches/", "every query of every run, and the methods' settings"),
    ("about.json", "command, versions and machine"),
)


def warnings(results: Results, folder: Path) -> list[str]:
    """What a reader must know before the numbers."""
    found = []
    for protocol in results.scope.protocols:
        if protocol.leak:
            found.append(
                f"the protocol {protocol.label} searches on the test "
                "accuracies that it reports, as the published numbers of "
                "L2NAS do: they are no estimate of what a found cell is worth"
            )
    others = list(_left_out(results, folder))
    if others:
        found.append(
            "the folder holds searches by other methods, on other columns or "
            "of other --queries, which are kept apart and are not in this "
            f"report: {', '.join(others)}"
        )
    commits = {
        str(about.get("commit"))
        for made in results.made_by.values()
        for about in made
    }
    if len(commits) > 1:
        found.append(
            f"the searches were made by {len(commits)} states of the source: "
            f"{', '.join(sorted(commits))}"
        )
    return found


def _left_out(results: Results, folder: Path) -> Iterator[str]:
    """What was searched in the folder, and is not reported."""
    shown = {variant.label for variant in results.variants}
    for path in sorted(folder.glob(f"searches/*/{store.SETTINGS}")):
        label = look_up(read_object(path), path, "label", str)
        if label not in shown:
            yield label
            continue
        known = {
            store.folder_of(folder, label, column, queries).name
            for column, queries in results.scope.columns().items()
        }
        for place in sorted(path.parent.glob("*/")):
            if place.name not in known:
                yield f"{label} {place.name}"


def make_document(
    results: Results,
    tables: ResultTables,
    verdicts: Sequence[str],
    remarks: Sequence[str],
    images: Sequence[tuple[Protocol, Image]],
    command: str,
) -> Document:
    """Puts the report together."""
    labels = ", ".join(variant.label for variant in results.variants)
    sections = [
        section
        for protocol in results.scope.protocols
        for section in _of_protocol(
            results, tables, protocol, [i for p, i in images if p == protocol]
        )
    ]
    return Document(
        f"NAS-Bench-201: {labels}",
        verdicts,
        remarks,
        _NOTE,
        [
            (
                "The benchmark; given again it searches what is missing, and "
                "writes the report again",
                printable(command),
            )
        ],
        _FILES,
        [*sections, _published(tables), _made_by(results)],
    )


def _of_protocol(
    results: Results,
    tables: ResultTables,
    protocol: Protocol,
    images: Sequence[Image],
) -> list[Section]:
    """Tables and figures of one protocol."""
    label, title = protocol.label, protocol.title
    told, ends, pairs = (
        frame[frame["protocol"] == label]
        for frame in (tables.accuracies, tables.ends, tables.differences)
    )
    return [
        Section(
            title,
            f"{protocol.about.capitalize()}. The row {EXACT} is an "
            "expectation over all searches, not a sample: of N uniform draws "
            "the best is cell k of n with probability (k/n)^N - ((k-1)/n)^N.",
            tables=[
                page_tables.accuracies(
                    told[told["queries"] == at], protocol, at
                )
                for at in results.scope.budgets(protocol)
            ],
            images=images,
        ),
        Section(
            f"{title}: optimum and repeats",
            "Of the searches on the column that decides the test accuracy: "
            "the share of runs that met its best cell, the different strings "
            "and the different classes of isomorphic cells that a run looked "
            "up on average, and the queries after which half of all runs had "
            "met the best cell; the mean accuracy of the last queries, on "
            "the column that is searched. Seconds of a search are of the "
            "machines that searched.",
            tables=[page_tables.ends(ends, label)],
        ),
        Section(
            f"{title}: paired differences",
            "First minus second method at equal seeds, in points: the test "
            "accuracies of what was found, and the accuracies that were "
            "searched on, where they are others, of the best cell and of all "
            "that was proposed last; on ImageNet-16-120 the best "
            "cell by validation is not near the best by test, and a better "
            "searcher may end below. Effect: mean difference over the "
            "deviation of the differences.",
            lines=search_verdicts(tables, protocol)
            if len(pairs)
            else ["One method alone has no rival."],
            tables=[
                page_tables.pairs(part, f"{label}: {measure}")
                for measure, part in pairs.groupby("measure", sort=False)
            ]
            if len(pairs)
            else [],
        ),
    ]


def _published(tables: ResultTables) -> Section:
    return Section(
        "Published rows",
        "As the paper of L2NAS prints them (Mills et al., CIKM 2021, arXiv "
        "2109.12425), with the protocol behind each: "
        "compare a row of ours only with one of the same protocol and budget. "
        "That the test column of L2NAS is a search of its own on the test "
        "accuracies is inferred: no choice by validation reaches its 47.03 on "
        f"ImageNet-16-120. The paper prints the optima ({OPTIMUM}) as 91.61, "
        "94.37, 73.49, 73.51, 46.77 and 47.31; only 46.77 differs from ours.",
        tables=[page_tables.published(tables.published)],
    )


def _made_by(results: Results) -> Section:
    return Section(
        "Methods and machines",
        f"{results.seeds:,} runs each, seeds 1 to {results.seeds:,}.",
        tables=page_tables.methods_and_machines(results),
    )
