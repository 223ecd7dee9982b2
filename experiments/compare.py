r"""Compares search methods over several seeds, and writes a report.

  python -m experiments.compare --dataset=fashion_mnist \
      --methods=enas,ienas,random --seeds=5 --jobs=2
  python -m experiments.compare --max_hours=2 \
      --methods=recurrent_enas,recurrent_random
  python -m experiments.compare RUN RUN ... --out=REPORT

The first form runs what is missing: give the same command again after a
crash, or with more seeds. The second takes run folders as they are.
"""

import dataclasses
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from absl import flags

from enas.config import EnasConfig
from experiments import launch
from experiments.jobs import SearchJob
from experiments.plot_comparison import (
    define_targets,
    print_report,
    read_targets,
)
from experiments.rank_check import RankJob
from experiments.reports.scores import kind_of
from experiments.support import small_presets
from flags import base, methods, preset_files
from flags import comparison as comparison_flags
from nascore.baselines.config import MacroSearchConfig
from nascore.config import flatten, unflatten
from nascore.errors import InputError
from nascore.paths import make_absolute


def plan_jobs(
    configs: Mapping[str, Any],
    seeds: int,
    folder: Path,
    hours: float = 0.0,
) -> list[SearchJob]:
    """Lists the runs of a comparison, seed by seed.

    Args:
      configs: the settings of each method; the seed in them is the first.
      seeds: runs of each method.
      folder: where the run folders go.
      hours: that each run may take; 0: no limit.
    """
    jobs = []
    for place in range(seeds):
        for method, config in configs.items():
            values = flatten(config)
            values["seed"] += place
            name = f"{method}-seed{values['seed']}"
            jobs.append(
                SearchJob(
                    name,
                    folder / name,
                    values["epochs"],
                    method,
                    unflatten(config, values),
                    hours=hours,
                )
            )
    return jobs


def _check_rank_check(configs: Mapping[str, Any]) -> None:
    """Raises InputError if proposals of a method cannot be trained alone."""
    for name, config in configs.items():
        if not isinstance(config, EnasConfig | MacroSearchConfig):
            raise InputError(
                f"--rank_check trains networks of cells and macro networks, "
                f"which {name} does not search; leave it out"
            )


def _run_missing(
    configs: Mapping[str, Any], out: Path, hours: float
) -> list[Path]:
    """Runs what is missing of the searches, and of their rank checks.

    Args:
      configs: the settings of each method.
      out: the folder of the comparison.
      hours: that each run may take; 0: no limit.

    Returns:
      The run folders.
    """
    # It imports what runs side by side: after the flags were checked.
    from experiments.batch import run_jobs

    values = flags.FLAGS
    how = (values.jobs, values.backend, values.scheduler)
    jobs = plan_jobs(configs, values.seeds, out / "runs", hours)
    shorter = small_presets.shorter(jobs[0].config, in_time=not hours)
    run_jobs(jobs, "epochs", *how, shorter)
    if values.rank_check:
        checks = [
            RankJob(
                f"rank check of {job.name}",
                job.run_dir,
                values.rank_check,
                values.rank_check_epochs,
                flatten(configs[job.method])["data_dir"],
            )
            for job in jobs
        ]
        run_jobs(checks, "architectures", *how)
    return [job.run_dir for job in jobs]


def main(args: list[str]) -> None:
    """Runs what is missing and writes the report."""
    # These import the libraries that draw: after the flags were checked.
    from experiments.comparison import files as report_files
    from experiments.comparison.gathering import gather
    from experiments.comparison.report import ROWS

    values = flags.FLAGS
    targets, hours = read_targets(), values.max_hours
    if math.isnan(hours):
        raise InputError("--max_hours=nan must be a number of hours")
    if args:
        if hours:
            raise InputError(
                f"--max_hours={hours:g} has no effect on runs that are there "
                "already; leave it out"
            )
        rows = gather([Path(name) for name in args])
        rows.kind.check_targets(targets)
        out = Path(values.out or f"comparisons/{'-'.join(rows.datasets)}")
    else:
        chosen = [methods.find(name) for name in values.methods]
        kind_of(chosen[0].measures).check_targets(targets)
        shared = comparison_flags.shared_config(values.methods[0])
        small_presets.take_for(chosen, shared)
        configs = comparison_flags.read(values.methods)
        if values.rank_check:
            _check_rank_check(configs)
        first = flatten(next(iter(configs.values())))
        out = Path(values.out or f"comparisons/{first.get('dataset', 'data')}")
        if values.backend != "threading":
            # The workers of a cluster have working folders of their own.
            configs = {k: make_absolute(v) for k, v in configs.items()}
            out = out.absolute()
        rows = gather(_run_missing(configs, out, hours), hours)
    rows = dataclasses.replace(rows, command=launch.command())
    report_files.save(rows, out / ROWS)
    print_report(out)


def cli() -> None:
    """Console entry point."""
    comparison_flags.define()
    define_targets()
    preset_files.define(preset_files.SEARCHES)
    launch.run(main, _define)


def _define() -> None:
    """Defines the flags that depend on what is compared."""
    base.peek(sys.argv)
    comparison_flags.define_searches()
    flags.FLAGS.unparse_flags()


if __name__ == "__main__":
    cli()
