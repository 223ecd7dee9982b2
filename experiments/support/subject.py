"""Which architecture a command line means: by its text, or by its run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from absl import flags

from experiments.support.network import (
    SPACE,
    read_cells,
    read_published,
    settings_of,
    with_values,
)
from flags import base
from nascore.config import check_kind, flatten, unflatten
from nascore.errors import InputError
from nascore.networks.config import NetworkConfig
from nascore.runs.config import FINAL_METHOD
from nascore.runs.json_files import look_up
from nascore.runs.reader import (
    RunRecords,
    is_ranked,
    numbers_of,
    read_run,
)
from nascore.runs.versions import read_config
from nascore.spaces.bench201 import Bench201Space
from nascore.spaces.cells import CellSpace
from nascore.spaces.chain import (
    PUBLISHED_CHAINS,
    ChainSpace,
    find_chain,
    is_chain,
)
from nascore.spaces.genotypes import PUBLISHED, is_genotype
from nascore.spaces.macro import (
    PUBLISHED_NETWORKS,
    MacroSpace,
    find_network,
    macro_layers,
)
from nascore.spaces.perceptrons import FINAL_LAYERS, space_of
from nascore.spaces.published import (
    CELLS,
    PublishedCell,
    find_cell,
    for_both,
)
from nascore.spaces.recurrent import space_of as space_of_recurrent
from nascore.spaces.space import Space
from nascore.training.config import FinalConfig

# Of cells, networks and chains of layers.
_NAMES = ", ".join([*PUBLISHED, *CELLS, *PUBLISHED_NETWORKS, *PUBLISHED_CHAINS])


class Subject(NamedTuple):
    """An architecture, and what is known about its network.

    Attributes:
      space: that it is read in.
      text: of it.
      network: settings of the network of its cells.
      inputs: height, width and channels, or features; empty: not known.
      classes: their number; 0: not known.
      notes: what was taken for granted, a line each.
    """

    space: Space
    text: str
    network: NetworkConfig
    inputs: tuple[int, ...] = ()
    classes: int = 0
    notes: tuple[str, ...] = ()


def find(word: str, rank: int | None) -> Subject:
    """Finds the architecture that a word means.

    Args:
      word: an architecture, or the folder of a search or a final training.
      rank: place in the ranking of a search, from 1; None: not given.

    Raises:
      InputError: there is none, or flags that contradict it.
    """
    path = Path(word)
    # A text of many words is no name that a system would take.
    if len(word) > 250 or not path.is_dir():
        if rank is not None:
            raise InputError(
                f"--rank={rank} is for the folder of a search, which "
                f"{word[:60]!r} is not"
            )
        return _of_text(word)
    file = path / "config.json"
    settings = read_config(file)
    if settings.get("method") != FINAL_METHOD:
        return _of_search(read_run(path), rank or 1)
    if rank is not None:
        raise InputError(
            f"--rank={rank} is for searches; {path} is a final training of "
            "one architecture"
        )
    return _of_training(settings, file)


def _of_text(text: str) -> Subject:
    """What a text says of its space, where flags do not."""
    text = find_network(text) or text
    network = base.read(NetworkConfig())
    text = find_chain(text) or text
    recurrent = space_of_recurrent(text)
    if recurrent is not None:
        return Subject(*recurrent, network)
    last = text.split("|")[-1].strip()
    if "~" in text or last in FINAL_LAYERS:
        what = "a cell of NAS-Bench-201" if "~" in text else "a perceptron"
        own = sorted(base.given(NetworkConfig()))
        if own:
            raise InputError(
                f"{text[:60]!r} is {what}; --{own[0]} is for cells given as "
                "integers"
            )
        space = Bench201Space() if "~" in text else space_of(text)
        return Subject(space, text, network)
    published = find_cell(text)
    if published:
        network = read_published(
            published, network, base.given(NetworkConfig())
        )
        return Subject(published.space, published.text, network)
    first = text.replace(",", " ").split(maxsplit=1)[:1]
    numbers = all(word.lstrip("-").isdecimal() for word in first)
    bars = "|" in text and not (macro_layers(text) or is_chain(text))
    if bars or not (numbers or is_genotype(text)):
        raise InputError(
            f"{text[:60]!r} is no folder and no architecture, which is "
            "integers, layers such as '256 relu | softmax' or of four numbers "
            "each, a cell of NAS-Bench-201, a genotype of DARTS's code or a "
            f"published name: {_NAMES}"
        )
    network, notes = read_cells(text, network, base.given(NetworkConfig()))
    return Subject(network.space, text, network, notes=notes)


def read_final() -> FinalConfig:
    """The final training that the flags describe, and no search.

    Raises:
      InputError: a value that is not allowed.
    """
    text = flags.FLAGS.architecture
    text = find_network(text) or find_chain(text) or text
    known = is_genotype(text) or find_cell(text)
    if text.isidentifier() and not known:
        raise InputError(
            f"--architecture={text[:60]} is no integers, no genotype and no "
            f"published name; these are: {_NAMES}"
        )
    published = find_cell(text)
    if published:
        return _final_of(published)
    network, notes = read_cells(
        text, base.read(NetworkConfig()), base.given(NetworkConfig())
    )
    config = _final_with(network, text)
    for note in notes:
        print(f"note: --architecture {note}")
    return config


def _final_of(cell: PublishedCell) -> FinalConfig:
    """The final training of a published cell, that the flags describe."""
    network = read_published(
        cell, base.read(NetworkConfig()), base.given(NetworkConfig())
    )
    return _final_with(network, for_both(cell.space, cell.text))


def _final_with(network: NetworkConfig, text: str) -> FinalConfig:
    """The final training of a text in a network, that the flags describe."""
    values = {
        **flatten(FinalConfig()),
        **flatten(network),
        **base.given(FinalConfig()),
        "architecture": text,
    }
    return unflatten(FinalConfig(), values)


def pick(run: RunRecords, rank: int) -> tuple[dict[str, Any], str]:
    """An architecture of a search, and how it was chosen.

    Args:
      run: the search.
      rank: its place in the final ranking, or among the best so far.

    Raises:
      InputError: there is no such place.
    """
    ranking = run.derived or run.best
    where = "final ranking" if run.derived else "best so far"
    if not 1 <= rank <= len(ranking):
        raise InputError(
            f"--rank={rank} must be from 1 to {len(ranking)}, the length of "
            f"the {where} of {run.path}"
        )
    entry = ranking[rank - 1]
    name = numbers_of(entry, run.space)[0] if run.derived else run.measures
    return entry, (
        f"rank {rank} of the {where} of {run.path}, {name.replace('_', ' ')} "
        f"{entry[name]:.1%}"
    )


def _of_search(run: RunRecords, rank: int) -> Subject:
    given = base.given(NetworkConfig())
    own = [name for name in SPACE if name in given]
    if own:
        raise InputError(
            f"--{own[0]}={given[own[0]]} is not for an architecture of a run: "
            f"{run.path} says itself what its space is"
        )
    entry, note = pick(run, rank)
    network = base.read(NetworkConfig())
    if isinstance(run.space, CellSpace | ChainSpace | MacroSpace):
        values = settings_of(run.space, given)
        if isinstance(run.space, ChainSpace):
            # As wide as they were searched, if nothing else is said.
            stored = run.settings["config"]
            names = ("filters", "more_channels")
            values |= {n: given.get(n, stored[n]) for n in names}
        network = with_values(network, values)
    inputs, classes = _read_data(run.settings, run.path / "config.json")
    text = entry["architecture"]
    return Subject(run.space, text, network, inputs, classes, (note,))


def _read_data(
    settings: Mapping[str, Any], file: Path
) -> tuple[tuple[int, ...], int]:
    """Inputs and classes of the data of a run, as far as it says them.

    Raises:
      InputError: it says something else.
    """
    data = settings.get("data")
    if not isinstance(data, dict):
        return (), 0
    inputs: list[int] = []
    if "image_shape" in data:
        inputs = look_up(settings, file, "data.image_shape", list)
    elif "features" in data:
        inputs = [look_up(settings, file, "data.features", int)]
    for side in inputs:
        what = f"{file} is damaged: a number of inputs"
        if check_kind(side, int, what) < 1:
            raise InputError(f"{what} is {side}")
    classes = 0
    if "class_names" in data:
        classes = len(look_up(settings, file, "data.class_names", list))
    return tuple(inputs), classes


def _of_training(settings: Mapping[str, Any], file: Path) -> Subject:
    given = sorted(base.given(NetworkConfig()))
    if given:
        raise InputError(
            f"{file.parent} has a network of its own; leave --{given[0]} out, "
            "or give the architecture instead"
        )
    stored = look_up(settings, file, "config", dict)
    config = unflatten(FinalConfig(), stored)
    inputs, classes = _read_data(settings, file)
    text = config.training.architecture
    network = config.network
    return Subject(
        network.space,
        text,
        network,
        inputs,
        classes,
        (f"the network of the final training {file.parent}",),
    )


def searched() -> Path | None:
    """The search that `--from_run` names, if it does.

    Raises:
      InputError: it and `--architecture` are given, or `--rank` alone.
    """
    if flags.FLAGS.from_run:
        if flags.FLAGS.architecture:
            raise InputError("give --architecture or --from_run, not both")
        return Path(flags.FLAGS.from_run)
    if flags.FLAGS["rank"].present:
        raise InputError(
            f"--rank={flags.FLAGS.rank} needs --from_run=RUN, the search "
            "whose ranking is meant"
        )
    return None


def read_ranked(path: Path, rank: int) -> RunRecords:
    """Reads a finished search, whose ranking has a place.

    Args:
      path: its folder.
      rank: the place, from 1.

    Raises:
      InputError: no finished search, or no such rank.
    """
    run = read_run(path)
    if not is_ranked(run):
        raise InputError(
            f"{path} holds no finished search; finish it with --resume, rank "
            "what there is with --finish, or name an architecture with "
            '--architecture="..."'
        )
    if not 1 <= rank <= len(run.derived):
        raise InputError(
            f"--rank={rank} must be from 1 to {len(run.derived)}, the length "
            f"of the ranking of {path}"
        )
    return run
