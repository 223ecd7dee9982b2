"""Speed: `child_step.txt`, `network_fit.txt`, `growth/`, `gpu/`, MLPNAS."""

import numpy as np
import pytest

PAGE, TRAINING = "docs/speed.md", "docs/training.md"
PERCEPTRONS = "docs/mlpnas.md"
GPU = "results/gpu/README.md"
GIB = 2**30


@pytest.mark.parametrize(
    "way, title",
    [
        ("all", "every operation computed, one picked (as the TF1 code)"),
        ("ours", "ours"),
        ("static", "one architecture traced for itself, the lower bound"),
    ],
)
def test_child_step(results, way, title):
    start_up, step, evaluation, _ = results.line("child_step.txt", f"| {way} |")
    part = f"| {title} | # | # | # |"
    results.quote(PAGE, part, start_up, step, evaluation)


def pairs(results, name):
    """Median, and where 10% and 90% of the pairs are."""
    values = results.line("child_step.txt", f"{name}: median ")
    return values[0], values[2], values[4]


def test_child_steps_in_pairs(results):
    results.quote(
        PAGE,
        "the first takes # times as long as ours (10% to 90% of the pairs: # "
        "to #), and an epoch of 352 steps and 300 evaluations # times (# to #)",
        *pairs(results, "all / ours, train"),
        *pairs(results, "all / ours, epoch"),
    )
    results.quote(
        PAGE,
        "one architecture traced for itself # times (# to #)",
        *pairs(results, "static / ours, train"),
    )


def test_peak_of_the_child_step(results):
    peak = results.line("child_step.txt", "| ours |")[3]
    part = "process peaks at # GiB (# GB)"
    results.quote(PAGE, part, peak, peak * GIB / 1e9)


def test_network_fit(results):
    ways = ("built, fit", "built, fused normalization, our loop")
    fits = [results.line("network_fit.txt", f"| {way} |")[1:] for way in ways]
    building = results.line(
        "network_fit.txt", "building 17 layers of 36 filters: "
    )
    results.quote(
        TRAINING,
        "takes # times as long as the same graph written by hand with Keras's "
        "layers (median; # to # on a loaded machine), the loop of "
        "`train_final` # times (# to #); 17 layers are built in # to # s",
        *fits[0],
        *fits[1],
        min(building),
        max(building),
    )


def test_mlpnas_child(results):
    ways = ("one", "processes")
    lines = [results.line("mlpnas/child.txt", f"| {way} |") for way in ways]
    results.quote(
        PERCEPTRONS,
        "one process was # times as fast as one `Sequential.fit` for each "
        "candidate, compilation included, two processes with their start # "
        "times",
        *(times for _, _, times, _ in lines),
    )


def growth(results, variable, result, **fixed):
    """Values of a variable, and of what was measured at them."""
    fixed = {
        "batch": 32,
        "filters": 20,
        "layers": 8,
        "nodes": 5,
        "images": 1000,
        **fixed,
    }
    del fixed[variable]
    rows = [
        row
        for row in results.table("growth/growth.csv")
        if all(int(row[name]) == value for name, value in fixed.items())
    ]
    return results.column(rows, variable), results.column(rows, result)


def test_growth_with_layers(results):
    layers, start_up = growth(results, "layers", "start_up_s")
    assert layers.tolist() == [8, 17, 32]
    results.quote(
        PAGE,
        "Start-up is # s for each further layer: # s at 8 layers, # at 17, # "
        "at 32",
        np.polyfit(layers, start_up, 1)[0],
        *start_up,
    )
    names = ("step_s", "evaluation_s", "start_up_s", "multiply_adds")
    results.quote(
        "results/README.md",
        "take as much time for each further layer (exponents #, # and #), and "
        "the multiply-adds a little less (#)",
        *(
            np.polyfit(*np.log(growth(results, "layers", name)), 1)[0]
            for name in names
        ),
    )


def test_growth_with_images(results):
    images, peaks = growth(results, "images", "peak_bytes", batch=128)
    assert images.tolist() == [1000, 10_000, 50_000]
    results.quote(
        "results/README.md",
        "At 32 layers the first step comes after # s. The data changes no "
        "time; it is held in memory, # GiB for 50,000 images",
        growth(results, "layers", "start_up_s")[1][-1],
        (peaks[-1] - peaks[0]) / GIB,
    )


def test_gpu_epoch(results):
    seconds, *_, an_hour, epochs, days, _, _ = results.line(
        "gpu/float32.md", "An epoch of the published CIFAR-10 search: "
    )
    assert an_hour == pytest.approx(3600 / seconds, rel=1e-3)
    assert days == pytest.approx(epochs * seconds / 86400, abs=5e-4)
    hours = epochs * seconds / 3600
    results.quote(
        PAGE,
        "On one NVIDIA H200 that took # s: # epochs an hour, 150 epochs in # "
        "hours",
        *(seconds, an_hour, hours),
    )
    results.quote(
        GPU,
        "# s an epoch, # epochs an hour, 150 epochs extrapolated to # days (# "
        "hours)",
        *(seconds, an_hour, days, hours),
    )


def test_gpu_step(results):
    files = ("float32", "bfloat16", "gpu_private")
    lines = [results.line(f"gpu/{f}.md", "| child step |") for f in files]
    step, half, private = (values[0] for values in lines)
    shorter = 100 * (1 - private / step)
    results.quote(PAGE, "made steps #% shorter", shorter)
    results.quote(
        GPU,
        "A child step takes # ms, of which the arithmetic and the memory of "
        "this GPU explain # ms",
        step,
        sum(lines[0][3:5]),
    )
    results.quote(
        GPU,
        "bfloat16 gains nothing (# ms), and fewer, private launching threads "
        "do: # ms with `gpu_private`, #% less",
        *(half, private, shorter),
    )


def test_gpu_controller_phase(results):
    files = ("float32", "bfloat16", "gpu_private")
    start = "| controller phase, for one evaluation |"
    shares = [results.line(f"gpu/{f}.md", start)[6] for f in files]
    cpu = results.line("suite.md", start)[6]
    results.quote(
        GPU,
        "spends #% of its time in child evaluation (#% to #% over the three "
        "runs), less than the #% of a CPU",
        *(shares[0], min(shares), max(shares), cpu),
    )
