r"""Ranks NAS-Bench-201's cells by what needs no training, and checks the ranks.

  python -m experiments.proxies --count=1000 --dataset=cifar10 --out=OUT
  python -m experiments.proxies --dataset=digits --num_layers=1 --filters=4
  python -m experiments.proxies --out=OUT --run=RUN

Four zero-cost proxies (nascore.training.proxies.py) of each network with the
weights that it starts with, on one batch of training images; then Kendall's
tau with the accuracies that others measured after training, beside that of
the number of parameters. Given again, it measures what is missing. With
--run, a search with shared weights over these cells, theirs stand beside.
"""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from absl import flags

from experiments import launch
from flags import base
from nascore.config import check_fields, flatten, option
from nascore.data.config import DataConfig
from nascore.errors import InputError
from nascore.evaluators.nasbench201.names import TRUTH
from nascore.networks.config import BENCH201, NetworkConfig
from nascore.runs.atomic import write_json
from nascore.runs.csv_files import read_table
from nascore.runs.folder import InUseError, RunFolder
from nascore.runs.interrupts import Interrupted, Limit, StopRequest
from nascore.runs.json_files import read_object
from nascore.runs.progress import Progress
from nascore.runs.reader import read_run

if TYPE_CHECKING:
    import pandas as pd

    from nascore.data.images import ImageData

PROXIES = ("grad_norm", "synflow", "jacob_cov", "naswot")
_SIZES = ("parameters", "multiply_adds")
_TABLE, _ABOUT, _TAUS = "proxies", "about.json", "taus.csv"
_SHARED = "shared_accuracy"
# Of the network of the table that may be smaller.
_NETWORK = ("filters", "num_layers")
# Resamples of cells for an interval, and the seed of their draws.
_RESAMPLES = 1000


@dataclasses.dataclass(frozen=True)
class ProxyConfig:
    """What is measured."""

    count: int = option(
        200,
        "Cells: the first so many of an order that all runs share; 15625 "
        "are all.",
    )
    batch_size: int = option(64, "Images of the batch.")
    filters: int = option(16, "Channels of the first stage.")
    num_layers: int = option(5, "Cells of each of the three stages.")
    seed: int = option(0, "Of the initial weights and the batch.")

    def __post_init__(self) -> None:
        check_fields(
            self,
            count=(2, 15625),
            batch_size=(2, 4096),
            filters=(1, 4096),
            num_layers=(1, 200),
            seed=(0, 2**31 - 1),
        )


