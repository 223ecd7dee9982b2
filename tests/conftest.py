import os
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")


@pytest.fixture(scope="session")
def official_files() -> Path:
    """The folder of the data sets' official files."""
    if "IENAS_DATA" not in os.environ:
        pytest.skip("IENAS_DATA does not name a folder of official data files")
    return Path(os.environ["IENAS_DATA"])
