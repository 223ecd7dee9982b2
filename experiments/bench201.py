r"""Compares searches over NAS-Bench-201 over hundreds of seeds, with a report.

  python -m experiments.bench201 --methods=random,evolution,ienas --seeds=100
  python -m experiments.bench201 --methods=random,REA=evolution:population=10 \
      --datasets=cifar100 --protocols=validation --queries=500 --jobs=2

Nothing is trained: the cells' accuracies are in the package. Give the same
command again after a crash, with more seeds or with more methods: only what
is missing is searched.
"""

from pathlib import Path

from absl import flags

from experiments import launch
from experiments.benchmark.protocols import PROTOCOLS, Scope
from flags import benchmark
from nascore.errors import InputError
from nascore.evaluators.nasbench201.config import DATASETS
from nascore.runs.folder import InUseError, RunFolder


def main(args: list[str]) -> None:
    """Searches what is missing and writes the report."""
    launch.no_arguments(args)
    values = flags.FLAGS
    variants = benchmark.read_variants(values.methods)
    scope = Scope(
        [PROTOCOLS[n] for n in benchmark.choose("protocols", list(PROTOCOLS))],
        benchmark.choose("datasets", DATASETS),
        values.queries,
        values.published_queries,
    )
    # The workers of a cluster have working folders of their own.
    out = Path(values.out).absolute()
    # These import the libraries that draw: after the flags were checked.
    from experiments.batch import run_jobs
    from experiments.benchmark import plan, report, results, store

    store.open_folder(out)
    try:
        folder = RunFolder(out)
    except InUseError:
        raise InputError(
            f"--out={values.out} is in use by another command; wait for its "
            "end, or take another folder"
        ) from None
    with folder:
        for variant in variants:
            store.register(out, variant)
        missing = plan.missing_chunks(out, variants, scope, values.seeds)
        parts = values.jobs if values.backend == "threading" else 0
        jobs = plan.make_jobs(out, variants, plan.share_out(missing, parts))
        there = plan.list_chunks(out, variants, scope)
        searches = sum(len(chunk) for own in there for chunk in own)
        if searches:
            print(f"{searches:,} searches are finished already")
        run_jobs(
            jobs,
            "searches",
            values.jobs,
            values.backend,
            values.scheduler,
            "fewer --seeds or --queries take less",
        )
        there = plan.list_chunks(out, variants, scope)
        found = results.gather(variants, there, scope, values.seeds)
        report.write_report(
            found, Path(values.out), launch.command(), values.jobs
        )


def cli() -> None:
    """Console entry point."""
    benchmark.define({p.name: p.about for p in PROTOCOLS.values()})
    launch.run(main)


if __name__ == "__main__":
    cli()
