"""Which GPU is the first, with a driver of the test's own."""

from types import SimpleNamespace

import pynvml
import pytest

from nascore.process import gpus, memory

GIB = 2**30
SMALL, LARGE = "NVIDIA GeForce RTX 3060", "NVIDIA A100-SXM4-40GB"


class Driver:
    """What of the driver is asked; a GPU is its row here."""

    # Bytes, as of older bindings, and texts.
    GPUS = [
        (SMALL.encode(), b"GPU-11aa", 12 * GIB, []),
        (LARGE, "GPU-22bb", 40 * GIB, []),
        (LARGE, "GPU-22cc", 40 * GIB, [None, "MIG-33dd", "MIG-44ee"]),
    ]
    PARTS = {
        "MIG-33dd": (f"{LARGE} MIG 1g.5gb", "", 5 * GIB, None),
        "MIG-44ee": (f"{LARGE} MIG 2g.10gb", "", 10 * GIB, None),
    }

    def __init__(self, rows=None):
        self.rows = self.GPUS if rows is None else rows
        self.open = 0

    def nvmlInit(self):
        self.open += 1

    def nvmlShutdown(self):
        self.open -= 1

    def nvmlDeviceGetCount(self):
        return len(self.rows)

    def nvmlDeviceGetHandleByIndex(self, number):
        return self.rows[number]

    def nvmlDeviceGetHandleByUUID(self, word):
        if word not in self.PARTS:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)
        return self.PARTS[word]

    def nvmlDeviceGetName(self, row):
        return row[0]

    def nvmlDeviceGetUUID(self, row):
        return row[1]

    def nvmlDeviceGetMemoryInfo(self, row):
        return SimpleNamespace(total=row[2])

    def nvmlDeviceGetMigMode(self, row):
        if not row[3]:  # Neither a GeForce nor a part can be divided.
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
        return [pynvml.NVML_DEVICE_MIG_ENABLE, 0]

    def nvmlDeviceGetMaxMigDeviceCount(self, row):
        return len(row[3])

    def nvmlDeviceGetMigDeviceHandleByIndex(self, row, number):
        if row[3][number] is None:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)
        return self.PARTS[row[3][number]]


@pytest.fixture
def driver(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.delenv("CUDA_DEVICE_ORDER", raising=False)

    def put(driver):
        for name in dir(driver):
            if name.startswith("nvml"):
                monkeypatch.setattr(pynvml, name, getattr(driver, name))
        return driver

    return put


@pytest.mark.parametrize(
    "visible, order, name, gibibytes",
    [
        # CUDA counts the fastest first, and TensorFlow gives its name.
        (None, None, LARGE, 40),
        (None, None, SMALL, 12),
        ("0", None, LARGE, 40),
        (None, "PCI_BUS_ID", SMALL, 12),
        ("1,0", "PCI_BUS_ID", LARGE, 40),
        # No GPU is called that: the number must do.
        ("1", None, "GPU", 40),
        (" GPU-11aa,1", None, SMALL, 12),
        ("GPU-22b", None, LARGE, 40),
        # Of a divided one CUDA takes the first part only.
        ("2", "PCI_BUS_ID", f"{LARGE} MIG 1g.5gb", 5),
        ("GPU-22cc", None, f"{LARGE} MIG 1g.5gb", 5),
        ("MIG-44ee", None, f"{LARGE} MIG 2g.10gb", 10),
    ],
)
def test_the_first_gpu(visible, order, name, gibibytes, driver, monkeypatch):
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    if order is not None:
        monkeypatch.setenv("CUDA_DEVICE_ORDER", order)
    put = driver(Driver())
    found = gpus.first_gpu(name)
    assert found.memory == gibibytes * GIB
    assert found.name == name or name == "GPU"
    assert put.open == 0


@pytest.mark.parametrize("visible", ["7", "GPU-99", "MIG-99", "-1", "nonsense"])
def test_what_the_driver_does_not_know(visible, driver, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    put = driver(Driver())
    assert gpus.first_gpu(LARGE) is None
    assert put.open == 0


def test_a_machine_without_a_driver(monkeypatch):
    def refuse():
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(pynvml, "nvmlInit", refuse)
    assert gpus.first_gpu() is None


def test_memory_asks_for_the_gpu_of_tensorflow(driver, monkeypatch):
    import tensorflow as tf

    monkeypatch.setattr(
        tf.config, "list_physical_devices", lambda kind: ["gpu"]
    )
    monkeypatch.setattr(
        tf.config.experimental,
        "get_device_details",
        lambda device: {"device_name": LARGE},
    )
    driver(Driver())
    assert memory.gpu_room() == memory.Room(LARGE, 40 * GIB)
    driver(Driver([]))
    assert memory.gpu_room() is None
