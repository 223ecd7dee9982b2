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
from experiments.batch import Job, run_jobs, to_flags
from flags import comparison as comparison_flags
from ienas.config import IenasConfig
from nascore.errors import InputError
from nascore.runs import flatten

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
) -> list[Job]:
    """Lists the runs of a comparison, seed by seed.

    Args:
      config: the settings of all runs; its seed is the first.
      methods: names, see `flags.comparison`.
      seeds: runs of each method.
      folder: where the run folders go.
    """
    settings = flatten(config)
    first = config.schedule.seed
    jobs = []
    for seed in range(first, first + seeds):
        for method in methods:
            script, kind, own = _SCRIPTS[method]
            defaults = flatten(kind())
            values = {**settings, **own, "seed": seed}
            name = f"{method}-seed{seed}"
            jobs.append(
                Job(
                    name,
                    folder / name,
                    f"experiments.{script}",
                    to_flags(
                        {
                            field: values[field]
                            for field, default in defaults.items()
                            if values[field] != default
                        }
                    ),
                    config.schedule.epochs,
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
    check_methods(values.methods)
    config = comparison_flags.read()
    out = Path(values.out or f"comparisons/{config.data.dataset}")
    jobs = plan_jobs(config, values.methods, values.seeds, out / "runs")
    run_jobs(jobs, values.jobs, values.backend, values.scheduler)


def cli() -> None:
    """Console entry point."""
    comparison_flags.define()
    launch.run(main)


if __name__ == "__main__":
    cli()