def main(args: list[str]) -> None:
    """Measures what is missing, prints and writes the taus."""
    launch.no_arguments(args)
    config = base.read(ProxyConfig())
    data = base.read(DataConfig())
    shared = _read_shared(flags.FLAGS.run)
    limit = Limit(flags.FLAGS.max_hours, launch.began())
    out = Path(flags.FLAGS.out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        folder = RunFolder(out)
    except InUseError:
        raise InputError(
            f"--out={out} is in use by another process; wait for it"
        ) from None
    except OSError as error:
        raise InputError(
            f"--out={out} cannot be written: {error.strerror}"
        ) from None
    with folder:
        _check_same(out, config, data)
        table = _measure(folder, config, data, limit)
        _report(out, table, shared)
    if len(table) < config.count:
        print(
            f"time is up (--max_hours) after {len(table):,} of "
            f"{config.count:,} cells; go on with: {launch.command()}"
        )


def _read_shared(run: str) -> pd.DataFrame | None:
    """Cells as the weights of a search measure them."""
    if not run:
        return None
    from experiments.support.cell_ranks import read

    read_run(Path(run))  # Raises: no run.
    found = read(Path(run))
    if found.empty:
        raise InputError(
            f"--run={run} has no cell_ranks.csv; measure cells with its "
            "weights first: python -m experiments.rank_check RUN --count=1000"
        )
    return found.rename(columns={"accuracy": _SHARED})


def _check_same(out: Path, config: ProxyConfig, data: DataConfig) -> None:
    """Raises InputError if the folder holds numbers of other settings."""
    now: dict[str, Any] = {**flatten(config), **flatten(data)}
    for moving in ("count", "data_dir"):
        del now[moving]
    file = out / _ABOUT
    if not file.exists():
        if any(path.suffix for path in out.iterdir() if path.name[0] != "."):
            raise InputError(
                f"--out={out} holds other files; choose an empty or a new "
                "folder"
            )
        write_json(file, now)
        return
    old = read_object(file)
    changed = [name for name in now if old.get(name) != now[name]]
    if changed:
        name = changed[0]
        raise InputError(
            f"--out={out} holds proxies with --{name}={old.get(name)}, not "
            f"{now[name]}; choose another folder"
        )


def _measure(
    folder: RunFolder, config: ProxyConfig, data: DataConfig, limit: Limit
) -> pd.DataFrame:
    """Measures what is missing of the first cells; returns all rows."""
    launch.quiet_tensorflow()
    from experiments.support.cell_ranks import choose
    from nascore.data.images import load
    from nascore.evaluators.nasbench201 import table
    from nascore.spaces.bench201 import Bench201Space, rows_of
    from nascore.training.proxies import measure

    have = read_rows(folder.path)
    codes = choose(config.count)[len(have) :]
    if not len(codes):
        return have.iloc[: config.count]
    loaded = load(data)
    images, labels = _draw_batch(loaded, config)
    network = NetworkConfig(
        layout=BENCH201,
        drop_path_keep_prob=1.0,
        aux_weight=0.0,
        keep_prob=1.0,
        **{name: getattr(config, name) for name in _NETWORK},
    )
    truth = {name: table.accuracies(column) for name, column in TRUTH.items()}
    sizes, space = table.parameters(), Bench201Space()
    products = table.multiply_adds()
    progress = Progress(config.count, len(have), "cells")
    with StopRequest() as stop:
        for code in codes.tolist():
            if stop.signum is not None:
                raise Interrupted(
                    stop.signum,
                    f"interrupted; go on with: {launch.command()}",
                )
            if limit.left() <= 0:
                break
            begin = time.monotonic()
            cell = space.decode(rows_of(np.array(code)))
            found = measure(
                cell,
                network,
                images,
                labels,
                loaded.classes,
                config.seed,
            )
            row = {
                "architecture": space.format(cell),
                **found._asdict(),
                "parameters": int(sizes[code]),
                "multiply_adds": int(products[code]),
                **{name: float(all_[code]) for name, all_ in truth.items()},
                "seconds": round(time.monotonic() - begin, 3),
            }
            folder.append(_TABLE, [row])
            progress.advance(1, "cells")
    progress.close()
    return read_rows(folder.path)


def _draw_batch(
    data: ImageData, config: ProxyConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Standardized training images, float32 `[n, h, w, c]`, and labels."""
    size = min(config.batch_size, len(data.train))
    rng = np.random.default_rng(config.seed)
    batch = data.train.take(rng.permutation(len(data.train))[:size])
    images = (batch.images / 255 - data.mean) / data.std
    return images.astype(np.float32), batch.labels


def read_rows(out: Path) -> pd.DataFrame:
    """The rows of a folder; empty if there are none.

    Raises:
      InputError: the file is damaged.
    """
    return read_table(
        out / f"{_TABLE}.csv", [*PROXIES, *_SIZES, *TRUTH], ["architecture"]
    )


def taus(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Kendall's tau-b of columns with the accuracies of the table.

    Args:
      table: a row for each cell.
      columns: what ranks.

    Returns:
      A row for each of them and each accuracy: `proxy`, `accuracy`, `tau`,
      `low` and `high`, a 95% percentile interval over resampled cells,
      `spearman`, `cells`.
    """
    # Slow to import.
    import pandas as pd
    from scipy.stats import kendalltau, spearmanr

    rng = np.random.default_rng(0)
    draws = rng.integers(0, len(table), (_RESAMPLES, len(table)))
    rows = []
    for name in columns:
        for truth in TRUTH:
            x, y = table[name].to_numpy(), table[truth].to_numpy()
            # Of tau-b only the order counts: -inf is the least number.
            x = pd.Series(x).rank(method="average").to_numpy()
            resampled = [kendalltau(x[d], y[d]).statistic for d in draws]
            low, high = np.nanpercentile(resampled, [2.5, 97.5])
            rows.append(
                {
                    "proxy": name,
                    "accuracy": truth,
                    "tau": kendalltau(x, y).statistic,
                    "low": low,
                    "high": high,
                    "spearman": spearmanr(x, y).statistic,
                    "cells": len(table),
                }
            )
    return pd.DataFrame(rows)


def _report(
    out: Path, table: pd.DataFrame, shared: pd.DataFrame | None
) -> None:
    """Prints the taus, and writes them."""
    columns = [*PROXIES, *_SIZES]
    if shared is not None:
        table = table.merge(shared[["architecture", _SHARED]])
        columns.append(_SHARED)
    if len(table) < 2:
        raise InputError(
            f"{out} has {len(table)} cells that can be compared; 2 are needed"
        )
    found = taus(table, columns)
    found.to_csv(out / _TAUS, index=False)
    print(
        f"\nKendall's tau with the table's test accuracy, over "
        f"{len(table):,} random cells of NAS-Bench-201 (95% interval over "
        "resampled cells):"
    )
    for name, rows in found.groupby("proxy", sort=False):
        numbers = "  ".join(
            f"{row.tau:+.3f} ({row.low:+.3f} to {row.high:+.3f})"
            for row in rows.itertuples()
        )
        print(f"  {name:<16}{numbers}")
    heads = ", ".join(column.dataset for column in TRUTH.values())
    print(f"on {heads}; wrote {out / _TAUS} and {out / _TABLE}.csv")


def cli() -> None:
    """Console entry point."""
    base.define(ProxyConfig())
    base.define(DataConfig())
    base.define_path("out", "runs/proxies", "Folder of the results.")
    base.define_path(
        "run", "", "A search with shared weights over the same cells."
    )
    flags.DEFINE_float(
        "max_hours", 0.0, "End in time, with what there is; 0: no limit.", 0.0
    )
    launch.run(main)


if __name__ == "__main__":
    cli()
