"""How every script starts and ends."""

import signal
import sys
from collections.abc import Callable

from absl import app, flags, logging

from nascore.errors import InputError, RunStopped
from nascore.quiet import quiet_tensorflow as quiet_tensorflow

Main = Callable[[list[str]], None]


def run(main: Main) -> None:
    """Parses the flags, calls `main` with what is left of them, and exits.

    Exit codes: 0 done, 1 the run had to stop, 2 a mistake in what the user
    gave (one line on stderr, no traceback), 130 Ctrl-C.
    """
    app.run(lambda argv: _guard(main, argv[1:]), flags_parser=_parse)


def _parse(argv: list[str]) -> list[str]:
    try:
        return flags.FLAGS(argv)
    except flags.Error as error:
        _exit(2, f"error: {' '.join(str(error).split())} (--help lists all)")
        raise


def _guard(main: Main, args: list[str]) -> None:
    # Libraries report their internals at the level of information.
    logging.set_verbosity(logging.WARNING)
    try:
        main(args)
    except InputError as error:
        _exit(2, f"error: {error}")
    except RunStopped as error:
        _exit(error.exit_code, str(error))
    except KeyboardInterrupt:
        _exit(128 + signal.SIGINT, "interrupted")
    except Exception as error:
        # Named, not caught by class: TensorFlow may not be imported yet.
        if type(error).__name__ != "ResourceExhaustedError":
            raise
        _exit(
            2,
            "error: out of memory; lower --batch_size, --filters, "
            "--num_layers or --image_size",
        )


def _exit(code: int, message: str) -> None:
    sys.stdout.flush()
    print(message, file=sys.stderr)
    sys.exit(code)


def no_arguments(args: list[str]) -> None:
    """Raises InputError if there are arguments that are not flags."""
    if args:
        raise InputError(
            f"unexpected argument {args[0]!r}; options are written "
            "--name=value (--help lists them)"
        )
