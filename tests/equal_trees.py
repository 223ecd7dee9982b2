"""Whether two source trees search alike, to the last bit.

python -m tests.equal_trees OLD NEW [--cases=enas,final] [--work=FOLDER]

Runs tiny searches and trainings of both trees, each in a fresh process, and
compares every number of their tables and every array of their checkpoints and
models; for changes of the code that must not change a result. Measured times
are left out. What may be called otherwise in the newer tree stands in
`RENAMED`, what may be missing there in `DROPPED`. Runs of the older tree that
a folder already holds are taken as they are, so that each of several steps is
compared with the same ones.
"""

import argparse
import collections
import csv
import io
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import h5py
import numpy as np

# Tables and columns of the older tree -> of the newer.
RENAMED: dict[str, str] = {
    "controller": "evaluations",
    "candidates": "evaluations",
}
# What the newer tree no longer has, by case: columns, and how the names of
# parts of a checkpoint begin. Random search needs no baseline, no optimizer.
DROPPED: dict[str, tuple[str, ...]] = {"random": ("baseline", "optimizer")}
_TIMES = {"seconds", "images_per_second", "tokens_per_second"}
# Parts of a checkpoint that hold times, or lengths of files that hold them.
_VARYING = ("save_counter", "seconds", "stopwatch", "tables", "_CHECKPOINT")

_SMALL = (
    "--image_size=8 --train_examples=160 --filters=4 --num_nodes=2 "
    "--num_normal_cells=1 --num_reduction_cells=1 --batch_size=16 "
).split()
_SEARCH = [
    *_SMALL,
    *"--dataset=digits --epochs=2 --train_steps=2 --num_aggregate=3 "
    "--epoch_samples=3 --derive_samples=4".split(),
]
_MLPNAS = (
    "--dataset=digits --epochs=3 --architectures=4 --child_epochs=3 "
    "--finetune_epochs=2 --units=8,16 --activations=relu,tanh --max_layers=5 "
    "--compare=none --jobs=1 --one_shot --predictor"
).split()
_FINAL = [
    *_SMALL,
    *"--epochs=2 --aux_weight=0.4 --drop_path_keep_prob=0.8 --ema_decay=0.99 "
    "--export=keras".split(),
]
_MACRO = (
    "--method=macro_enas --dataset=digits --image_size=8 --train_examples=160 "
    "--filters=2 --num_layers=3 --operations=conv_3x3,max_pool_3x3 --epochs=2 "
    "--batch_size=40 --train_steps=2 --num_aggregate=2 --lstm_units=4 "
    "--epoch_samples=2 --derive_samples=2"
).split()
_TEXT = (
    "--dataset=python_topics --train_tokens=600 --hidden_units=4 --num_nodes=2 "
    "--batch_size=4 --window=10 --epochs=2"
).split()
_RECURRENT = [*_TEXT, "--reward_streams=128", "--text_lr=1"]
_ASKING = (
    "--train_steps=2 --num_aggregate=2 --lstm_units=4 --epoch_samples=2 "
    "--derive_samples=2"
).split()
_DARTS = [
    *_SMALL,
    *"--dataset=digits --epochs=2 --alpha_from=1 "
    "--validation_fraction=0.1".split(),
]
_LANGUAGE = (
    "--evaluation_streams=128 --architecture=DARTS_V2 --text_lr=1 "
    "--average_after=1 --num_nodes=8"
).split()
# What each case starts; "{enas}" is the folder of that case.
CASES: dict[str, list[str]] = {
    "enas": ["search_enas", *_SEARCH],
    "ienas_paper": ["search_ienas", *_SEARCH],
    "ienas_code": ["search_ienas", *_SEARCH, "--reward_rule=code"],
    "random": ["search_enas", *_SEARCH, "--controller=random"],
    "mlpnas": ["search_mlpnas", *_MLPNAS],
    "mlpnas_random": ["search_mlpnas", *_MLPNAS, "--controller=random"],
    "final": ["train_final", "--from_run={enas}", *_FINAL],
    "macro_enas": ["search", *_MACRO],
    "darts": ["search_darts", *_DARTS],
    "darts_second": ["search_darts", *_DARTS, "--order=second"],
    "recurrent_enas": [
        *("search", "--method=recurrent_enas"),
        *_RECURRENT,
        *_ASKING,
    ],
    "recurrent_darts": ["search", "--method=recurrent_darts", *_RECURRENT],
    "recurrent_darts_second": [
        *("search", "--method=recurrent_darts", "--order=second"),
        *_RECURRENT,
    ],
    "language": ["train_language", *_TEXT, *_LANGUAGE],
}

Columns = dict[str, list[str]]
Digest = tuple[str, tuple[int, ...], bytes]


def run_case(tree: Path, name: str, folder: Path, kept: bool) -> Path:
    """Runs one case of a tree in a process of its own.

    Args:
      tree: the source.
      name: one of `CASES`.
      folder: holds the runs of this tree.
      kept: whether a run that it already holds is taken as it is.

    Returns:
      The run folder.

    Raises:
      SystemExit: it failed; with what it printed.
    """
    run = folder / name
    if kept and run.is_dir():
        return run
    script, *words = CASES[name]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            f"experiments.{script}",
            *(word.format(enas=folder / "enas") for word in words),
            f"--run_dir={run}",
        ],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"{tree}: {name} failed\n{done.stdout}{done.stderr}")
    return run


