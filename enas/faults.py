"""What is said of numbers that are not finite: what, where, what to do."""

import math

from nascore.runs.tables import Row
from nascore.spaces.cells import Architecture

_TAME_CHILD = "Lower --child_lr_max, or set --clip_norm=5, in a new run"
_NO_LOGITS = "the shared weights give logits that are not finite"


def of_child(row: Row, architecture: Architecture) -> str:
    """Of a training step of the shared weights.

    Args:
      row: of `child.csv`.
      architecture: that was trained.
    """
    loss, norm = row["loss"], row["gradient_norm"]
    what = f"the child's loss is {loss:g} and its gradient's norm {norm:g}"
    if math.isfinite(loss) and math.isfinite(norm):
        what += ", beyond --loss_limit or too much for a weight,"
    return f"{_where(what, 'child', row, architecture)}. {_TAME_CHILD}"


def of_sample(row: Row, architecture: Architecture) -> str:
    """Of an architecture that was scored after an epoch.

    Args:
      row: of `samples.csv`.
      architecture: that was scored.
    """
    what = _where(_NO_LOGITS, "samples", row, architecture)
    return f"{what}. {_TAME_CHILD}"


def of_controller(row: Row, architecture: Architecture) -> str:
    """Of an update of the controller, which was not made.

    Args:
      row: of `controller.csv`, the first that is not healthy.
      architecture: that was evaluated.
    """
    accuracy = row["accuracy"]
    if not math.isfinite(accuracy):
        what, mend = _NO_LOGITS, _TAME_CHILD
    elif not math.isfinite(row["reward"]):
        what = f"the reward is {row['reward']:g} at accuracy {accuracy:g}"
        mend = "Mend the reward, or take a tamer one, in a new run"
    elif not math.isfinite(row["entropy"] + row["log_prob"]):
        what = "the controller's probabilities are not finite"
        mend = "Lower --controller_lr in a new run"
    else:
        what = "the controller's loss or its gradient is not finite"
        mend = "Lower --controller_lr or --entropy_weight in a new run"
    return f"{_where(what, 'controller', row, architecture)}. {mend}"


def _where(what: str, table: str, row: Row, architecture: Architecture) -> str:
    epoch, step = row["epoch"], row["step"]
    return (
        f"stopped: {what} in epoch {epoch + 1}, step {step + 1} (in "
        f"{table}.csv epoch {epoch}, step {step}) with architecture "
        f"{architecture}; the last checkpoint is intact"
    )
