"""Recurrent cells: rows, texts of three codes, sizes, relaxation."""

import json
import math

import numpy as np
import pytest

from nascore.errors import InputError
from nascore.spaces import kinds
from nascore.spaces.recurrent import PUBLISHED, RecurrentSpace, find_cell
from nascore.spaces.relaxation import relax

SPACE = RecurrentSpace()
# As `rnn/genotypes.py` of DARTS's code prints it.
V2 = (
    "Genotype(recurrent=[('sigmoid', 0), ('relu', 1), ('relu', 1), "
    "('identity', 1), ('tanh', 2), ('sigmoid', 5), ('tanh', 3), ('relu', 5)], "
    "concat=range(1, 9))"
)


def test_sizes_are_those_of_the_papers():
    assert SPACE.size() == math.factorial(8) * 4**8
    # ENAS, section 3.1: 12 nodes, the function of the first one chosen, too.
    paper = RecurrentSpace(num_nodes=11, first="chosen", output="ends")
    assert paper.size() == 4**12 * math.factorial(11)
    assert f"{paper.size():.2g}" == "6.7e+14"
    tiny = RecurrentSpace(("tanh", "relu"), 2, "chosen")
    rows = [tuple(row) for row in tiny.enumerate()]
    assert len(set(rows)) == len(rows) == tiny.size() == 2**3 * 2


def test_rows_and_both_texts_stand_for_one_cell():
    for space in (SPACE, RecurrentSpace(num_nodes=3, first="chosen")):
        for row in space.sample(np.random.default_rng(1), 20):
            cell = space.decode(row)
            assert (space.encode(cell) == row).all()
            assert space.parse(space.format(cell)) == cell
            if not space.skip:
                assert space.parse(space.genotype(cell)) == cell
        fields = json.loads(json.dumps(kinds.to_fields(space)))
        assert kinds.from_fields(fields) == space


def test_published_cells_are_found_by_name():
    assert SPACE.genotype(SPACE.parse("darts_v2")) == V2
    assert SPACE.parse(V2) == SPACE.parse(PUBLISHED["DARTS_V2"].text)
    assert SPACE.parse("ENAS").nodes[:3] == ((0, 2), (1, 0), (2, 1))
    paper = find_cell("enas_paper")
    # DARTS's code lists these as what its state is the mean of.
    cell = paper.space.parse("ENAS_paper")
    assert cell.ends == (2, 5, 6, 9, 10, 11)
    assert "mean of 2, 5, 6, 9, 10, 11" in paper.space.describe(cell)
    assert paper.space.parse(paper.space.genotype(cell)) == cell


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0 1 1", "has 16 integers.*Received: 3, which end at node 2"),
        ("0 1 2 1 " + "0 0 " * 6, "input of node 2 .* from 0 to 1"),
        ("0 4 " + "0 0 " * 7, "function of node 1 .* from 0 to 3"),
        ("", "given as integers"),
        ("relu 0", "given as integers"),
        ("Genotype(recurrent=[(1, 2)])", "genotype of a recurrent cell reads"),
        ("[('relu', 0), ('elu', 0)]", "node 2 .* function 'elu'"),
        (V2.replace("range(1, 9)", "[1, 8]"), "mean of nodes"),
        ("[" * 9_000, "genotype of a recurrent cell reads"),
        ("ENAS_paper", "has --num_nodes=11 and --cell_output=ends"),
    ],
)
def test_what_is_no_cell_is_refused_in_a_line(text, said):
    with pytest.raises(InputError, match=said) as caught:
        SPACE.parse(text)
    assert "\n" not in str(caught.value)


def test_the_strongest_input_and_function_of_each_node_are_taken():
    relaxation = relax(SPACE)
    assert relaxation.size == 36 * 4
    rows = SPACE.sample(np.random.default_rng(2), 50)
    numbers = np.random.default_rng(3).normal(size=(50, relaxation.size))
    places = relaxation.positions(rows)
    np.put_along_axis(numbers, places, 9.0, axis=1)
    assert (relaxation.rows(numbers) == rows).all()
