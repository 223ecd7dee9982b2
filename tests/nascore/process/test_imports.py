import subprocess
import sys
import threading

import pytest

from nascore.process.imports import SparingFinder

LIBRARY = """
import sys
import ienas
ienas.CellSearch
import keras
assert {"pandas", "sklearn"} <= set(sys.modules)
"""
SCRIPT = """
import sys
from nascore.process.imports import spare
spare()
import keras
spared = {"matplotlib.pyplot", "pandas", "sklearn"}
assert not spared & set(sys.modules)
assert type(keras.__loader__).__name__ == "SourceFileLoader"
assert keras.__spec__.loader is keras.__loader__
assert "Sparing" not in str(sys.meta_path)
import matplotlib.pyplot, pandas, sklearn.linear_model
assert spared <= set(sys.modules)
"""


@pytest.mark.parametrize("code", [SCRIPT, LIBRARY])
def test_scripts_do_without_what_a_process_of_the_user_keeps(code):
    pytest.importorskip("sklearn")
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_it_is_hidden_only_from_the_thread_that_imports_keras():
    finder = SparingFinder()
    assert finder.find_spec("pandas", None) is None
    finder.hides_from = threading.get_ident()
    with pytest.raises(ModuleNotFoundError, match="pandas"):
        finder.find_spec("pandas", None)
    assert finder.find_spec("numpy", None) is None
    assert finder.find_spec("pandas.core", None) is None
    finder.hides_from += 1
    assert finder.find_spec("pandas", None) is None
