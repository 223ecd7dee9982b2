"""Runs a script as on a system that is not POSIX, as far as Linux can.

Modules of ours see an `os` and a `signal` that lack what Windows lacks and
call themselves Windows, and cannot import what it has not. Libraries, which
are Windows's own there, are imported before and keep what they have.

python -P tests/package/elsewhere.py SCRIPT ARGUMENTS
"""

import importlib
import os
import pkgutil
import runpy
import signal
import sys
import types

ROOMS = (
    "nascore",
    "darts",
    "enas",
    "ienas",
    "l2nas",
    "nases",
    "renas",
    "mlpnas",
    "flags",
    "experiments",
)
LIBRARIES = (
    *("absl.app", "absl.flags", "filelock", "jinja2", "joblib", "keras"),
    *("google.protobuf.json_format", "matplotlib.backends.backend_agg"),
    *("matplotlib.backends.backend_pdf", "matplotlib.figure", "pandas"),
    *("PIL.Image", "psutil", "pynvml", "requests", "scipy.stats"),
    *("sklearn.compose", "sklearn.datasets", "sklearn.ensemble"),
    *("sklearn.linear_model", "sklearn.metrics", "sklearn.model_selection"),
    *("sklearn.neural_network", "sklearn.pipeline", "tensorboard"),
    *("sklearn.preprocessing", "tensorflow", "tensorflow_datasets", "tqdm"),
    *("ctypes.util", "multiprocessing.popen_spawn_posix", "subprocess"),
)
NO_MODULES = (
    *("crypt", "fcntl", "grp", "nis", "ossaudiodev", "posix", "pty", "pwd"),
    *("readline", "resource", "spwd", "syslog", "termios", "tty"),
)
# What Windows has of them; all else is POSIX's.
SIGNALS = ("SIGABRT", "SIGFPE", "SIGILL", "SIGINT", "SIGSEGV", "SIGTERM")
FLAGS = ("O_RDONLY", "O_WRONLY", "O_RDWR", "O_APPEND", "O_CREAT", "O_EXCL")
NO_OS = """
WCONTINUED WNOHANG WUNTRACED chown chroot confstr confstr_names ctermid
fchdir fchmod fchown fdatasync fork forkpty fpathconf fstatvfs getegid geteuid
getgid getgrouplist getgroups getloadavg getpgid getpgrp getpriority getresgid
getresuid getsid getuid getxattr initgroups killpg lchown listxattr lockf
major makedev memfd_create minor mkfifo mknod nice openpty pathconf pidfd_open
pipe2 posix_fadvise posix_fallocate posix_spawn posix_spawnp pread preadv
pwrite pwritev readv register_at_fork removexattr sched_get_priority_max
sched_getaffinity sched_getparam sched_setaffinity sched_yield sendfile
setegid seteuid setgid setgroups setpgid setpriority setregid setreuid setsid
setuid setxattr splice statvfs sync sysconf tcgetpgrp tcsetpgrp ttyname uname
wait wait3 wait4 waitid writev
""".split()


def without(module, lacking, **others):
    """A copy of a module that lacks some names and has others' values."""
    copy = types.ModuleType(module.__name__)
    missing = set(lacking)
    values = {k: v for k, v in vars(module).items() if k not in missing}
    vars(copy).update(values, **others)
    return copy


def main():
    """Imports all modules of ours, then runs a script of them."""
    for name in LIBRARIES:
        importlib.import_module(name)
    for name in NO_MODULES:
        sys.modules[name] = None
    lacking = [
        name
        for name in vars(os)
        if name.startswith("O_") and name not in (*FLAGS, "O_TRUNC")
    ]
    sys.modules["os"] = without(os, [*NO_OS, *lacking], name="nt")
    lacking = [
        name
        for name in vars(signal)
        if name.startswith("SIG")
        and name not in (*SIGNALS, "SIG_DFL", "SIG_IGN")
    ]
    more = ["alarm", "setitimer", "pause", "pthread_sigmask", "sigwait"]
    sys.modules["signal"] = without(signal, [*lacking, *more])
    count = 0
    for room in ROOMS:
        package = importlib.import_module(room)
        for module in pkgutil.walk_packages(package.__path__, f"{room}."):
            importlib.import_module(module.name)
            count += 1
    ours = sys.modules["nascore.runs.atomic"]
    assert ours.os.name == "nt" and not hasattr(ours.os, "fork")
    print(f"{count} modules")
    sys.argv = sys.argv[1:]
    runpy.run_module(f"experiments.{sys.argv[0]}", run_name="__main__")


if __name__ == "__main__":
    main()
