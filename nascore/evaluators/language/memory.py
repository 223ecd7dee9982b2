"""Memory that a search on a text needs, from its settings."""

from typing import Any

from nascore.data.text import TextData
from nascore.networks.recurrent.config import count_parameters, slots
from nascore.process.memory import FLOAT, Need, peak

# Bytes of compiled graphs, figures and buffers of files. Measured.
_GRAPH = 330 * 2**20
# Tensors of a node's size that a step keeps, and that are made of all steps
# at once on the way back; twelve times as many where nodes are mixed.
_KEPT, _MIXED = 14, 12
# Tensors of the logits' size: themselves, what the loss keeps, its gradient.
_LOGITS = 3


def estimate(
    config: Any, data: TextData, base: int, mixed: bool = False
) -> Need:
    """See `nascore.search.assemble.Assembly.estimate`.

    Args:
      config: of a search on a text.
      data: as loaded.
      base: bytes that the process held before.
      mixed: whether all cells are mixed into one.
    """
    child, learning = config.child, config.weights
    vocabulary, units = len(data.vocabulary), child.hidden_units
    longest = learning.window + (20 if learning.jitter else 0)
    tokens = longest * learning.batch_size
    nodes = child.num_nodes + 1
    kept = _KEPT * nodes * (_MIXED if mixed else 1) * units
    weights = count_parameters(
        vocabulary, units, sum(slots(child.space, child.sharing))
    )
    text = 4 * sum(map(len, (data.train, data.validation, data.test)))
    return Need(
        {"process": base, "text": text, "graph": _GRAPH},
        {
            "activations": FLOAT * tokens * (kept + _LOGITS * vocabulary),
            # Weight, gradient, and what is taken from it; second order more.
            "weights": (8 if mixed else 4) * FLOAT * weights,
        },
        ("--batch_size", "--vocabulary", "--hidden_units", "--window"),
        peak(),
    )
