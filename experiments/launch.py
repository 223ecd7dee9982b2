"""How every script starts and ends."""

import contextlib
import io
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import NoReturn

from absl import app, flags, logging

from experiments.support import help_text, program
from flags import other_words, preset_files
from nascore.errors import InputError, RunStopped, StorageError, printable
from nascore.paths import expand, quote
from nascore.process import environment, streams
from nascore.process.imports import spare
from nascore.process.quiet import quiet_tensorflow as quiet_tensorflow
from nascore.runs.interrupts import Interrupted, Terminated, raise_terminated

Main = Callable[[list[str]], None]

# When this work began, by the monotonic clock: with the process, if nobody
# says otherwise.
_began = [time.monotonic()]


def began() -> float:
    """When this work began, by the monotonic clock."""
    return _began[0]


def begin() -> None:
    """Says that it begins now, in a process that was there before."""
    _began[0] = time.monotonic()


def run(
    main: Main,
    define: Callable[[], None] = lambda: None,
    about: str | None = None,
) -> None:
    """Parses the flags, calls `main` with what is left of them, and exits.

    Args:
      main: is given the arguments that are no flags.
      define: defines flags that depend on others; may raise InputError.
      about: what `--help` begins with; None: the docstring of the script,
        in which `main` stands.

    Exit codes: 0 done, or saved after SIGTERM; 1 the run had to stop; 2 a
    mistake in what the user gave (one line on stderr, no traceback); 130
    Ctrl-C; 143 SIGTERM where there was nothing to save.
    """
    # Not in a process of the user's, whose Keras may need what is spared.
    spare()
    if about is None:
        about = sys.modules[main.__module__].__doc__
    with _outputs():
        app.run(
            lambda argv: _guard(main, argv[1:]),
            flags_parser=lambda argv: _parse(argv, define, about or ""),
        )


def answer(text: Callable[[], str]) -> None:
    """Prints what needs no flags, and exits as `run` does.

    Args:
      text: may raise InputError.
    """
    with _outputs():
        try:
            help_text.show(text())
        except InputError as error:
            _exit(2, f"error: {error}")


def version() -> str:
    """What `--version` prints."""
    try:
        return f"ienas {metadata.version('ienas')}"
    except metadata.PackageNotFoundError:
        return "ienas, from a checkout that is not installed"


def refuse(message: str) -> NoReturn:
    """Exits with 2 and one line on what was wrong with the command."""
    with _outputs():
        _exit(2, f"error: {printable(message)}")


@contextlib.contextmanager
def _outputs() -> Iterator[None]:
    """Standard output and error that take every letter and cannot fail."""
    _use_utf8()
    streams.guard()
    try:
        yield
    finally:
        _flush()


def _use_utf8() -> None:
    """Starts again where names of files are ASCII to Python.

    It is so only by PYTHONUTF8=0 in a C locale. Other letters would be
    unreadable halves of bytes there, in names of classes, too.
    """
    if sys.getfilesystemencoding() == "ascii" and not sys.flags.utf8_mode:
        os.environ["PYTHONUTF8"] = "1"
        words = [sys.executable, "-X", "utf8", *sys.orig_argv[1:]]
        os.execv(sys.executable, words)  # noqa: S606  This very command.


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()


def _parse(
    argv: list[str], define: Callable[[], None], about: str
) -> list[str]:
    said = io.StringIO()
    # Absl's own show what the main module defines, which is next to nothing,
    # and exit with 1 as soon as they are met.
    for name in ("?", "help", "helpshort", "helpfull", "helpxml"):
        # They are gone where a process starts a second script.
        if name in flags.FLAGS:
            delattr(flags.FLAGS, name)
    try:
        preset = preset_files.named(argv)
        if preset:
            # First, so that what the user gave holds. Here, too, do those
            # look who define flags that depend on others.
            argv[1:1] = preset.words
        define()
        if preset:
            preset_files.check_flags(preset)
    except InputError as error:
        _exit(2, f"error: {error}")
    _answer_help(argv, about)
    try:
        with contextlib.redirect_stderr(said):
            rest = flags.FLAGS(argv)
        # Absl warns, and takes half of such a file.
        if "circular" in said.getvalue():
            raise flags.Error(" ".join(said.getvalue().split()))
    except (flags.Error, UnicodeDecodeError) as error:
        reason = other_words.explain(error, flags.FLAGS)
        if isinstance(error, UnicodeDecodeError):
            reason = f"a --flagfile is not a text file: {reason}"
        _exit(2, f"error: {printable(reason)} (--help lists all)")
        raise
    sys.stderr.write(said.getvalue())
    if preset:
        # The run folder records what was given.
        del argv[1 : 1 + len(preset.words)]
    return rest


