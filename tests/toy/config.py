"""What the toy method needs to know, and how the scripts find it."""

import dataclasses

from flags.methods import Method
from nascore.config import option
from nascore.search.config import SearchConfig
from tests.toy.space import Necklace


@dataclasses.dataclass(frozen=True)
class ToyConfig:
    dataset: str = option("beads", "What is searched.", ("beads", "pearls"))
    beads: int = option(5, "Beads of a necklace.")
    climb: bool = option(True, "Change the best so far; else draw anew.")
    search: SearchConfig = SearchConfig(
        epochs=3, best_count=5, derive_samples=3
    )

    @property
    def space(self):
        return Necklace(self.beads)


TOY = Method(
    "toy climber",
    ToyConfig(),
    "tests.toy.search",
    {"climb": True},
    rival="toy_random",
)
TOY_RANDOM = TOY._replace(
    title="toy random", settings={"climb": False}, rival=""
)
