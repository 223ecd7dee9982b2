"""Scripts that train a model of language, and let it write."""

import json
import re
import shutil

import numpy as np
import onnxruntime
import pandas as pd
import pytest
import tensorflow as tf

from nascore.data.text import END, UNKNOWN, Vocabulary
from nascore.training.language.model_file import load

TEXT = "how vexingly quick daft zebras jump over it. "
TRAIN = (
    *("--dataset=file", "--validation_fraction=0.2", "--test_fraction=0.2"),
    *("--hidden_units=4", "--num_nodes=2", "--batch_size=2", "--window=8"),
    *("--text_lr=1", "--evaluation_streams=2", "--architecture=0 0 1 1"),
)
TIMES = ["seconds", "tokens_per_second"]


def last_line(done):
    return done.stderr.strip().splitlines()[-1]


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp("texts") / "text.txt"
    path.write_text(TEXT * 8)
    return path


@pytest.fixture(scope="module")
def train(forked, text):
    def start(run, *words):
        own = () if "--resume" in words else (*TRAIN, f"--data_dir={text}")
        return forked("train_language", *own, *words, f"--run_dir={run}")

    return start


@pytest.fixture(scope="module")
def trained(train, tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "run"
    done = train(run, "--epochs=2", "--export=onnx")
    assert done.returncode == 0, done.stderr
    return run, done.stdout


def test_a_training_says_what_it_does_and_writes_it_down(trained):
    run, said = trained
    end = json.loads((run / "test.json").read_text())
    epochs = pd.read_csv(run / "epochs.csv")
    assert "file: 216 training, 72 validation, 72 test characters" in said
    assert re.search(r"model: 0 0 1 1, 0\.00M parameters; run folder", said)
    for place, row in epochs.iterrows():
        line = f"epoch {place + 1}/2: perplexity {row.perplexity:.2f}, "
        assert line in said
    assert f"perplexity {end['test_perplexity']:.2f} (" in said
    assert f"weights of epoch {end['best_epoch']} of 2" in said
    assert f"ienas generate-text {run}\n" in said
    assert f"ienas export {run} --format=onnx\n" in said
    assert end["test_tokens"] == 72 and end["epochs"] == 2
    best = epochs.validation_perplexity[end["best_epoch"] - 1]
    assert end["validation_perplexity"] == pytest.approx(best)
    card = json.loads((run / "model" / "card.json").read_text())
    assert card["vocabulary"] == sorted(set(TEXT))
    assert card["files"] == ["model.keras", "model.onnx"]


def test_an_exported_model_is_the_trained_one(forked, trained, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(trained[0], run)
    done = forked("export_model", run, "--format=keras,saved_model")
    assert done.returncode == 0, done.stderr
    folder = run / "model"
    assert done.stdout == (
        f"{folder / 'model.keras'} is there already\n"
        f"wrote {folder / 'saved_model'}\n"
    )
    card = json.loads((folder / "card.json").read_text())
    assert card["files"] == ["model.keras", "saved_model", "model.onnx"]
    model, vocabulary = load(run)
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"))
    saved = tf.saved_model.load(str(folder / "saved_model"))
    # Any number of texts, of any length.
    for shape in ((1, 1), (3, 20)):
        tokens = np.random.default_rng(0).integers(0, len(vocabulary), shape)
        tokens = tokens.astype(np.int32)
        expected = model(tokens).numpy()
        (found,) = session.run(None, {"tokens": tokens})
        np.testing.assert_allclose(found, expected, atol=1e-4)
        np.testing.assert_allclose(
            saved.serve(tf.constant(tokens)), expected, atol=1e-4
        )
    refused = forked("export_model", run, "--format=litert")
    assert refused.returncode == 2
    assert last_line(refused) == (
        "error: unknown export format 'litert'; known are: keras, "
        "saved_model, onnx"
    )


def test_more_epochs_go_on_as_if_there_had_been_no_end(
    train, trained, tmp_path
):
    run, _ = trained
    copy, whole = tmp_path / "copy", tmp_path / "whole"
    shutil.copytree(run, copy)
    refused = train(copy, "--resume")
    assert refused.returncode == 2
    assert "is finished; its results are in" in last_line(refused)
    assert last_line(refused).endswith("and --epochs=N gives it more")
    for folder, words in ((copy, ["--resume"]), (whole, [])):
        done = train(folder, *words, "--epochs=3")
        assert done.returncode == 0, done.stderr
        assert "epoch 3/3: perplexity" in done.stdout
    for name in ("test_nats", "validation_perplexity", "best_epoch"):
        both = [
            json.loads((folder / "test.json").read_text())[name]
            for folder in (copy, whole)
        ]
        assert both[0] == both[1]
    tables = [
        pd.read_csv(folder / "epochs.csv").drop(columns=TIMES)
        for folder in (copy, whole)
    ]
    pd.testing.assert_frame_equal(*tables, check_exact=True)


def test_a_model_writes_on(forked, trained):
    run, _ = trained
    words = ("--prompt=zeb", "--length=20", "--temperature=0.5")
    first, again, other = (
        forked("generate_text", run, *words, f"--seed={seed}")
        for seed in (1, 1, 2)
    )
    assert first.returncode == 0, first.stderr
    assert re.fullmatch(rf"zeb[{re.escape(TEXT)}]{{20}}\n", first.stdout)
    assert first.stdout == again.stdout != other.stdout
    # This text has no end of a line to begin after.
    plain = forked("generate_text", run, "--length=5")
    assert plain.returncode == 0, plain.stderr
    assert len(plain.stdout) == 6


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "name one run folder: ienas generate-text TRAINED"),
        (["{tmp}"], "holds no trained model of language; make one with"),
        (["{run}", "--prompt=zéb"], "'é', character 2 of the text, is none"),
        (["{run}", "--length=0"], "--length"),
    ],
)
def test_what_cannot_be_written_is_refused(
    forked, trained, tmp_path, words, said
):
    known = {"tmp": tmp_path, "run": trained[0]}
    done = forked("generate_text", *(word.format(**known) for word in words))
    assert done.returncode == 2
    assert last_line(done).startswith("error: ") and said in last_line(done)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "name what to train: --architecture=DARTS_V2, or --from_run"),
        (["--rank=2"], "--rank=2 needs --from_run=RUN"),
        (["--architecture=LSTM", "--from_run=R"], "or --from_run, not both"),
        (["--architecture=0 0 7 1", "--num_nodes=2"], "input of node 2"),
        (["--architecture=LSTM", "--dataset=file"], "--data_dir"),
        (["--architecture=LSTM", "--export=openvino"], "'openvino'"),
        (["--from_run={tmp}"], "config.json"),
    ],
)
def test_what_cannot_be_trained_is_refused(forked, tmp_path, words, said):
    own = [word.format(tmp=tmp_path) for word in words]
    done = forked("train_language", *own, f"--run_dir={tmp_path / 'run'}")
    assert done.returncode == 2
    assert last_line(done).startswith("error: ") and said in last_line(done)


@pytest.mark.parametrize(
    ("symbols", "begins"),
    [
        (("a", "\n", " "), "\n"),
        (("a", " "), " "),
        (("b", "a"), "b"),
        (("the", END, UNKNOWN), END),
    ],
)
def test_a_text_begins_after_the_end_of_a_line_if_there_is_one(symbols, begins):
    (number,) = Vocabulary("words", symbols).beginning()
    assert symbols[number] == begins
