import os
import subprocess

import pytest

from tests.faults.kill_anywhere import ROOT, SCRIPTS, command


@pytest.fixture(scope="session")
def user_environment():
    """Of a user who has set nothing."""
    environment = {**os.environ}
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)
    return environment


@pytest.fixture(scope="session")
def whole_search(tmp_path_factory, user_environment):
    """The folder of an ENAS search that nobody disturbed."""
    path = tmp_path_factory.mktemp("faults") / "whole"
    subprocess.run(
        command(SCRIPTS["enas"], path),
        cwd=ROOT,
        env=user_environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return path
