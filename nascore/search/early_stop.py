"""When I-ENAS gives up: the best accuracy has not improved for long."""

from collections.abc import Sequence

from nascore.search.records import Records
from nascore.search.score import SAMPLES

LEAST_PATIENCE = 100
# Rewards whose accuracies say how good the policy is by now.
RECENT = 10


def patience(epoch: int, recent_mean: float) -> int:
    """Epochs without a better accuracy that are waited for.

    The rule of the public I-ENAS code; it waits longer late in a search and
    while the sampled architectures are poor.

    Args:
      epoch: epochs done.
      recent_mean: mean accuracy of the last `RECENT` architectures that
        were rewarded, in [0, 1].
    """
    return max(LEAST_PATIENCE, int((1 - recent_mean) * 5 * max(10, epoch // 4)))


def is_exhausted(best: Sequence[float], recent_mean: float) -> bool:
    """Whether a search should stop.

    Args:
      best: for each epoch so far the highest accuracy of the architectures
        that were sampled and scored after it.
      recent_mean: see `patience`.
    """
    if not best:
        return False
    first_best = list(best).index(max(best))
    waited = len(best) - 1 - first_best
    return waited >= patience(len(best), recent_mean)


def say_exhausted(records: Records) -> str:
    """Says that a search should stop; nothing if it should not.

    Args:
      records: of its epochs so far, one or more.
    """
    measures = records.measures
    # Of fresh samples, where some are scored after each epoch.
    what = "samples" if records.ranks == SAMPLES else measures
    best = records.column(f"{what}_max")
    if not is_exhausted(best, records.column("recent_mean")[-1]):
        return ""
    return (
        f"early stop after {len(best)} epochs: no better {measures} than "
        f"{max(best):.1%} since epoch {best.index(max(best)) + 1}"
    )
