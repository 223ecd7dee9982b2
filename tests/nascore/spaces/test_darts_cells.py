import json

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from nascore.errors import InputError
from nascore.spaces.cells import CellSpace
from nascore.spaces.darts_cells import DARTS_OPERATIONS, PAIRS, DartsSpace
from nascore.spaces.genotypes import PUBLISHED, read_genotype, write_genotype
from nascore.spaces.kinds import from_fields, to_fields

SPACE = DartsSpace()
# As the public code prints it.
V2 = (
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), "
    "('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 1), "
    "('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], "
    "normal_concat=[2, 3, 4, 5], reduce=[('max_pool_3x3', 0), "
    "('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), "
    "('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), "
    "('max_pool_3x3', 1)], reduce_concat=[2, 3, 4, 5])"
)
TINY = (
    "Genotype(normal=[('a', 0), ('b', 1)], normal_concat=[2], "
    "reduce=[('b', 1), ('b', 0)], reduce_concat=[2])"
)


def examples(count):
    """The same ones every time, and no clock."""
    return hypothesis.settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )


@st.composite
def genotypes(draw):
    """Texts in the order that anybody may write a node in."""
    parts = []
    nodes = draw(st.integers(1, 6))
    for name in ("normal", "reduce"):
        edges = []
        for node in range(nodes):
            inputs = st.integers(0, node + 1)
            pair = draw(st.lists(inputs, min_size=2, max_size=2, unique=True))
            edges += [
                (draw(st.sampled_from(DARTS_OPERATIONS)), x) for x in pair
            ]
        parts.append(f"{name}={edges}")
        parts.append(f"{name}_concat={[*range(2, nodes + 2)]}")
    return nodes, f"Genotype({', '.join(parts)})"


def terms(genotype):
    """What each node sums, whatever comes first."""
    return [
        [sorted(edges[k : k + 2]) for k in range(0, len(edges), 2)]
        for edges in genotype
    ]


@examples(100)
@hypothesis.given(genotypes())
def test_a_genotype_survives_both_ways(sample):
    nodes, text = sample
    # As its authors wrote it, to the letter.
    assert write_genotype(read_genotype(text)) == text
    space = DartsSpace(num_nodes=nodes)
    architecture = space.parse(text)
    again = space.genotype(architecture)
    assert terms(read_genotype(again)) == terms(read_genotype(text))
    assert space.parse(again) == architecture
    assert space.parse(space.format(architecture)) == architecture
    row = space.encode(architecture)
    assert space.is_legal(row) and space.decode(row) == architecture


@examples(200)
@hypothesis.given(
    st.integers(0, len(V2)), st.integers(0, 9), st.text(max_size=6)
)
def test_any_damage_is_said_in_one_line(place, length, new):
    text = V2[:place] + new + V2[place + length :]
    try:
        SPACE.parse(text)
    except InputError as error:
        assert str(error).isprintable()


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_cells_by_name(name):
    architecture = SPACE.parse(name)
    assert SPACE.parse(f" {name.lower()} ") == architecture
    assert SPACE.parse(write_genotype(PUBLISHED[name])) == architecture
    again = read_genotype(SPACE.genotype(architecture))
    assert terms(again) == terms(PUBLISHED[name])


