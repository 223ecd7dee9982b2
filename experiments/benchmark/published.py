"""What papers print for NAS-Bench-201, each with the protocol behind it.

All as the paper of L2NAS (Mills et al., CIKM 2021, arXiv 2109.12425) lists
them, in percent, mean and standard deviation over runs. The protocols are
read off the papers and the published code of the baselines (AutoDL-Projects
of D-X-Y, `exps/NAS-Bench-201-algos`, January 2020, and issue 96 there, which
confirms that a cell is searched on CIFAR-10 once; arch2vec of MSU-MLSys-Lab).
That L2NAS's test column is a search of its own on the test accuracies is
inferred: on ImageNet-16-120 no choice by validation reaches it.
"""

from typing import NamedTuple

Number = tuple[float, float]


class PublishedRow(NamedTuple):
    """A printed row.

    Attributes:
      method: as it is called there.
      protocol: what was searched on, and how long.
      runs: that were averaged; 0: not said.
      numbers: mean and deviation of validation and test accuracy on each
        data set of `DATASETS`; None: not printed.
    """

    method: str
    protocol: str
    runs: int
    numbers: tuple[Number | None, ...]


_SHARED = "shared weights on CIFAR-10, looked up"
_BASELINE = (
    "12-epoch accuracy on CIFAR-10, 12,000 simulated seconds (90 to 100 "
    "cells), looked up"
)
_ARCH2VEC = (
    "CIFAR-10: 12-epoch accuracy, 12,000 simulated seconds; others: 200-epoch "
    "validation, 500,000 and 1,400,000 seconds"
)
_L2NAS = "{:,} queries of each column by itself (test: a leak)"

ROWS = (
    PublishedRow(
        "DARTS",
        _SHARED,
        3,
        (
            (39.77, 0.00),
            (54.30, 0.00),
            (15.03, 0.00),
            (15.61, 0.00),
            (16.43, 0.00),
            (16.32, 0.00),
        ),
    ),
    PublishedRow(
        "ENAS",
        _SHARED,
        3,
        (
            (37.51, 3.19),
            (53.89, 0.58),
            (13.37, 2.35),
            (13.96, 2.33),
            (15.06, 1.95),
            (14.84, 2.10),
        ),
    ),
    PublishedRow(
        "GDAS",
        _SHARED,
        3,
        (
            (89.89, 0.08),
            (93.61, 0.09),
            (71.34, 0.04),
            (70.70, 0.30),
            (41.59, 1.33),
            (41.71, 0.98),
        ),
    ),
    PublishedRow(
        "GAEA",
        "shared weights",
        0,
        (None, (94.10, 0.29), None, (73.43, 0.13), None, (46.36, 0.00)),
    ),
    PublishedRow(
        "RS",
        _BASELINE,
        500,
        (
            (90.93, 0.36),
            (93.70, 0.36),
            (70.93, 1.09),
            (71.04, 1.07),
            (44.45, 1.10),
            (44.57, 1.25),
        ),
    ),
    PublishedRow(
        "REA",
        _BASELINE,
        500,
        (
            (91.19, 0.31),
            (93.92, 0.30),
            (71.81, 1.12),
            (71.84, 0.99),
            (45.15, 0.89),
            (45.54, 1.03),
        ),
    ),
    PublishedRow(
        "REINFORCE",
        _BASELINE,
        500,
        (
            (91.09, 0.37),
            (93.85, 0.37),
            (71.61, 1.12),
            (71.71, 1.09),
            (45.05, 1.02),
            (45.24, 1.18),
        ),
    ),
    PublishedRow(
        "BOHB",
        _BASELINE,
        500,
        (
            (90.82, 0.53),
            (93.61, 0.52),
            (70.74, 1.29),
            (70.85, 1.28),
            (44.26, 1.36),
            (44.42, 1.49),
        ),
    ),
    PublishedRow(
        "arch2vec-RL",
        _ARCH2VEC,
        500,
        (
            (91.32, 0.42),
            (94.12, 0.42),
            (73.12, 0.72),
            (73.15, 0.78),
            (46.22, 0.30),
            (46.16, 0.38),
        ),
    ),
    PublishedRow(
        "arch2vec-BO",
        _ARCH2VEC,
        500,
        (
            (91.41, 0.22),
            (94.18, 0.24),
            (73.35, 0.32),
            (73.37, 0.30),
            (46.34, 0.18),
            (46.27, 0.37),
        ),
    ),
    PublishedRow(
        "L2NAS-500",
        _L2NAS.format(500),
        10,
        (
            (91.36, 0.19),
            (94.11, 0.16),
            (72.47, 0.74),
            (72.69, 0.58),
            (46.23, 0.28),
            (46.74, 0.39),
        ),
    ),
    PublishedRow(
        "L2NAS-1k",
        _L2NAS.format(1000),
        10,
        (
            (91.47, 0.15),
            (94.28, 0.08),
            (73.02, 0.52),
            (73.09, 0.35),
            (46.58, 0.08),
            (47.03, 0.27),
        ),
    ),
)
