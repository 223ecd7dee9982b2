"""Children that are trained at the same time are those of one by one."""

import dataclasses
import signal

import joblib
import numpy as np
import pytest

from experiments import side_by_side
from nascore.errors import InputError
from nascore.evaluators.config import ChildWorkConfig
from nascore.process.memory import Need
from nascore.runs.interrupts import Interrupted
from nascore.runs.lifecycle import Lifecycle
from renas.search import make_search
from tests.nascore.search.toy import open_run, read_rows, values_of
from tests.renas.small import CONFIG, DATA

# Of the operations one is enough here.
PAIRS = dataclasses.replace(
    CONFIG,
    child=dataclasses.replace(
        CONFIG.child, num_nodes=1, operations="sep_conv_3x3"
    ),
    strategy=dataclasses.replace(
        CONFIG.strategy, num_aggregate=2, population=4
    ),
    inheritance=dataclasses.replace(CONFIG.inheritance, derive_epochs=0),
)


def search(path, jobs=0, resume=False):
    with (
        open_run(path, resume) as run,
        # As good as processes: each thread has a network of its own.
        joblib.parallel_config(backend="threading"),
    ):
        machine = make_search(PAIRS, run, DATA)
        if jobs:
            machine.evaluator.spread(jobs)
        return machine.run(), machine


def rows_of(path):
    rows = read_rows(path, "evaluations")
    return [{k: v for k, v in row.items() if k != "seconds"} for row in rows]


def test_equal_to_one_after_the_other_also_when_cut(tmp_path, monkeypatch):
    ranked, machine = search(tmp_path / "alone")
    rows = rows_of(tmp_path / "alone")
    assert any(float(row["inherited"]) > 0 for row in rows)
    tick, seen = Lifecycle.tick, []

    def stop(lifecycle, **values):
        tick(lifecycle, **values)
        seen.append(values)
        # Of the third pair one is ready.
        if len(seen) == 5:
            lifecycle._stop.signum = signal.SIGINT

    with monkeypatch.context() as patch:
        patch.setattr(Lifecycle, "tick", stop)
        with pytest.raises(Interrupted, match="everything is saved"):
            search(tmp_path / "beside", jobs=2)
    assert len(rows_of(tmp_path / "beside")) == 4
    again, resumed = search(tmp_path / "beside", jobs=1, resume=True)
    assert resumed.resumed and again == ranked
    assert rows_of(tmp_path / "beside") == rows
    # The network of this process has trained nothing: theirs have.
    theirs = values_of(resumed._state())
    for name, value in values_of(machine._state()).items():
        if not name.startswith("own_"):
            np.testing.assert_array_equal(value, theirs[name], name)
    living, others = (m.evaluator.living.entries for m in (machine, resumed))
    assert living.keys() == others.keys()
    for number, entry in living.items():
        for one, other in zip(
            entry.weights, others[number].weights, strict=True
        ):
            np.testing.assert_array_equal(one, other)
    # No more than the living and their children.
    most = PAIRS.strategy.population + PAIRS.strategy.num_aggregate
    assert len(others) <= most


@pytest.mark.parametrize(
    ("work", "config", "words"),
    [
        ({"jobs": 2}, CONFIG, "--jobs=2 has nothing to do"),
        ({"backend": "dask"}, CONFIG, "--backend=dask has nothing to do"),
        ({"scheduler": "a:1"}, PAIRS, "--scheduler=a:1 is for"),
        (
            {"jobs": 2},
            dataclasses.replace(
                PAIRS,
                inheritance=type(PAIRS.inheritance)(inherit="shared"),
            ),
            "--jobs=2 is for architectures with weights of their own",
        ),
    ],
)
def test_processes_without_work_are_refused(work, config, words):
    with pytest.raises(InputError, match=words) as error:
        side_by_side.check(ChildWorkConfig(**work), config)
    assert "\n" not in str(error.value)


def test_processes_need_memory():
    need = Need({"process": 10}, {"weights": 5}, ("--batch_size",))
    assert side_by_side.estimate(ChildWorkConfig(), need) is need
    found = side_by_side.estimate(ChildWorkConfig(jobs=3), need)
    assert found.total == 60 and found.turn_down[0] == "--jobs"
