"""One-shot weight sharing: weights kept by pairs of consecutive layers.

Overview paper, section 4.1: "identical pairs of layers (also addressed as
bigrams) share weights connecting them". The key of a weight matrix is the
layer it comes from (or the input) and the layer it leads to (or the end);
dropout, which has no weights, is looked through.
"""

from collections import OrderedDict
from collections.abc import Sequence

import tensorflow as tf

from mlpnas.candidates.tasks import LayerWeights
from nascore.runs.checkpoints import pack, unpack
from nascore.spaces.perceptrons import MlpArchitecture

Bigram = tuple[str, str]

INPUT = "input"
FINAL = "final"
_MEGABYTE = 1e6


def bigrams(architecture: MlpArchitecture) -> list[Bigram]:
    """Keys of the layers' weights, from input to output."""
    dense = [f"{layer.units} {layer.activation}" for layer in architecture]
    names = [INPUT, *dense, FINAL]
    return list(zip(names, names[1:], strict=False))


class WeightBank(tf.train.experimental.PythonState):
    """A store of weights with a bound on its memory.

    When the bound is passed, the least recently used weights go. It is a
    part of a checkpoint, in NumPy's NPZ format.

    Args:
      megabytes: bound on the weights' memory.
    """

    def __init__(self, megabytes: float) -> None:
        self.megabytes = megabytes
        self._store: OrderedDict[Bigram, LayerWeights] = OrderedDict()

    def __len__(self) -> int:
        return len(self._store)

    @property
    def size(self) -> int:
        """Memory of the weights in bytes."""
        return sum(
            kernel.nbytes + bias.nbytes for kernel, bias in self._store.values()
        )

    def look_up(
        self, architecture: MlpArchitecture, fresh: Sequence[LayerWeights]
    ) -> tuple[list[LayerWeights], int]:
        """Takes stored weights where there are some.

        Args:
          architecture: whose weights.
          fresh: what its layers have otherwise.

        Returns:
          Weights of each layer, and how many layers had stored ones.
        """
        weights, known = [], 0
        for key, layer in zip(bigrams(architecture), fresh, strict=True):
            if key in self._store:
                self._store.move_to_end(key)
                layer = self._store[key]
                known += 1
            weights.append(layer)
        return weights, known

    def store(
        self, architecture: MlpArchitecture, weights: Sequence[LayerWeights]
    ) -> None:
        """Stores trained weights; of a pair that repeats, the last ones."""
        for key, layer in zip(bigrams(architecture), weights, strict=True):
            self._store[key] = layer
            self._store.move_to_end(key)
        size = self.size
        while self._store and size > self.megabytes * _MEGABYTE:
            _, (kernel, bias) = self._store.popitem(last=False)
            size -= kernel.nbytes + bias.nbytes

    def serialize(self) -> bytes:
        """The store as the bytes of an NPZ file, least recently used first."""
        arrays = {}
        for place, (key, layer) in enumerate(self._store.items()):
            for name, array in zip(("kernel", "bias"), layer, strict=True):
                arrays[f"{place:06d}|{'|'.join(key)}|{name}"] = array
        return pack(arrays)

    def deserialize(self, string_value: bytes) -> None:
        """Takes over what `serialize` returned."""
        self._store.clear()
        arrays = unpack(string_value)
        for name, kernel in arrays.items():
            place, first, second, kind = name.split("|")
            if kind == "kernel":
                bias = arrays[f"{place}|{first}|{second}|bias"]
                self._store[first, second] = (kernel, bias)
