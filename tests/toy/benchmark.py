"""The toy climber over NAS-Bench-201, and how the scripts find it."""

import dataclasses

from flags.methods import Method
from nascore.baselines.config import TableMethodConfig
from nascore.config import check_fields, option


@dataclasses.dataclass(frozen=True)
class ClimberConfig:
    together: int = option(1, "Cells that are asked for at once.")
    climb: bool = option(True, "Change the best so far; else draw anew.")

    def __post_init__(self):
        check_fields(self, together=(1, 10))


CLIMB = Method(
    "toy climber",
    dataclasses.replace(TableMethodConfig(), strategy=ClimberConfig()),
    "tests.toy.climber",
    rival="bench201_random",
)
