"""What a report consists of, and its two forms: a page and Markdown."""

import base64
import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path

import jinja2
from markupsafe import Markup

from experiments.reports.tables import ReportTable, escape, to_html, to_markdown
from nascore.runs.atomic import placing


@dataclasses.dataclass(frozen=True)
class Image:
    """A figure of a report.

    Attributes:
      file: the PNG file, in the report's folder or below it.
      caption: what stands below it.
      alt: what it shows, for those who cannot see it.
    """

    file: Path
    caption: str
    alt: str


@dataclasses.dataclass(frozen=True)
class Section:
    """A part of a report with a title of its own.

    Attributes:
      title: unlike those of the others.
      text: a paragraph on what follows.
      lines: sentences, such as verdicts.
      tables: of numbers.
      images: of figures.
    """

    title: str
    text: str = ""
    lines: Sequence[str] = ()
    tables: Sequence[ReportTable] = ()
    images: Sequence[Image] = ()

    @property
    def anchor(self) -> str:
        """Its name in links."""
        return re.sub(r"\W+", "-", self.title.lower()).strip("-")


@dataclasses.dataclass(frozen=True)
class Document:
    """A report.

    Attributes:
      title: of the whole.
      verdicts: sentences for the top.
      warnings: what a reader must know before the numbers.
      note: what all numbers are, a paragraph.
      commands: a word and a command each.
      files: a link, from the report's folder, and what is there, each.
      sections: the rest.
    """

    title: str
    verdicts: Sequence[str]
    warnings: Sequence[str]
    note: str
    commands: Sequence[tuple[str, str]]
    files: Sequence[tuple[str, str]]
    sections: Sequence[Section]


def write_document(document: Document, page: Path, text: Path) -> None:
    """Writes a report as a page and as Markdown, with the same numbers.

    The page needs no other file: its figures are inside. The Markdown shows
    the files of the figures.

    Args:
      document: the report.
      page: the HTML file.
      text: the Markdown file, in the same folder.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("experiments.reports"),
        # Markdown has an escaping of its own, below.
        autoescape=jinja2.select_autoescape(["html"]),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    folder = page.parent

    def link(image: Image) -> str:
        return image.file.relative_to(folder).as_posix()

    def embed(image: Image) -> str:
        return base64.b64encode(image.file.read_bytes()).decode()

    environment.filters |= {
        "link": link,
        "embed": embed,
        "table_html": lambda table: Markup(to_html(table)),  # noqa: S704
        "table_markdown": to_markdown,
        "escape_markdown": escape,
    }
    for path, template in ((page, "page.html"), (text, "report.md")):
        content = environment.get_template(template).render(
            document=document, beside=text.name
        )
        with placing(path) as partial:
            partial.write_text(content, encoding="utf-8")
