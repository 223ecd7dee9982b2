"""Kinds of scores: what a report must know of what it compares.

Accuracies and perplexities differ in unit, direction and bounds; whatever a
report computes, writes or draws asks the kind of score, and nothing else.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from nascore.errors import InputError
from nascore.stats import (
    Limits,
    PairedTest,
    mean_interval,
    moving_average,
    paired_test,
)


@dataclasses.dataclass(frozen=True)
class ScoreKind:
    """What the scores of compared searches are.

    Attributes:
      name: of one, in texts, labels and names of files.
      one: the quantity, as texts on any score of its kind have it.
      many: several of them.
      measured_on: what a single one is measured on.
      axis: label of an axis.
      lower_is_better: its direction.
      limits: the least and the greatest that one can be.
      form: how one is written.
      short_form: the same in a figure.
      target_form: the same of a target that was chosen.
      relative: compared by ratios, and averaged by its logarithm.
      numerator: a run ranks by so much over the score; 0: by the score.
      validation: column of it in a final ranking.
      same_data: whether it says nothing beside one on other data.
      like_paper: whether it stands beside the numbers of I-ENAS's paper.
      standalone: whether a rank check can train architectures alone.
      difference: label of an axis of differences.
      minus: how two methods are held against each other.
      mean_note: what a mean is, for the page.
      difference_note: what a difference is, and where its interval is cut.
      cut_note: where an interval of a mean is cut.
    """

    name: str = "accuracy"
    one: str = "accuracy"
    many: str = "accuracies"
    measured_on: str = "single batches of validation images"
    axis: str = ""
    lower_is_better: bool = False
    limits: Limits = (0.0, 1.0)
    form: str = ".2%"
    short_form: str = ".1%"
    target_form: str = ".0%"
    relative: bool = False
    numerator: float = 0.0
    validation: str = "validation_accuracy"
    same_data: bool = False
    like_paper: bool = True
    standalone: bool = True
    difference: str = "difference (percentage points)"
    minus: str = "minus"
    mean_note: str = ""
    difference_note: str = (
        "First minus second method at equal seeds. Interval: Student's t, "
        "cut at what a difference of accuracies can be; not known where all "
        "differences are alike."
    )
    cut_note: str = "cut at 0 and 100%"

    @property
    def label(self) -> str:
        """Of an axis."""
        return self.axis or self.name

    @property
    def best_word(self) -> str:
        """What the best of several is called."""
        return "minimum" if self.lower_is_better else "maximum"

    @property
    def ahead_side(self) -> str:
        """Where a difference lies if the first method is ahead."""
        return "Left" if self.lower_is_better else "Right"

    def of_run(self, values: Any) -> Any:
        """Makes scores of what a run ranks by."""
        return self.numerator / values if self.numerator else values

    def additive(self, values: Any) -> Any:
        """Makes numbers of scores that may be averaged and subtracted."""
        return np.log(values) if self.relative else values

    def original(self, values: Any) -> Any:
        """Makes scores of such numbers, see `additive`."""
        return np.exp(values) if self.relative else values

    def mean(self, values: np.ndarray) -> float:
        """Mean of scores `[n]`."""
        return float(self.original(np.mean(self.additive(values))))

    def moving_average(self, values: np.ndarray, window: int) -> np.ndarray:
        """See `nascore.stats.moving_average`."""
        return self.original(moving_average(self.additive(values), window))

    def interval(
        self, values: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mean over the first axis and ends of its t interval, as scores."""
        low, high = (float(self.additive(end)) for end in self.limits)
        found = mean_interval(self.additive(values), (low, high))
        mean, low_end, high_end = map(self.original, found)
        return mean, low_end, high_end

    def compare(self, first: np.ndarray, second: np.ndarray) -> PairedTest:
        """Compares scores at equal seeds.

        Args:
          first: `[n]`.
          second: `[n]`.

        Returns:
          Differences; of relative scores parts of the second one, -0.05 for
          5% less.
        """
        least, most = (float(self.additive(end)) for end in self.limits)
        test = paired_test(
            self.additive(first),
            self.additive(second),
            (least - most, most - least),
        )
        if not self.relative:
            return test
        parts = (math.expm1(x) for x in (test.mean, test.low, test.high))
        mean, low, high = parts
        return dataclasses.replace(test, mean=mean, low=low, high=high)

    def place_of_best(self, values: np.ndarray) -> int:
        """Place of the first best one, from 0; those that are NaN are none."""
        best = np.nanargmin if self.lower_is_better else np.nanargmax
        return int(best(values))

    def best(self, values: Any) -> Any:
        """The best of several; of the rows of groups, of each."""
        return values.min() if self.lower_is_better else values.max()

    def reaches(self, values: Any, target: float) -> Any:
        """Whether scores are as good as a target."""
        if self.lower_is_better:
            return values <= target
        return values >= target

    def part(self, best: float, share: float) -> float:
        """A target: the score of so much of what the best is worth."""
        return best / share if self.lower_is_better else share * best

    def describe_difference(self, difference: float) -> str:
        """How far what one method sampled is from what another did.

        The end of a sentence, up to what it is held against.
        """
        size = f"{abs(difference):.2%}"
        if self.relative:
            way = "lower" if difference <= 0 else "higher"
            return f"had on average a {size} {way} {self.name} than"
        size = f"were on average {size} (absolute)"
        if self.name == self.one:
            return (
                f"{size} {'more' if difference >= 0 else 'less'} accurate than"
            )
        return (
            f"{size} {'above' if difference >= 0 else 'below'}, by {self.name},"
        )

    def check_targets(self, targets: Sequence[float]) -> None:
        """Checks scores that were asked for.

        Raises:
          InputError: something that is no such score.
        """
        least, most = self.limits
        if all(least < t <= most and t < math.inf for t in targets):
            return
        upper = "" if math.isinf(most) else f" and up to {most:g}"
        raise InputError(
            f"--targets={','.join(f'{target:g}' for target in targets)} must "
            f"be {self.many} above {least:g}{upper}, with commas"
        )


ACCURACY = ScoreKind(axis="accuracy (shared weights, one batch)")
# e to the mean nats of a token: nats add up, perplexities do not.
PERPLEXITY = ScoreKind(
    name="perplexity",
    one="perplexity",
    many="perplexities",
    measured_on="single windows of the validation text",
    axis="perplexity (shared weights, one window)",
    lower_is_better=True,
    limits=(1.0, math.inf),
    form=".2f",
    short_form=".2f",
    target_form=".2f",
    relative=True,
    numerator=80.0,
    validation="validation_perplexity",
    same_data=True,
    like_paper=False,
    standalone=False,
    difference="difference in perplexity (%)",
    minus="against",
    mean_note=(
        "Lower perplexities are better. Means of them are geometric: e to "
        "the mean nats of a token, as a perplexity itself is. "
    ),
    difference_note=(
        "Perplexity of the first method over that of the second at equal "
        "seeds, less 1: -5% is a perplexity that is 5% lower, so that what is "
        "below 0 is better. Interval: Student's t of the difference in nats "
        "of a token; not known where all differences are alike."
    ),
    cut_note="of the nats, cut at a perplexity of 1",
)
# By what the runs of a search, or the rows of a report, call them.
_KINDS = {
    "accuracy": ACCURACY,
    "perplexity": PERPLEXITY,
    "perplexity_score": PERPLEXITY,
}


def kind_of(measures: str) -> ScoreKind:
    """The kind of what a run ranks by; others are shares of 1."""
    return _KINDS.get(measures) or ScoreKind(name=measures)
