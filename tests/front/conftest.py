import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parent.parent.parent


class Answer(NamedTuple):
    code: int
    out: str
    error: str
    report: dict[str, Any]


@pytest.fixture(scope="session")
def answer():
    """Answers command lines as `ienas` does, see `server.py`.

    `answer("search", "enas", "-h")`; with `-m MODULE` first another module.
    """
    server = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("server.py")],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def run(*words, only_read=False, **variables):
        words = [str(word) for word in words]
        server.stdin.write(json.dumps([words, variables, only_read]) + "\n")
        server.stdin.flush()
        return Answer(*json.loads(server.stdout.readline()))

    yield run
    server.stdin.close()
    server.wait()
