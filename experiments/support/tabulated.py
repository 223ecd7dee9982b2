"""What NAS-Bench-201 says of a cell, for people."""

import textwrap

import numpy as np

from nascore.evaluators.nasbench201.names import (
    DATASETS,
    EPOCHS,
    SPLITS,
    TableColumn,
)
from nascore.evaluators.nasbench201.table import accuracies, numbers_of
from nascore.spaces.bench201 import (
    Bench201Cell,
    canonical,
    classes,
    codes_of,
)

_COUNTS = ("parameters", "multiply_adds")


def describe(cell: Bench201Cell) -> str:
    """All numbers of a cell, several lines."""
    code = int(codes_of(np.array(cell.operations)))
    numbers = numbers_of(code)
    alike = int((classes() == classes()[code]).sum()) - 1
    lines = [
        f"number {numbers.pop('index')} of the benchmark; {alike} other "
        f"cells compute the same: {canonical(cell)}",
        "",
        f"{'accuracy':<16}{'split':<12}"
        + "".join(f"{epochs:>6} epochs  {'rank':>6}" for epochs in EPOCHS),
    ]
    for dataset in DATASETS:
        for split in SPLITS:
            parts = f"{dataset:<16}{split:<12}"
            for epochs in EPOCHS:
                column = TableColumn(dataset, split, epochs)
                every = accuracies(column)
                rank = int((every > every[code]).sum()) + 1
                parts += f"{every[code]:>12.2%}   {rank:>6,}"
                numbers.pop(column.key)
            lines.append(parts)
    counts = {name: int(numbers.pop(name)) for name in _COUNTS}
    others = {n: v for n, v in numbers.items() if not n.endswith("_ms")}
    percent = ", ".join(f"{name} {value:.2f}" for name, value in others.items())
    times = ", ".join(
        f"{name.removesuffix('_ms')} {value:.4g}"
        for name, value in numbers.items()
        if name not in others
    )
    lines += [
        "",
        _wrap(f"others, in percent: {percent}"),
        f"parameters: {counts['parameters']:,}, multiply-adds for an image: "
        f"{counts['multiply_adds']:,} (the network for CIFAR-10)",
        _wrap(f"milliseconds: {times}"),
    ]
    return "\n".join(lines)


def _wrap(text: str) -> str:
    return textwrap.fill(text, 78, subsequent_indent="  ")
