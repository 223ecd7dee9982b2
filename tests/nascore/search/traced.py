"""Searches that share their graphs."""

from nascore.search.search import Search
from tests.nascore.search.toy import values_of


class Traced:
    """Begins searches of the parts of one, which are traced but once.

    To trace takes most of a small search's time. Each begins with the
    variables as they were at first, and restores what its folder holds:
    nothing else goes from one to the next.

    Args:
      made: a search that has not begun.
    """

    def __init__(self, made: Search) -> None:
        self.made = made
        self.first = values_of(made._state())

    def begin(self, folder) -> Search:
        """Makes a search in a folder, or goes on with the one it holds."""
        made = self.made
        state = made._state()
        for name, value in self.first.items():
            state[name].assign(value)
        return Search(
            folder,
            made.space,
            made.phases,
            made.strategy,
            made.evaluator,
            made.schedule,
            made.schedule,
            {"method": "traced", "data": {"fingerprint": "f"}},
        )
