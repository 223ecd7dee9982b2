"""What a search of recurrent cells is good for next."""

from pathlib import Path

from experiments.support import program
from nascore.paths import quote


def next_commands(path: Path) -> list[str]:
    """The commands that train what a search found.

    Args:
      path: its run folder.
    """
    command = (
        "python -m experiments.train_language --from_run="
        f"{quote(str(path))} --rank=1"
    )
    return [program.rewrite(command)]


def after_training(path: Path) -> list[str]:
    """The commands that use a trained model of language.

    Args:
      path: its run folder.
    """
    trained = quote(str(path))
    commands = (
        f"python -m experiments.generate_text {trained}",
        f"python -m experiments.generate_text {trained} --temperature=0.5 "
        "--length=2000",
        f"python -m experiments.export_model {trained} --format=onnx",
    )
    return [program.rewrite(command) for command in commands]
