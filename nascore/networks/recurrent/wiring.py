"""Nodes and functions of one cell: known when a graph is made, or run."""

from collections.abc import Callable, Sequence

import tensorflow as tf

from nascore.spaces.recurrent import RecurrentCell, RecurrentSpace

Function = Callable[[tf.Tensor], tf.Tensor]
ACTIVATIONS: dict[str, Function] = {
    "tanh": tf.tanh,
    "relu": tf.nn.relu,
    "sigmoid": tf.sigmoid,
    "identity": tf.identity,
}
# Derivatives, of x and of what the function makes of it.
_SLOPES: dict[str, Callable[[tf.Tensor, tf.Tensor], tf.Tensor]] = {
    "tanh": lambda x, y: 1 - y * y,
    "relu": lambda x, y: tf.cast(x > 0, x.dtype),
    "sigmoid": lambda x, y: y * (1 - y),
    "identity": lambda x, y: tf.ones_like(x),
}


class FixedWiring:
    """Of a cell that is known when a graph is made; see `NodeWiring`.

    Args:
      space: of the cell.
      cell: the architecture.
    """

    def __init__(self, space: RecurrentSpace, cell: RecurrentCell) -> None:
        self.count = len(cell.nodes)
        self._sources = [0, *(source for source, _ in cell.nodes)]
        places = [cell.first, *(function for _, function in cell.nodes)]
        self._names = [space.functions[place] for place in places]
        self._joined = space.joined(cell)

    def source(self, nodes: Sequence[tf.Tensor], node: int) -> tf.Tensor:
        """See `NodeWiring.source`."""
        return nodes[self._sources[node]]

    def sources(self, nodes: tf.Tensor, node: int) -> tf.Tensor:
        """See `NodeWiring.sources`."""
        return nodes[:, self._sources[node]]

    def apply(self, x: tf.Tensor, node: int) -> tf.Tensor:
        """See `NodeWiring.apply`."""
        return ACTIVATIONS[self._names[node]](x)

    def slope(self, x: tf.Tensor, y: tf.Tensor, node: int) -> tf.Tensor:
        """See `NodeWiring.slope`."""
        return _SLOPES[self._names[node]](x, y)

    def join(self, nodes: Sequence[tf.Tensor]) -> tf.Tensor:
        """See `NodeWiring.join`."""
        return tf.add_n([nodes[n] for n in self._joined]) / len(self._joined)

    def spread(self, gradient: tf.Tensor) -> list[tf.Tensor | None]:
        """See `NodeWiring.spread`."""
        share = gradient / len(self._joined)
        every = range(self.count + 1)
        return [share if node in self._joined else None for node in every]

    def take(
        self, gradients: Sequence[tf.Tensor | None], node: int
    ) -> tf.Tensor:
        """See `NodeWiring.take`; each node is an end, or is read."""
        found = gradients[node]
        assert found is not None  # noqa: S101
        return found

    def add(
        self, gradients: list[tf.Tensor | None], node: int, part: tf.Tensor
    ) -> list[tf.Tensor | None]:
        """See `NodeWiring.add`."""
        source = self._sources[node]
        before = gradients[source]
        gradients[source] = part if before is None else before + part
        return gradients


class ChosenWiring:
    """Of a row that is known when a graph is run; see `NodeWiring`.

    Args:
      space: of the row.
      row: int32 `[length]`.
    """

    def __init__(self, space: RecurrentSpace, row: tf.Tensor) -> None:
        self.count = space.num_nodes
        pairs = tf.reshape(row[space.skip :], [-1, 2])
        self._sources = [None, *tf.unstack(pairs[:, 0], self.count)]
        first = row[0] if space.skip else None
        self._functions = [first, *tf.unstack(pairs[:, 1], self.count)]
        self._names = space.functions
        ends = tf.ones([self.count])
        if space.output == "ends":
            read = tf.reduce_max(tf.one_hot(pairs[:, 0], self.count + 1), 0)
            ends -= read[1:]
        self._shares = ends / tf.reduce_sum(ends)

    def source(self, nodes: Sequence[tf.Tensor], node: int) -> tf.Tensor:
        """See `NodeWiring.source`."""
        if len(nodes) == 1:
            return nodes[0]
        return tf.gather(tf.stack(nodes), self._sources[node])

    def sources(self, nodes: tf.Tensor, node: int) -> tf.Tensor:
        """See `NodeWiring.sources`."""
        return tf.gather(nodes, self._sources[node], axis=1)

    def _choose(self, made: Callable[[str], tf.Tensor], node: int) -> tf.Tensor:
        """What is made of the name of a node's function."""
        number = self._functions[node]
        if number is None:
            return made("tanh")
        branches = [lambda name=name: made(name) for name in self._names]
        return tf.switch_case(number, branches)

    def apply(self, x: tf.Tensor, node: int) -> tf.Tensor:
        """See `NodeWiring.apply`."""
        return self._choose(lambda name: ACTIVATIONS[name](x), node)

    def slope(self, x: tf.Tensor, y: tf.Tensor, node: int) -> tf.Tensor:
        """See `NodeWiring.slope`."""
        return self._choose(lambda name: _SLOPES[name](x, y), node)

    def join(self, nodes: Sequence[tf.Tensor]) -> tf.Tensor:
        """See `NodeWiring.join`."""
        return tf.tensordot(self._shares, tf.stack(nodes[1:]), 1)

    def spread(self, gradient: tf.Tensor) -> tf.Tensor:
        """See `NodeWiring.spread`; `[nodes, b, n]`."""
        own = self._shares[:, None, None] * gradient
        return tf.concat([tf.zeros_like(gradient)[None], own], axis=0)

    def take(self, gradients: tf.Tensor, node: int) -> tf.Tensor:
        """See `NodeWiring.take`."""
        return gradients[node]

    def add(
        self, gradients: tf.Tensor, node: int, part: tf.Tensor
    ) -> tf.Tensor:
        """See `NodeWiring.add`."""
        place = tf.reshape(self._sources[node], [1, 1])
        return tf.tensor_scatter_nd_add(gradients, place, part[None])
