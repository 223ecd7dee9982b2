"""When I-ENAS gives up: the best accuracy has not improved for long."""

from collections.abc import Sequence

LEAST_PATIENCE = 100


def patience(epoch: int, mean_accuracy: float) -> int:
    """Epochs without a better accuracy that are waited for.

    The rule of the public I-ENAS code; it waits longer late in a search and
    while the sampled architectures are poor.

    Args:
      epoch: epochs done.
      mean_accuracy: of the architectures of the last epoch, in [0, 1].
    """
    return max(
        LEAST_PATIENCE, int((1 - mean_accuracy) * 5 * max(10, epoch // 4))
    )


def is_exhausted(best: Sequence[float], mean_accuracy: float) -> bool:
    """Whether a search should stop.

    Args:
      best: the highest accuracy of each epoch so far.
      mean_accuracy: of the architectures of the last epoch, in [0, 1].
    """
    if not best:
        return False
    first_best = list(best).index(max(best))
    waited = len(best) - 1 - first_best
    return waited >= patience(len(best), mean_accuracy)
