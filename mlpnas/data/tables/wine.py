"""Wine quality as tensorflow-datasets has it, with the three classes."""

import numpy as np
import pandas as pd

from nascore.data.tfds import download, is_prepared, make_builder, read_split
from nascore.errors import InputError

_BUILDER = "wine_quality/white"
_SOURCE = "https://archive.ics.uci.edu"
# The classes of the table that the public code of MLPNAS ships.
_CLASSES = ("low", "medium", "high")
_LOWEST_MEDIUM, _LOWEST_HIGH = 6, 8


def read_prepared_wine(data_dir: str) -> pd.DataFrame:
    """Reads white wine with the columns `quality` and `quality_label`.

    Args:
      data_dir: the tensorflow-datasets folder; empty for its default.

    Raises:
      InputError: it is not prepared and cannot be downloaded.
    """
    builder = make_builder(_BUILDER, data_dir)
    reason = "" if is_prepared(builder) else download(builder, _SOURCE)
    if reason:
        raise InputError(
            f"{_BUILDER} is not prepared in {builder.data_dir} and cannot be "
            f"downloaded ({reason}); give its CSV file with --data_file=FILE"
        )
    batch = read_split(builder, "train")
    frame = pd.DataFrame(batch["features"])
    quality = np.asarray(batch["quality"]).astype(int)
    frame["quality"] = quality
    place = (quality >= _LOWEST_MEDIUM).astype(int) + (quality >= _LOWEST_HIGH)
    frame["quality_label"] = np.array(_CLASSES)[place]
    return frame
