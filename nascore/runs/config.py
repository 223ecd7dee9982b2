"""Where a run writes, and how often; no TensorFlow."""

import dataclasses
import math

from nascore.config import check_fields, option
from nascore.errors import InputError

# What a search and what a final training writes last.
SEARCH_END = "derived_architectures.json"
FINAL_END = "test.json"
# What the `config.json` of a final training calls its method.
FINAL_METHOD = "final training"


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """Where a run writes; nothing here changes a result."""

    run_dir: str = option(
        "", "Run folder; empty: runs/<method>-<dataset>-<time>.", path=True
    )
    resume: bool = option(
        False, "Continue the run in --run_dir, with its own settings."
    )
    checkpoint_minutes: float = option(
        10.0, "Save at least this often, besides after every epoch."
    )
    ignore_memory: bool = option(
        False, "Go on where memory is expected not to suffice."
    )

    def __post_init__(self) -> None:
        check_fields(self, checkpoint_minutes=(0.0, math.inf))
        if self.resume and not self.run_dir:
            raise InputError(
                "--resume needs --run_dir=FOLDER, the run to continue"
            )
