"""What an MLPNAS search is compared with, in the same run."""

import dataclasses
from pathlib import Path
from typing import cast

from mlpnas.candidates.tasks import LayerWeights
from mlpnas.competitors import Compared, compare
from mlpnas.config import COMPETITORS, MlpnasConfig
from mlpnas.data.load import MlpData
from mlpnas.finetune import finetune
from mlpnas.perceptrons import Perceptrons
from mlpnas.search import make_search
from nascore.runs.config import RunConfig
from nascore.runs.folder import RunFolder
from nascore.runs.progress import Terms
from nascore.search.ranking import Ranked
from nascore.search.search import NothingToRank, Search


def search_seconds(folder: RunFolder) -> float:
    """What all epochs of a search took."""
    return sum(float(row["seconds"]) for row in folder.read("epochs"))


def evaluator_of(search: Search) -> Perceptrons:
    """That of a search with MLPNAS."""
    return cast(Perceptrons, search.evaluator)


def weights_of(search: Search, best: Ranked) -> list[LayerWeights]:
    """Those that the search left of one of the best."""
    return (
        evaluator_of(search).best.entries[int(best.measured["number"])].weights
    )


def _open_or_create(path: Path) -> RunFolder:
    if (path / "config.json").exists():
        return RunFolder.open(path)
    return RunFolder.create(path)


def has_rival(config: MlpnasConfig) -> bool:
    """Whether a random search comes after the search."""
    at_random = config.policy.controller == "random"
    return "random" in config.finetune.competitors and not at_random


def what_follows(config: MlpnasConfig) -> str:
    """What comes after a search, for people."""
    text = ", then fine-tuning"
    return text + " and a random search as long" * has_rival(config)


def finetune_seconds(search: Search, config: MlpnasConfig) -> float:
    """The most that fine-tuning takes, by how the best were trained."""
    each = [
        float(entry.row["seconds"]) / max(int(entry.row["epochs_trained"]), 1)
        for entry in search.records.best
    ]
    return config.finetune.finetune_epochs * max(each, default=0.0)


class Rivals:
    """Measures the competitors that the settings name.

    Args:
      search: that has ended.
      config: its settings.
      data: its examples.
      jobs: candidates trained at the same time.
      settings: of this start.
      terms: of this start.

    Attributes:
      compared: what was measured.
      left_out: what there was no time for, in whole or in part.
    """

    def __init__(
        self,
        search: Search,
        config: MlpnasConfig,
        data: MlpData,
        jobs: int,
        settings: RunConfig,
        terms: Terms,
    ) -> None:
        self.compared: list[Compared] = []
        self.left_out: list[str] = []
        self._search = search
        self._config = config
        self._data = data
        self._jobs = jobs
        self._settings = settings
        self._terms = terms

    def compare(self) -> None:
        """Measures one after the other; says what is left out."""
        config, folder = self._config, self._search.run_folder
        for name in config.finetune.competitors:
            if name == "random" and not has_rival(config):
                continue
            result = None
            if name == "random":
                result = self._search_at_random()
            elif self._terms.limit.left() > 0:
                print(f"fitting {COMPETITORS[name]}", flush=True)
                result = compare(name, self._data, config.search.seed)
            else:
                self._leave_out(name, "time is up")
            if result is not None:
                folder.append("competitors", [dataclasses.asdict(result)])
                self.compared.append(result)

    def _leave_out(self, name: str, why: str) -> None:
        print(f"{COMPETITORS[name]} is left out: {why}", flush=True)
        self.left_out.append(name)

    def _search_at_random(self) -> Compared | None:
        """The same number of architectures, drawn at random, trained alike.

        With stored weights, too, if the search has them: they alone raise
        scores.
        """
        config, done = self._config, self._search.epoch
        if self._settings.finish:
            self._leave_out("random", "--finish searches no further")
            return None
        length = config.search
        if self._search.cut:
            length = dataclasses.replace(length, epochs=done)
        rival = dataclasses.replace(
            config,
            search=length,
            policy=dataclasses.replace(
                config.policy, controller="random", predictor=False
            ),
        )
        path = self._search.run_folder.path / "random"
        print(f"random search at equal budget, in {path}", flush=True)
        with _open_or_create(path) as inner:
            other = make_search(
                rival,
                inner,
                self._data,
                self._settings.checkpoint_minutes,
                jobs=self._jobs,
            )
            terms = dataclasses.replace(self._terms, after="")
            try:
                best = other.run(
                    terms, end=lambda: finetune_seconds(other, rival)
                )[0]
            except NothingToRank:
                self._leave_out("random", "time is up")
                return None
            tuned = finetune(
                rival, self._data, best.architecture, weights_of(other, best)
            )
        remark = other.space.format(best.architecture)
        if other.cut:
            self.left_out.append("random")
            remark += f" (after {other.epoch} of {length.epochs} epochs)"
        return Compared(
            "random",
            tuned.validation_accuracy,
            tuned.test_accuracy,
            search_seconds(inner) + tuned.seconds,
            remark,
        )
