"""How commands are called: by `ienas`, or each script by itself.

`COMMANDS` is what `ienas` lists. Every other script in `experiments/` can be
called through it, too, by its own name; `search_enas` is `search enas`.
"""

import ast
import contextlib
import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path

# Word -> script, in the order in which people need them.
COMMANDS = {
    "search": "search",
    "train": "train_final",
    "predict": "predict",
    "export": "export_model",
    "train-language": "train_language",
    "generate-text": "generate_text",
    "compare": "compare",
    "bench201": "bench201",
    "evolution-study": "evolution_study",
    "plot": "plot",
    "describe": "describe_architecture",
    "score": "score_architecture",
    "rank-check": "rank_check",
    "proxies": "proxies",
    "prepare": "prepare_data",
    "presets": "presets",
    "mlpnas-tables": "mlpnas_tables",
    "mlpnas-report": "mlpnas_report",
}
_FRONT = "ienas"
_SEARCH, _PLOT = "search_", "plot_"
_MODULE = re.compile(r"python -m experiments\.(\w+)")

# What was typed to come here, where `ienas` called a script.
_typed: list[str] = []


def start_as(words: str) -> None:
    """Says what this command is called: `ienas search enas`."""
    _typed[:] = [words]


@contextlib.contextmanager
def called(words: str) -> Iterator[None]:
    """Says for a while what command would do the same."""
    before = _typed[:]
    _typed[:] = [words]
    try:
        yield
    finally:
        _typed[:] = before


def name() -> str:
    """What this command is called, to be typed again."""
    if _typed:
        return _typed[0]
    module = sys.modules["__main__"].__spec__
    return f"python -m {module.name}" if module else Path(sys.argv[0]).name


def front() -> str:
    """What `ienas` is called: so where it is installed."""
    module = sys.modules["__main__"].__spec__
    return "python -m experiments" if module else _FRONT


def rewrite(text: str) -> str:
    """Puts today's names into commands that a text names by their scripts."""
    module = sys.modules["__main__"].__spec__
    if module and not _typed:
        return text
    return _MODULE.sub(lambda m: f"{front()} {command_of(m.group(1))}", text)


def command_of(script: str) -> str:
    """The words after `ienas` that call a script."""
    for word, called in COMMANDS.items():
        if called == script:
            return word
    if script.startswith(_SEARCH):
        return script.replace("_", " ", 1)
    if script.startswith(_PLOT):
        return "plot"
    return script.replace("_", "-")


def script_of(word: str) -> str:
    """The script that a word after `ienas` means; empty: none."""
    if word in COMMANDS:
        return COMMANDS[word]
    script = word.replace("-", "_")
    if script.isidentifier() and _docstring(script):
        return script
    return ""


def search_script(method: str) -> str:
    """The script that searches with this method alone; empty: none."""
    return script_of(f"{_SEARCH}{method}") if method.isidentifier() else ""


def summary(script: str) -> str:
    """The first line of a script's docstring, without importing it."""
    return _docstring(script).split("\n", 1)[0].rstrip(".")


def _docstring(script: str) -> str:
    """That of a script; empty: there is no script of this name."""
    spec = importlib.util.find_spec(f"experiments.{script}")
    if spec is None or spec.origin is None:
        return ""
    text = Path(spec.origin).read_text(encoding="utf-8")
    if "\ndef cli(" not in text:
        return ""
    return ast.get_docstring(ast.parse(text)) or ""
