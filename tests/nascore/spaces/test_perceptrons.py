import numpy as np
import pytest

from nascore.errors import InputError
from nascore.spaces.perceptrons import HiddenLayer, MlpSpace, count_parameters

SPACE = MlpSpace()


def legal(words, space):
    """The rules, written a second time and without the table of masks."""
    if not 2 <= len(words) <= space.max_layers or words[-1] != space.final:
        return False
    hidden = words[:-1]
    if space.final in hidden or words[0] == "dropout":
        return False
    return ["dropout", "dropout"] not in [
        hidden[place : place + 2] for place in range(len(hidden))
    ]


def test_text_ids_and_layers_are_one_thing():
    text = "256 relu | dropout | 64 elu | softmax"
    architecture = SPACE.parse(text)
    assert architecture == (
        HiddenLayer(256, "relu", True),
        HiddenLayer(64, "elu"),
    )
    assert SPACE.format(architecture) == text
    ids = SPACE.encode(architecture)
    assert ids.tolist() == [23, 29, 16, 30, 0, 0, 0, 0, 0, 0]
    assert SPACE.decode(ids) == architecture
    assert SPACE.parse("256  relu|dropout |64 elu| softmax") == architecture
    assert hash(architecture) == hash(SPACE.parse(text))


def test_published_architectures_parse():
    texts = (
        "32 elu | 512 sigmoid | 32 elu | 512 sigmoid | softmax",
        "128 elu | 64 relu | 64 relu | 32 relu | 512 sigmoid | 64 tanh | "
        "64 relu | 32 relu | 256 relu | softmax",
        "512 sigmoid | 512 relu | dropout | 512 relu | 256 elu | 256 elu | "
        "256 tanh | 512 elu | 256 elu | softmax",
    )
    for text in texts:
        assert SPACE.format(SPACE.parse(text)) == text


def test_a_hundred_thousand_samples_and_none_illegal():
    space = MlpSpace(depth_prior="paper")
    sequences = space.sample(np.random.default_rng(0), 100_000)
    seen = set()
    for ids in sequences:
        architecture = SPACE.decode(ids)
        seen.add(architecture)
        words = SPACE.format(architecture).split(" | ")
        assert legal(words, SPACE), words
        assert SPACE.encode(architecture).tolist() == ids.tolist()
    assert len(seen) > 90_000
    lengths = np.count_nonzero(sequences, axis=1)
    assert set(lengths) == set(range(2, 11))


def test_size_is_the_number_of_legal_sequences():
    import itertools

    space = MlpSpace((8, 16), ("relu", "tanh"), max_layers=4, classes=2)
    count = sum(
        legal(list(words), space)
        for length in range(1, 5)
        for words in itertools.product(space.vocabulary, repeat=length)
    )
    assert space.size() == count
    assert MlpSpace((8,), ("relu",), 2, has_dropout=False).size() == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "layer 1 must be a width and an activation such as '8 sigmoid'"),
        ("softmax", "layer 1 cannot be softmax"),
        ("dropout | softmax", "layer 1 cannot be dropout"),
        ("8 relu", "does not end in softmax"),
        ("8 relu | sigmoid", "layer 2 must be a width"),
        ("8 relu | dropout | dropout | softmax", "cannot be dropout after"),
        ("8 relu | softmax | 8 relu", "layer 3 cannot be 8 relu after"),
        ("9 relu | softmax", "Received: '9 relu'"),
        (" | ".join(["8 relu"] * 10 + ["softmax"]), "Received: 11 layers"),
        (" | ".join(["8 relu"] * 10), "layer 10 cannot be 8 relu"),
    ],
)
def test_a_bad_text_is_one_clear_line(text, words):
    with pytest.raises(InputError) as error:
        SPACE.parse(text)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("ids", "words"),
    [([31] + [0] * 9, "id 31 at place 1"), ([0] * 10, "does not end")],
)
def test_bad_ids_are_one_clear_line(ids, words):
    with pytest.raises(InputError, match=words):
        SPACE.decode(np.array(ids))


def test_parameters_are_those_of_keras():
    import keras

    architecture = SPACE.parse("16 relu | dropout | 8 elu | softmax")
    model = keras.Sequential(
        [
            keras.Input((7,)),
            keras.layers.Dense(16, "relu"),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(8, "elu"),
            keras.layers.Dense(10, "softmax"),
        ]
    )
    assert count_parameters(architecture, 7, 10) == model.count_params()
