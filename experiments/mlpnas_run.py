"""One run of MLPNAS from the data to the comparison."""

import contextlib
import dataclasses
import sys
from pathlib import Path
from typing import Any

import numpy as np
from joblib import cpu_count

from experiments import cluster, launch, plot_mlpnas
from experiments.support import program, small_presets
from experiments.support.mlpnas_rivals import (
    Rivals,
    evaluator_of,
    finetune_seconds,
    has_rival,
    search_seconds,
    weights_of,
    what_follows,
)
from experiments.support.terms import make_terms
from flags.methods import Method
from mlpnas.candidates.pool import choose_jobs
from mlpnas.competitors import Compared
from mlpnas.config import (
    COMPETITORS,
    FINAL_FILE,
    MODEL_FILE,
    MlpnasConfig,
    WorkConfig,
)
from mlpnas.data.encoders import TableEncoder
from mlpnas.data.load import MlpData, load
from mlpnas.exports.card import CARD_FILE, write_card
from mlpnas.exports.model import build_model, save_model
from mlpnas.exports.table_inputs import NUMBERS, is_wide
from mlpnas.finetune import Finetuned, finetune
from mlpnas.memory import estimate
from mlpnas.perceptrons import count_passes
from mlpnas.search import make_search
from nascore.errors import printable
from nascore.paths import quote
from nascore.process.memory import Watch, resident
from nascore.process.runtime import use_one_thread
from nascore.runs.atomic import write_json
from nascore.runs.config import RunConfig
from nascore.runs.folder import RunFolder
from nascore.runs.interrupts import Interrupted, StopRequest
from nascore.runs.progress import Progress, Terms
from nascore.search.ranking import Ranked
from nascore.search.search import Search

_SCORES = {
    "weighted": "epoch-weighted mean of validation accuracies",
    "best": "validation accuracy of the best epoch",
}


def run(
    method: Method,
    config: MlpnasConfig,
    folder: RunFolder,
    run_config: RunConfig,
    work: WorkConfig,
) -> None:
    """Searches, fine-tunes, exports, compares, prints and draws.

    Args:
      method: what searches.
      config: decides the results.
      folder: where they go.
      run_config: what holds for this start.
      work: processes that candidates are trained in.
    """
    with _backend(work):
        # A cluster's workers are its own affair, were there only one.
        jobs = work.jobs if work.backend == "loky" else -1
        _run(config, folder, jobs, run_config)


def _backend(work: WorkConfig) -> contextlib.AbstractContextManager[None]:
    if work.backend == "loky":
        return contextlib.nullcontext()
    return cluster.connect(
        work.backend, work.scheduler, work.jobs or cpu_count()
    )


def _run(
    config: MlpnasConfig, folder: RunFolder, jobs: int, settings: RunConfig
) -> None:
    """Does what `run` says, in processes of its own or of a cluster."""
    minutes = settings.checkpoint_minutes
    use_one_thread()
    base_memory = resident()
    data = load(config.data)
    _describe_data(data)
    jobs = jobs or choose_jobs(count_passes(config, data))
    need = estimate(config, data, base_memory, jobs)
    watch = Watch(need, folder.path)
    watch.start(settings.ignore_memory)
    search = make_search(config, folder, data, minutes, jobs=jobs)
    print(
        f"search space: {search.space.size():.3g} architectures of at most "
        f"{config.space.max_layers} layers; run folder {folder.path}"
    )
    if search.resumed:
        print(f"resumed in epoch {search.epoch + 1}")
    sys.stdout.flush()
    terms = make_terms(
        settings, need, small_presets.IN_TIME, what_follows(config)
    )
    # Half of the time is for the random search, which takes as long.
    halved = dataclasses.replace(terms, limit=terms.limit.share(0.5))
    ranked = search.run(
        halved if has_rival(config) else terms,
        settings.finish,
        lambda: finetune_seconds(search, config),
    )
    _print_ranking(search, ranked, config)
    unfinished = _finish(search, ranked[0], config, data, jobs, settings, terms)
    print()
    watch.end(evaluator_of(search).pool.processes_peak)
    print(f"run folder: {folder.path}")
    _print_use(data, folder.path)
    for path in plot_mlpnas.plot_run(folder.path):
        print(f"wrote {path}")
    if unfinished:
        print(
            f"\nthis is what there is after {search.epoch} of "
            f"{config.search.epochs} epochs; go on with: "
            f"{launch.resuming(folder.path, settings.max_hours)}"
        )
    again = f"python -m experiments.plot_mlpnas {quote(str(folder.path))}"
    print(f"\nnext:\n  {program.rewrite(again)} --format=pdf")


