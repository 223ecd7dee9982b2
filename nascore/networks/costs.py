"""Parameters and multiply-adds of a Keras model."""

import math

import keras
import tensorflow as tf


def count_parameters(model: keras.Model) -> int:
    """Number of trained weights; moving statistics do not count."""
    return sum(
        math.prod(variable.shape) for variable in model.trainable_variables
    )


def count_multiply_adds(model: keras.Model) -> int:
    """Multiply-adds of the convolutions and dense layers for one image.

    The usual measure: normalizations, activations, poolings and sums do not
    count. They are read off the traced graph, so nothing that runs is
    missed, however the layers are nested.
    """
    one = tf.TensorSpec((1, *model.input.shape[1:]), tf.float32)
    function = tf.function(
        lambda images: model(images, training=False), autograph=False
    )
    graph = function.get_concrete_function(one).graph
    return sum(
        _multiply_adds(operation) for operation in graph.get_operations()
    )


def _multiply_adds(operation: tf.Operation) -> int:
    if operation.type == "Conv2D":
        # Kernel [height, width, inputs, outputs].
        each = math.prod(operation.inputs[1].shape[:3])
    elif operation.type == "DepthwiseConv2dNative":
        each = math.prod(operation.inputs[1].shape[:2])
    elif operation.type == "MatMul":
        each = operation.inputs[0].shape[-1]
    else:
        return 0
    return math.prod(operation.outputs[0].shape) * each
