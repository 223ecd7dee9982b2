"""The end of a final training: the official test set, files, model card."""

from pathlib import Path
from typing import Any, NamedTuple

from nascore.data.images import preparation
from nascore.data.pictures.decoding import READING
from nascore.networks import costs
from nascore.runs.atomic import write_json
from nascore.runs.config import FINAL_END
from nascore.runs.reader import read_end
from nascore.runs.versions import package_versions
from nascore.training.evaluation import Evaluation, evaluate
from nascore.training.exports.formats import CARD, FILE_NAMES
from nascore.training.exports.write import (
    calibration,
    export,
    inference_model,
)
from nascore.training.provenance import disclosure
from nascore.training.provenance.history import History
from nascore.training.run import FinalTraining

MODEL_FOLDER = "model"


class Tested(NamedTuple):
    """What the test set shows.

    Attributes:
      whole: on all of its images.
      unrewarded: on those that did not choose the architecture; None if no
        image is known to have done so.
    """

    whole: Evaluation
    unrewarded: Evaluation | None

    def summary(self) -> dict[str, Any]:
        """The single numbers, for a JSON file."""
        if self.unrewarded is None:
            return self.whole.summary()
        return {
            **self.whole.summary(),
            "without_rewarded_images": self.unrewarded.summary(),
        }


def finish(training: FinalTraining, history: History) -> Tested:
    """Evaluates on the test set, exports, and writes everything down.

    The weights are the moving averages, if there are any.

    Args:
      training: after its last epoch.
      history: what its searches have seen of its images.
    """
    loop, run = training.loop, training.run_folder
    loop.use_averages(len(training.data.train))
    test = training.data.test
    names = training.data.source.class_names
    logits = loop.logits(test.images)
    evaluation = evaluate(logits, test.labels, names)
    clean = None
    if history.rewarded_tests is not None:
        rest = ~history.rewarded_tests
        if rest.any():
            clean = evaluate(logits[rest], test.labels[rest], names)
    tested = Tested(evaluation, clean)
    earlier = _earlier_tests(run.path / FINAL_END)
    evaluation.confusion.to_csv(run.path / "confusion.csv")
    evaluation.per_class.to_csv(run.path / "per_class.csv", index=False)
    evaluation.calibration.to_csv(run.path / "calibration.csv", index=False)
    times = len(earlier) + 1
    _export(training, tested, history, times)
    # The last file: from now on the training is finished.
    write_json(
        run.path / FINAL_END,
        {
            "measured_on": disclosure.measured_on(history, times),
            "epochs": training.epoch,
            **tested.summary(),
            "searches": disclosure.record(history),
            **({"earlier_tests": earlier} if earlier else {}),
        },
    )
    return tested


def _earlier_tests(path: Path) -> list[dict[str, Any]]:
    """What this test set showed before, of a training that was cut short.

    Whoever went on because of it has chosen by the test set.
    """
    end = read_end(path)
    if end is None:
        return []
    last = {name: end.get(name) for name in ("epochs", "accuracy")}
    return [*end.get("earlier_tests", []), last]


def _export(
    training: FinalTraining, tested: Tested, history: History, times: int
) -> None:
    config, source = training.config, training.data.source
    model = inference_model(training.network, config, training.scaling)
    folder: Path = training.run_folder.path / MODEL_FOLDER
    images = calibration(training.data.train.images)
    export(model, folder, config.training.formats, images)
    stack = config.stack(source.image_shape, source.classes)
    cost = costs.total(costs.count(stack), head=False)
    data, settings = config.data, config.training
    validation = training.data.validation
    write_json(
        folder / CARD,
        {
            "architecture": settings.architecture,
            "operations": list(getattr(config.network.space, "operations", ())),
            "cells": config.network.space.describe(config.architecture),
            "layers": list(config.network.layer_types),
            "filters": config.network.filters,
            "parameters": cost.parameters,
            "multiply_adds": cost.multiply_adds,
            "input": {
                "shape": list(source.image_shape),
                "pixels": "0 to 255",
                "other_sizes": preparation(data),
                "fit": data.fit,
                "padded_from": source.padded_from,
                "pictures": READING,
            },
            "output": "probabilities of the classes",
            "classes": list(source.class_names),
            "data": {
                "name": source.name,
                "fingerprint": source.fingerprint,
                "test_fingerprint": source.test_fingerprint,
                "trained_on": len(training.data.train),
                "validated_on": 0 if validation is None else len(validation),
                "tested_on": len(training.data.test),
                "split_seed": data.split_seed,
                "notes": list(source.notes),
            },
            "training": {
                "seed": settings.seed,
                "epochs": settings.epochs,
                "batch_size": settings.batch_size,
                "precision": settings.precision,
                "averaged_weights": settings.ema_decay > 0,
            },
            "searches": disclosure.record(history),
            "test": {
                "measured_on": disclosure.measured_on(history, times),
                **tested.summary(),
            },
            "files": [FILE_NAMES[name] for name in settings.formats],
            "versions": package_versions(),
        },
    )
