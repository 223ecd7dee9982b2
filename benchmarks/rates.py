"""What the device can do: matrix products and copies."""

import dataclasses
import statistics
import time
from collections.abc import Callable

import tensorflow as tf

from benchmarks.arithmetic import Work


@dataclasses.dataclass(frozen=True)
class Rates:
    """The measured best of a device.

    Attributes:
      products: multiply-adds a second of a large float32 matrix product.
      bytes: read and written a second by a sum of a number and a tensor
        beyond the caches.
    """

    products: float
    bytes: float

    def limit(self, work: Work) -> tuple[float, float]:
        """Least seconds, by arithmetic and by bytes."""
        return work.multiply_adds / self.products, work.moved / self.bytes


def wait() -> None:
    """Waits until the devices have done all that was given to them."""
    tf.test.experimental.sync_devices()


def timed(run: Callable[[], object], rounds: int) -> list[float]:
    """Seconds of each of some calls, after one that is not counted."""
    run()
    wait()
    seconds = []
    for _ in range(rounds):
        begin = time.perf_counter()
        run()
        wait()
        seconds.append(time.perf_counter() - begin)
    return seconds


def measure(on_gpu: bool) -> Rates:
    """Measures both."""
    size = 8192 if on_gpu else 2048
    a, b = (tf.random.stateless_normal([size, size], [1, n]) for n in range(2))
    count = 2**28 if on_gpu else 2**26
    x = tf.random.stateless_normal([count], [1, 2])
    product = tf.function(lambda: a @ b, autograph=False)
    copy = tf.function(lambda: x + 1.0, autograph=False)
    return Rates(
        size**3 / statistics.median(timed(product, 9)),
        2 * 4 * count / statistics.median(timed(copy, 9)),
    )
