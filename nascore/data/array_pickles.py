"""Reads pickles of plain values and arrays without unpickling them.

The python version of CIFAR comes as pickles. To load a pickle is to run a
program; even one that may call nothing but NumPy's own functions can make an
array of forged pointers. So its instructions are only looked at here: those
that build numbers, texts, lists, dictionaries and arrays of numbers are
carried out on our own values, and anything else is refused.
"""

import dataclasses
import pickletools
import re
from typing import Any

import numpy as np

from nascore.errors import InputError

_NUMBERS = re.compile(r"[|<>=]?[biuf][1248]")
_ARRAY = (
    "numpy.core.multiarray _reconstruct",
    "numpy._core.multiarray _reconstruct",
)
_PUSH = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_ITSELF = {
    "INT",
    "BININT",
    "BININT1",
    "BININT2",
    "LONG",
    "LONG1",
    "BINFLOAT",
    "FLOAT",
    "BINBYTES",
    "SHORT_BINBYTES",
    "BINBYTES8",
    "UNICODE",
    "BINUNICODE",
    "SHORT_BINUNICODE",
    "BINUNICODE8",
}
# Python 2 wrote bytes so; pickletools gives them as Latin-1.
_BYTES = {"STRING", "BINSTRING", "SHORT_BINSTRING"}
_PUT = {"PUT", "BINPUT", "LONG_BINPUT"}
_GET = {"GET", "BINGET", "LONG_BINGET"}
_TUPLES = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_NOTHING = {"PROTO", "FRAME", "STOP"}


class _Refused(Exception):
    """The pickle does what no pickle of arrays needs."""


class _Mark:
    """Where the items of a list, tuple or dictionary begin."""


@dataclasses.dataclass(frozen=True)
class _Name:
    """Something that a real load would import."""

    text: str


@dataclasses.dataclass
class _Type:
    """The type of an array's numbers."""

    text: str


@dataclasses.dataclass
class _Array:
    """An array, before and after its numbers came."""

    value: np.ndarray | None = None


def read_array_pickle(content: bytes, name: str) -> dict[Any, Any]:
    """Reads a pickled dictionary of plain values, lists and arrays.

    Args:
      content: the pickle, of Python 2 or 3.
      name: of the file, for messages.

    Returns:
      The dictionary; texts that Python 2 wrote are bytes.

    Raises:
      InputError: it is damaged, or holds anything else.
    """
    try:
        found = _Reader().read(content)
    except _Refused as error:
        raise InputError(
            f"{name} is no file of the CIFAR python version: {error}"
        ) from None
    # What pickletools, or the stack, says of a pickle that was damaged.
    except (
        ValueError,
        IndexError,
        KeyError,
        TypeError,
        OverflowError,
        MemoryError,
    ) as error:
        raise InputError(
            f"{name} is no file of the CIFAR python version: damaged "
            f"({type(error).__name__})"
        ) from None
    return found


class _Reader:
    """A stack machine that knows no function."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def read(self, content: bytes) -> dict[Any, Any]:
        """Carries out a pickle."""
        for opcode, argument, _ in pickletools.genops(content):
            self._step(opcode.name, argument)
        (found,) = self.stack
        if not isinstance(found, dict):
            raise _Refused("it holds no dictionary")
        return {
            key: value.value if isinstance(value, _Array) else value
            for key, value in found.items()
        }

    def _step(self, code: str, argument: Any) -> None:
        stack, memo = self.stack, self.memo
        if code in _ITSELF:
            stack.append(argument)
        elif code in _PUSH:
            stack.append(_PUSH[code])
        elif code in _BYTES:
            stack.append(argument.encode("latin-1"))
        elif code in _PUT:
            memo[argument] = stack[-1]
        elif code == "MEMOIZE":
            memo[len(memo)] = stack[-1]
        elif code in _GET:
            stack.append(memo[argument])
        elif code in _TUPLES:
            self._push_tuple(_TUPLES[code])
        elif code == "GLOBAL":
            stack.append(_Name(argument))
        elif code == "STACK_GLOBAL":
            name, module = stack.pop(), stack.pop()
            stack.append(_Name(f"{module} {name}"))
        elif code == "REDUCE":
            arguments, function = stack.pop(), stack.pop()
            stack.append(_make(function, arguments))
        elif code == "BUILD":
            state = stack.pop()
            _fill(stack[-1], state)
        elif code not in _NOTHING:
            self._collect(code)

    def _push_tuple(self, count: int) -> None:
        cut = len(self.stack) - count
        if cut < 0:
            raise IndexError
        self.stack[cut:] = [tuple(self.stack[cut:])]

    def _collect(self, code: str) -> None:
        """Carries out what builds lists, tuples and dictionaries."""
        stack = self.stack
        if code == "MARK":
            stack.append(_Mark())
        elif code == "EMPTY_DICT":
            stack.append({})
        elif code == "EMPTY_LIST":
            stack.append([])
        elif code == "APPEND":
            value = stack.pop()
            _as(list, stack[-1]).append(value)
        elif code == "SETITEM":
            value, key = stack.pop(), stack.pop()
            _add(stack[-1], [key, value])
        elif code == "APPENDS":
            values = self._items()
            _as(list, stack[-1]).extend(values)
        elif code == "SETITEMS":
            values = self._items()
            _add(stack[-1], values)
        elif code == "LIST":
            stack.append(self._items())
        elif code == "TUPLE":
            stack.append(tuple(self._items()))
        elif code == "DICT":
            values = self._items()
            stack.append({})
            _add(stack[-1], values)
        else:
            raise _Refused(f"it has the instruction {code}")

    def _items(self) -> list[Any]:
        """Takes what lies above the last mark, and the mark."""
        items = []
        while not isinstance(self.stack[-1], _Mark):
            items.append(self.stack.pop())
        self.stack.pop()
        return items[::-1]


def _as(kind: type, value: Any) -> Any:
    if not isinstance(value, kind):
        raise TypeError
    return value


def _add(target: Any, values: list[Any]) -> None:
    """Adds keys and values, one after the other, to a dictionary."""
    keys = values[::2]
    if not all(isinstance(key, bytes | str | int) for key in keys):
        raise _Refused("it has a key that is no text")
    _as(dict, target).update(zip(keys, values[1::2], strict=True))


def _make(function: Any, arguments: Any) -> Any:
    """What a call that makes arrays, their types or bytes stands for."""
    if not isinstance(function, _Name) or not isinstance(arguments, tuple):
        raise _Refused("it calls something that has no name")
    if function.text in _ARRAY:
        return _Array()
    if function.text == "numpy dtype":
        return _Type(_word(arguments[0]))
    if function.text == "_codecs encode" and arguments[1] == "latin1":
        # So Python 3 writes bytes where Python 2 shall read them.
        return _as(str, arguments[0]).encode("latin-1")
    raise _Refused(f"it wants to load {function.text.replace(' ', '.')}")


def _fill(target: Any, state: Any) -> None:
    """Gives an array its numbers, or a type its order of bytes."""
    if isinstance(target, _Type):
        order = _word(state[1])
        if order in (">", "<") and target.text[0] not in "|<>=":
            target.text = order + target.text
        return
    if not isinstance(target, _Array):
        raise _Refused("it changes an object")
    _, shape, kind, fortran, numbers = state
    if not _NUMBERS.fullmatch(_as(_Type, kind).text):
        raise _Refused(f"it has an array of {kind.text}")
    flat = np.frombuffer(_as(bytes, numbers), kind.text)
    target.value = flat.reshape(shape, order="F" if fortran else "C")


def _word(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("ascii")
    return _as(str, value)