def _answer_help(argv: list[str], about: str) -> None:
    """Prints help or version and exits, if a command line asks for it."""
    kind = help_text.asked(argv)
    if kind:
        help_text.show(help_text.of_script(about, full=kind == "full"))
        sys.exit(0)
    if "--version" in argv[1:]:
        print(version())
        sys.exit(0)


def _guard(main: Main, args: list[str]) -> None:
    # Libraries report their internals at the level of information.
    logging.set_verbosity(logging.WARNING)
    signal.signal(signal.SIGTERM, raise_terminated)
    for note in environment.notes:
        print(f"note: {printable(note)}", file=sys.stderr)
    try:
        # Run folders, files, architectures: nothing else begins with ~.
        main([expand(word) for word in args])
        sys.stdout.flush()
    except InputError as error:
        _exit(2, f"error: {error}")
    except RunStopped as error:
        _exit(error.exit_code, str(error))
    except Terminated:
        _exit(128 + signal.SIGTERM, "terminated")
    except KeyboardInterrupt:
        _exit(128 + signal.SIGINT, "interrupted")
    except OSError as error:
        # Without a name it is no file of the user's.
        if error.filename is None:
            raise
        _exit(2, f"error: {error.filename}: {error.strerror}")
    except Exception as error:
        # Named, not caught by class: TensorFlow may not be imported yet.
        if type(error).__name__ != "ResourceExhaustedError":
            raise
        _exit(
            2,
            "error: out of memory; lower --batch_size, --filters, "
            "--num_layers or --image_size",
        )


@contextlib.contextmanager
def resumable(run_dir: Path) -> Iterator[None]:
    """Says how to continue the run that works inside, when it has to stop.

    Args:
      run_dir: its folder.

    Raises:
      RunStopped: in place of what ended the run.
    """
    try:
        yield
    except RunStopped as error:
        if error.resumable:
            error.args = (f"{error}{_how_to_continue(run_dir)}",)
        raise
    except Terminated:
        raise _stopped(signal.SIGTERM, run_dir) from None
    except KeyboardInterrupt:
        raise _stopped(signal.SIGINT, run_dir) from None
    except OSError as error:
        if error.strerror is None:
            raise
        stopped = StorageError(error.filename or run_dir, error.strerror)
        stopped.args = (f"{stopped}{_how_to_continue(run_dir)}",)
        raise stopped from error


def _stopped(signum: int, run_dir: Path) -> Interrupted:
    return Interrupted(
        signum,
        "interrupted between two saves; what was saved is intact"
        f"{_how_to_continue(run_dir)}",
    )


def _how_to_continue(run_dir: Path) -> str:
    if not (run_dir / "config.json").exists():
        return ", and nothing was begun"
    return f". Continue with: {resuming(run_dir)}"


def resuming(run_dir: Path, hours: float = 0.0) -> str:
    """The command that goes on with a run of this script.

    Args:
      run_dir: its folder.
      hours: that it has again; 0 is no limit.
    """
    text = f"{program.name()} --run_dir={quote(str(run_dir))} --resume"
    return text + f" --max_hours={hours:g}" * bool(hours)


def command() -> str:
    """The command line that started this program, on one line."""
    words = " ".join(map(quote, sys.argv[1:]))
    return f"{program.name()} {words}"


def _exit(code: int, message: str) -> NoReturn:
    _flush()
    with contextlib.suppress(OSError):
        print(program.rewrite(message), file=sys.stderr)
    sys.exit(code)


def no_arguments(args: list[str]) -> None:
    """Raises InputError if there are arguments that are not flags."""
    if args:
        raise InputError(
            f"unexpected argument {args[0]!r}; options are written "
            "--name=value (--help lists them)"
        )
