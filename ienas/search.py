"""The I-ENAS search: that of ENAS with another reward."""

from enas.reward import AccuracyReward
from enas.search import Search
from ienas.config import IenasConfig
from ienas.reward import RelativeReward
from nascore.data.images import ImageData
from nascore.runs.folder import RunFolder


def make_search(
    config: IenasConfig,
    run: RunFolder,
    data: ImageData | None = None,
    checkpoint_minutes: float = 10.0,
) -> Search:
    """Makes a search whose reward is relative; see `enas.search.Search`."""
    return Search(
        config,
        run,
        RelativeReward(AccuracyReward(), config.reward),
        data,
        "ienas",
        checkpoint_minutes,
    )
