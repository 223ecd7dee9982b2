r"""Averaged weights beside the last ones, after trainings of any length.

  python -m benchmarks.averages [--epochs=4,12,40] [--decays=0.99,0.999] \
      [--seeds=1,2,3]

The digits of scikit-learn, a network of three layers and 8 filters, one
cosine, batches of 64: 18 steps an epoch. Prints correct validation and test
images, and the mean cross entropy of both together, of the weights as they
are after the last step and of their averages.
"""

import tempfile
from pathlib import Path

from absl import app, flags

from nascore.data.config import DataConfig
from nascore.errors import InputError
from nascore.networks.config import NetworkConfig
from nascore.runs.folder import RunFolder
from nascore.training.config import FinalConfig, TrainingConfig

CELL = "0 2 0 0 0 4 0 1 0 4 1 1 1 0 0 1 0 2 1 1"


def make_config(epochs: int, decay: float, seed: int) -> FinalConfig:
    """A training without what disturbs the comparison."""
    return FinalConfig(
        DataConfig(standardize=True),
        NetworkConfig(
            filters=8,
            num_layers=1,
            aux_weight=0.0,
            keep_prob=1.0,
            drop_path_keep_prob=1.0,
        ),
        TrainingConfig(
            architecture=f"{CELL} {CELL}",
            epochs=epochs,
            batch_size=64,
            lr_period=0,
            ema_decay=decay,
            seed=seed,
        ),
    )


def main(_: list[str]) -> None:
    """Trains each and prints a line for it."""
    import numpy as np

    from nascore.training.evaluation import cross_entropies
    from nascore.training.provenance.images import load_final
    from nascore.training.run import FinalTraining

    epochs, decays, seeds = (
        [kind(word) for word in flags.FLAGS[name].value or ()]
        for name, kind in (("epochs", int), ("decays", float), ("seeds", int))
    )
    data = load_final(make_config(1, 0.0, 1).data, False)
    if data.validation is None:
        raise InputError("there are no validation images")
    sets = (data.validation, data.test)
    for places in np.ndindex(len(epochs), len(decays), len(seeds)):
        count, decay, seed = (
            values[place]
            for values, place in zip(
                (epochs, decays, seeds), places, strict=True
            )
        )
        config = make_config(count, decay, seed)
        with (
            tempfile.TemporaryDirectory() as folder,
            RunFolder.create(Path(folder) / "run") as run,
        ):
            training = FinalTraining(config, run, data)
            training.run()
        text = f"{count} epochs, decay {decay}, seed {seed}:"
        for name in ("last", "averages"):
            if name == "averages":
                training.loop.use_averages(len(data.train))
            logits = [training.loop.logits(split.images) for split in sets]
            hits = [
                f"{(row.argmax(1) == split.labels).sum()}/{len(split)}"
                for row, split in zip(logits, sets, strict=True)
            ]
            loss = cross_entropies(
                np.concatenate(logits),
                np.concatenate([split.labels for split in sets]),
            ).mean()
            text += f" {name} {' '.join(hits)} ({loss:.3f})"
        print(text, flush=True)


if __name__ == "__main__":
    flags.DEFINE_list("epochs", ["4", "12", "40"], "Lengths of trainings.")
    flags.DEFINE_list("decays", ["0.99", "0.999"], "Decays of the averages.")
    flags.DEFINE_list("seeds", ["1", "2", "3"], "Seeds.")
    app.run(main)
