"""One command for all that the scripts here do: `ienas`.

ienas COMMAND ...             where the package is installed
python -m experiments COMMAND ...

Only the script that is called is imported.
"""

import difflib
import importlib
import sys

from experiments import launch
from experiments.support import help_text, program

_HELP = "help"


def main() -> None:
    """Calls the script that the first words name."""
    words = sys.argv[1:]
    if words[:1] == [_HELP]:
        words = [*words[1:], "--help"]
    if not words or words[0] in (*help_text.HELP, *help_text.FULL):
        launch.answer(_overview)
    elif words[0] == "--version":
        launch.answer(launch.version)
    else:
        _call(words)


def _call(words: list[str]) -> None:
    """Runs a script with the words that are left."""
    word, *rest = words
    script = program.script_of(word)
    if not script:
        launch.refuse(_unknown(word))
    called = word
    if word == "search" and rest and rest[0][:1] != "-":
        method = rest.pop(0)
        called = f"{word} {method}"
        own = program.search_script(method)
        script = own or script
        if not own:
            rest.insert(0, f"--method={method}")
    program.start_as(f"{program.front()} {called}")
    # As if the script had been called by itself.
    sys.argv[:] = [program.name(), *rest]
    importlib.import_module(f"experiments.{script}").cli()


def _unknown(word: str) -> str:
    """What to say of a word that is no command."""
    if word[:1] == "-":
        return f"name a command before {word}; {program.front()} lists them"
    from flags import methods

    close = difflib.get_close_matches(word, program.COMMANDS, 3, 0.5)
    if word in methods.names():
        close = [f"search {word}"]
    hint = f"did you mean {' or '.join(close)}? " * bool(close)
    return f"there is no command {word!r}; {hint}{program.front()} lists all"


def _overview() -> str:
    """All commands with a line each."""
    # Imports NumPy: where its names are wanted.
    from flags import methods

    front = program.front()
    longest = max(map(len, program.COMMANDS))
    lines = [
        help_text.wrap(program.summary(script), f"  {word:{longest}}  ", hang)
        for word, script in program.COMMANDS.items()
        for hang in [" " * (longest + 4)]
    ]
    names = ", ".join(methods.names())
    return "\n".join(
        [
            help_text.wrap(
                "Architecture search with shared weights, from the data to "
                "a trained and exported network."
            ),
            "",
            f"  {front} COMMAND ...",
            f"  {front} COMMAND --help",
            f"  {front} search METHOD --preset=digits",
            "",
            *lines,
            "",
            help_text.wrap(f"Methods of a search: {names}.", "", "  "),
            "",
            help_text.wrap(
                f"{front} --version says which version this is; "
                f"{front} presets lists settings by name."
            ),
        ]
    )


if __name__ == "__main__":
    main()
