"""Where a run writes, and how often; no TensorFlow."""

import dataclasses
import math

from nascore.config import check_fields, option
from nascore.errors import InputError

# What was trained after a search, a row each; see `then_train`.
TRAINED = "trained.csv"
# How long a run takes in all, once that is known.
COST_FILE = "cost.json"
# Examples that a search was given in Python, and those for its test, as NPZ.
DATA_FILE, TEST_FILE = "data.npz", "test.npz"
# What a search and what a final training writes last.
SEARCH_END = "derived_architectures.json"
FINAL_END = "test.json"
# What the `config.json` of a final training calls its method.
FINAL_METHOD = "final training"
# The same of a training on a text.
LANGUAGE_METHOD = "language training"


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
    max_hours: float = option(
        0.0,
        "End in time: after so many hours from its start, what comes after "
        "the last epoch included; --resume goes on from there. 0: no limit.",
    )
    finish: bool = option(
        False,
        "End the stopped run in --run_dir from what was saved, without "
        "further epochs: ranking or test, files and figures; --resume can "
        "go on from there.",
    )
    ignore_memory: bool = option(
        False, "Go on where memory is expected not to suffice."
    )

    def __post_init__(self) -> None:
        check_fields(
            self,
            checkpoint_minutes=(0.0, math.inf),
            max_hours=(0.0, 1_000_000.0),
        )
        if self.reopens and not self.run_dir:
            raise InputError(
                "--resume needs --run_dir=FOLDER, the run to continue"
                if self.resume
                else "--finish needs --run_dir=FOLDER, the run to end"
            )
        if self.finish and self.max_hours:
            raise InputError(
                f"--finish trains no further; leave --max_hours="
                f"{self.max_hours:g} out, or give it to --resume"
            )

    @property
    def reopens(self) -> bool:
        """Whether there is a run in `run_dir` to go on with, or to end."""
        return self.resume or self.finish
