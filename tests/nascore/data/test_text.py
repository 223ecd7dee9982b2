"""Texts: tokens, vocabularies, parts, streams, and what is no text."""

import lzma
import os
from pathlib import Path

import numpy as np
import pytest

from nascore.data import text
from nascore.data.config import TextConfig
from nascore.data.text_files import Texts
from nascore.errors import InputError

SHARED = Path(os.environ.get("IENAS_DATA", "nowhere")) / "text"


def of_file(path, **settings):
    return TextConfig(dataset="file", data_dir=str(path), **settings)


def test_characters_go_there_and_back():
    found = text.cut(Texts("die Ärzte\n" * 30), of_file("x"))
    assert found.vocabulary.kind == "characters"
    assert found.vocabulary.symbols == tuple(sorted(set("die Ärzte\n")))
    whole = np.concatenate([found.train, found.validation, found.test])
    assert found.vocabulary.decode(whole) == "die Ärzte\n" * 30
    assert (len(found.train), len(found.validation)) == (270, 15)
    assert found.unknown == (0, 0, 0)


def test_words_go_there_and_back_with_the_ends_of_their_lines():
    words = of_file("x", tokens="words", vocabulary=3)
    found = text.cut(Texts("a b\nb  c\n\n" * 20), words)
    assert found.vocabulary.symbols == ("<eos>", "b", "<unk>")
    decoded = found.vocabulary.decode(found.train[:8])
    assert decoded == "<unk> b\nb <unk>\n\n<unk>"
    assert found.unknown[0] == list(found.train).count(2) > 0
    assert "read as <unk>" in found.notes[0]
    assert text.split("a\n\nb", "words") == [
        "a",
        "<eos>",
        "<eos>",
        "b",
        "<eos>",
    ]


def test_the_vocabulary_is_that_of_the_training_part():
    found = text.cut(Texts("abab" * 9, "abz", "ab"), of_file("x"))
    assert found.vocabulary.symbols == ("a", "b", "<unk>")
    assert found.validation.tolist() == [0, 1, 2]
    assert found.unknown == (0, 1, 0)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the training part of the text has 0 characters"),
        (b"aaaa" * 50, "are 'a'; there is nothing to predict"),
        (b"abc\xff\xfeabc", "byte 0xff at offset 3"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path, content, said):
    file = tmp_path / "some.txt"
    file.write_bytes(content)
    with pytest.raises(InputError, match=said) as caught:
        text.load(of_file(file))
    assert str(file) in str(caught.value)


def test_damaged_and_missing_files_are_refused(tmp_path):
    packed = tmp_path / "some.xz"
    packed.write_bytes(lzma.compress(b"abc" * 999)[:-20])
    with pytest.raises(InputError, match="some.xz cannot be read"):
        text.load(of_file(packed))
    with pytest.raises(InputError, match="does not exist"):
        text.load(of_file(tmp_path / "none"))
    with pytest.raises(InputError, match="must hold ptb.train.txt"):
        text.load(TextConfig(dataset="ptb", data_dir=str(tmp_path)))
    with pytest.raises(InputError, match="needs --data_dir"):
        text.load(TextConfig(dataset="ptb"))
    with pytest.raises(InputError, match="lower one of them"):
        TextConfig(validation_fraction=0.5, test_fraction=0.5)


def test_files_of_parts_are_read(tmp_path):
    for name, content in (
        ("ptb.train.txt", " a b <unk> \n" * 9),
        ("ptb.valid.txt", " b a \n"),
        ("ptb.test.txt", " c \n c \n"),
    ):
        (tmp_path / name).write_text(content)
    found = text.load(TextConfig(dataset="ptb", data_dir=str(tmp_path)))
    assert set(found.vocabulary.symbols) == {"<eos>", "<unk>", "a", "b"}
    assert len(found.train) == 36 and len(found.validation) == 3
    assert found.unknown == (0, 0, 2)
    assert len(text.load(of_file(tmp_path)).test) == 8


def test_unknown_tokens_of_a_prompt_are_named():
    vocabulary = text.Vocabulary("characters", ("a", "b"))
    assert vocabulary.encode("ba").tolist() == [1, 0]
    with pytest.raises(InputError, match="'z', character 2 of the text"):
        vocabulary.encode("az")
    with_other = text.Vocabulary("words", ("<unk>", "a"))
    assert with_other.numbers(["a", "z"]).tolist() == [1, 0]


def test_streams_continue_from_step_to_step():
    found = text.streams(np.arange(11, dtype=np.int32), 3)
    assert found.tolist() == [[0, 3, 6], [1, 4, 7], [2, 5, 8]]
    with pytest.raises(InputError, match="too few for 6 streams .--batch"):
        text.check_length(np.arange(11), 6, "training", "--batch_size")


@pytest.mark.parametrize("jitter", [False, True])
def test_windows_cover_streams_without_gaps(jitter):
    starts, lengths = text.windows(1000, 35, jitter, [1, 2])
    assert starts[0] == 0 and starts[-1] + lengths[-1] == 999
    assert (np.diff(starts) == lengths[:-1]).all()
    assert (set(lengths[:-1]) == {35}) != jitter
    assert lengths[:-1].min() >= 5 and lengths.max() <= 55
    again = text.windows(1000, 35, jitter, [1, 2])
    assert (again[0] == starts).all()


def test_the_default_ships_with_python():
    found = text.load(TextConfig())
    assert len(found.train) > 300_000
    assert len(text.load(TextConfig(train_tokens=500)).train) == 500
    assert found.fingerprint != found.test_fingerprint


@pytest.mark.skipif(not SHARED.is_dir(), reason="no texts in IENAS_DATA")
def test_public_texts_have_their_published_sizes():
    config = TextConfig(dataset="tiny_shakespeare", data_dir=str(SHARED))
    found = text.load(config)
    assert len(found.vocabulary) == 65 and len(found.train) == 1_003_854
    wiki = str(SHARED / "wikitext2")
    found = text.load(TextConfig(dataset="wikitext2", data_dir=wiki))
    assert len(found.train) + len(found.validation) == 217_646
    assert len(found.test) == 245_569
    assert len(found.vocabulary) == 10_000
