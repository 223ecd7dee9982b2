"""Texts in memory: tokens, vocabularies, parts and batches.

A text is a row of tokens, characters or words, and a token a number of a
vocabulary, which is made of the training part alone.
"""

import collections
import dataclasses
import functools
import hashlib
from collections.abc import Sequence

import numpy as np

from nascore.data.config import TextConfig
from nascore.data.text_files import Texts, read_texts
from nascore.errors import InputError, printable

# As in Penn Treebank and WikiText: any other token, and the end of a line.
UNKNOWN, END = "<unk>", "<eos>"
_PARTS = ("training", "validation", "test")


@dataclasses.dataclass(frozen=True)
class Vocabulary:
    """Tokens by number.

    Attributes:
      kind: `characters` or `words`.
      symbols: the tokens, each once.
    """

    kind: str
    symbols: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.symbols)

    @functools.cached_property
    def _numbers(self) -> dict[str, int]:
        return {symbol: n for n, symbol in enumerate(self.symbols)}

    @property
    def unknown(self) -> int | None:
        """The number of all other tokens, if there is one."""
        return self._numbers.get(UNKNOWN)

    def encode(self, text: str) -> np.ndarray:
        """The numbers of a text's tokens, int32 `[n]`.

        Raises:
          InputError: a token that is not known, where none stands for it;
            names it and where it is.
        """
        return self.numbers(split(text, self.kind))

    def numbers(self, tokens: Sequence[str]) -> np.ndarray:
        """Of tokens, see `encode`."""
        other = -1 if self.unknown is None else self.unknown
        found = [self._numbers.get(token, other) for token in tokens]
        ids = np.array(found, np.int32)
        if other < 0 and (ids < 0).any():
            place = int(np.argmax(ids < 0))
            raise InputError(
                f"{tokens[place]!r}, {self.kind[:-1]} {place + 1} of the text, "
                f"is none of the {len(self)} {self.kind} that were learned"
            )
        return ids

    def beginning(self) -> np.ndarray:
        """What a text may begin after, int32 `[1]`.

        The end of a line; where there is none, a blank, or the first token.
        """
        for symbol in (END, "\n", " "):
            if symbol in self._numbers:
                return self.numbers([symbol])
        return np.zeros(1, np.int32)

    def decode(self, ids: np.ndarray) -> str:
        """A text of tokens; of words with one blank between them."""
        symbols = [self.symbols[number] for number in np.asarray(ids).tolist()]
        if self.kind == "characters":
            return "".join(symbols)
        text = " ".join("\n" if s == END else s for s in symbols)
        return text.replace(" \n ", "\n").replace("\n ", "\n")


@dataclasses.dataclass(frozen=True)
class TextData:
    """A text as a search uses it; int32 `[n]` each.

    Attributes:
      name: of the text.
      vocabulary: of its tokens.
      train: to learn.
      validation: rewards come from it.
      test: for the end alone.
      unknown: how many tokens of each part are not in the vocabulary.
      notes: one-line remarks that a user should see.
    """

    name: str
    vocabulary: Vocabulary
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    unknown: tuple[int, int, int]
    notes: tuple[str, ...] = ()

    @functools.cached_property
    def fingerprint(self) -> str:
        """Tells whether another run learned the same text."""
        return self._digest(self.train, self.validation)

    @functools.cached_property
    def test_fingerprint(self) -> str:
        """Tells whether another run is tested on the same text."""
        return self._digest(self.test)

    def _digest(self, *parts: np.ndarray) -> str:
        digest = hashlib.sha256("\0".join(self.vocabulary.symbols).encode())
        for part in parts:
            digest.update(part.tobytes())
        return digest.hexdigest()[:16]

    def describe(self) -> dict[str, object]:
        """What it is, for `config.json`."""
        return {
            "name": self.name,
            "fingerprint": self.fingerprint,
            "test_fingerprint": self.test_fingerprint,
            "tokens": self.vocabulary.kind,
            "vocabulary": len(self.vocabulary),
            "train": len(self.train),
            "validation": len(self.validation),
            "test": len(self.test),
            "unknown": list(self.unknown),
        }


def summarize(data: TextData) -> str:
    """Says in one line what there is to learn from."""
    return (
        f"{data.name}: {len(data.train):,} training, "
        f"{len(data.validation):,} validation, {len(data.test):,} test "
        f"{data.vocabulary.kind}, {len(data.vocabulary):,} different ones"
    )


def split(text: str, kind: str) -> list[str]:
    """Cuts a text into tokens: characters, or words and ends of lines."""
    if kind == "characters":
        return list(text)
    lines = text.split("\n")
    # The end of the last line ends no further one.
    if lines and not lines[-1].strip():
        lines.pop()
    return [word for line in lines for word in (*line.split(), END)]


def load(config: TextConfig) -> TextData:
    """Reads a text and cuts it.

    Raises:
      InputError: it is missing, no text, or too short.
    """
    return cut(read_texts(config), config)


