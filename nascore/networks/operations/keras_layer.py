"""An operation that is a Keras layer of the user's own."""

from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from nascore.errors import InputError
from nascore.networks.layers import Normalization
from nascore.networks.operations.base import Operation, WeightSpec
from nascore.networks.operations.catalogue import OPERATIONS, register

MakeLayer = Callable[[int, int], keras.layers.Layer]
# Of a layer that is tried.
_CHANNELS, _SIDE = 4, 8


def register_operation(name: str, make_layer: MakeLayer) -> None:
    """Makes a Keras layer an operation that any space of cells may name.

    ```python
    ienas.register_operation(
        "gelu_conv",
        lambda channels, strides: keras.Sequential([
            keras.layers.Activation("gelu"),
            keras.layers.Conv2D(channels, 3, strides, "same"),
            keras.layers.BatchNormalization(),
        ]),
    )
    ienas.CellSearch(operations="gelu_conv,sep_conv_3x3,identity")
    ```

    Its gradient is the automatic one, which is slower and keeps more than
    that of the operations that come with this package. With shared weights a
    normalization takes the statistics of the batch, in training and after.

    Args:
      name: letters, digits and `_`; of no other operation.
      make_layer: returns a new layer from the width and the strides, 1 or 2.
        It keeps the width, and height and width at strides 1, halves them at
        2; nothing in it is random but the weights that it starts with.

    Raises:
      InputError: the name is taken, or the layer is none of that.
    """
    if not name.isidentifier():
        raise InputError(
            f"name={name!r}: give letters, digits and _ for an operation"
        )
    if name in OPERATIONS:
        raise InputError(
            f"name={name!r} is an operation already; choose another name"
        )
    operation = KerasOperation(name, make_layer)
    for strides in (1, 2):
        _try(operation, strides)
    register(name, operation)


class KerasOperation(Operation):
    """See `register_operation`."""

    is_convolution = True

    def __init__(self, name: str, make_layer: MakeLayer) -> None:
        self.name = name
        self._make = make_layer
        # By width and strides: what its weights look like, and what runs.
        self._built: dict[tuple[int, int], keras.Sequential] = {}

    def layer(self, channels: int, strides: int) -> keras.Sequential:
        """A layer of this width that is built, and whose weights are not used.

        Raises:
          InputError: there is none.
        """
        key = channels, strides
        if key not in self._built:
            # Its weights are none of the graph that asks for it.
            with tf.init_scope():
                layer = self._new(channels, strides)
                # It knows who of its layers asks whether this is training.
                self._built[key] = keras.Sequential([layer])
                self._built[key].build((None, _SIDE, _SIDE, channels))
        return self._built[key]

    def _new(self, channels: int, strides: int) -> keras.layers.Layer:
        layer = self._make(channels, strides)
        if not isinstance(layer, keras.layers.Layer):
            raise InputError(
                f"operation {self.name}: make_layer(channels, strides) must "
                f"return a Keras layer. Received: {type(layer)}"
            )
        return layer

    def weight_specs(self, channels: int) -> tuple[WeightSpec, ...]:
        """The trainable weights of the layer, in its order."""
        return self._specs(channels, self.options.strides)

    def _specs(self, channels: int, strides: int) -> tuple[WeightSpec, ...]:
        return tuple(
            _spec(place, variable)
            for place, variable in enumerate(
                self.layer(channels, strides).trainable_variables
            )
        )

    def apply(self, x: tf.Tensor, weights: Sequence[tf.Tensor]) -> tf.Tensor:
        """See `Operation.apply`."""
        layer = self.layer(x.shape[-1], self.options.strides)
        y, _ = layer.stateless_call(
            list(weights), layer.non_trainable_variables, x, training=True
        )
        return tf.cast(y, x.dtype)

    def discrete(
        self, channels: int, strides: int, normalization: Normalization
    ) -> list[keras.layers.Layer]:
        """The layer itself, with normalizations of its own."""
        return [self._new(channels, strides)]

    def discrete_specs(
        self, channels: int, strides: int
    ) -> tuple[WeightSpec, ...]:
        """Those of the layer at these strides."""
        return self._specs(channels, strides)

    def discrete_maps(self, strides: int) -> tuple[int, int]:
        """At most an input and two outputs for each layer inside it."""
        inside = self.layer(_CHANNELS, strides).layers[0]
        count = len(getattr(inside, "layers", ())) or 1
        return 1, 2 * count


def _spec(place: int, variable: keras.Variable) -> WeightSpec:
    """A kernel, or a scale or an offset at what it starts at."""
    shape = tuple(variable.shape)
    name = f"{variable.name}_{place}"
    if len(shape) > 1:
        # Of a depthwise kernel, each output has one channel.
        inputs = shape[:-2] if "depthwise" in variable.path else shape[:-1]
        return WeightSpec(name, shape, int(np.prod(inputs)))
    start = np.unique(np.asarray(variable))
    return WeightSpec(name, shape, start=float(start[0]) if start.size else 0)


def _try(operation: KerasOperation, strides: int) -> None:
    """Raises InputError if a layer cannot be an operation."""
    what = f"operation {operation.name}, strides {strides}"
    # Libraries raise anything at a layer that does not fit.
    try:
        layer = operation.layer(_CHANNELS, strides)
        shape = (2, _SIDE, _SIDE, _CHANNELS)
        x = tf.random.stateless_normal(shape, (1, 2))
        call = layer.stateless_call
        values = layer.trainable_variables, layer.non_trainable_variables
        y = call(*values, x, training=True)[0]
        again = call(*values, x, training=False)[0]
    except InputError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{what} cannot run: {reason}") from None
    side = _SIDE // strides
    for found in (y, again):
        if tuple(found.shape) != (2, side, side, _CHANNELS):
            raise InputError(
                f"{what} makes {list(found.shape)} of {list(shape)}; it must "
                f"be {[2, side, side, _CHANNELS]}"
            )
    if any("seed_generator" in v.path for v in layer.non_trainable_variables):
        raise InputError(
            f"{what} draws random numbers (a dropout?), which would be the "
            "same in each step; leave that out, --drop_path_keep_prob and "
            "--keep_prob are there"
        )
