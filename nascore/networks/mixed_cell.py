"""A cell whose edges are weighted sums of all operations.

Liu et al. (2019, arXiv 1806.09055, equation 2). Automatic differentiation
would keep some thirty maps for each edge of each cell. Here an edge keeps what
its operations cannot cheaply make again, and their gradients run them anew.
What has no weights, such as a pool, is the same on all edges that leave a
tensor and is computed once for it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import keras
import tensorflow as tf

from nascore.networks.layers import he_normal
from nascore.networks.layouts import Wiring
from nascore.networks.mixed_edge import Mixture
from nascore.networks.operations.base import WeightSpec
from nascore.networks.operations.kernels import fan_out, total
from nascore.networks.partial_channels import join_channels, split_channels


class _Source(NamedTuple):
    """What the edges that leave a tensor read, one item for each of them.

    Attributes:
      x: the channels that pass the operations.
      others: the other channels, as an edge passes them on.
      plain: what operations without weights make of it, by their place.
    """

    x: list[tf.Tensor]
    others: list[tf.Tensor]
    plain: dict[int, list[tf.Tensor]]


class _Weight(NamedTuple):
    """Where a weight of an edge is.

    Attributes:
      variable: place of the variable.
      row: of it.
      is_kernel: whether it is computed with in the type of the images.
    """

    variable: int
    row: int
    is_kernel: bool


def start_kernel(
    fan_in: int, kernel_init: str
) -> keras.initializers.Initializer:
    """How a kernel starts.

    Args:
      fan_in: inputs that each output sums over.
      kernel_init: `torch` or `he`, see `MixedSupernetConfig`.
    """
    if kernel_init == "he":
        return he_normal(fan_in)
    bound = fan_in**-0.5
    return keras.initializers.RandomUniform(-bound, bound)


class MixedCell(keras.layers.Layer):
    """One layer of a network of mixed cells.

    Args:
      channels: width of the inputs and of every node.
      wiring: the edges.
      mixtures: of an edge, by its strides.
      strides: of the edges that leave the inputs.
      groups: one of so many channels passes through the operations, see
        `nascore.networks.partial_channels`.
      kernel_init: `torch` or `he`, see `MixedSupernetConfig`.
    """

    def __init__(
        self,
        channels: int,
        wiring: Wiring,
        mixtures: dict[int, Mixture],
        strides: int = 1,
        groups: int = 1,
        kernel_init: str = "torch",
        **kwargs: object,
    ) -> None:
        super().__init__(autocast=False, **kwargs)
        self.passing = channels // groups
        self.wiring = wiring
        self.mixtures = mixtures
        self.groups = groups
        self.kernel_init = kernel_init
        self.strides = [
            strides if source < wiring.inputs else 1
            for source, _ in wiring.edges
        ]

    def build(self, input_shape: object) -> None:
        """Makes the weights, `[edges, ...]` each: of all edges that have it.

        Hundreds of small variables would be slow to update.
        """
        specs: dict[tuple[int, str], WeightSpec] = {}
        counts: dict[tuple[int, str], int] = {}
        found = []
        for strides in self.strides:
            mixture = self.mixtures[strides]
            own = []
            for place in mixture.own:
                operation = mixture.operations[place]
                for spec in operation.weight_specs(self.passing):
                    name = (place, spec.name)
                    specs[name] = spec
                    own.append((name, counts.get(name, 0)))
                    counts[name] = counts.get(name, 0) + 1
            found.append(own)
        self.slots = [
            self.add_weight(
                shape=(counts[name], *spec.shape),
                initializer=self._start(spec),
                name=f"operation_{name[0]}_{name[1]}",
                # The rows are cast where they are taken.
                autocast=False,
            )
            for name, spec in specs.items()
        ]
        places = {name: place for place, name in enumerate(specs)}
        self._weights = [
            [
                _Weight(places[name], row, specs[name].fan_in is not None)
                for name, row in own
            ]
            for own in found
        ]

    def _start(self, spec: WeightSpec) -> keras.initializers.Initializer:
        if spec.fan_in is None:
            return keras.initializers.Constant(spec.start)
        return start_kernel(spec.fan_in, self.kernel_init)

    def call(
        self,
        inputs: Sequence[tf.Tensor],
        shares: tf.Tensor,
        bypass: tf.Tensor | None = None,
    ) -> list[tf.Tensor]:
        """Runs the cell.

        Args:
          inputs: `[n, h, w, channels]` each.
          shares: float32 `[edges, operations]`, the factors of the
            operations' outputs.
          bypass: float32 `[edges]`, those of the channels that pass no
            operation; None if all pass.

        Returns:
          The nodes, of the inputs' size over the strides.
        """
        rows = [tf.unstack(variable.value) for variable in self.slots]
        own = tf.unstack(shares)
        passed = [] if bypass is None else tf.unstack(bypass)
        tensors = list(inputs)
        sources: dict[int, _Source] = {}
        for node in self.wiring.nodes:
            parts, others = [], []
            for edge, (tensor, end) in enumerate(self.wiring.edges):
                if end != node:
                    continue
                if tensor not in sources:
                    sources[tensor] = self._leave(tensors[tensor], edge)
                source = sources[tensor]
                mixture = self.mixtures[self.strides[edge]]
                if mixture.own:
                    x = source.x.pop()
                    weights = self._take(edge, rows, x.dtype)
                    parts.append(mixture.mix(x, own[edge], weights))
                factors = tf.unstack(tf.cast(own[edge], inputs[0].dtype))
                parts += [
                    factors[place] * made.pop()
                    for place, made in source.plain.items()
                ]
                if passed:
                    share = tf.cast(passed[edge], inputs[0].dtype)
                    others.append(share * source.others.pop())
            made = total(parts)
            if others:
                made = join_channels(made, total(others), self.groups)
            tensors.append(made)
        return tensors[self.wiring.inputs :]

    def _leave(self, x: tf.Tensor, edge: int) -> _Source:
        """What all edges from a tensor share; one of them says how."""
        strides = self.strides[edge]
        sources = [source for source, _ in self.wiring.edges]
        count = sources.count(sources[edge])
        others: list[tf.Tensor] = []
        if self.groups > 1:
            x, around = split_channels(x, self.groups, strides)
            others = fan_out(around, count)
        mixture = self.mixtures[strides]
        readers = len(mixture.common) + count * bool(mixture.own)
        copies = fan_out(x, readers)
        plain = {
            place: fan_out(mixture.plain(copies.pop(), place), count)
            for place in mixture.common
        }
        return _Source(copies, others, plain)

    def _take(
        self, edge: int, rows: list[list[tf.Tensor]], dtype: tf.DType
    ) -> list[tf.Tensor]:
        """The weights of an edge, kernels in the type of the images."""
        taken = []
        for weight in self._weights[edge]:
            row = rows[weight.variable][weight.row]
            taken.append(tf.cast(row, dtype) if weight.is_kernel else row)
        return taken
