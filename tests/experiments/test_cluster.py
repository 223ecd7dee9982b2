"""Clusters whose workers are elsewhere, or have one processor only."""

import json
import os

import joblib
import numpy as np
import pytest
from PIL import Image

from experiments import cluster
from nascore.errors import InputError

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The address of a cluster of one worker with one thread."""
    folder = tmp_path_factory.mktemp("elsewhere")
    with distributed.LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        dashboard_address=":0",
        local_directory=str(folder),
    ) as started:
        with distributed.Client(started) as client:
            client.run(os.chdir, str(folder))
        yield started.scheduler_address


def test_one_thread_of_a_cluster_is_used(address):
    with cluster.connect("dask", address, 1):
        calls = joblib.Parallel(-1)(joblib.delayed(os.getpid)() for _ in "ab")
    assert len(set(calls)) == 1 and os.getpid() not in calls


def test_a_cluster_without_a_worker(monkeypatch):
    def none(n_jobs):
        raise TimeoutError("DaskDistributedBackend has no worker")

    with distributed.LocalCluster(
        n_workers=0, processes=False, dashboard_address=":0"
    ) as started:
        monkeypatch.setattr(joblib, "effective_n_jobs", none)
        with pytest.raises(InputError, match="answers and has no worker"):
            with cluster.connect("dask", started.scheduler_address, 1):
                raise AssertionError("not reached")


def test_jobs_find_what_relative_paths_name(address, tmp_path, forked):
    rng = np.random.default_rng(0)
    for place, name in enumerate(("cat", "dog")):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(40):
            noise = rng.normal(60 + 80 * place, 30, (8, 8)).clip(0, 255)
            image = Image.fromarray(noise.astype(np.uint8))
            image.save(tmp_path / "photos" / name / f"{number}.png")
    done = forked(
        "compare",
        *("--dataset=folder", "--data_dir=photos", "--image_size=8"),
        *("--methods=random", "--seeds=1", "--filters=4"),
        *("--num_nodes=1", "--num_normal_cells=1", "--batch_size=8"),
        "--operations=sep_conv_3x3,identity",
        *("--num_reduction_cells=0", "--epochs=1", "--train_steps=1"),
        *("--num_aggregate=1", "--epoch_samples=1", "--derive_samples=2"),
        *("--rank_check=2", "--rank_check_epochs=1", "--out=compared"),
        *("--backend=dask", f"--scheduler={address}"),
        folder=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "1 jobs to do, as many at a time as the cluster" in done.stdout
    run = tmp_path / "compared" / "runs" / "random-seed1"
    settings = json.loads((run / "config.json").read_text())["config"]
    assert settings["data_dir"] == str(tmp_path / "photos")
    assert (run / "rank_check.csv").read_text().count("\n") == 3
