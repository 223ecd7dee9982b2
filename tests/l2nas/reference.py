"""L2NAS's networks and their updates in NumPy, float64 and one run."""

import numpy as np


def layers(flat, sizes):
    """Kernels and biases of a vector."""
    flat, found = np.asarray(flat, float), []
    for size, units in zip(sizes, sizes[1:], strict=False):
        kernel, flat = flat[: size * units], flat[size * units :]
        bias, flat = flat[:units], flat[units:]
        found.append((kernel.reshape(size, units), bias))
    assert not flat.size
    return found


def forward(flat, sizes, x):
    *hidden, (kernel, bias) = layers(flat, sizes)
    for inner, offset in hidden:
        x = np.maximum(x @ inner + offset, 0)
    return x @ kernel + bias


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def critic_loss(flat, sizes, actions, rewards, tau):
    x = rewards - forward(flat, sizes, actions)[:, 0]
    return np.mean(np.where(x <= 0, (tau - 1) * x, tau * x))


def actor_loss(flat, sizes, critic, critic_sizes, states):
    actions = sigmoid(forward(flat, sizes, states))
    return -np.mean(forward(critic, critic_sizes, actions))


def slope(function, flat, *arguments, step=1e-6):
    """The gradient of `function(flat, *arguments)` by differences."""
    found = np.zeros_like(flat)
    for place in range(flat.size):
        moved = flat.copy()
        moved[place] += step
        above = function(moved, *arguments)
        moved[place] -= 2 * step
        found[place] = (above - function(moved, *arguments)) / (2 * step)
    return found


class Adam:
    """As Kingma and Ba (2015) print it."""

    def __init__(self, rate, beta_1, beta_2):
        self.rate, self.betas, self.time = rate, (beta_1, beta_2), 0
        self.mean = self.square = 0.0

    def __call__(self, flat, gradient):
        first, second = self.betas
        self.time += 1
        self.mean = first * self.mean + (1 - first) * gradient
        self.square = second * self.square + (1 - second) * gradient**2
        mean = self.mean / (1 - first**self.time)
        square = self.square / (1 - second**self.time)
        return flat - self.rate * mean / (np.sqrt(square) + 1e-8)
