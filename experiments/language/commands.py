"""What a search of recurrent cells is good for next."""

from pathlib import Path

from experiments.support import program
from nascore.paths import quote


def next_commands(path: Path) -> list[str]:
    """The commands that train what a search found.

    Args:
      path: its run folder.
    """
    command = (
        "python -m experiments.train_language --from_run="
        f"{quote(str(path))} --rank=1"
    )
    return [program.rewrite(command)]
