"""Reads JSON files that somebody else may have written."""

import json
from pathlib import Path
from typing import Any

from nascore.config import Kind, check_kind
from nascore.errors import InputError

# A config.json has some kilobytes, the longest ranking some megabytes.
MAX_BYTES = 64 << 20


def read_json(path: Path) -> Any:
    """Reads a JSON file.

    Raises:
      InputError: it is missing, is not JSON, or is far too large or deep.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(
                f"{path} has more than {MAX_BYTES >> 20} MiB; such a file "
                "is not ours"
            )
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"{path} does not exist; is {path.parent} a run folder?"
        ) from None
    except RecursionError:
        raise InputError(f"{path} cannot be read: nested too deeply") from None
    except InputError:
        raise
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}") from None


def read_object(path: Path) -> dict[str, Any]:
    """Reads a JSON file that holds an object.

    Raises:
      InputError: as `read_json`, or it holds something else.
    """
    return check_kind(read_json(path), dict, str(path))


def look_up(content: Any, path: Path, name: str, kind: type[Kind]) -> Kind:
    """Returns a value inside what a JSON file held, of the right kind.

    Args:
      content: what was read.
      path: the file, for messages.
      name: keys from the outside to the inside, with dots between.
      kind: dict, list, str, bool, int, or float for a finite number.

    Raises:
      InputError: it is missing, or of another kind.
    """
    keys = name.split(".")
    for place, key in enumerate(keys):
        if not isinstance(content, dict) or key not in content:
            where = ".".join(keys[: place + 1])
            raise InputError(f"{path} is damaged: it lacks {where!r}")
        content = content[key]
    return check_kind(content, kind, f"{path} is damaged: {name!r}")
