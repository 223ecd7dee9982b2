"""Kills each script at random moments, resumes it, and compares the ends.

  python -m tests.faults.kill_anywhere --kills=20 --out=KILLS [--only=enas]

Prints a row for each script: kills tried, runs that came to their end, and
whether every one of them equals a run that nobody disturbed. Every run goes
on after each kill with --resume, from whatever the kill has left.
"""

import argparse
import dataclasses
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.faults.equal_runs import differences

ROOT = Path(__file__).parents[2]

_CHILD = (
    "--dataset=digits --filters=4 --num_normal_cells=1 --num_nodes=1 "
    "--operations=sep_conv_3x3,identity "
    "--num_reduction_cells=1 --train_steps=6 --num_aggregate=2 --epochs=4 "
    "--epoch_samples=4 --derive_samples=6 --batch_size=64"
).split()
_SAVING = ["--checkpoint_minutes=0"]
_CELL = "0 2 0 0 0 4 0 1"


@dataclasses.dataclass(frozen=True)
class Script:
    """A script in a size that ends in seconds.

    Attributes:
      module: what to run.
      flags: its settings.
      target: the flag that names where it writes.
      end: the file, under that folder, that it writes last.
      resume: what to add when it goes on.
      plot: draws a finished run, whose own drawing a kill has cut off.
    """

    module: str
    flags: list[str]
    end: str
    target: str = "run_dir"
    resume: tuple[str, ...] = ("--resume",)
    plot: str = "experiments.plot_run"


SCRIPTS = {
    "enas": Script(
        "experiments.search_enas",
        [*_CHILD, *_SAVING],
        "derived_architectures.json",
    ),
    "ienas": Script(
        "experiments.search_ienas",
        [*_CHILD, *_SAVING],
        "derived_architectures.json",
    ),
    "final": Script(
        "experiments.train_final",
        [
            f"--architecture={_CELL} {_CELL}",
            *"--dataset=digits --num_nodes=2 --filters=4 --num_layers=2 "
            "--epochs=8 --batch_size=64 --ema_decay=0.9 "
            "--export=keras".split(),
            *_SAVING,
        ],
        "test.json",
        plot="experiments.plot_final",
    ),
    "mlpnas": Script(
        "experiments.search_mlpnas",
        "--dataset=digits --units=8,16 --max_layers=4 --epochs=4 "
        "--architectures=4 --child_epochs=3 --one_shot --predictor "
        "--lstm_units=16 --finetune_epochs=3 --compare=logistic,random "
        "--jobs=2 --checkpoint_minutes=0".split(),
        "final.json",
        plot="experiments.plot_mlpnas",
    ),
    "compare": Script(
        "experiments.compare",
        [
            *_CHILD,
            *"--methods=enas,ienas --seeds=1 --jobs=2 --rank_check=2 "
            "--rank_check_epochs=1".split(),
        ],
        "report.html",
        "out",
        (),
    ),
}


def command(script: Script, path: Path, *before: str) -> list[str]:
    """How to start it, or to go on."""
    words = [sys.executable, "-m", *before, script.module]
    if script.resume and (path / script.end).exists():
        return [sys.executable, "-m", *before, script.plot, str(path)]
    if (path / "config.json").exists() and script.resume:
        return [*words, f"--{script.target}={path}", *script.resume]
    return [*words, *script.flags, f"--{script.target}={path}"]


def start(words: list[str], log: Path) -> subprocess.Popen:
    """Starts a process in a group of its own."""
    with log.open("ab") as file:
        return subprocess.Popen(
            words,
            cwd=ROOT,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def kill_at_time(process: subprocess.Popen, seconds: float, group: bool):
    """Kills it after a while, with its children or alone."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        if group:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    return process.wait()


def disturb(
    name: str, script: Script, path: Path, seconds: float, draw: random.Random
) -> tuple[str, int]:
    """Starts it and kills it somewhere; returns how, and its exit code."""
    log = path.with_name(f"{path.name}.log")
    kinds = ["time", "time", "sync", "torn", "checkpoint"]
    kind = "time" if name == "compare" else draw.choice(kinds)
    if kind == "time":
        process = start(command(script, path), log)
        group = draw.random() < 0.5
        code = kill_at_time(process, draw.uniform(0, seconds), group)
        return f"{kind}, {'with its children' if group else 'alone'}", code
    words = ["tests.faults.dying", kind, str(draw.randint(1, 12))]
    return kind, start(command(script, path, *words), log).wait()


def check(name: str, kills: int, out: Path, seed: int) -> list[dict]:
    """Kills one script so many times; returns a row for each start."""
    script = SCRIPTS[name]
    draw = random.Random(f"{name} {seed}")
    whole = out / f"{name}-whole"
    begin = time.monotonic()
    log = whole.with_name(f"{whole.name}.log")
    if not (whole / script.end).exists():
        if start(command(script, whole), log).wait():
            raise SystemExit(f"{name} does not work undisturbed: see {log}")
    seconds = time.monotonic() - begin
    rows: list[dict] = []
    ends = killed = 0
    while killed < kills or (out / f"{name}-{ends}").exists():
        path = out / f"{name}-{ends}"
        if killed < kills:
            how, code = disturb(name, script, path, seconds, draw)
        else:
            how = "undisturbed"
            code = start(
                command(script, path), path.with_name(f"{path.name}.log")
            ).wait()
        killed += code == -signal.SIGKILL
        row = {"script": name, "run": ends, "how": how, "exit_code": code}
        if code not in (0, -signal.SIGKILL):
            row["differences"] = "does not go on"
        elif code == 0:
            row["differences"] = "; ".join(differences(whole, path))
            # What differs is kept to be looked at.
            if not row["differences"]:
                shutil.rmtree(path)
            ends += 1
        rows.append(row)
        print(row, flush=True)
        if code not in (0, -signal.SIGKILL):
            break
    return rows


def main() -> None:
    """Checks the scripts, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", default=",".join(SCRIPTS))
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    import pandas as pd

    tables = []
    for name in arguments.only.split(","):
        rows = check(name, arguments.kills, arguments.out, arguments.seed)
        tables.append(pd.DataFrame(rows))
        pd.concat(tables).to_csv(arguments.out / "kills.csv", index=False)
    table = pd.concat(tables)
    table["killed"] = table["exit_code"] == -signal.SIGKILL
    table["ended"] = table["exit_code"] == 0
    table["unequal"] = table["differences"].fillna("") != ""
    print(
        table.groupby("script", sort=False)[
            ["killed", "ended", "unequal"]
        ].sum()
    )


if __name__ == "__main__":
    main()
