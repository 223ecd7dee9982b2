r"""Compares MLPNAS with KerasTuner's random search at equal candidates.

  python -m benchmarks.mlpnas_peer --out=FOLDER --data_dir=DATA \
      --wine_file=wine-quality.csv [--datasets=digits,wine,mnist] [--seeds=10]

`pip install 'ienas[peer]'` before. For each data set and seed, in one process
and on one thread, from a cold start:
  lstm    MLPNAS as it is by default,
  random  its random search,
  tuner   `keras_tuner.RandomSearch` over the same widths and activations.
All take as many candidates, from the same training and validation examples
(a split of its own for each seed), with Adam at the same rate, as many epochs
and batches of the same size. MLPNAS searches its own depths, and can stop a
candidate early; KerasTuner gets the range that is of use to small tables,
--peer_layers, and all epochs. What counts for all is the highest validation
accuracy of any epoch of any candidate, and the test accuracy of the weights of
that epoch. A row is written as soon as it is known; the same command goes on
after those that are there.
"""

import argparse
import dataclasses
import importlib.util
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from nascore.errors import InputError
from nascore.paths import expand, to_path
from nascore.process.quiet import quiet_tensorflow
from nascore.runs.tables import Row, Table
from nascore.stats import paired_test

quiet_tensorflow()

import tensorflow as tf  # noqa: E402

from benchmarks.peer_searches import SEARCHES, Plan  # noqa: E402
from mlpnas.data.config import MlpDataConfig  # noqa: E402
from mlpnas.data.load import load  # noqa: E402
from nascore.process.runtime import use_one_thread  # noqa: E402

METHODS = tuple(SEARCHES)
DATASETS = ("digits", "wine", "mnist")
ROWS_FILE = "peer.csv"


def measure(
    table: Table,
    plan: Plan,
    datas: dict[str, MlpDataConfig],
    seeds: int,
    methods: tuple[str, ...] = METHODS,
) -> None:
    """Adds the rows that are missing.

    Args:
      table: what is known.
      plan: what is alike in all runs.
      datas: data sets by name; each seed splits them anew.
      seeds: from 1.
      methods: of `METHODS`.

    Raises:
      InputError: the rows that are there are of another plan.
    """
    settings = {
        name: str(value) for name, value in dataclasses.asdict(plan).items()
    }
    done = set()
    for row in table.read():
        if {name: row.get(name) for name in settings} != settings:
            raise InputError(
                f"{table.path} holds rows of other settings; choose another "
                "--out"
            )
        done.add((row["dataset"], int(row["seed"]), row["method"]))
    # A seed of all data sets first: what is there early shows all of them.
    for seed in range(1, seeds + 1):
        for name, config in datas.items():
            left = [m for m in methods if (name, seed, m) not in done]
            if not left:
                continue
            data = load(dataclasses.replace(config, split_seed=seed))
            for method in left:
                found = SEARCHES[method](plan, data, method, seed)
                made: Row = {
                    "dataset": name,
                    "seed": seed,
                    "method": method,
                    **found._asdict(),
                    **settings,
                }
                table.append([made])
                print(
                    f"{name}, seed {seed}, {method}: validation "
                    f"{found.validation_accuracy:.2%}, test "
                    f"{found.test_accuracy:.2%}, {found.seconds:.0f} s, "
                    f"{found.architecture}",
                    flush=True,
                )


def report(rows: pd.DataFrame) -> str:
    """Means in a Markdown table, and paired differences from KerasTuner's."""
    lines = [
        "| data | method | seeds | validation | test | seconds (median) |",
        "|---|---|---|---|---|---|",
    ]
    for (name, method), part in rows.groupby(["dataset", "method"], sort=False):
        lines.append(
            f"| {name} | {method} | {len(part)} "
            f"| {part['validation_accuracy'].mean():.2%} "
            f"| {part['test_accuracy'].mean():.2%} "
            f"| {part['seconds'].median():.0f} |"
        )
    lines += [
        "",
        "| data | difference, in points | pairs | mean | 95% | p |",
        "|---|---|---|---|---|---|",
    ]
    for name, part in rows.groupby("dataset", sort=False):
        for kind in ("validation", "test"):
            table = part.pivot(
                index="seed", columns="method", values=f"{kind}_accuracy"
            )
            for method in ("lstm", "random"):
                if not {method, "tuner"} <= set(table):
                    continue
                pairs = 100 * table[[method, "tuner"]].dropna()
                if pairs.empty:
                    continue
                test = paired_test(
                    pairs[method].to_numpy(), pairs["tuner"].to_numpy()
                )
                lines.append(
                    f"| {name} | {method} - tuner, {kind} | {test.count} "
                    f"| {test.mean:+.2f} | {test.low:+.2f} to "
                    f"{test.high:+.2f} | {test.p_value:.3g} |"
                )
    return "\n".join(lines)


def _read_data(arguments: argparse.Namespace) -> dict[str, MlpDataConfig]:
    """The data sets that are asked for."""
    known = {
        "digits": MlpDataConfig(),
        "wine": MlpDataConfig(
            dataset="wine_quality", data_file=arguments.wine_file
        ),
        "mnist": MlpDataConfig(
            dataset="mnist", data_dir=arguments.data_dir, train_examples=4000
        ),
    }
    return {name: known[name] for name in arguments.datasets}


def _words(allowed: tuple[str, ...]) -> Callable[[str], tuple[str, ...]]:
    def read(text: str) -> tuple[str, ...]:
        words = tuple(text.split(","))
        if not set(words) <= set(allowed):
            raise argparse.ArgumentTypeError(
                f"{text} must be of {','.join(allowed)}"
            )
        return words

    return read


def main() -> None:
    """Measures what is missing and prints the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--out", type=to_path, default=Path("mlpnas_peer"))
    parser.add_argument("--data_dir", type=expand, default="")
    parser.add_argument("--wine_file", type=expand, default="")
    for name, allowed in (("datasets", DATASETS), ("methods", METHODS)):
        parser.add_argument(f"--{name}", type=_words(allowed), default=allowed)
    parser.add_argument("--seeds", type=int, default=10)
    for field in dataclasses.fields(Plan):
        parser.add_argument(f"--{field.name}", type=int, default=field.default)
    arguments = parser.parse_args()
    plan = Plan(
        **{
            field.name: getattr(arguments, field.name)
            for field in dataclasses.fields(Plan)
        }
    )
    if "tuner" in arguments.methods and not importlib.util.find_spec(
        "keras_tuner"
    ):
        parser.error("the method tuner needs: pip install 'ienas[peer]'")
    use_one_thread()
    # Many searches in one process trace their graphs anew, on purpose.
    tf.get_logger().setLevel("ERROR")
    arguments.out.mkdir(parents=True, exist_ok=True)
    table = Table(arguments.out / ROWS_FILE)
    data = _read_data(arguments)
    try:
        measure(table, plan, data, arguments.seeds, arguments.methods)
    except InputError as error:
        parser.error(str(error))
    print(f"\n{plan.candidates} candidates each; rows: {table.path}\n")
    print(report(pd.read_csv(table.path)))


if __name__ == "__main__":
    main()
