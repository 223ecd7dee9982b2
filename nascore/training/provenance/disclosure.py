"""How a final training says what its searches have seen."""

from typing import Any

import numpy as np

from nascore.data.images import IENAS_VALIDATION_FRACTION
from nascore.training.provenance.history import History, Seen

MEASURED_ON = "the official test set, once, after training"
_AGAIN = "the official test set, {} times, see earlier_tests in test.json"


def warnings(history: History) -> list[str]:
    """Lines on test images that are not unseen."""
    lines = []
    origin, rewarded = history.origin, history.rewarded_tests
    if origin.architecture is not None and rewarded is not None:
        lines.append(
            f"{origin.architecture.run} took the rewards that chose the "
            f"architecture from {part_of(rewarded)} official test images; "
            "accuracy is reported without them, too"
        )
    lines += _lost_rewards(history)
    if history.weights is not None and history.weights.test.trained.any():
        trained = history.weights.test.trained
        lines.append(
            f"the shared weights were trained on {part_of(trained)} test images"
        )
    return lines


def notes(history: History) -> list[str]:
    """Lines on validation images that are not unseen."""
    lines = []
    for what, search, seen in history.searches:
        if seen is None:
            lines.append(
                f"what the {what} of {search.run} saw of these images is not "
                "known: its own are not found as they were"
            )
        elif seen.validation is not None:
            uses = seen.validation
            learned = what == "weights"
            mask = uses.trained if learned else uses.rewarded
            verb = "learned from" if learned else "was chosen by"
            if mask.any():
                lines.append(
                    f"validation is not on unseen images: the {what} of "
                    f"{search.run} {verb} {part_of(mask)} of them"
                )
    return lines


def measured_on(history: History, times: int = 1) -> str:
    """What the test accuracy of `test.json` is.

    Args:
      history: of the searches behind the network.
      times: how often this training was tested, this time included.
    """
    tested = MEASURED_ON if times == 1 else _AGAIN.format(times)
    rewarded = history.rewarded_tests
    if rewarded is not None:
        return (
            f"{tested}; {part_of(rewarded)} images gave the rewards of "
            "the search that chose the architecture"
        )
    return "; ".join([tested, *_lost_rewards(history)])


def record(history: History) -> dict[str, Any]:
    """The same for a JSON file; empty where no search is known."""
    return {
        name: {
            "run": search.run,
            "split": search.data.split,
            "test_images": _counts(seen, "test"),
            "validation_images": _counts(seen, "validation"),
        }
        for name, search, seen in history.searches
    }


def part_of(mask: np.ndarray) -> str:
    """How many are marked, such as `108 of 360 (30.0%)`."""
    return f"{mask.sum()} of {len(mask)} ({mask.mean():.1%})"


def _counts(seen: Seen | None, name: str) -> Any:
    if seen is None:
        return "not known"
    uses = getattr(seen, name)
    return uses and uses.counts()


def _lost_rewards(history: History) -> list[str]:
    """A line on test images that chose, and nobody knows which they are."""
    search = history.origin.architecture
    if search is None or history.architecture is not None:
        return []
    if search.data.split != "ienas":
        return []
    return [
        f"{search.run} chose the architecture by "
        f"{IENAS_VALIDATION_FRACTION:.0%} of official test images; which they "
        "are is not known, since its images are not found as they were"
    ]
