"""`docs/scaling.md` from `scaling/`, `gpu/` and the counted weights."""

import functools

import numpy as np
import pytest

from nascore.networks import costs
from nascore.networks.config import SupernetConfig
from nascore.networks.stack import plan

NAME = "docs/scaling.md"
# Of an epoch of flags/presets/cifar10.flags.
STEPS, EVALUATIONS, REST = 352, 300, 50 + 41


@pytest.fixture(scope="module")
def quote(results):
    return functools.partial(results.quote, NAME)


@pytest.fixture(scope="module")
def seconds(results):
    rows = results.table("scaling/scaling.csv")

    def median(part, backend, workers, tasks, threads=1, again=False):
        own = [
            row
            for row in rows
            if (row["part"], row["backend"]) == (part, backend)
            and [int(row[n]) for n in ("workers", "tasks", "threads")]
            == [workers, tasks, threads]
        ]
        name = "again_seconds" if again else "seconds"
        return float(np.median(results.column(own, name)))

    return median


@pytest.fixture(scope="module")
def pair(seconds):
    def of(part, backend, tasks, again=False):
        """Seconds of one and of two processes, strong and weak speed-up."""
        time = functools.partial(seconds, part, backend, again=again)
        one, two, half = time(1, tasks), time(2, tasks), time(1, tasks // 2)
        return one, two, one / two, 2 * half / two

    return of


@pytest.fixture(scope="module")
def cpu(results):
    """Seconds of a step of 128 and 16 images, and of an evaluation."""
    whole, part = (
        results.line("scaling/child_step.txt", "| ours |", n) for n in (0, 1)
    )
    return whole[1], part[1], whole[2]


@pytest.fixture(scope="module")
def gpu(results):
    """Seconds of a step, and of what its bytes and products would take."""
    values = results.line("gpu/float32.md", "| child step |")
    return values[0] / 1e3, sum(values[3:5]) / 1e3


@pytest.fixture(scope="module")
def weights():
    """Of the published child: all, and those in slots."""
    every, fewer = (
        costs.total(costs.count(plan(config, (32, 32, 3), 10))).parameters
        for config in (SupernetConfig(), SupernetConfig(operations="identity"))
    )
    return every, every - fewer


def test_seeds(quote, seconds, pair):
    joblib, dask = pair("seeds", "threading", 2), pair("seeds", "dask", 2)
    quote("| joblib on this machine | # s | # s | # | # |", *joblib)
    quote("| Dask, local cluster | # s | # s | # | # |", *dask)
    threads = seconds("seeds", "threading", 1, 2, threads=2)
    quote("One process with both threads took # s", threads)
    quote("Dask's # s more", dask[0] - joblib[0])


def test_candidates(quote, pair):
    cold, warm = (pair("candidates", "loky", 16, again) for again in (0, 1))
    part = "(same command): # s and # s cold, strong speed-up #, because"
    quote(part, *cold[:3])
    quote("# s and # s once both have started, # (weak #)", *warm)
    cold, warm = (pair("candidates", "dask", 16, again) for again in (0, 1))
    part = "With Dask # s and # s cold, then # s and # s, #."
    quote(part, *cold[:2], *warm[:3])


def test_what_travels(quote, weights):
    every, slots = weights
    sent = slots // 4 + every - slots
    part = "child has # weights, # MB. Of these, # are in slots"
    quote(part, every, 4 * every / 1e6, slots)
    quote(
        "are sent: # / 4 + # = # numbers, # MB, #%.",
        *(slots, every - slots, sent, 4 * sent / 1e6, 100 * sent / every),
    )
    for title, devices, bits in (
        ("NVLink, 200 GB/s", 8, 1600e9),
        ("Ethernet, 25 Gbit/s", 64, 25e9),
        ("Ethernet, 10 Gbit/s", 64, 10e9),
    ):
        ring = 2 * (devices - 1) / devices * 4
        quote(
            f"| {title} | {devices} | # MB | # ms | # ms |",
            ring * sent / 1e6,
            *(1e3 * 8 * ring * numbers / bits for numbers in (sent, every)),
        )


def test_a_step(quote, cpu, gpu):
    step, limit = gpu
    quote(
        "takes # s, # ms of it the launching of kernels",
        *(step, 1e3 * (step - limit)),
    )
    whole, part, evaluation = cpu
    quote("On two cores a step takes # s and an evaluation # s", *cpu[::2])
    quote(
        "with 16 it takes # s, #% of the time for 12.5% of the images, with # "
        "s for none",
        *(part, 100 * part / whole, part - 16 * (whole - part) / (128 - 16)),
    )
    quote("it takes # s with 128 images, of which # would", step, limit)


def test_one_search(quote, cpu, gpu, weights):
    step, part, evaluation = cpu
    parts = np.array(
        [STEPS * step, EVALUATIONS * evaluation, REST * evaluation]
    )
    whole, rest = parts.sum(), parts[1:].sum()
    quote(
        "child_step.txt`): #, # and # s, which is #%, #% and #% of # s",
        *(*parts, *(100 * parts / whole), whole),
    )
    quote("at most 1 / # = # times as fast", rest / whole, whole / rest)
    spread = STEPS * part + rest
    quote(
        "# x # + # + # = # s, **# times**",
        *(STEPS, part, *parts[1:], spread, whole / spread),
    )
    # Two rounds for 10 evaluations, 7 for 50, 6 for 41.
    three = [STEPS * part, parts[1] / 5, (7 + 6) * evaluation]
    quote("# + # + # = # s, # times.", *three, sum(three), whole / sum(three))
    every, slots = weights
    sent = slots // 4 + every - slots
    exchange = 8 * 2 * 63 / 64 * 4 * sent / 10e9
    far = STEPS * (gpu[0] + exchange) + rest
    quote(
        "# x (# + #) + # = # s, # times,",
        *(STEPS, gpu[0], exchange, rest, far, whole / far),
    )
    quote(
        "| at most # times | at most # times | batch of 128",
        *(whole / spread, whole / far),
    )
