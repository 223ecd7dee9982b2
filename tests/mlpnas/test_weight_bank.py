import numpy as np
import pytest

from mlpnas.weight_bank import WeightBank, bigrams
from nascore.spaces.perceptrons import MlpSpace

SPACE = MlpSpace()
A = SPACE.parse("16 relu | dropout | 8 elu | softmax")
B = SPACE.parse("16 relu | 8 elu | 8 elu | softmax")


def weights(value, *shapes):
    return [
        (np.full(shape, value, np.float32), np.full(shape[1], value, "f4"))
        for shape in shapes
    ]


def test_keys_are_pairs_of_layers_with_weights():
    assert bigrams(A) == [
        ("input", "16 relu"),
        ("16 relu", "8 elu"),
        ("8 elu", "final"),
    ]
    # The same widths with another activation are other layers.
    other = bigrams(SPACE.parse("16 tanh | 8 elu | softmax"))
    assert other[:2] == [("input", "16 tanh"), ("16 tanh", "8 elu")]


def test_known_pairs_come_from_the_store_and_others_stay():
    bank = WeightBank(1.0)
    fresh = weights(0, (5, 16), (16, 8), (8, 10))
    assert bank.look_up(A, fresh) == (fresh, 0)
    bank.store(A, weights(1, (5, 16), (16, 8), (8, 10)))
    assert len(bank) == 3
    shapes = (5, 16), (16, 8), (8, 8), (8, 10)
    found, known = bank.look_up(B, weights(0, *shapes))
    assert known == 3
    assert [layer[0].mean() for layer in found] == [1, 1, 0, 1]
    assert [layer[0].shape for layer in found] == list(shapes)


def test_of_a_pair_that_repeats_the_last_weights_stay():
    bank = WeightBank(1.0)
    twice = SPACE.parse("8 elu | 8 elu | 8 elu | softmax")
    layers = weights(0, (5, 8), (8, 8), (8, 8), (8, 10))
    layers[1][0][:], layers[2][0][:] = 1, 2
    bank.store(twice, layers)
    found, known = bank.look_up(twice, layers)
    assert known == 4
    assert [layer[0].mean() for layer in found] == [0, 2, 2, 0]


def test_memory_is_bounded_and_the_least_recently_used_go():
    one = 4 * (100 * 8 + 8)
    bank = WeightBank(4.5 * one / 1e6)
    chosen = [
        SPACE.parse(f"8 {name} | softmax") for name in ("relu", "tanh", "elu")
    ]
    layers = weights(1, (100, 8), (8, 100))
    bank.store(chosen[0], layers)
    bank.store(chosen[1], layers)
    assert len(bank) == 4
    bank.look_up(chosen[0], layers)  # Now the second is the oldest.
    bank.store(chosen[2], layers)
    assert bank.size <= 4.5 * one
    assert bank.look_up(chosen[0], layers)[1] == 2
    assert bank.look_up(chosen[1], layers)[1] == 0
    assert bank.look_up(chosen[2], layers)[1] == 2
    nothing = WeightBank(0.0)
    nothing.store(chosen[0], layers)
    assert len(nothing) == 0


def test_saved_and_read_back_in_the_same_order():
    bank, other = WeightBank(1.0), WeightBank(1.0)
    bank.store(A, weights(1, (5, 16), (16, 8), (8, 10)))
    bank.store(B, weights(2, (5, 16), (16, 8), (8, 8), (8, 10)))
    other.deserialize(bank.serialize())
    assert list(other._store) == list(bank._store)
    assert other.size == bank.size
    for key, layer in bank._store.items():
        for mine, theirs in zip(layer, other._store[key], strict=True):
            np.testing.assert_array_equal(mine, theirs)
    with pytest.raises(ValueError):
        other.deserialize(b"no arrays")