def test_the_second_order_cell_in_all_its_forms():
    architecture = SPACE.parse(V2)
    assert architecture == SPACE.parse("DARTS_V2")
    assert write_genotype(PUBLISHED["DARTS_V2"]) == V2
    assert str(architecture.cells[0]) == "0 3 1 3 0 3 1 3 0 2 1 3 0 2 2 5"
    # By its integers, inputs of a node in any order.
    other = "1 3 0 3 0 3 1 3 1 3 0 2 2 5 0 2 " + str(architecture.cells[1])
    assert SPACE.parse(other) == architecture
    # As a search prints it, and nested by node as other codes do.
    text = V2.replace("[2, 3, 4, 5]", "range(2, 6)")
    assert SPACE.parse(text) == architecture
    for cell in ("normal", "reduce"):
        start = text.index(f"{cell}=[") + len(cell) + 2
        stop = text.index("]", start)
        words = text[start:stop].replace("), (", ");(").split(";")
        nested = ", ".join(
            f"[{words[k]}, {words[k + 1]}]" for k in range(0, 8, 2)
        )
        text = text[:start] + nested + text[stop:]
    assert SPACE.parse(text) == architecture
    assert SPACE.describe(architecture).splitlines()[-2:] == [
        "  output = concat(node 0, node 1, node 2, node 3)",
        SPACE.genotype(architecture),
    ]


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("('b', 1)", "('c', 1)", "unknown operation 'c' in node 0 of the norm"),
        ("('b', 0)", "('b', 1)", "of the genotype reads tensor 1 twice"),
        ("('b', 1)", "('b', 2)", "node 0 in normal of the genotype reads tens"),
        ("('b', 1)", "('b', -1)", "reads tensors 0 to 1. Received: ('b', -1)"),
        ("('b', 1)", "('b', True)", "needs pairs such as"),
        ("('b', 1)", "(1, 'b')", "needs pairs such as"),
        (", ('b', 1)]", "]", "two pairs for each node"),
        ("normal_concat=[2]", "normal_concat=[1, 2]", "must be [2], all nodes"),
        ("reduce_concat=[2]", "reduce_concat=[]", "reduce_concat of the genot"),
        ("reduce_concat=[2]", "reduce_concat=2", "must be [2], all nodes"),
        (
            "reduce_concat=[2]",
            "reduce_concat=range(0, 10000000000)",
            "must be [2]",
        ),
        (", reduce_concat=[2]", "", "a genotype reads Genotype(normal=[("),
        ("reduce_concat", "other", "a genotype reads Genotype(normal=[("),
        ("[('a', 0)", "[open('a')", "a genotype reads Genotype(normal=[("),
        ("Genotype(", "Genotype2(", "a genotype reads Genotype(normal=[("),
        ("[2])", "[2]", "or is the name of one of: DARTS_V1, DARTS_V2, PC_D"),
    ],
)
def test_what_is_no_genotype_is_said_in_one_line(old, new, message):
    space = DartsSpace(("a", "b"), 1)
    assert str(space.parse(TINY)) == "0 0 1 1 0 1 1 1"
    wrong = TINY.replace(old, new, 1)
    assert wrong != TINY
    with pytest.raises(InputError) as error:
        space.parse(wrong)
    assert message in str(error.value)
    assert str(error.value).isprintable() and len(str(error.value)) < 300


def test_other_sizes_and_types_are_named():
    with pytest.raises(InputError, match="has 4 nodes; this space has 3"):
        DartsSpace(num_nodes=3).parse("DARTS_V2")
    with pytest.raises(InputError, match="skip_connect.*--operations"):
        DartsSpace(("sep_conv_3x3", "identity")).parse("DARTS_V1")
    with pytest.raises(InputError, match="those of this space are: normal"):
        DartsSpace(cell_types=("normal",)).parse("DARTS_V2")
    with pytest.raises(InputError, match="at most 20 nodes"):
        DartsSpace(num_nodes=21)


def test_one_input_twice_is_refused():
    text = str(SPACE.parse("DARTS_V2")).split()
    text[6] = text[4]
    with pytest.raises(InputError, match="node 1 of the normal cell reads ten"):
        SPACE.parse(" ".join(text))
    row = SPACE.encode(SPACE.parse("DARTS_V2"))
    row[3] = 3
    with pytest.raises(InputError, match=r"4 of the row \(pair of node 1 of "):
        SPACE.decode(row)


def test_the_size_is_the_published_one():
    # Section 3.1: the product over nodes of C(k + 1, 2) 7^2, about 10^9 for
    # one cell and 10^18 for both.
    cell = 7**8 * 1 * 3 * 6 * 10
    assert SPACE.size() == cell**2
    assert 1e9 < cell < 1.1e9
    assert len({tuple(pair) for pair in PAIRS.tolist()}) == len(PAIRS)


def test_each_row_has_cells_of_the_larger_space():
    larger = CellSpace(SPACE.operations, SPACE.num_nodes)
    for row in SPACE.sample(np.random.default_rng(0), 50):
        architecture = SPACE.decode(row)
        assert larger.parse(str(architecture)) == architecture
        for cell in architecture.cells:
            assert SPACE.ends(cell) == (2, 3, 4, 5)


def test_a_run_names_it():
    stored = json.loads(json.dumps(to_fields(DartsSpace(("a", "b"), 3))))
    assert from_fields(stored) == DartsSpace(("a", "b"), 3)
