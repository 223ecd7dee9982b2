"""Settings of the strategies that any space can be searched with."""

import dataclasses
from typing import ClassVar


@dataclasses.dataclass(frozen=True)
class RandomConfig:
    """Uniform draws; nothing to set."""

    kind: ClassVar[str] = "random"
