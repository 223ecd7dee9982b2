"""Which searches this version can continue.

Without TensorFlow: a script says at once if it cannot.
"""

from pathlib import Path

from nascore.errors import InputError
from nascore.runs.json_files import read_object

# How a search keeps its state: names in checkpoints and of tables. One that
# began with another cannot be continued: raise this whenever they change.
# Searches that name none are of the first.
FORMAT = 2


def check_format(path: Path) -> None:
    """Checks that the search in a folder, if any, can be continued.

    Args:
      path: the run folder.

    Raises:
      InputError: another version began it.
    """
    file = path / "config.json"
    if file.exists() and read_object(file).get("search_format", 1) != FORMAT:
        raise InputError(
            f"{path} was begun by a version that keeps a search in another "
            "way, so this one cannot continue it; its plots, its comparison "
            "and its model still work. Finish it with that version, or start "
            "anew in another folder"
        )
