"""What holds for one start of a run, from its flags."""

from experiments import launch
from nascore.process.memory import Need, size_text
from nascore.runs.config import RunConfig
from nascore.runs.interrupts import Limit
from nascore.runs.progress import Terms


def make_terms(
    run_config: RunConfig, need: Need, shorter: str, after: str = ""
) -> Terms:
    """The terms of this start.

    Args:
      run_config: its flags.
      need: of memory.
      shorter: how to have less, where it takes long.
      after: what comes after what is measured.
    """
    limit = Limit(run_config.max_hours, launch.began())
    return Terms(limit, size_text(need.total), shorter, after)
