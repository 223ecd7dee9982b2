"""`--space=NAME` beside a method: the method that searches this space.

`enas` over whole networks is the method `macro_enas`, and so of the others;
`micro` is the search of cells, the method itself. Only what starts a search
knows of it.
"""

import sys
from collections.abc import Sequence

from absl import flags

from flags import base, methods
from nascore.errors import InputError

MICRO = "micro"
# What the names of methods over other spaces begin with.
_OTHERS = ("bench201", "shared201", "macro", "recurrent")


def of(method: str) -> list[str]:
    """The spaces that a method has, by name; its own alone is none."""
    known = methods.names()
    others = [name for name in _OTHERS if f"{name}_{method}" in known]
    return [MICRO, *others] if others else []


def define(method: str = "") -> None:
    """Defines `--space`.

    Args:
      method: beside which it is given; none: any.
    """
    names = of(method) if method else [MICRO, *_OTHERS]
    flags.DEFINE_string(
        "space",
        "",
        "What is searched, of: "
        f"{', '.join(names) or 'one alone'}. Another than {MICRO}, cells, is "
        "a method of its own, such as macro_enas, whose settings "
        "--method=macro_enas --help lists.",
    )


def method_in(method: str, argv: Sequence[str] | None = None) -> str:
    """The method that a command line means.

    Args:
      method: that it names otherwise.
      argv: the command line; that of this process if None.

    Raises:
      InputError: the method does not have the space; lists those it has.
    """
    base.peek(sys.argv if argv is None else argv)
    space = flags.FLAGS.space
    flags.FLAGS.unparse_flags()
    if not space or method.startswith(f"{space}_"):
        return method
    names = of(method)
    if space not in names:
        has = f"it has: {', '.join(names)}" if names else "it has one alone"
        raise InputError(
            f"--space={space[:60]} is not a space of the method {method}; {has}"
        )
    return method if space == MICRO else f"{space}_{method}"
