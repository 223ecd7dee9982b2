"""A weighted sum of all operations: a mixed edge, with its gradient."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from nascore.networks.operations.base import Forward, Operation, Options
from nascore.networks.operations.catalogue import find_operations
from nascore.networks.operations.kernels import total
from nascore.networks.operations.skips import Zero
from nascore.process.runtime import once


class Mixture:
    """What a mixed edge does, made once for all edges of a network.

    Its parts are compiled once for each shape.

    Args:
      operations: in the order of an edge's shares.
    """

    def __init__(self, operations: Sequence[Operation]) -> None:
        self.operations = tuple(operations)
        counts = [len(o.weight_specs(2)) for o in operations]
        ends = np.cumsum(counts)
        self._slots = {
            place: slice(end - count, end)
            for place, (count, end) in enumerate(zip(counts, ends, strict=True))
            if count
        }
        # Operations with weights, which each edge has for itself; and others,
        # of which nothing but zeros needs no computing.
        self.own = tuple(self._slots)
        self.common = tuple(
            place
            for place, operation in enumerate(operations)
            if place not in self._slots and not isinstance(operation, Zero)
        )
        self._kept = [
            (operation.kept_maps, operation.kept_statistics)
            for operation in operations
        ]
        self._forward = once(self._mix)
        self._gradient = once(self._mix_gradient)
        self._apply = [once(self._applying(o)) for o in operations]
        self._back = [once(self._going_back(o)) for o in operations]

    def mix(
        self, x: tf.Tensor, shares: tf.Tensor, weights: Sequence[tf.Tensor]
    ) -> tf.Tensor:
        """The weighted sum of the operations that have weights.

        Args:
          x: `[n, h, w, c]`.
          shares: float32 `[operations]`, those of the others too.
          weights: one slot of each of them, in order.
        """

        @tf.custom_gradient
        def run(
            x: tf.Tensor, shares: tf.Tensor, *weights: tf.Tensor
        ) -> tuple[tf.Tensor, Callable[..., Any]]:
            output, *kept = self._forward(x, shares, *weights)

            def grad(upstream: tf.Tensor) -> list[tf.Tensor]:
                return self._gradient(
                    upstream, x, shares, list(weights), list(kept)
                )

            return output, grad

        return run(x, shares, *weights)

    def plain(self, x: tf.Tensor, place: int) -> tf.Tensor:
        """An operation without weights; keeps nothing but its input.

        Args:
          x: `[n, h, w, c]`.
          place: of the operation.
        """

        @tf.custom_gradient
        def run(x: tf.Tensor) -> tuple[tf.Tensor, Callable[..., Any]]:
            return self._apply[place](x), lambda up: self._back[place](up, x)

        return run(x)

    def _applying(self, operation: Operation) -> Callable[..., tf.Tensor]:
        return lambda x: operation.apply(x, [])

    def _going_back(self, operation: Operation) -> Callable[..., tf.Tensor]:
        return lambda upstream, x: operation.gradient(
            x, [], Forward(x), upstream
        )[0]

    def _mix(
        self, x: tf.Tensor, shares: tf.Tensor, *weights: tf.Tensor
    ) -> list[tf.Tensor]:
        """The output, then what is kept."""
        factors = tf.unstack(tf.cast(shares, x.dtype))
        parts, kept = [], []
        for place, slot in self._slots.items():
            found = self.operations[place].forward(x, weights[slot])
            parts.append(factors[place] * found.output)
            kept += [*found.maps, *found.statistics]
        return [total(parts), *kept]

    def _mix_gradient(
        self,
        upstream: tf.Tensor,
        x: tf.Tensor,
        shares: tf.Tensor,
        weights: list[tf.Tensor],
        kept: list[tf.Tensor],
    ) -> list[tf.Tensor]:
        """Gradients of the input, of the shares and of each weight."""
        factors = tf.unstack(shares)
        parts: list[tf.Tensor] = []
        along = [tf.zeros([])] * len(factors)
        slots: list[tf.Tensor] = []
        for place, slot in self._slots.items():
            maps, statistics = self._kept[place]
            own, kept = kept[: maps + statistics], kept[maps + statistics :]
            # Of the operation without its share: what is then multiplied are
            # small tensors and one map, and the share's own gradient is free.
            found = self.operations[place].gradients(
                x, weights[slot], Forward(x, own[:maps], own[maps:]), upstream
            )
            along[place] = found.along
            parts.append(tf.cast(factors[place], x.dtype) * found.x)
            slots += [
                tf.cast(factors[place], grad.dtype) * grad
                for grad in found.weights
            ]
        return [total(parts), tf.stack(along), *slots]


def make_mixtures(
    names: Sequence[str], options: Options, strides: Sequence[int]
) -> dict[int, Mixture]:
    """A mixture for each stride.

    Args:
      names: of the operations, in the order of an edge's shares.
      options: how they are made.
      strides: of the edges.
    """
    return {
        stride: Mixture(
            find_operations(names, dataclasses.replace(options, strides=stride))
        )
        for stride in sorted(set(strides))
    }
