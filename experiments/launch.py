"""How every script starts and ends."""

import os
import re
import signal
import sys
import tempfile
from collections.abc import Callable

from absl import app, flags, logging

from nascore.errors import InputError, RunStopped

Main = Callable[[list[str]], None]


# TensorFlow's C++ prints these before anyone can set its log level.
_NOISE = re.compile(
    r"WARNING: All log messages before absl::InitializeLog"
    r"|[IW]0000 .*\.cc:\d+\]"
    r"|E0000 .*(cuInit|cuda_platform)"
)


def quiet_tensorflow(find_devices: bool = True) -> None:
    """Imports TensorFlow without its start-up noise.

    Whatever else it prints meanwhile still comes out, and a user who sets
    TF_CPP_MIN_LOG_LEVEL is left in charge.

    Args:
      find_devices: whether it may look for devices, too, which is noisy but
        must wait where machines have to find each other first.
    """
    if "TF_CPP_MIN_LOG_LEVEL" in os.environ:
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    sys.stderr.flush()
    with tempfile.TemporaryFile() as printed:
        stderr = os.dup(2)
        os.dup2(printed.fileno(), 2)
        try:
            import tensorflow as tf

            if find_devices:
                tf.config.list_logical_devices()
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            printed.seek(0)
            for line in printed.read().decode(errors="replace").splitlines():
                if not _NOISE.match(line):
                    print(line, file=sys.stderr)


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
