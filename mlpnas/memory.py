"""Memory that an MLPNAS search needs, counted from its settings."""

from mlpnas.config import MlpnasConfig
from mlpnas.data.load import MlpData
from nascore.process.memory import FLOAT, Need, peak
from nascore.spaces.perceptrons import HiddenLayer, count_parameters

# Bytes of a process that trains candidates: Python and TensorFlow. Measured.
_WORKER = 450 * 2**20
# Bytes of compiled graph for each number of layers. Measured.
_GRAPH = 12 * 2**20
# Examples that are evaluated at once.
_EVALUATED = 2048


def estimate(config: MlpnasConfig, data: MlpData, base: int, jobs: int) -> Need:
    """What a search and the comparison after it need at their peak.

    Args:
      config: of the search.
      data: its examples, loaded.
      base: bytes that the process held before it loaded them.
      jobs: candidates trained at the same time; 1 is in this process, fewer
        means a cluster's processes, which are not counted.
    """
    space = config.space.space(data.classes)
    widest = max(space.units)
    depth = space.max_layers - 1
    largest = (HiddenLayer(widest, space.activations[0]),) * depth
    weights = count_parameters(largest, data.features, space.outputs)
    examples = data.train.features.nbytes + data.validation.features.nbytes
    # Of each layer what it puts out, before and after the activation, and
    # their gradients.
    batch = config.training.batch_size * depth * widest * 4
    evaluation = _EVALUATED * (data.features + 3 * widest)
    trainer = {
        # Weight, both of Adam's averages, the best, gradient; and on the way
        # here and there.
        "weights": 7 * FLOAT * weights,
        "activations": FLOAT * max(batch, evaluation),
        "examples": examples,
    }
    graphs = _GRAPH * depth
    host = {
        "process": base,
        "data": examples + data.test.features.nbytes,
        "graphs": graphs,
    }
    if jobs > 1:
        each = _WORKER + graphs + examples + sum(trainer.values())
        host["other processes"] = jobs * each
    if config.training.one_shot:
        host["weight bank"] = int(config.training.bank_megabytes * 1e6)
    if config.finetune.competitors:
        # Scikit-learn computes in float64.
        host["comparison"] = 2 * examples
    return Need(
        host,
        # Fine-tuning is done in this process, whatever the jobs.
        trainer,
        ("--jobs", "--train_examples", "--batch_size", "--units"),
        peak() if jobs <= 1 else 0,
    )
