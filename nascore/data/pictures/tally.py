"""How many pictures were read, and how: a few short lines for a user."""

from collections import Counter

# Brighter values than this part of the range are usual.
_DARK = 1 / 8
_KINDS = {
    "P": "with a palette",
    "PA": "with a palette",
}
_MARKS = {
    "on white": "with transparency (laid on white)",
    "on black": "with transparency and nearly white (laid on black)",
    "invisible": "wholly transparent (nothing but white is left)",
    "deep": "of more than 8 bits (the upper 8 are taken)",
    "turned": "turned as EXIF says",
    "pages": "of several frames or pages (the first is taken)",
    "sized": "of another size (brought to the model's)",
    "stretch": "of other proportions (stretched; --fit=pad and crop keep them)",
    "pad": "of other proportions (padded by their border)",
    "crop": "of other proportions (cropped to their middle)",
}


class Tally:
    """Counts pictures while they are read."""

    def __init__(self) -> None:
        self._kinds: Counter[str] = Counter()
        self._marks: Counter[str] = Counter()
        self._brightest = (0, 16)

    def count(self, kind: str) -> None:
        """Counts a picture of this kind of colours."""
        self._kinds[kind] += 1

    def mark(self, what: str) -> None:
        """Counts something that had to be done with a picture."""
        self._marks[what] += 1

    def see_brightest(self, value: int, bits: int) -> None:
        """Takes note of the greatest value of a picture of so many bits."""
        have, of_bits = self._brightest
        if value / (1 << bits) >= have / (1 << of_bits):
            self._brightest = value, bits

    def kinds(self, mode: str) -> str:
        """One line: how many pictures of which colours.

        Args:
          mode: what they were brought to, `L` or `RGB`.
        """
        total = sum(self._kinds.values())
        parts = [
            f"{count} {_name(kind, mode)}"
            for kind, count in self._kinds.most_common()
        ]
        return f"{_pictures(total)}: {', '.join(parts)}"

    def unusual(self, mode: str) -> list[str]:
        """One line, if pictures were read that had to be changed.

        Args:
          mode: see `kinds`.
        """
        usual = {"L": {"grey"}, "RGB": {"RGB"}}[mode]
        remarks = self.remarks()
        if remarks or set(self._kinds) - usual:
            return ["; ".join([self.kinds(mode), *remarks])]
        return []

    def remarks(self) -> list[str]:
        """What was done with some of them, the usual things left out."""
        lines = [
            f"{self._marks[what]} {words}"
            for what, words in _MARKS.items()
            if self._marks[what]
        ]
        value, bits = self._brightest
        if self._marks["deep"] and 0 < value < _DARK * (1 << bits):
            lines.append(
                f"no value of those of more than 8 bits is above {value} of "
                f"{(1 << bits) - 1}, so that they are dark: spread their "
                "values if they are not meant to be"
            )
        return lines


def _pictures(count: int) -> str:
    return f"{count} picture" + ("s" if count != 1 else "")


def _name(kind: str, mode: str) -> str:
    name = _KINDS.get(kind, kind)
    if kind == "grey":
        return name if mode == "L" else f"{name} (taken as colour)"
    if mode == "L":
        return f"{name} (turned grey)"
    return name if kind == "RGB" else f"{name} (turned into RGB)"