def cut(texts: Texts, config: TextConfig) -> TextData:
    """Cuts what was read into parts and tokens; see `load`."""
    kind = config.token_kind
    parts = [
        None if text is None else split(text, kind)
        for text in (texts.train, texts.validation, texts.test)
    ]
    train, validation, test = _carve(parts, config)
    if config.train_tokens:
        train = train[: config.train_tokens]
    where = config.data_dir or config.dataset
    for what, part in zip(_PARTS, (train, validation, test), strict=True):
        if len(part) < 2:
            raise InputError(
                f"{where}: the {what} part of the text has {len(part)} "
                f"{kind}; there must be two and more in each part"
            )
    if len(set(train)) < 2:
        raise InputError(
            f"{where}: all {len(train)} {kind} of the training part are "
            f"{printable(train[0])!r}; there is nothing to predict"
        )
    vocabulary = _learn_vocabulary(train, (validation, test), kind, config)
    known = set(vocabulary.symbols)
    unknown = [
        sum(token not in known for token in part)
        for part in (train, validation, test)
    ]
    notes = list(texts.notes)
    if any(unknown):
        shares = ", ".join(
            f"{count:,} of {len(part):,} {what}"
            for count, part, what in zip(
                unknown, (train, validation, test), _PARTS, strict=True
            )
        )
        notes.append(f"{kind} that are read as {UNKNOWN}: {shares}")
    ids = [vocabulary.numbers(part) for part in (train, validation, test)]
    return TextData(
        config.dataset,
        vocabulary,
        ids[0],
        ids[1],
        ids[2],
        (unknown[0], unknown[1], unknown[2]),
        tuple(notes),
    )


def _carve(
    parts: Sequence[list[str] | None], config: TextConfig
) -> tuple[list[str], list[str], list[str]]:
    """Parts that the files do not have are the end of the training text."""
    train, validation, test = parts
    whole = train or []
    left = len(whole)
    if test is None:
        first = left - int(round(config.test_fraction * len(whole)))
        test, left = whole[first:left], first
    if validation is None:
        first = left - int(round(config.validation_fraction * len(whole)))
        validation, left = whole[first:left], first
    return whole[:left], validation, test


def _learn_vocabulary(
    train: Sequence[str],
    others: Sequence[Sequence[str]],
    kind: str,
    config: TextConfig,
) -> Vocabulary:
    """The most frequent tokens of the training part, in order.

    Characters stand in their own order, words by how frequent they are.
    `<unk>` joins them only if something is to be read as it.
    """
    counts = collections.Counter(train)
    every = sorted(counts, key=lambda token: (-counts[token], token))
    needs = len(every) > config.vocabulary or any(
        token not in counts for part in others for token in part
    )
    kept = every[: config.vocabulary]
    if needs and UNKNOWN not in kept:
        kept = [*kept[: config.vocabulary - 1], UNKNOWN]
    if kind == "characters":
        kept = sorted(kept, key=lambda token: (token == UNKNOWN, token))
    return Vocabulary(kind, tuple(kept))


def streams(ids: np.ndarray, batch: int) -> np.ndarray:
    """Cuts a text into side by side streams, int32 `[steps, batch]`.

    Stream b is a part of the text without gaps, and continues from step to
    step; what does not fill all streams is dropped.
    """
    steps = len(ids) // batch
    return np.ascontiguousarray(ids[: steps * batch].reshape(batch, steps).T)


def check_length(ids: np.ndarray, batch: int, what: str, flag: str) -> None:
    """Checks that each stream of a batch has something to predict.

    Args:
      ids: int `[n]`.
      batch: streams.
      what: part it is, for the message.
      flag: that says how many streams.

    Raises:
      InputError: it is too short.
    """
    if len(ids) // batch < 2:
        raise InputError(
            f"the {what} part of the text has {len(ids):,} tokens, too few "
            f"for {batch} streams ({flag}) of two and more; lower {flag}"
        )


def windows(
    steps: int, length: int, jitter: bool, seed: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Cuts streams into windows, one after the other.

    With jitter their lengths are drawn, so that the cuts are elsewhere in each
    epoch: `length`, with a chance of 5% half of that, is the mean of a normal
    draw of deviation 5, at least 5 and at most `length` + 20 (Merity et al.,
    2018, arXiv 1708.02182, section 5; ENAS and DARTS have it of them).

    Args:
      steps: of the streams; the last one is a target only.
      length: of a window; the last one may be shorter.
      jitter: whether lengths are drawn.
      seed: of the draws.

    Returns:
      First step and length of each window, int32 `[n]`.
    """
    rng = np.random.default_rng(seed)
    starts, lengths, place = [], [], 0
    while place < steps - 1:
        size = length
        if jitter:
            mean = length if rng.random() < 0.95 else length / 2
            size = min(max(5, int(rng.normal(mean, 5))), length + 20)
        size = min(size, steps - 1 - place)
        starts.append(place)
        lengths.append(size)
        place += size
    return np.array(starts, np.int32), np.array(lengths, np.int32)
