"""Memory: what a run needs, what there is, what it took.

Methods count what they need (`nascore.evaluators.memory`,
`nascore.training.memory`, `mlpnas.memory`); this room measures the process
and the device, compares, and says what to turn down. No TensorFlow, but for
a GPU.
"""

import dataclasses
import math
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from nascore.errors import InputError
from nascore.process.gpus import first_gpu
from nascore.runs.atomic import write_json
from nascore.runs.folder import MEMORY_FILE

GIB = 2**30
# Bytes of a float32.
FLOAT = 4
_PROCESSES = Path("/proc")
# Above this part of what is free a run is warned: others need memory, too.
WARN_AT = 0.8
# Estimates lie within 30% of the peak (results/memory). What is estimated at
# more than this times what is free does not fit even if it is 30% too high.
REFUSE_AT = 1.3

Parts = Mapping[str, int]


@dataclasses.dataclass(frozen=True)
class Need:
    """What a run needs, in bytes.

    Attributes:
      host: on the machine even if a GPU computes, by what it is for.
      device: where the computing is done, by what it is for.
      turn_down: flags that make it less, the most effective first.
      before: what the process held at its peak before, as while it loaded
        the data; that is used again, and counts only if it is more.
    """

    host: Parts
    device: Parts
    turn_down: Sequence[str]
    before: int = 0

    @property
    def total(self) -> int:
        """All of it, in bytes."""
        parts = sum(self.host.values()) + sum(self.device.values())
        return max(parts, self.before)


@dataclasses.dataclass(frozen=True)
class Room:
    """What a run may take.

    Attributes:
      name: of what has it.
      free: bytes, with those that this process holds already.
    """

    name: str
    free: int


def resident() -> int:
    """Bytes of memory that this process holds now."""
    return psutil.Process().memory_info().rss


def peak(pid: int | None = None) -> int:
    """Most bytes that a process ever held; this one if None."""
    pid = pid or os.getpid()
    status = _PROCESSES / str(pid) / "status"
    # Not getrusage, where there is a choice: a process that was started by
    # a large one begins there with the peak of its parent.
    if status.exists():
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return 1024 * int(line.split()[1])
    about = psutil.Process(pid).memory_info()
    if hasattr(about, "peak_wset"):  # Of Windows.
        return about.peak_wset
    if pid != os.getpid():
        return about.rss  # What it has now, where nobody tells more.
    import resource  # Of POSIX.

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most


def children_peak() -> int:
    """Sum of the peaks of the processes that this one has started."""
    total = 0
    for child in psutil.Process().children(recursive=True):
        try:
            total += peak(child.pid)
        except (OSError, psutil.Error):
            continue  # It has ended in the meantime.
    return total


def available(cgroups: Path = Path("/sys/fs/cgroup")) -> int:
    """Bytes that a process can still get: of machine and control group."""
    free = psutil.virtual_memory().available
    limits = [
        left
        for folder in _control_groups(cgroups)
        if (left := _left_in(folder)) is not None
    ]
    return min([free, *limits])


def host_room(cgroups: Path = Path("/sys/fs/cgroup")) -> Room:
    """What this process may hold, with what it holds already."""
    return Room("this machine", available(cgroups) + resident())


def _control_groups(root: Path) -> list[Path]:
    """Folders of the control groups that this process is in, v2 and v1."""
    try:
        text = (_PROCESSES / "self" / "cgroup").read_text("utf-8")
    except OSError:
        return []
    folders = []
    for line in text.splitlines():
        _, kinds, path = line.split(":", 2)
        if kinds not in ("", "memory"):
            continue
        top = root / kinds
        own = top / path.lstrip("/")
        # Inside a container the path can be one that only the host sees.
        folders += [own, *own.parents[: len(own.parts) - len(top.parts)], top]
    return list(dict.fromkeys(folders))


def _left_in(folder: Path) -> int | None:
    """Bytes under the limit of a control group; None if it has no limit."""
    for limit_file, usage_file, cache in (
        ("memory.max", "memory.current", "inactive_file"),
        (
            "memory.limit_in_bytes",
            "memory.usage_in_bytes",
            "total_inactive_file",
        ),
    ):
        try:
            limit = (folder / limit_file).read_text("utf-8").strip()
            usage = int((folder / usage_file).read_text("utf-8"))
            rows = (folder / "memory.stat").read_text("utf-8").splitlines()
        except OSError:
            continue
        if limit == "max" or int(limit) >= psutil.virtual_memory().total:
            return None
        # Cached files count as usage and go when memory is wanted.
        stat = dict(row.split() for row in rows)
        return int(limit) - usage + int(stat.get(cache, 0))
    return None


