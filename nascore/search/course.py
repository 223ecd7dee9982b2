"""Where a search stands, and what is still to come of it."""

from collections.abc import Sequence

import tensorflow as tf

from nascore.protocols import Phase
from nascore.runs.progress import Work
from nascore.search.score import Score


class Course:
    """The place of a search: an epoch, and the step of each phase.

    Args:
      phases: of an epoch.
      epochs: of the whole search.

    Attributes:
      variables: the place, by name; belongs to the state of the search.
    """

    def __init__(self, phases: Sequence[Phase], epochs: int) -> None:
        self._phases = phases
        self._epochs = epochs
        self.variables = {
            name: tf.Variable(0, trainable=False, name=name)
            for name in ("epoch", *(f"{p.name}_step" for p in phases))
        }

    @property
    def epoch(self) -> int:
        """The epoch that is under way, from 0."""
        return int(self.variables["epoch"])

    def step(self, phase: Phase) -> int:
        """Steps of a phase that are done in this epoch."""
        return int(self.variables[f"{phase.name}_step"])

    def reach(self, phase: Phase, step: int) -> None:
        """Comes to a step of a phase."""
        self.variables[f"{phase.name}_step"].assign(step)

    def next_epoch(self) -> None:
        """Comes to the next epoch."""
        epoch = self.epoch + 1
        for variable in self.variables.values():
            variable.assign(0)
        self.variables["epoch"].assign(epoch)

    @property
    def is_between(self) -> bool:
        """Whether nothing of the epoch is done yet."""
        return not any(self.step(phase) for phase in self._phases)

    @property
    def is_over(self) -> bool:
        """Whether the last epoch is done."""
        return self.epoch >= self._epochs

    def count(self) -> int:
        """Units of the whole work; a step of a phase has some."""
        return sum(
            phase.weight * phase.steps(epoch)
            for phase in self._phases
            for epoch in range(self._epochs)
        )

    def left(self) -> Work:
        """Units that are to come, by the name of their phase."""
        left: dict[str, float] = {}
        for phase in self._phases:
            later = range(self.epoch, self._epochs)
            steps = sum(phase.steps(e) for e in later) - self.step(phase)
            if steps > 0:
                left[phase.name] = float(phase.weight * steps)
        return left

    def validation_seconds(self) -> float:
        """What one pass over the validation set took; 0 if not known."""
        scores = [p.seconds for p in self._phases if isinstance(p, Score)]
        return max(scores, default=0.0)
