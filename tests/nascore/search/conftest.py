import pytest

from tests.nascore.search.toy import hosted, in_graph, search


@pytest.fixture(scope="module", params=[in_graph, hosted])
def whole(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "whole"
    return path, request.param, *search(path, request.param)
