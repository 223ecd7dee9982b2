r"""Compares search methods over several seeds, and writes a report.

  python -m experiments.compare --dataset=fashion_mnist \
      --methods=enas,ienas,random --seeds=5 --jobs=2
  python -m experiments.compare RUN RUN ... --out=REPORT

The first form runs what is missing: give the same command again after a
crash, or with more seeds. The second takes run folders as they are.
"""

from collections.abc import Sequence
from pathlib import Path

from absl import flags

from enas.config import EnasConfig
from experiments import launch
from experiments.batch import run_jobs
from experiments.comparison import files as report_files
from experiments.comparison.gathering import gather
from experiments.comparison.report import ROWS
from experiments.jobs import SearchJob
from experiments.plot_comparison import (
    define_targets,
    print_report,
    read_targets,
)
from experiments.rank_check import RankJob
from flags import comparison as comparison_flags
from ienas.config import IenasConfig
from nascore.config import flatten
from nascore.errors import InputError
from nascore.paths import make_absolute

# The script of a method, and the settings that make it this method.
_SCRIPTS: dict[str, tuple[str, type[EnasConfig], dict[str, object]]] = {
    "enas": ("search_enas", EnasConfig, {"controller": "lstm"}),
    "random": ("search_enas", EnasConfig, {"controller": "random"}),
    "ienas": ("search_ienas", IenasConfig, {}),
    "ienas_paper": ("search_ienas", IenasConfig, {"reward_rule": "paper"}),
    "ienas_code": ("search_ienas", IenasConfig, {"reward_rule": "code"}),
}


def plan_jobs(
    config: IenasConfig, methods: Sequence[str], seeds: int, folder: Path
) -> list[SearchJob]:
    """Lists the runs of a comparison, seed by seed.

    Args:
      config: the settings of all runs; its seed is the first.
      methods: names, see `flags.comparison`.
      seeds: runs of each method.
      folder: where the run folders go.
    """
    settings = flatten(config)
    first = config.search.seed
    jobs = []
    for seed in range(first, first + seeds):
        for method in methods:
            script, kind, own = _SCRIPTS[method]
            defaults = flatten(kind())
            values = {**settings, **own, "seed": seed}
            name = f"{method}-seed{seed}"
            jobs.append(
                SearchJob(
                    name,
                    folder / name,
                    config.search.epochs,
                    f"experiments.{script}",
                    {field: values[field] for field in defaults},
                    defaults,
                )
            )
    return jobs


def check_methods(methods: Sequence[str]) -> None:
    """Raises InputError for unknown, repeated or no methods."""
    odd = [name for name in methods if name not in _SCRIPTS]
    if odd or not methods or len(set(methods)) < len(methods):
        raise InputError(
            f"--methods={','.join(methods)} must be different ones of: "
            f"{', '.join(_SCRIPTS)}"
        )


def main(args: list[str]) -> None:
    """Runs what is missing and writes the report."""
    values = flags.FLAGS
    read_targets()
    if args:
        folders = [Path(name) for name in args]
        rows = gather(folders)
        out = Path(values.out or f"comparisons/{'-'.join(rows.datasets)}")
    else:
        check_methods(values.methods)
        config = comparison_flags.read()
        out = Path(values.out or f"comparisons/{config.data.dataset}")
        if values.backend != "threading":
            # The workers of a cluster have working folders of their own.
            config, out = make_absolute(config), out.absolute()
        jobs = plan_jobs(config, values.methods, values.seeds, out / "runs")
        run_jobs(jobs, "epochs", values.jobs, values.backend, values.scheduler)
        folders = [job.run_dir for job in jobs]
        if values.rank_check:
            run_jobs(
                [
                    RankJob(
                        f"rank check of {job.name}",
                        job.run_dir,
                        values.rank_check,
                        values.rank_check_epochs,
                        config.data.data_dir,
                    )
                    for job in jobs
                ],
                "architectures",
                values.jobs,
                values.backend,
                values.scheduler,
            )
        rows = gather(folders)
    report_files.save(rows, out / ROWS)
    print_report(out)


def cli() -> None:
    """Console entry point."""
    comparison_flags.define()
    define_targets()
    launch.run(main)


if __name__ == "__main__":
    cli()
