"""When skips take over a search: early ends, and a word about it.

With more epochs DARTS's alphas pile up on the skips; the derived cells get
worse while the mixed ones still get better (Zela et al., 2020, arXiv
1909.09656). Everything here is a function of what was learned so far, so that
a resumed search decides as one that was never stopped. NumPy only.
"""

from typing import NamedTuple

import numpy as np

from darts.config import StopConfig
from darts.derive import count_skips, derive, mix
from darts.layout import AlphaLayout, Alphas

# Of RobustDARTS's code: eigenvalues in an average, and how many epochs lie
# between the two averages that are compared.
WINDOW, DISTANCE = 5, 4


class AlphaHistory(NamedTuple):
    """What was learned, epoch by epoch.

    Attributes:
      alphas: after each epoch, one or more.
      eigenvalues: `[epochs]`, see `darts.curvature`; None: not measured.
    """

    alphas: Alphas
    eigenvalues: np.ndarray | None = None


class Stop(NamedTuple):
    """The end of a search.

    Attributes:
      reason: a line.
      epoch: from 0, whose alphas make the cell.
    """

    reason: str
    epoch: int


def at_epoch(alphas: Alphas, epoch: int) -> Alphas:
    """The alphas of one epoch of many; -1: the newest."""
    edges = None if alphas.edges is None else alphas.edges[epoch]
    return Alphas(alphas.operations[epoch], edges)


def find_stop(
    config: StopConfig,
    layout: AlphaLayout,
    history: AlphaHistory,
    alpha_from: int,
) -> Stop | None:
    """Why a search ends after the newest epoch; None: it goes on.

    Args:
      config: settings.
      layout: of the alphas.
      history: up to the newest epoch.
      alpha_from: the first epoch with learning alphas; those before it say
        nothing.
    """
    least = alpha_from + config.stop_from
    epochs = len(history.alphas.operations)
    newest = epochs - 1
    ended = f"early stop after {epochs} epochs"
    if config.stop_eigenvalue and history.eigenvalues is not None:
        ratio, earlier = _growth(history.eigenvalues)
        if earlier >= least and ratio > config.stop_eigenvalue:
            return Stop(
                f"{ended}: the largest eigenvalue of the alphas' Hessian is "
                f"{ratio:.3g} times that of {DISTANCE} epochs before; the cell "
                f"is that of epoch {earlier + 1}",
                earlier,
            )
    if epochs < max(least, alpha_from + 1):
        return None
    if config.stop_skips:
        skips = _normal_skips(layout, at_epoch(history.alphas, newest))
        if skips >= config.stop_skips:
            return Stop(
                f"{ended}: {skips} of the {layout.derived_edges} edges of the "
                f"derived {layout.titles[0]} are skips",
                newest,
            )
    if config.stop_stable:
        stable = _stable_epochs(layout, history.alphas, alpha_from)
        if stable >= config.stop_stable:
            return Stop(
                f"{ended}: no edge's strongest operation has changed for "
                f"{stable} epochs",
                newest,
            )
    return None


def warn(layout: AlphaLayout, alphas: Alphas, alpha_from: int) -> str:
    """A line when skips become half of the derived normal cell; else nothing.

    It comes once in a search.

    Args:
      layout: of the alphas.
      alphas: after each epoch so far.
      alpha_from: as in `find_stop`.
    """
    learned = range(alpha_from, len(alphas.operations))
    counts = [_normal_skips(layout, at_epoch(alphas, n)) for n in learned]
    most = layout.derived_edges
    over = [2 * count >= most for count in counts]
    if not over or not over[-1] or any(over[:-1]):
        return ""
    return (
        f"warning: {counts[-1]} of the {most} edges of the derived "
        f"{layout.titles[0]} are skips: such cells are known to be "
        "worse than random ones, however good the mixed ones look; see "
        "--stop_skips, --stop_eigenvalue and --variant=minus"
    )


def _normal_skips(layout: AlphaLayout, alphas: Alphas) -> int:
    """In the first cell, which is the normal one."""
    return count_skips(layout, derive(layout, alphas))[0]


def _stable_epochs(layout: AlphaLayout, alphas: Alphas, alpha_from: int) -> int:
    """For how many epochs no edge's strongest operation has changed.

    One that no cell has is left out.
    """
    learned = Alphas(alphas.operations[alpha_from:])
    weights = mix(layout, learned)[..., layout.derivable]
    strongest = weights.argmax(axis=-1)
    same = (strongest == strongest[-1]).all(axis=(1, 2))[::-1]
    return len(same) - 1 if same.all() else int(same.argmin()) - 1


def _growth(eigenvalues: np.ndarray) -> tuple[float, int]:
    """Ratio of the newest mean eigenvalue to an earlier one.

    Returns:
      NaN where there is none; the epoch in the middle of the earlier ones,
      negative if they do not reach back so far.
    """
    earlier = len(eigenvalues) - 1 - WINDOW // 2 - DISTANCE
    if len(eigenvalues) < WINDOW + DISTANCE:
        return np.nan, -1
    now = np.mean(eigenvalues[-WINDOW:])
    before = np.mean(eigenvalues[-WINDOW - DISTANCE : -DISTANCE])
    # Where the loss is flat or a maximum, growth means nothing.
    return (float(now / before) if before > 0 else np.nan), earlier
