"""Runs as they lay before all methods had one search."""

import json
import shutil


def make_former(run, path):
    """Copies a run of MLPNAS, and gives the copy the names of before."""
    shutil.copytree(run, path)
    for folder in (path, path / "random"):
        if not folder.exists():
            continue
        (folder / "evaluations.csv").rename(folder / "candidates.csv")
        (folder / "best_architectures.json").unlink()
        file = folder / "config.json"
        settings = json.loads(file.read_text())
        del settings["measures"], settings["space"]["kind"]
        if folder.name == "random":
            settings["method"] = "random"
        file.write_text(json.dumps(settings))
    return path


def contents(path):
    """All that a folder holds but its lock and its plots, byte for byte."""
    return {
        file.relative_to(path): file.read_bytes()
        for file in sorted(path.rglob("*"))
        if file.is_file() and file.name != ".lock" and "plots" not in file.parts
    }
