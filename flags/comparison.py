"""Flags of the comparison: those of the searches, and which to compare."""

from absl import flags

from flags import base
from ienas.config import IenasConfig

METHODS = ("enas", "ienas", "ienas_paper", "ienas_code", "random")
BACKENDS = ("threading", "dask", "ray")


def define() -> None:
    """Defines the flags."""
    base.define(IenasConfig())
    flags.DEFINE_list(
        "methods",
        ["enas", "ienas", "random"],
        "What to compare: enas, ienas (with --reward_rule), ienas_paper, "
        "ienas_code, random (uniform architectures). All other settings, "
        "--num_aggregate included, are the same for all.",
    )
    flags.DEFINE_integer(
        "seeds", 5, "Runs of each method, from --seed upwards.", 1
    )
    flags.DEFINE_integer("jobs", 1, "Runs at the same time.", 1)
    flags.DEFINE_enum(
        "backend",
        "threading",
        BACKENDS,
        "Where they run: threading is this machine; dask and ray spread them "
        "over a cluster that shares this file system.",
    )
    flags.DEFINE_string(
        "scheduler",
        "",
        "Address of the Dask scheduler or the Ray cluster; empty starts one "
        "on this machine.",
    )
    base.define_path(
        "out",
        "",
        "Folder of the comparison; empty: comparisons/<dataset>. The runs go "
        "to its sub-folder runs.",
    )
    flags.DEFINE_integer(
        "rank_check",
        0,
        "Train this many of each run's proposals standalone, and compare "
        "the ranking with that of the shared weights; 0 is off.",
        0,
    )
    flags.DEFINE_integer(
        "rank_check_epochs", 5, "Epochs of each standalone training.", 1
    )


def read() -> IenasConfig:
    """Reads the settings that all runs share."""
    return base.read(IenasConfig())