def gpu_room() -> Room | None:
    """Memory of the first GPU; None without one, or if it does not say.

    TensorFlow does not tell a device's memory, so its driver is asked. What
    is free says nothing: TensorFlow takes almost all of it when it starts.
    """
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return None
    details = tf.config.experimental.get_device_details(gpus[0])
    found = first_gpu(details.get("device_name", ""))
    return None if found is None else Room(found.name, found.memory)


def gpu_peak() -> int | None:
    """Most bytes that TensorFlow used of the first GPU; None without one."""
    import tensorflow as tf

    if not tf.config.list_physical_devices("GPU"):
        return None
    return tf.config.experimental.get_memory_info("GPU:0")["peak"]


def size_text(size: float) -> str:
    """A number of bytes for people."""
    if size < 0.1 * GIB:
        return f"{size / 2**20:.0f} MiB"
    return f"{size / GIB:.1f} GiB"


def compare(parts: Parts, turn_down: Sequence[str], room: Room) -> str | None:
    """Holds a need against what there is.

    Args:
      parts: bytes needed, by what for.
      turn_down: flags that make it less.
      room: where it must fit.

    Returns:
      A warning if it will be tight, else None.

    Raises:
      InputError: it cannot fit.
    """
    need = sum(parts.values())
    if need <= WARN_AT * room.free:
        return None
    listed = ", ".join(
        f"{name} {size_text(size)}"
        for name, size in sorted(parts.items(), key=lambda part: -part[1])
        if size >= 0.01 * need
    )
    *others, last = turn_down
    flags = f"{', '.join(others)} or {last}" if others else last
    text = (
        f"about {size_text(need)} of memory are needed ({listed}) and "
        f"{room.name} has {size_text(room.free)} for it; lower {flags}"
    )
    if need > REFUSE_AT * room.free:
        raise InputError(f"{text}, or try all the same with --ignore_memory")
    return f"{text} if it runs out"


def check_data(count: int, shape: Sequence[int], name: str) -> None:
    """Checks, before it is read, that a data set fits into memory.

    Args:
      count: how many examples.
      shape: of one, in bytes.
      name: what it is called.

    Raises:
      InputError: it does not fit.
    """
    size = count * math.prod(shape)
    room = host_room()
    # While the splits are taken out of them there are two copies.
    if 2 * size > room.free:
        sides = "x".join(map(str, shape))
        raise InputError(
            f"{name} holds {count} images, {size_text(size)} at {sides}; they "
            f"need twice that and {room.name} has {size_text(room.free)}. "
            "Lower --image_size, or use fewer images"
        )


class Watch:
    """Compares before a run, measures after it, and writes both down.

    Args:
      need: what the run is expected to take.
      folder: the run folder; `memory.json` goes there.
    """

    def __init__(self, need: Need, folder: Path) -> None:
        self.need = need
        self._path = folder / MEMORY_FILE
        self._gpu = gpu_room()
        self._host = host_room()

    def start(self, ignore: bool = False) -> None:
        """Says what is needed; warns or refuses.

        Args:
          ignore: only warn of what cannot fit.

        Raises:
          InputError: it cannot fit.
        """
        pairs = [({**self.need.host, **self.need.device}, self._host)]
        if self._gpu is not None:
            pairs = [
                (dict(self.need.host), self._host),
                (dict(self.need.device), self._gpu),
            ]
        for parts, room in pairs:
            print(
                f"memory: about {size_text(sum(parts.values()))} needed, "
                f"{size_text(room.free)} free on {room.name}"
            )
            try:
                warning = compare(parts, self.need.turn_down, room)
            except InputError as error:
                if not ignore:
                    raise
                warning = str(error)
            if warning:
                print(f"warning: {warning}", file=sys.stderr)
        self._write({})

    def end(self, others: int = 0) -> None:
        """Says what the run took at its peak.

        Args:
          others: bytes that processes of its own took.
        """
        host, device = peak() + others, gpu_peak()
        if device is None:
            print(
                f"memory: peak {size_text(host)}, estimated "
                f"{size_text(self.need.total)}"
            )
            self._write({"host_peak": host})
            return
        print(
            f"memory: peak {size_text(device)} on the GPU and "
            f"{size_text(host)} beside it, estimated "
            f"{size_text(sum(self.need.device.values()))} and "
            f"{size_text(sum(self.need.host.values()))}"
        )
        self._write({"host_peak": host, "device_peak": device})

    def _write(self, measured: Parts) -> None:
        gpu = {} if self._gpu is None else {"device_free": self._gpu.free}
        write_json(
            self._path,
            {
                "unit": "bytes",
                "estimate": self.need.total,
                "host": dict(self.need.host),
                "device": dict(self.need.device),
                "host_free": self._host.free,
                **gpu,
                **measured,
            },
        )
