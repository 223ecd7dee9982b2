r"""Trains one recurrent cell on a text from scratch, tests and exports it.

  python -m experiments.train_language --from_run=RUN --rank=1 \
      --preset=language/quick
  python -m experiments.train_language --architecture=DARTS_V2 \
      --preset=language/quick
  python -m experiments.train_language --architecture=LSTM \
      --preset=language/quick
  python -m experiments.train_language --run_dir=TRAINED --resume

The test text is read once, at the end.
"""

from pathlib import Path
from typing import Any

from absl import flags

from experiments import launch
from experiments.language import commands
from experiments.support.subject import read_ranked, searched
from experiments.support.terms import make_terms
from flags import base, preset_files
from flags import language as language_flags
from nascore.errors import InputError, printable
from nascore.runs.config import FINAL_END, LANGUAGE_METHOD, RunConfig
from nascore.runs.folder import RunFolder
from nascore.runs.reader import read_end, read_settings
from nascore.runs.versions import check_streams
from nascore.spaces.recurrent import RecurrentSpace
from nascore.training.language.config import FinalLanguageConfig


def settings_of_run(path: Path, rank: int) -> dict[str, Any]:
    """The settings that a training takes over from a search.

    Args:
      path: the folder of a finished search of recurrent cells.
      rank: place of the cell in its final ranking, from 1.

    Raises:
      InputError: no such search, or no such rank.
    """
    run = read_ranked(path, rank)
    if not isinstance(run.space, RecurrentSpace):
        raise InputError(
            f"{path} is a search of {run.space.kind}; this trains recurrent "
            "cells, and python -m experiments.train_final the others"
        )
    stored = run.settings["config"]
    taken = {
        name: stored[name]
        for name in language_flags.FROM_SEARCH
        if name in stored
    }
    return {**taken, "architecture": run.derived[rank - 1]["architecture"]}


def read_config() -> FinalLanguageConfig:
    """Makes the configuration from the flags and the run they name."""
    path = searched()
    if path is None:
        config = language_flags.read()
        if not config.training.architecture:
            raise InputError(
                "name what to train: --architecture=DARTS_V2, or --from_run=RUN"
            )
        return config
    taken = settings_of_run(path, flags.FLAGS.rank)
    defaults = {
        name: flags.FLAGS[name].value
        for name in base.names(FinalLanguageConfig())
    }
    return language_flags.read({**defaults, **taken})


def open_run() -> tuple[FinalLanguageConfig, RunFolder]:
    """Makes the run folder that the flags name, or opens it to resume.

    Raises:
      InputError: flags that contradict each other or the folder.
    """
    run_config = base.read(RunConfig())
    path = Path(run_config.run_dir)
    if not run_config.reopens:
        config = read_config()
        name = config.training.architecture.strip()
        if name.upper() != "LSTM":
            config.network.space.parse(name)  # Raises if it is none.
        if not run_config.run_dir:
            run = RunFolder.create_named("language", config.data.dataset)
            return config, run
        return config, RunFolder.create(path)
    stored = read_settings(path, LANGUAGE_METHOD)
    config = language_flags.read(stored["config"])
    end = read_end(path / FINAL_END)
    if end is not None and config.training.epochs <= end["epochs"]:
        raise InputError(
            f"{path} is finished; its results are in {path / FINAL_END}, and "
            "--epochs=N gives it more"
        )
    check_streams(path, stored)
    return config, RunFolder.open(path)


def main(args: list[str]) -> None:
    """Trains, tests, exports."""
    launch.no_arguments(args)
    config, run = open_run()
    run_config = base.read(RunConfig())
    with launch.resumable(run.path), run:
        launch.quiet_tensorflow()
        _work(config, run, run_config)
    print("\nnext:")
    for command in commands.after_training(run.path):
        print(f"  {command}")


def _work(
    config: FinalLanguageConfig, run: RunFolder, run_config: RunConfig
) -> None:
    from nascore.data import text
    from nascore.process.memory import Watch, resident
    from nascore.training.exports.write import check_converters
    from nascore.training.language.run import LanguageTraining, estimate

    check_converters(config.training.formats)
    base_memory = resident()
    data = text.load(config.data)
    need = estimate(config, data, base_memory)
    watch = Watch(need, run.path)
    watch.start(run_config.ignore_memory)
    training = LanguageTraining(
        config, run, data, run_config.checkpoint_minutes
    )
    print(text.summarize(data))
    for note in data.notes:
        print(f"note: {printable(note)}")
    print(
        f"model: {config.training.architecture}, "
        f"{training.parameters / 1e6:.2f}M parameters; run folder {run.path}"
    )
    terms = make_terms(run_config, need, "--max_hours=1 ends it in time")
    training.run(terms, run_config.finish)
    found = training.finish()
    watch.end()
    print(
        f"\ntest text: perplexity {found['test_perplexity']:.2f} "
        f"({found['test_nats']:.4f} nats, {found['test_bits']:.4f} bits of "
        f"each of {found['test_tokens']:,} {data.vocabulary.kind}), weights of "
        f"epoch {found['best_epoch']} of {found['epochs']}\n"
        f"validation text: perplexity {found['validation_perplexity']:.2f}\n"
        f"run folder: {run.path}"
    )
    if training.cut:
        hours = run_config.max_hours
        print(f"go on with: {launch.resuming(run.path, hours)}")


def cli() -> None:
    """Console entry point."""
    language_flags.define()
    preset_files.define(preset_files.LANGUAGE)
    base.define_path(
        "from_run", "", "Take the cell and the text from this search."
    )
    flags.DEFINE_integer(
        "rank", 1, "Place of the cell in the ranking of --from_run.", 1
    )
    launch.run(main)


if __name__ == "__main__":
    cli()
