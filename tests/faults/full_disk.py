"""Runs scripts on a disk that fills up, then on the same disk made larger.

  python -m tests.faults.full_disk --out=OUT [--only=enas] [--sizes=60k,300k]

Prints a row for each script and size: how the run ended, whether with one
line, and whether it then went on to what an undisturbed run leaves. Needs
Linux and the right to mount in a user namespace of its own.
"""

import argparse
import dataclasses
import shutil
import subprocess
import sys
from pathlib import Path

from tests.faults.equal_runs import differences
from tests.faults.kill_anywhere import ROOT, SCRIPTS, command, start

NAMESPACE = ["unshare", "-Urm"]

# The mount is gone with the shell; the copy stays.
_SHELL = """
mount -t tmpfs -o size="$1" tmpfs "$2" || exit 99
shift
disk=$1
shift
"$@" >"$disk.out" 2>"$disk.err"
echo $? >"$disk.code"
mount -o remount,size=100m "$disk"
READY
"$@" >"$disk.resumed" 2>&1
code=$?
cp -r "$disk/run" "$disk-copy"
exit $code
"""


@dataclasses.dataclass(frozen=True)
class Filled:
    """How a run on a small disk ended.

    Attributes:
      code: exit code on the full disk.
      error: what it printed on stderr there.
      resumed: exit code of the second start, on the larger disk.
      copy: what the run left.
    """

    code: int
    error: str
    resumed: int
    copy: Path


def can_mount() -> bool:
    """Whether this machine lets us mount a small disk."""
    if shutil.which("unshare") is None:
        return False
    mount = "mount -t tmpfs -o size=100k tmpfs /mnt"
    return not subprocess.run(
        [*NAMESPACE, "sh", "-c", mount], capture_output=True
    ).returncode


def fill(
    name: str, size: str, out: Path, environment: dict | None = None
) -> Filled:
    """Starts a script on a disk of a size, and again on a larger one."""
    script = SCRIPTS[name]
    disk = out / f"{name}-{size}"
    disk.mkdir(parents=True)
    flags = [f"--{script.target}={disk / 'run'}"]
    # With --resume if the first start came as far as its settings.
    ready = f'if [ -e "$disk/run/config.json" ]; then set -- {sys.executable}'
    ready += f" -m {script.module} {flags[0]} {' '.join(script.resume)}; fi"
    text = _SHELL.replace("READY", ready)
    words = [sys.executable, "-m", script.module, *script.flags, *flags]
    done = subprocess.run(
        [*NAMESPACE, "sh", "-c", text, "sh", size, str(disk), *words],
        cwd=ROOT,
        env=environment,
    )
    return Filled(
        int(Path(f"{disk}.code").read_text()),
        Path(f"{disk}.err").read_text(),
        done.returncode,
        Path(f"{disk}-copy"),
    )


def main() -> None:
    """Tries all sizes with all scripts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", default="enas,final,mlpnas")
    parser.add_argument("--sizes", default="8k,40k,100k,200k,300k,500k")
    arguments = parser.parse_args()
    for name in arguments.only.split(","):
        whole = arguments.out / f"{name}-whole"
        arguments.out.mkdir(parents=True, exist_ok=True)
        if not whole.exists():
            script = SCRIPTS[name]
            start(command(script, whole), Path(f"{whole}.log")).wait()
        for size in arguments.sizes.split(","):
            filled = fill(name, size, arguments.out)
            print(
                {
                    "script": name,
                    "size": size,
                    "code": filled.code,
                    "stderr": filled.error,
                    "resumed": filled.resumed,
                    "differences": differences(whole, filled.copy),
                },
                flush=True,
            )


if __name__ == "__main__":
    main()
