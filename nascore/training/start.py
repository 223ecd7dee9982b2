"""What a final training records of its start, or goes on from."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nascore.data.describe import describe_data
from nascore.errors import InputError
from nascore.process.runtime import device_names
from nascore.runs.config import FINAL_METHOD
from nascore.runs.folder import RunFolder
from nascore.runs.json_files import look_up, read_object
from nascore.training.averages import Averages
from nascore.training.config import FinalConfig
from nascore.training.provenance.images import FinalData
from nascore.training.provenance.origin import Origin


def record_start(
    run: RunFolder, config: FinalConfig, data: FinalData, origin: Origin
) -> None:
    """Writes `config.json`, or adds this start to it.

    Args:
      run: the run folder.
      config: of the training.
      data: its images.
      origin: the searches that architecture and weights are from.

    Raises:
      InputError: the folder holds a run that this one cannot continue.
    """
    path = run.path / "config.json"
    if path.exists():
        old = read_object(path)
        _check_age(run.path, config, old)
        epochs = look_up(old, path, "config.epochs", int)
        if epochs != config.training.epochs:
            raise InputError(
                f"{run.path} trains for {epochs} epochs and its learning "
                "rates follow from that; leave --epochs out to continue it, "
                "or choose another --run_dir"
            )
    about = {
        "method": FINAL_METHOD,
        "data": {
            **describe_data(data.source),
            "trained_on": len(data.train),
        },
        "devices": device_names(),
        "origin": origin.to_json(),
    }
    if config.training.ema_decay:
        about["averages"] = Averages.RULE
    run.record_start(about, config, config.network.space)


def _check_age(path: Path, config: FinalConfig, old: Mapping[str, Any]) -> None:
    """Says what an earlier version has left out or done otherwise."""
    if config.training.ema_decay and "averages" not in old:
        raise InputError(
            f"{path} has averages of weights (--ema_decay) of an earlier "
            "version, which keep the first weights and cannot be "
            "continued; start anew in another --run_dir"
        )
    if "test_fingerprint" not in old.get("data", {}):
        print(
            f"note: {path} was begun by an earlier version, which did not "
            "record the test images: whether they are still the same is "
            "not known",
            file=sys.stderr,
        )
