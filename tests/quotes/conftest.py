"""What the texts quote is held against the rows in `results/`."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent.parent
NUMBER = r"((?<![\w.])[-+]?\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?)"


def rounded_as(word, value):
    """Whether a printed number is this value, rounded to its digits."""
    digits = re.search(r"\.(\d+)", word)
    half = 0.5 * 10.0 ** -(len(digits[1]) if digits else 0)
    # Rows that are rounded themselves may be a half that went the other way.
    return abs(float(word.replace(",", "")) - value) <= half * (1 + 1e-6)


class Results:
    """The rows, and the texts that quote them."""

    def read(self, name):
        return (ROOT / "results" / name).read_text(encoding="utf-8")

    def table(self, name):
        """A list of rows, each a dictionary of words."""
        return list(csv.DictReader(self.read(name).splitlines()))

    def column(self, rows, name):
        return np.array([float(row[name]) for row in rows])

    def line(self, name, start, number=0):
        """The numbers of a printed line, after what it begins with."""
        lines = self.read(name).splitlines()
        found = [row for row in lines if row.startswith(start)][number]
        words = re.findall(NUMBER, found[len(start) :])
        return [float(word.replace(",", "")) for word in words]

    def text(self, name):
        """A text on one line; comments of flag files without their marks."""
        content = (ROOT / name).read_text(encoding="utf-8")
        if name.endswith(".flags"):
            content = re.sub("^# ?", "", content, flags=re.MULTILINE)
        return " ".join(content.split())

    def quote(self, name, part, *values):
        """Asserts that a text has these numbers where it should.

        A part of a text that goes takes the call that names it with it.

        Args:
          name: of the text.
          part: of it, there exactly once; each `#` is a number, each `…`
            the rest of a table's cell.
          *values: the numbers, computed from the rows, in the text's units;
            the text has them rounded to the digits that it prints.
        """
        pattern = re.escape(" ".join(part.split())).replace(r"\#", NUMBER)
        found = re.findall(pattern.replace("…", "[^|]*"), self.text(name))
        assert len(found) == 1, f"{name} has this {len(found)} times: {part}"
        words = [found[0]] if isinstance(found[0], str) else found[0]
        for word, value in zip(words, values, strict=True):
            assert rounded_as(word, value), f"{part}: {word} is {value:.6g}"


@pytest.fixture(scope="session")
def results():
    return Results()
