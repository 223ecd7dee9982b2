"""Any sampler of Optuna, asked and told; any space."""

import importlib.util
import inspect
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from nascore.errors import InputError
from nascore.protocols import Measured, Proposals
from nascore.runs.checkpoints import Arrays, State
from nascore.spaces.space import Space
from nascore.strategies.config import OptunaConfig
from nascore.strategies.host import HostStrategy, stack

# Why a sampler of the library does not fit.
_UNFIT = {
    "BaseGASampler": "is no sampler by itself",
    "BaseSampler": "is no sampler by itself",
    "CmaEsSampler": "is for numbers, and architectures are categories",
    "GridSampler": "wants a grid",
    "NSGAIIISampler": "is for several goals",
    "PartialFixedSampler": "wants another sampler",
    "QMCSampler": "is for numbers, and architectures are categories",
}
# Libraries that some import when they have enough trials.
_LATER = {"GPSampler": "torch"}


class _Asked(NamedTuple):
    """What `ask` hands to `tell`.

    Attributes:
      trials: of Optuna.
      noted: what the sampler noted of each row, in JSON, by its bytes.
    """

    trials: list[Any]
    noted: Mapping[bytes, str]


class OptunaStrategy(HostStrategy):
    """The strategy.

    The sampler is made anew in each `ask`, from its seed, over a study of
    what was told: so it repeats itself after a resume. What samplers note of
    a trial is kept beside it.

    Args:
      space: to search. A choice that depends on the one before has a name
        for each value of that.
      config: names the sampler.

    Raises:
      InputError: Optuna is missing, or there is no such sampler that fits.
    """

    def __init__(self, space: Space, config: OptunaConfig) -> None:
        super().__init__(space)
        self._optuna = import_optuna()
        self._kind = find_sampler(config.sampler)
        allowed = space.allowed
        # Values that may stand in each place after each other.
        self._legal = [
            [np.flatnonzero(after).tolist() for after in table]
            for table in allowed
        ]
        self._noted = Arrays()
        self._noted.values = {"noted": np.zeros([0], np.str_)}
        # A study of the history's rows, and what it was asked since.
        self._study: Any = None
        self._rows: list[np.ndarray] = []
        self._asked: _Asked | None = None

    @property
    def state(self) -> State:
        """What was measured, and what samplers noted of it."""
        return {**super().state, "noted": self._noted}

    def ask(self, count: int, seed: Any) -> Proposals:
        """Trials of a sampler with this seed; they are in `memo`."""
        number = np.random.default_rng(np.asarray(seed)).integers(2**31)
        study = self._study_of_told()
        study.sampler = self._kind(seed=int(number))
        trials = [study.ask() for _ in range(int(count))]
        rows = stack([self._suggest(trial) for trial in trials], self.space)
        found = study.get_trials(deepcopy=False)[-len(trials) :]
        noted = {
            row.tobytes(): json.dumps(trial.system_attrs)
            for row, trial in zip(rows, found, strict=True)
        }
        self._asked = _Asked(trials, noted)
        return Proposals(rows, memo=self._asked)

    def tell(
        self, proposals: Proposals, measured: Measured, rewards: Any
    ) -> Mapping[str, Any]:
        """Remembers the trials."""
        asked: _Asked = proposals.memo
        rows = np.asarray(proposals.rows, np.int32)
        noted = [asked.noted[row.tobytes()] for row in rows]
        before = self._noted.values["noted"]
        self._noted.values = {"noted": np.append(before, noted)}
        told = super().tell(proposals, measured, rewards)
        # Another ask came between, or some were lost: a new study.
        if asked is not self._asked or len(rows) < len(asked.trials):
            self._study = None
            return told
        for trial, score in zip(asked.trials, measured.score, strict=True):
            self._study.tell(trial, float(score))
        self._asked = None
        return told

    def _study_of_told(self) -> Any:
        """A study that holds what was told, and nothing else.

        It is made again only after a restart or an `ask` that was not told:
        that takes much longer than a trial.
        """
        history = self.history
        if self._study is None or self._asked or self._rows is not history.rows:
            self._study = self._optuna.create_study(direction="maximize")
            self._study.add_trials(
                [self._trial(n) for n in range(len(history))]
            )
            self._rows, self._asked = history.rows, None
        return self._study

    def _trial(self, number: int) -> Any:
        """One that was told, as Optuna has it."""
        params: dict[str, int] = {}
        kinds: dict[str, Any] = {}
        before = 0
        for place, value in enumerate(self.history.rows[number].tolist()):
            name, legal = self._choice(place, before)
            kinds[name] = self._optuna.distributions.CategoricalDistribution(
                legal
            )
            params[name] = before = value
        return self._optuna.trial.create_trial(
            value=self.history.scores[number],
            params=params,
            distributions=kinds,
            system_attrs=json.loads(str(self._noted.values["noted"][number])),
        )

    def _suggest(self, trial: Any) -> np.ndarray:
        """The row of a trial."""
        row = np.zeros([self.space.length], np.int32)
        before = 0
        for place in range(self.space.length):
            before = trial.suggest_categorical(*self._choice(place, before))
            row[place] = before
        return row

    def _choice(self, place: int, before: int) -> tuple[str, list[int]]:
        """Name of a choice, and what there is to choose from."""
        legal = self._legal[place]
        others = [values for values in legal if values]
        same = all(values == legal[before] for values in others)
        name = f"place {place}" if same else f"place {place} after {before}"
        return name, legal[before]


def find_sampler(name: str) -> Any:
    """The class of a sampler.

    Raises:
      InputError: there is none of this name, it does not fit, or it, or
        Optuna itself, is not installed.
    """
    samplers = import_optuna().samplers
    fit = [
        other
        for other in samplers.__all__
        if inspect.isclass(getattr(samplers, other)) and other not in _UNFIT
    ]
    if name not in fit:
        why = _UNFIT.get(name, "is no sampler of Optuna")
        raise InputError(f"--sampler={name} {why}; there are: {', '.join(fit)}")
    later = _LATER.get(name)
    if later and importlib.util.find_spec(later) is None:
        raise InputError(
            f"--sampler={name} needs {later}, which is not installed: "
            f"pip install {later}"
        )
    return getattr(samplers, name)


def import_optuna() -> Any:
    """The library, which speaks of warnings only.

    Raises:
      InputError: it is not installed; names the extra that brings it.
    """
    try:
        import optuna
    except ImportError as error:
        raise InputError(
            "this method needs Optuna, which is not installed: pip install "
            "'ienas[optuna]'"
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
