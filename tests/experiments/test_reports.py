"""A report's page and Markdown: same numbers, readable, safe."""

import dataclasses
import html.parser
import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from experiments.comparison import files as report_files
from experiments.comparison.report import ROWS, write_report
from experiments.reports.document import (
    Document,
    Image,
    Section,
    write_document,
)
from experiments.reports.tables import (
    ReportTable,
    interval,
    number,
    to_markdown,
)
from nascore.errors import InputError

HOSTILE = "<script>alert('1')</script> | `a` [b](c)"


class Page(html.parser.HTMLParser):
    """Tags with their attributes, and the texts of a page's tables."""

    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.tables = []
        self.cell = None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.cell = ""

    def handle_data(self, data):
        if self.cell is not None:
            self.cell += data

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.tables[-1][-1].append(self.cell.strip())
            self.cell = None

    def all_of(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A small report: the committed rows of two seeds, made anew."""
    committed = Path(__file__).parents[2] / "results" / "mnist" / "rows"
    folder = tmp_path_factory.mktemp("report")
    shutil.copytree(committed, folder / ROWS)
    rows = report_files.load(folder / ROWS)
    cut = {
        name: table[(table["seed"] <= 2) & (table["method"] != "random")]
        for name in ("runs", "evaluations", "epochs", "proposals")
        for table in [getattr(rows, name)]
    }
    command = "python -m experiments.compare --seeds=2 '--out=a b'"
    rows = dataclasses.replace(rows, **cut, command=command)
    report_files.save(rows, folder / ROWS)
    write_report(folder, [0.5, 0.5])
    return folder


def markdown_tables(text):
    blocks = re.findall(r"((?:^\|.*\|$\n?)+)", text, re.M)
    return [
        [
            [cell.strip() for cell in line[1:-1].split(" |")]
            for line in block.strip().splitlines()
            if not line.startswith("|---")
        ]
        for block in blocks
    ]


def test_page_and_markdown_have_the_same_tables(report):
    page = Page((report / "report.html").read_text())
    tables = markdown_tables((report / "report.md").read_text())
    assert len(tables) == len(page.tables) > 7
    for ours, theirs in zip(page.tables, tables, strict=True):
        assert len(ours) == len(theirs)
        # What repeats is named once: no cell there, an empty one here.
        for one, other in zip(ours[1:], theirs[1:], strict=True):
            assert one == [cell for cell in other if cell] or one == other


def test_numbers_of_the_page_are_those_of_the_csv_files(report):
    summary = pd.read_csv(report / "tables" / "summary.csv")
    text = (report / "report.md").read_text()
    for row in summary.to_dict("records"):
        cells = f"{row['seeds']} | {row['mean']:.2%} | {row['low']:.2%} to"
        assert f"| {cells} {row['high']:.2%} |" in text


def test_nothing_is_said_twice_below_itself(report):
    for table in markdown_tables((report / "report.md").read_text())[:5]:
        firsts = [line[0] for line in table[1:]]
        assert all(
            not (one and one == other)
            for one, other in zip(firsts, firsts[1:], strict=False)
        )


def test_the_page_serves_screen_readers_and_needs_no_network(report):
    page = Page((report / "report.html").read_text())
    assert page.all_of("html") == [{"lang": "en"}]
    assert {head["scope"] for head in page.all_of("th")} == {
        "col",
        "row",
        "rowgroup",
    }
    assert page.all_of("img") and all(i["alt"] for i in page.all_of("img"))
    assert len(page.all_of("caption")) == len(page.all_of("table"))
    anchors = {tag["id"] for _, tag in page.tags if "id" in tag}
    for link in page.all_of("a"):
        target = link["href"]
        if target.startswith("#"):
            assert target[1:] in anchors
        else:
            assert (report / target).exists(), target


def test_the_report_names_its_commands(report):
    for name in ("report.html", "report.md"):
        text = (report / name).read_text().replace("&#39;", "'")
        assert "python -m experiments.compare --seeds=2 '--out=a b'" in text
        assert "experiments.plot_comparison REPORT --targets=0.5,0.5" in text


def test_a_damaged_command_is_named(report, tmp_path):
    shutil.copytree(report / ROWS, tmp_path / ROWS)
    path = tmp_path / ROWS / "about.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "command": ["rm"]}))
    with pytest.raises(InputError, match="about.json is damaged: 'command'"):
        write_report(tmp_path)


def test_names_are_escaped_in_both_forms(tmp_path):
    frame = pd.DataFrame(
        {HOSTILE: [HOSTILE, "b"]}, index=pd.Index([HOSTILE, "x"], name=HOSTILE)
    )
    (tmp_path / "a.png").write_bytes(b"png")
    section = Section(
        HOSTILE,
        HOSTILE,
        [HOSTILE],
        [ReportTable(HOSTILE, frame)],
        [Image(tmp_path / "a.png", HOSTILE, HOSTILE)],
    )
    document = Document(
        HOSTILE, [HOSTILE], [HOSTILE], HOSTILE, [], [], [section]
    )
    page, text = tmp_path / "report.html", tmp_path / "report.md"
    write_document(document, page, text)
    assert "<script" not in page.read_text() + text.read_text()
    assert Page(page.read_text()).tables[0][1] == [HOSTILE, HOSTILE]
    (table,) = re.findall(r"(?:^\|.*\|$\n)+", text.read_text(), re.M)
    # Two cells a line, whatever is in them.
    for line in table.splitlines():
        assert len(re.findall(r"(?<!\\)\|", line)) == 3


def test_tables_write_what_is_not_there_in_words():
    index = pd.MultiIndex.from_tuples([("a", "x"), ("a", "x"), ("b", "y")])
    frame = pd.DataFrame(
        {"v": [0.5, None, 1]}, index=index.set_names(["k", "l"])
    )
    text = to_markdown(ReportTable("", frame, {"v": number(".1%", "none")}))
    assert text.splitlines()[2:] == [
        "| a | x | 50.0% |",
        "|  | x | none |",
        "| b | y | 100.0% |",
    ]
    assert interval({"low": float("nan"), "high": 1}, ".1f") == "not known"
    assert interval({"low": -1, "high": 1}, "+.1f") == "-1.0 to +1.0"