def _finish(
    search: Search,
    best: Ranked,
    config: MlpnasConfig,
    data: MlpData,
    jobs: int,
    settings: RunConfig,
    terms: Terms,
) -> bool:
    """Trains the best on, saves, and compares; says if something is left."""
    folder = search.run_folder
    for table in ("finetune", "competitors"):
        folder.table(table).clear()
    tuned = _finetune(search, best, config, data)
    model = build_model(
        data.encoder,
        best.architecture,
        tuned.weights,
        config.space.dropout_rate,
        data.reading.missing if data.reading else (),
    )
    save_model(model, folder.path / MODEL_FILE)
    write_card(folder.path, data)
    print(f"wrote {folder.path / MODEL_FILE}")
    rivals = Rivals(search, config, data, jobs, settings, terms)
    rivals.compare()
    _print_comparison(tuned, rivals.compared)
    final = _final(search, best, tuned, rivals.compared, config, data)
    unfinished = search.cut or bool(rivals.left_out)
    write_json(
        folder.path / FINAL_FILE,
        {**final, **({"unfinished": True} if unfinished else {})},
    )
    return unfinished


def _describe_data(data: MlpData) -> None:
    print(
        f"{data.name}: {len(data.train.labels)} training, "
        f"{len(data.validation.labels)} validation, {len(data.test.labels)} "
        f"test examples of {data.features} numbers, {data.classes} classes"
    )
    for line in data.report:
        print(f"  {printable(line)}")
    for note in data.notes:
        print(f"note: {printable(note)}")


def _print_use(data: MlpData, folder: Path) -> None:
    """Says how rows are classified with the model of a table."""
    encoder = data.encoder
    if not isinstance(encoder, TableEncoder):
        return
    print(
        "classify rows of the same columns: python -m experiments.predict "
        f"{quote(str(folder))} rows.csv --out=classes.csv"
    )
    if is_wide(encoder):
        form = (
            f"matrices, {{{NUMBERS!r}: tf.constant(array), ...}}, with the "
            f"columns in the order of {CARD_FILE}"
        )
    else:
        form = "{column: tf.constant(array)}"
    print(
        f"in Python: keras.models.load_model({str(folder / MODEL_FILE)!r}) "
        f"takes {form}; numbers as float64 with NaN and texts with '' where "
        "missing (docs/mlpnas.md)"
    )


def _print_ranking(
    search: Search, ranked: list[Ranked], config: MlpnasConfig
) -> None:
    print("\nrank   score  validation  architecture")
    for rank, entry in enumerate(ranked, 1):
        accuracy = entry.measured["validation_accuracy"]
        print(
            f"{rank:4d}  {entry.score:6.2%}  {accuracy:10.2%}  "
            f"{search.space.format(entry.architecture)}"
        )
    trained = len(search.run_folder.read(search.records.ranks))
    seconds = search_seconds(search.run_folder)
    rule = _SCORES[config.training.score]
    print(
        f"\n{trained} architectures trained in {seconds:.0f} s; score: {rule}"
    )
    sys.stdout.flush()


def _finetune(
    search: Search, best: Ranked, config: MlpnasConfig, data: MlpData
) -> Finetuned:
    """Trains the best architecture on, with a line for each epoch."""
    folder = search.run_folder
    progress = Progress(config.finetune.finetune_epochs, 0, "epochs")

    def after_epoch(row: dict[str, Any]) -> None:
        folder.append("finetune", [row])
        progress.advance(1, "fine-tuning")
        progress.line(
            f"fine-tuning epoch {row['epoch'] + 1}: loss {row['loss']:.4f}, "
            f"validation loss {row['validation_loss']:.4f}, accuracy "
            f"{row['validation_accuracy']:.2%}"
        )
        if not np.isfinite(row["loss"]):
            progress.line(
                "warning: fine-tuning diverged; the weights of the lowest "
                "validation loss before are kept"
            )
        if stop.signum is not None:
            raise Interrupted(
                stop.signum,
                "interrupted while fine-tuning; the search is saved",
            )

    with StopRequest() as stop:
        tuned = finetune(
            config,
            data,
            best.architecture,
            weights_of(search, best),
            after_epoch,
        )
    progress.close()
    return tuned


def _print_comparison(tuned: Finetuned, compared: list[Compared]) -> None:
    print(
        f"\ntest accuracy of the best architecture: "
        f"{tuned.searched_test_accuracy:.2%} after the search, "
        f"{tuned.test_accuracy:.2%} after {tuned.epochs} more epochs"
    )
    if not compared:
        return
    print("\nvalidation    test  seconds")
    for entry in compared:
        print(
            f"{entry.validation_accuracy:10.2%}  {entry.test_accuracy:6.2%}  "
            f"{entry.seconds:7.1f}  {COMPETITORS[entry.name]} {entry.remark}"
        )


def _final(
    search: Search,
    best: Ranked,
    tuned: Finetuned,
    compared: list[Compared],
    config: MlpnasConfig,
    data: MlpData,
) -> dict[str, Any]:
    """What `final.json` says."""
    results = dataclasses.asdict(tuned)
    del results["weights"]
    return {
        "epochs": search.epoch if search.cut else config.search.epochs,
        "architecture": search.space.format(best.architecture),
        "score": best.score,
        "searched_validation_accuracy": best.measured["validation_accuracy"],
        "finetuned": results,
        "class_names": list(data.class_names),
        "competitors": [dataclasses.asdict(entry) for entry in compared],
    }
