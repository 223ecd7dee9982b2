"""What NVIDIA's driver says of the GPU that a process computes on."""

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import pynvml


class Gpu(NamedTuple):
    """A GPU, or the part of one that is like a GPU of its own (MIG).

    Attributes:
      name: as its maker calls it.
      memory: bytes that it has, free or not.
    """

    name: str
    memory: int


def first_gpu(name: str = "") -> Gpu | None:
    """The first GPU that this process sees.

    That is the first of CUDA_VISIBLE_DEVICES, numbers or the driver's
    names (UUIDs, which may be cut short), or of all.

    Args:
      name: what TensorFlow calls it. CUDA counts the fastest first and the
        driver by place (unless CUDA_DEVICE_ORDER says so of CUDA, too): a
        number alone does not tell which of different ones it is.

    Returns:
      None without a driver, or if it does not say.
    """
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    try:
        handle = _part(_find(_first_visible(), name))
        memory = pynvml.nvmlDeviceGetMemoryInfo(handle).total
        return Gpu(_text(pynvml.nvmlDeviceGetName(handle)), int(memory))
    except (pynvml.NVMLError, LookupError):
        return None
    finally:
        pynvml.nvmlShutdown()


def _first_visible() -> str:
    """The first word of CUDA_VISIBLE_DEVICES, "0" without it."""
    words = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
    return words[0].strip() or "0"


def _find(word: str, name: str) -> Any:
    """The driver's handle of what a word of CUDA_VISIBLE_DEVICES names.

    Raises:
      LookupError: nothing is called so.
    """
    if word.startswith("MIG-"):
        return pynvml.nvmlDeviceGetHandleByUUID(word)
    gpus = list(_gpus())
    if not word.isdecimal():
        for gpu in gpus:
            if _text(pynvml.nvmlDeviceGetUUID(gpu)).startswith(word):
                return gpu
        raise LookupError(word)
    numbered = gpus[int(word)]
    if os.environ.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID":
        return numbered
    # Of equal ones any will do: they have the same memory.
    same = (gpu for gpu in [numbered, *gpus] if _is_called(gpu, name))
    return next(same, numbered)


def _gpus() -> Iterator[Any]:
    for number in range(pynvml.nvmlDeviceGetCount()):
        yield pynvml.nvmlDeviceGetHandleByIndex(number)


def _is_called(gpu: Any, name: str) -> bool:
    # TensorFlow names the part of a GPU, too: "NVIDIA A100 MIG 1g.5gb".
    own = _text(pynvml.nvmlDeviceGetName(gpu))
    return name == own or name.startswith(f"{own} MIG ")


def _part(gpu: Any) -> Any:
    """The first part of a GPU that is divided; CUDA uses no other."""
    try:
        current, _ = pynvml.nvmlDeviceGetMigMode(gpu)
        if current != pynvml.NVML_DEVICE_MIG_ENABLE:
            return gpu
        count = pynvml.nvmlDeviceGetMaxMigDeviceCount(gpu)
    except pynvml.NVMLError:
        return gpu  # It cannot be divided, or is a part itself.
    for number in range(count):
        try:
            return pynvml.nvmlDeviceGetMigDeviceHandleByIndex(gpu, number)
        except pynvml.NVMLError:
            continue  # Parts need not be numbered one by one.
    return gpu


def _text(answer: str | bytes) -> str:
    """What the driver says, which older bindings give as bytes."""
    return answer.decode() if isinstance(answer, bytes) else answer
