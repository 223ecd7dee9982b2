"""The searches behind the tables of the MLPNAS paper, and its numbers."""

from collections.abc import Mapping
from typing import Any, NamedTuple

# The tables' rows, as files.
RUNS_FILE = "runs.csv"
COMPETITORS_FILE = "competitors.csv"
# Of what the best network is compared with, in the order of the table.
SCIKIT_LEARN = ("mlp", "logistic", "boosting")


class Published(NamedTuple):
    """What a table of the paper says.

    Attributes:
      table: its number.
      worst: validation accuracy of the worst of the top five.
      best: validation accuracy of the best.
      test: test accuracy of the best, after fine-tuning; None if not given.
      mlp: test accuracy of scikit-learn's MLPClassifier.
    """

    table: int
    worst: float
    best: float
    test: float | None
    mlp: float


class Variant(NamedTuple):
    """A kind of search.

    Attributes:
      title: for tables.
      data: mnist, wine or speakers.
      settings: what is not a default.
      rival: the variant of random search at equal budget, with stored
        weights if this one has them; empty for itself.
      published: the paper's numbers, if it has this variant.
    """

    title: str
    data: str
    settings: Mapping[str, Any]
    rival: str = ""
    published: Published | None = None


_RANDOM = {"controller": "random"}
_RANDOM_ONE_SHOT = {**_RANDOM, "one_shot": True}
_BOTH = {"one_shot": True, "predictor": True}
_LARGE = {"epochs": 15, "architectures": 30}

VARIANTS = {
    "mnist": Variant(
        "MNIST",
        "mnist",
        {},
        "mnist_random",
        Published(1, 0.68, 0.72, 0.72, 0.93),
    ),
    "mnist_predictor": Variant(
        "MNIST, predictor",
        "mnist",
        {"predictor": True},
        "mnist_random",
        Published(2, 0.66, 0.74, 0.86, 0.91),
    ),
    "mnist_one_shot": Variant(
        "MNIST, one-shot",
        "mnist",
        {"one_shot": True},
        "mnist_random_one_shot",
    ),
    "mnist_both": Variant(
        "MNIST, one-shot and predictor",
        "mnist",
        _BOTH,
        "mnist_random_one_shot",
        Published(3, 0.70, 0.77, 0.84, 0.92),
    ),
    "mnist_random": Variant("MNIST, random search", "mnist", _RANDOM),
    "mnist_random_one_shot": Variant(
        "MNIST, random search, one-shot", "mnist", _RANDOM_ONE_SHOT
    ),
    "mnist_large": Variant(
        "MNIST, one-shot and predictor, 15 x 30",
        "mnist",
        {**_BOTH, **_LARGE},
        "mnist_large_random_one_shot",
        Published(4, 0.95, 0.96, None, 0.92),
    ),
    "mnist_large_random": Variant(
        "MNIST, random search, 15 x 30", "mnist", {**_RANDOM, **_LARGE}
    ),
    "mnist_large_random_one_shot": Variant(
        "MNIST, random search, one-shot, 15 x 30",
        "mnist",
        {**_RANDOM_ONE_SHOT, **_LARGE},
    ),
    "speakers": Variant(
        "speakers, one-shot and predictor",
        "speakers",
        _BOTH,
        "speakers_random_one_shot",
        Published(5, 0.42, 0.43, 0.47, 0.21),
    ),
    "speakers_random": Variant("speakers, random search", "speakers", _RANDOM),
    "speakers_random_one_shot": Variant(
        "speakers, random search, one-shot", "speakers", _RANDOM_ONE_SHOT
    ),
    "wine": Variant(
        "wine quality, one-shot and predictor, LSTM of 512",
        "wine",
        {**_BOTH, "lstm_units": 512},
        "wine_random_one_shot",
        Published(6, 0.64, 0.66, 0.64, 0.69),
    ),
    "wine_random": Variant("wine quality, random search", "wine", _RANDOM),
    "wine_random_one_shot": Variant(
        "wine quality, random search, one-shot", "wine", _RANDOM_ONE_SHOT
    ),
}


def variants_of(tables: list[int]) -> list[str]:
    """Names of the variants that some of the paper's tables need.

    Random search without stored weights is named only where it is a rival;
    the others of it are known for the rows of earlier runs.
    """
    wanted: list[str] = []
    for name, variant in VARIANTS.items():
        if variant.published and variant.published.table in tables:
            wanted += [name, variant.rival]
    # One-shot without the predictor tells the two apart; the paper has no
    # such table.
    if {1, 3} <= set(tables):
        wanted.append("mnist_one_shot")
    return [name for name in VARIANTS if name in wanted]
