"""What alphas came to after an epoch: a row of evaluations.csv."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from darts.config import StopConfig
from darts.curvature import Curvature
from darts.derive import count_skips, derive, mix
from darts.layout import AlphaLayout, Alphas
from darts.stops import AlphaHistory, Stop, at_epoch, find_stop, warn
from darts.train import CURVATURE
from nascore.protocols import Columns, Measured, Proposals
from nascore.runs.checkpoints import State
from nascore.runs.folder import RunFolder
from nascore.runs.tables import Row
from nascore.search.phases import EVALUATIONS
from nascore.search.summaries import summarize_scores

# Columns of each cell.
_OF_CELLS = ("skips", "entropy")


class AlphaRecords:
    """Alphas of all epochs, as a run folder has them.

    Args:
      run: the folder.
      layout: of the alphas.
      config: when the search ends.
      alpha_from: the first epoch in which alphas learn.
    """

    def __init__(
        self,
        run: RunFolder,
        layout: AlphaLayout,
        config: StopConfig,
        alpha_from: int,
    ) -> None:
        self.layout = layout
        self.config = config
        self.alpha_from = alpha_from
        self._run = run

    def read(self) -> AlphaHistory:
        """All of it, one epoch or more."""
        rows = self._run.read(EVALUATIONS)
        eigenvalues = np.array([float(row["eigenvalue"]) for row in rows])
        return AlphaHistory(
            self.layout.from_rows(rows),
            None if np.isnan(eigenvalues).all() else eigenvalues,
        )

    def stop(self) -> Stop | None:
        """Why the search ends now; None: it does not."""
        return find_stop(self.config, self.layout, self.read(), self.alpha_from)

    def derived(self) -> np.ndarray:
        """The row of the cell that the search stands for."""
        stop = self.stop()
        alphas = at_epoch(self.read().alphas, stop.epoch if stop else -1)
        return self.layout.derived.encode(derive(self.layout, alphas))

    def warning(self) -> str:
        """A line when skips begin to take over; else nothing."""
        return warn(self.layout, self.read().alphas, self.alpha_from)


class RecordAlphas(tf.Module):
    """The phase after each epoch, see `nascore.protocols.Phase`.

    Its row: the derived cell; `accuracy`, or what else is measured, of it on
    the validation set, with the weights of the mixture, and the same of the
    mixture, as `mixture_accuracy`; the skips in each cell, the mean entropy of
    its edges' shares in nats (at most the logarithm of the number of
    operations), `eigenvalue` if it is asked for, what else is known of the
    cell, and every alpha.

    Args:
      training: whose alphas; a `TrainMixture`, or one of texts.
      mixed: measures; `MixedWeights`, or those of texts.
      history: earlier epochs, and when to end.
    """

    name = EVALUATIONS
    stretch = 1
    weight = 1
    timed = False

    def __init__(
        self, training: Any, mixed: Any, history: AlphaRecords
    ) -> None:
        super().__init__(name="record_alphas")
        self.training = training
        self.mixed = mixed
        self.history = history
        self.layout = training.layout
        self._curvature = Curvature(training.bilevel)

    @property
    def state(self) -> State:
        """Nothing of its own."""
        return {}

    def steps(self, epoch: int) -> int:
        """See `Phase.steps`."""
        return 1

    def run(self, epoch: int, start: int, stop: int) -> Columns:
        """See `Phase.run`."""
        alphas = Alphas(*(a.numpy() for a in self.training.bilevel.alphas))
        cells = derive(self.layout, alphas)
        row = self.layout.derived.encode(cells)
        types = self.layout.cell_types
        weights = mix(self.layout, Alphas(alphas.operations))
        entropy = -np.sum(weights * np.log(weights), axis=-1).mean(axis=-1)
        skips = count_skips(self.layout, cells)
        measures = self.mixed.measures
        numbers = {
            measures: self.mixed.cell_score(row),
            f"mixture_{measures}": self.mixed.mixture_score(
                self.training.shares(epoch)
            ),
            **{f"skips_{n}": s for n, s in zip(types, skips, strict=True)},
            **{
                f"entropy_{n}": float(e)
                for n, e in zip(types, entropy, strict=True)
            },
            "eigenvalue": self._measure_eigenvalue(epoch),
            **self.mixed.notes(row),
            **self.layout.to_row(alphas),
        }
        columns = {name: np.array([value]) for name, value in numbers.items()}
        return {"row": row[None], **columns, "healthy": np.array([True])}

    def _measure_eigenvalue(self, epoch: int) -> float:
        """NaN where it is not asked for."""
        if not self.history.config.measures_eigenvalue:
            return np.nan
        return self._curvature(
            self.training.alphas_batch(
                tf.constant(epoch),
                tf.constant(0),
                tf.constant(self.training.fade(epoch)),
                CURVATURE,
            )
        )

    def summary(self, epoch: int, rows: Sequence[Row]) -> Mapping[str, float]:
        """See `Phase.summary`."""
        named = [
            f"mixture_{self.mixed.measures}",
            "eigenvalue",
            *(f"{w}_{n}" for w in _OF_CELLS for n in self.layout.cell_types),
            *self.mixed.noted,
        ]
        return {
            **summarize_scores(rows, self.mixed.measures),
            **{name: float(rows[-1][name]) for name in named},
        }

    def line(self, summary: Mapping[str, float]) -> str:
        """See `Phase.line`."""
        skips = summary[f"skips_{self.layout.cell_types[0]}"]
        known = "".join(
            f", {name.replace('_', ' ')} {summary[name]:.1%}"
            for name in self.mixed.noted[:1]
        )
        return (
            f"mixture {summary['mixture_accuracy']:.1%}, derived cell "
            f"{summary['accuracy_mean']:.1%} on validation with its "
            f"weights, {skips:.0f} of {self.layout.derived_edges} edges of "
            f"the {self.layout.titles[0]} skips{known}"
        )

    def ended(self, epoch: int) -> str:
        """See `Phase.ended`."""
        warning = self.history.warning()
        if warning and self.mixed.lifecycle:
            self.mixed.lifecycle.line(warning)
        stop = self.history.stop()
        return stop.reason if stop else ""

    def explain(self, row: Row) -> tuple[str, str]:
        """See `Phase.explain`."""
        return "an alpha is not finite", self.training.tame


class Derivation:
    """The strategy of DARTS: its one finalist is the derived cell.

    See `nascore.protocols.Strategy`. Nothing is asked and told: alphas learn
    from gradients that pass through the weights.

    Args:
      history: of the alphas.
    """

    in_graph = False
    columns: tuple[str, ...] = ()
    lasting: tuple[str, ...] = ()

    def __init__(self, history: AlphaRecords) -> None:
        self._history = history

    @property
    def state(self) -> State:
        """That of the alphas is their phase's."""
        return {}

    def ask(self, count: int | tf.Tensor, seed: tf.Tensor) -> Proposals:
        """The derived cell."""
        return Proposals(self._history.derived()[None])

    def tell(
        self, proposals: Proposals, measured: Measured, rewards: tf.Tensor
    ) -> Mapping[str, object]:
        """Learns nothing."""
        return {"healthy": True}

    def finalists(self, count: tf.Tensor, seed: tf.Tensor) -> np.ndarray:
        """The derived cell; of the epoch that an early end names."""
        return self._history.derived()[None]

    def explain(self, row: Row) -> tuple[str, str]:
        """See `Strategy.explain`; there is no update that could fail."""
        raise AssertionError(row)
