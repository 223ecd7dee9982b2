"""Where the searches behind a resumed final training are now.

Their folders may have moved. What they hold decides, not where they lie.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from absl import flags

from nascore.errors import InputError
from nascore.runs.checkpoint_files import is_saved
from nascore.runs.reader import RunRecords, read_run
from nascore.spaces.published import in_both
from nascore.training.config import FinalConfig
from nascore.training.provenance.origin import Origin, SearchOrigin


def follow(
    origin: Origin, config: FinalConfig, stored: Mapping[str, Any], path: Path
) -> Origin:
    """The searches of a training, where the flags say that they are now.

    Args:
      origin: as the run folder names them.
      config: of the training, with the flags of this start.
      stored: the settings in its `config.json`.
      path: its run folder.

    Raises:
      InputError: a flag names another search, or what is still needed of one
        is not there.
    """
    architecture = origin.architecture
    if flags.FLAGS.from_run:
        architecture = _follow_architecture(architecture, config, path)
    return Origin(architecture, _follow_weights(origin, config, stored, path))


def _follow_architecture(
    old: SearchOrigin | None, config: FinalConfig, path: Path
) -> SearchOrigin:
    named = flags.FLAGS.from_run
    if old is None:
        raise InputError(
            f"{path} was begun without --from_run; leave --from_run={named} out"
        )
    run = read_run(Path(named))
    old.check_same(SearchOrigin.of(run), "from_run")
    if config.architecture not in _proposals(run):
        raise InputError(
            f"--from_run={named} does not rank the architecture that {path} "
            "trains there; leave it out to continue with that"
        )
    return SearchOrigin.of(run)


def _proposals(run: RunRecords) -> list[Any]:
    """What a search ranked, at the given place only if one is given."""
    found = [run.space.parse(entry["architecture"]) for entry in run.derived]
    found = [in_both(architecture) for architecture in found]
    if flags.FLAGS["rank"].present:
        return found[flags.FLAGS.rank - 1 : flags.FLAGS.rank]
    return found


def _follow_weights(
    origin: Origin, config: FinalConfig, stored: Mapping[str, Any], path: Path
) -> SearchOrigin | None:
    old, before = origin.weights, stored.get("init_from_supernet")
    named = config.training.init_from_supernet
    if bool(named) != bool(before):
        word = "with" if before else "without"
        raise InputError(
            f"{path} was begun {word} --init_from_supernet; leave that out to "
            "continue it, or choose another --run_dir"
        )
    # What was saved holds all that the weights were for.
    if not named or (named == before and is_saved(path / "checkpoints")):
        return old
    if named == before and not Path(named).is_dir():
        raise InputError(
            f"--init_from_supernet={named} is not there any more, and the run "
            "was stopped before it saved what it took from it; say where it "
            "is now, or start anew in another --run_dir"
        )
    now = SearchOrigin.of(read_run(Path(named)), weights=True)
    if old is not None:
        old.check_same(now, "init_from_supernet")
    return now
