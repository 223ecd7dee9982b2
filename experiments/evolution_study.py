r"""Compares searches by evolution on NAS-Bench-201, as RENAS's paper did.

  python -m experiments.evolution_study --seeds=200 --noise=0.5
  python -m experiments.evolution_study --dataset=cifar100 --initial_seed=1 \
      --methods=renas,renas_node,aging=renas_one:removal=oldest

Nothing is trained. Beside what a benchmark tells of the best cell that was
found, the report has the population after each model, and how many searches
ended well, with Fisher's exact test. Given again, it searches what is missing.
"""

import dataclasses
from pathlib import Path

from absl import flags

from experiments import launch
from flags import base, benchmark
from flags.benchmark import MethodVariant
from nascore.config import flatten, unflatten
from nascore.errors import InputError
from nascore.evaluators.nasbench201.config import DATASETS, TableConfig
from nascore.runs.folder import InUseError, RunFolder

_METHODS = (
    "renas",
    "renas_blind",
    "renas_node",
    "renas_one",
    "aging=renas_one:removal=oldest",
    "reinforce",
    "random",
)
_FIRST = "initial_seed"


def main(args: list[str]) -> None:
    """Searches what is missing and writes the report."""
    launch.no_arguments(args)
    values = flags.FLAGS
    variants = [
        _begin_alike(variant, values.initial_seed)
        for variant in benchmark.read_variants(values.methods)
    ]
    looked_up = TableConfig(values.dataset, noise=values.noise)
    out = Path(values.out).absolute()
    # These import the libraries that draw: after the flags were checked.
    from experiments.evolution import report, searches

    searches.check_labels(variants)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"--out={values.out} cannot be written: {error}"
        ) from None
    try:
        folder = RunFolder(out)
    except InUseError:
        raise InputError(
            f"--out={values.out} is in use by another command; wait for its "
            "end, or take another folder"
        ) from None
    with folder:
        launch.quiet_tensorflow()
        found = []
        for variant in variants:
            found.append(
                searches.search(
                    out / "searches",
                    variant,
                    looked_up,
                    values.seeds,
                    values.models,
                )
            )
            print(f"{variant.label}: {values.seeds:,} searches", flush=True)
        report.write_report(
            found, looked_up, Path(values.out), launch.command()
        )


def _begin_alike(variant: MethodVariant, seed: int) -> MethodVariant:
    """The same with the first population of all, where it has one."""
    settings = flatten(variant.config)
    if not seed or _FIRST not in settings:
        return variant
    config = unflatten(variant.config, {**settings, _FIRST: seed})
    return variant._replace(config=dataclasses.replace(config))


def cli() -> None:
    """Console entry point."""
    flags.DEFINE_list(
        "methods",
        list(_METHODS),
        f"What searches, of: {', '.join(benchmark.names())}; with settings "
        "METHOD:SETTING=VALUE:..., and a label LABEL=METHOD:.... The first is "
        "compared with each other one.",
    )
    flags.DEFINE_integer(
        "seeds", 20, "Searches of each method, from seed 1.", 1
    )
    flags.DEFINE_integer(
        "models",
        1000,
        "Models of a search, those of the first population included.",
        20,
    )
    flags.DEFINE_enum("dataset", "cifar10", DATASETS, "What is searched on.")
    flags.DEFINE_float(
        "noise",
        0.0,
        "Standard deviation, in points of accuracy, of what is added to each "
        "fitness, which is measured once; the report is without it.",
        0.0,
        100.0,
    )
    flags.DEFINE_integer(
        _FIRST,
        0,
        "All searches begin with the population of this seed, as in half of "
        "the paper's figure 6; 0: each with its own.",
        0,
        2**31 - 1,
    )
    base.define_path(
        "out", "comparisons/evolution", "Folder of searches and report."
    )
    launch.run(main)


if __name__ == "__main__":
    cli()