def read_tables(run: Path, renamed: Mapping[str, str]) -> dict[str, Columns]:
    """All columns of all tables of a run, but times.

    Args:
      run: its folder.
      renamed: old names of tables and columns and what they are now.
    """
    tables = {}
    for path in sorted(run.glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            header, *rows = list(csv.reader(file))
        tables[renamed.get(path.stem, path.stem)] = {
            renamed.get(name, name): [row[place] for row in rows]
            for place, name in enumerate(header)
            if name not in _TIMES
        }
    return tables


def compare_tables(
    old: Mapping[str, Columns],
    new: Mapping[str, Columns],
    dropped: Sequence[str] = (),
) -> list[str]:
    """Says what the newer tables lack or hold otherwise."""
    found = []
    for table, columns in old.items():
        if table not in new:
            found.append(f"{table}.csv is missing")
            continue
        found += [
            f"{table}.csv: {name} "
            + ("is missing" if name not in new[table] else "differs")
            for name, values in columns.items()
            if name not in dropped and values != new[table].get(name)
        ]
    return found


def read_arrays(run: Path, dropped: Sequence[str] = ()) -> list[np.ndarray]:
    """Every array of a run's newest checkpoint and of its model, in order."""
    arrays = [
        array
        for name, array in _checkpoint_arrays(run / "checkpoints")
        if not name.startswith(tuple(dropped))
    ]
    for path in sorted(run.rglob("*.keras")):
        with zipfile.ZipFile(path) as archive:
            content = archive.read("model.weights.h5")
        with h5py.File(io.BytesIO(content)) as file:
            found: list[np.ndarray] = []
            file.visititems(
                lambda _, item, found=found: (
                    found.append(item[()])
                    if isinstance(item, h5py.Dataset)
                    else None
                )
            )
        arrays += found
    return arrays


def _checkpoint_arrays(folder: Path) -> Iterable[tuple[str, np.ndarray]]:
    import tensorflow as tf

    newest = max(
        folder.glob("*.index"), key=lambda path: int(path.stem.split("-")[1])
    )
    reader = tf.train.load_checkpoint(str(newest.with_suffix("")))
    for name in sorted(reader.get_variable_to_shape_map()):
        value = reader.get_tensor(name)
        if name.startswith(_VARYING):
            continue
        if isinstance(value, bytes):
            # State that is no variable is kept as the bytes of an NPZ file;
            # JSON holds numbers that are in the tables, too.
            if not value.startswith(b"PK"):
                continue
            with np.load(io.BytesIO(value), allow_pickle=False) as parts:
                for part in parts.files:
                    if not part.endswith("seconds"):
                        yield f"{name}|{part}", parts[part]
        else:
            yield name, np.asarray(value)


def _digest(array: np.ndarray) -> Digest:
    return (array.dtype.str, array.shape, array.tobytes())


def compare_arrays(
    old: Iterable[np.ndarray], new: Iterable[np.ndarray]
) -> list[str]:
    """Says which arrays of the older run the newer one lacks.

    By content, since a checkpoint's names may change. Whole numbers that
    stand alone are left out: they count steps, and another tree may count
    otherwise.
    """

    def count(arrays: Iterable[np.ndarray]) -> collections.Counter[Digest]:
        return collections.Counter(
            _digest(array)
            for array in arrays
            if array.ndim or array.dtype.kind == "f"
        )

    lacking = count(old) - count(new)
    return [
        f"no equal of an array {dtype} {list(shape)} ({number} times)"
        for (dtype, shape, _), number in lacking.items()
    ]


def compare_runs(
    old: Path, new: Path, dropped: Sequence[str] = ()
) -> list[str]:
    """Says in what two finished runs differ; nothing if they are equal."""
    return compare_tables(
        read_tables(old, RENAMED), read_tables(new, {}), dropped
    ) + compare_arrays(read_arrays(old, dropped), read_arrays(new))


def main() -> int:
    """Compares the trees that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--cases", default=",".join(CASES))
    parser.add_argument("--work", type=Path)
    arguments = parser.parse_args()
    work = arguments.work or Path(tempfile.mkdtemp())
    wrong = 0
    for name in arguments.cases.split(","):
        runs = []
        for side in ("old", "new"):
            folder = work / side
            folder.mkdir(parents=True, exist_ok=True)
            tree = getattr(arguments, side).resolve()
            runs.append(run_case(tree, name, folder, side == "old"))
        found = compare_runs(*runs, DROPPED.get(name, ()))
        arrays = len(read_arrays(runs[0]))
        rows = sum(
            len(values)
            for columns in read_tables(runs[0], {}).values()
            for values in columns.values()
        )
        print(f"{name}: {rows} values, {arrays} arrays: ", end="")
        print("; ".join(found) or "equal", flush=True)
        wrong += bool(found)
    return int(wrong > 0)


if __name__ == "__main__":
    raise SystemExit(main())
