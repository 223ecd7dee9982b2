"""Tables with a name of their own: wine quality and Japanese vowels."""

from pathlib import Path

import pandas as pd

from mlpnas.data.config import MlpDataConfig
from mlpnas.data.tables.files import read_table
from nascore.errors import InputError

WINE_LABEL = "quality_label"
WINE_LEAK = "quality"


def read_wine(config: MlpDataConfig) -> tuple[pd.DataFrame, list[str]]:
    """White wine, three classes of quality."""
    if not config.data_file:
        # Slow to import, and needed here only.
        from mlpnas.data.tables.wine import read_prepared_wine

        frame = read_prepared_wine(config.data_dir)
    else:
        frame = read_table(Path(config.data_file), "data_file").frame
        for name in (WINE_LABEL, WINE_LEAK):
            if name not in frame:
                raise InputError(
                    f"--data_file={config.data_file} lacks the column "
                    f"{name!r}; for a table of your own give --dataset=table"
                )
    if config.leaky:
        return frame, [
            "--leaky: `quality`, of which the label is a function, and the "
            "row number are inputs; such accuracies are not those of the task"
        ]
    return frame.drop(columns=[WINE_LEAK]), [
        "`quality`, of which the label is a function, is left out"
    ]


def read_vowels(
    config: MlpDataConfig,
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Utterances of nine speakers, each the mean of its frames."""
    frames = read_table(Path(config.data_file), "data_file").frame
    keys = ["split", "speaker", "utterance"]
    for name in (*keys, "frame"):
        if name not in frames:
            raise InputError(
                f"--data_file={config.data_file} lacks the column {name!r}"
            )
    means = frames.groupby(keys, sort=True).mean().reset_index()
    parts = [
        means[means["split"] == part].drop(
            columns=["split", "utterance", "frame"]
        )
        for part in ("train", "test")
    ]
    return *parts, ["an example is the mean over the frames of an utterance"]
