"""A short part of what `kill_anywhere.py` does at length."""

import pytest

from tests.faults.kill_anywhere import check


@pytest.mark.slow
def test_a_search_killed_at_random_ends_as_if_undisturbed(
    whole_search, tmp_path
):
    (tmp_path / "enas-whole").symlink_to(whole_search)
    rows = check("enas", 3, tmp_path, seed=11)
    assert sum(row["exit_code"] == -9 for row in rows) == 3
    assert rows[-1]["exit_code"] == 0
    assert [row["differences"] for row in rows if "differences" in row] == [""]
