"""Lists settings by name: what they are for, and what they take.

  python -m experiments.presets
  python -m experiments.presets digits

With a name also the settings in it.
"""

from experiments import launch
from experiments.support import help_text, program
from flags import preset_files
from flags.preset_files import Preset
from nascore.errors import InputError


def describe(preset: Preset) -> str:
    """A preset for people: commands, origin, result."""
    commands = (program.rewrite(command) for command in preset.commands)
    return "\n".join(
        [
            preset.name,
            *(help_text.wrap(text, "  ", "      ") for text in commands),
            *(help_text.wrap(text, "    ") for text in preset.about),
        ]
    )


def main(args: list[str]) -> None:
    """Lists all presets, or one with its settings."""
    if len(args) > 1:
        raise InputError("name one preset, or none to list all")
    if args:
        preset = preset_files.find(args[0])
        settings = "\n".join(f"    {word}" for word in preset.words)
        help_text.show(f"{describe(preset)}\n\n{settings}")
        return
    presets = map(preset_files.find, preset_files.names())
    help_text.show("\n\n".join(map(describe, presets)))


def cli() -> None:
    """Console entry point."""
    launch.run(main)


if __name__ == "__main__":
    cli()
