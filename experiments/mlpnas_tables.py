r"""Makes the tables of the MLPNAS paper again, over several seeds.

  python -m experiments.mlpnas_tables --data_dir=DATA \
      --wine_file=wine-quality.csv --seeds=3 --jobs=2
  python -m experiments.mlpnas_tables --tables=1,2 --data_dir=DATA

Table 5's data are private; --speakers_file takes a public stand-in, the
Japanese vowels. Give the same command again after a crash, or with more
seeds: finished runs are skipped.
"""

from pathlib import Path
from typing import Any

from absl import flags

from experiments import launch
from experiments.jobs import SearchJob
from experiments.mlpnas_variants import VARIANTS, variants_of
from flags import base
from mlpnas.config import MlpnasConfig
from nascore.config import flatten, unflatten
from nascore.errors import InputError

TABLES = (1, 2, 3, 4, 5, 6)
# Smaller than a search's own: the tables' data sets are small.
BATCH_SIZE = 128
# As in the runs whose rows are in `results/`: the paper's prior over depths,
# and the fewest updates of the controller, whose number it does not give.
PAPER = {"depth_prior": "paper", "controller_steps": 1}
_METHODS = {"lstm": "mlpnas", "random": "mlpnas_random"}
_FILES = {"wine": "wine_file", "speakers": "speakers_file"}
_DATASETS = {"wine": "wine_quality", "speakers": "japanese_vowels"}


def plan_jobs(
    names: list[str], seeds: int, folder: Path, common: dict[str, Any]
) -> dict[tuple[str, int], SearchJob]:
    """The runs of the tables, by variant and seed.

    Args:
      names: variants.
      seeds: runs of each, from 1.
      folder: where the run folders go.
      common: settings of all runs; `files` by kind of data, and
        `train_examples` of MNIST.
    """
    defaults = flatten(MlpnasConfig())
    jobs = {}
    for seed in range(1, seeds + 1):
        for name in names:
            variant = VARIANTS[name]
            own: dict[str, Any] = {
                "seed": seed,
                "compare": "none",
                "batch_size": BATCH_SIZE,
                **PAPER,
            }
            if variant.data == "mnist":
                own |= {
                    "dataset": "mnist",
                    "data_dir": common["data_dir"],
                    "train_examples": common["train_examples"],
                }
            else:
                own |= {
                    "dataset": _DATASETS[variant.data],
                    "data_file": common["files"][variant.data],
                }
            values = {**defaults, **own, **variant.settings}
            jobs[name, seed] = SearchJob(
                f"{name}-seed{seed}",
                folder / f"{name}-seed{seed}",
                values["epochs"],
                _METHODS[values["controller"]],
                unflatten(MlpnasConfig(), values),
                # The runs share the cores among them.
                ("--jobs=1",),
            )
    return jobs


def main(args: list[str]) -> None:
    """Runs what is missing and writes the tables."""
    launch.no_arguments(args)
    values = flags.FLAGS
    try:
        tables = [int(word) for word in values.tables]
    except ValueError:
        tables = []
    if not tables or not set(tables) <= set(TABLES):
        raise InputError(
            f"--tables={','.join(values.tables)} must be of "
            f"{','.join(map(str, TABLES))}"
        )
    names = variants_of(tables)
    files = {kind: str(values[flag].value) for kind, flag in _FILES.items()}
    for kind, flag in _FILES.items():
        used = any(VARIANTS[name].data == kind for name in names)
        if used and not Path(files[kind]).is_file():
            raise InputError(
                f"--{flag}={files[kind]} is not an existing file; give it, "
                "or leave its table out of --tables"
            )
    common = {
        "files": files,
        "data_dir": values.data_dir,
        "train_examples": values.train_examples,
    }
    out = Path(values.out)
    jobs = plan_jobs(names, values.seeds, out / "runs", common)
    # Slow to import: after the flags were checked.
    from experiments.batch import run_jobs

    run_jobs(list(jobs.values()), "epochs", values.jobs)
    # TensorFlow takes seconds to import, and the runs need it, not this.
    launch.quiet_tensorflow()
    from experiments import mlpnas_rows
    from experiments.reports import perceptrons

    made = {key: job.run_dir for key, job in jobs.items()}
    mlpnas_rows.write_rows(out, made, launch.command())
    perceptrons.write(out)


def cli() -> None:
    """Console entry point."""
    flags.DEFINE_list("tables", ["1", "2", "3", "4", "6"], "Which tables.")
    flags.DEFINE_integer("seeds", 3, "Runs of each kind, from seed 1.", 1)
    flags.DEFINE_integer("jobs", 1, "Runs at the same time.", 1)
    base.define_path("data_dir", "", "The tensorflow-datasets folder.")
    base.define_path("wine_file", "", "CSV file of wine quality, table 6.")
    base.define_path(
        "speakers_file", "", "CSV file of the Japanese vowels, for table 5."
    )
    flags.DEFINE_integer(
        "train_examples",
        0,
        "MNIST images to learn from, the validation part included; 0: all.",
        0,
    )
    base.define_path("out", "mlpnas_tables", "Folder of runs and tables.")
    launch.run(main)


if __name__ == "__main__":
    cli()
