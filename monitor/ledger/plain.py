"""Dataclasses as JSON and back, field for field, with whole numbers of any size.

The standard library's JSON, since other readers cut integers at 64 bits. Reading is strict: a
field that is missing, unknown or of another type is a PlainError with its place.

Types: bool, int, float, str, Literal, IntEnum, None and unions of these; dataclasses; list, set,
and tuples of fixed or any length; dict and Mapping, as an object where the keys are texts, else as
a list of pairs; Path and Url as texts, a Url with all its secrets.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import types
import typing
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin

from monitor.url import Url

T = TypeVar("T")
Reader = Callable[[Any], Any]
Writer = Callable[[Any], Any]
PLAIN = (bool, int, float, str, type(None))
TABLES = (dict, Mapping)
TEXTS: Mapping[Any, Writer] = {Path: str, Url: Url.reveal}
"""Types that are written as a text, of which they are made again."""


class PlainError(ValueError):
    """Text that is not the JSON of the wanted type; `str()` is half a sentence."""


def dump(kind: type[T], value: T) -> bytes:
    """`value` as JSON; equal values give equal bytes where their dicts are in the same order."""
    return json.dumps(_writer(cast("Any", kind))(value), separators=(",", ":")).encode()


def load(kind: type[T], raw: bytes) -> T:
    """The value of what `dump` wrote. Raises PlainError."""
    try:
        plain = json.loads(raw)
    except (ValueError, RecursionError) as error:
        message = f"not JSON: {error}"
        raise PlainError(message) from None
    value: T = _reader(cast("Any", kind))(plain)
    return value


# -- writing -------------------------------------------------------------------------------------


@cache
def _writer(kind: Any) -> Writer:  # noqa: ANN401 - any type of the list above
    kind = _bare(kind)
    origin, arguments = get_origin(kind), get_args(kind)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        parts = [(name, _writer(hint)) for name, hint in _fields(kind).items()]
        return lambda value: {name: write(getattr(value, name)) for name, write in parts}
    if origin in TABLES:
        key, item = map(_writer, arguments)
        if _bare(arguments[0]) is str:
            return lambda value: {key(k): item(v) for k, v in value.items()}
        return lambda value: [[key(k), item(v)] for k, v in value.items()]
    if origin is list or (origin is tuple and arguments[1:] == (...,)):
        each = _writer(arguments[0])
        return lambda value: [each(one) for one in value]
    if origin is set:
        each = _writer(arguments[0])
        return lambda value: sorted(each(one) for one in value)
    if origin is tuple:
        those = [_writer(argument) for argument in arguments]
        return lambda value: [write(one) for write, one in zip(those, value, strict=True)]
    return _simple_writer(kind, origin, arguments)


def _simple_writer(kind: Any, origin: Any, arguments: tuple[Any, ...]) -> Writer:  # noqa: ANN401
    """Of what is one value, or a union."""
    if origin in {Union, types.UnionType}:
        return _union_writer(arguments)
    if _is_enum(kind):
        return int
    if kind in TEXTS:
        return TEXTS[kind]
    if kind in PLAIN or origin is Literal:
        return lambda value: value
    message = f"{kind!r} cannot be written"
    raise TypeError(message)


def _union_writer(arguments: tuple[Any, ...]) -> Writer:
    """Plain values as they are; of what has parts there may be one kind."""
    structured = [each for each in arguments if _bare(each) not in PLAIN]
    if not structured:
        return lambda value: value
    (one,) = structured
    write = _writer(one)
    return lambda value: value if type(value) in PLAIN else write(value)


# -- reading -------------------------------------------------------------------------------------


@cache
def _reader(kind: Any) -> Reader:  # noqa: ANN401
    kind = _bare(kind)
    origin, arguments = get_origin(kind), get_args(kind)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        parts = {name: _reader(hint) for name, hint in _fields(kind).items()}
        return partial(_object, kind, parts)
    if origin in TABLES:
        key, item = map(_reader, arguments)
        return partial(_table if _bare(arguments[0]) is str else _pairs, key, item)
    if origin in {list, set} or (origin is tuple and arguments[1:] == (...,)):
        each = _reader(arguments[0])
        return lambda plain: origin(each(one) for one in _a(list, plain))
    if origin is tuple:
        return partial(_row, [_reader(argument) for argument in arguments])
    return _simple_reader(kind, origin, arguments)


def _simple_reader(kind: Any, origin: Any, arguments: tuple[Any, ...]) -> Reader:  # noqa: ANN401
    if origin in {Union, types.UnionType}:
        return _union(arguments)
    if origin is Literal:
        return partial(_one_of, arguments)
    if _is_enum(kind):
        return partial(_member, kind)
    if kind is type(None):
        return partial(_one_of, (None,))
    if kind in TEXTS:
        return partial(_text, kind)
    if kind in {bool, int, float, str}:
        return partial(_a, kind)
    message = f"{kind!r} cannot be written"
    raise TypeError(message)


def _a(kind: type, plain: Any) -> Any:  # noqa: ANN401
    if type(plain) is not kind:
        message = f"expected {kind.__name__}, found {type(plain).__name__}"
        raise PlainError(message)
    return plain


def _text(kind: Callable[[str], Any], plain: Any) -> Any:  # noqa: ANN401
    text = _a(str, plain)
    try:
        return kind(text)
    except ValueError as error:
        raise PlainError(str(error)) from None


def _one_of(values: tuple[object, ...], plain: Any) -> Any:  # noqa: ANN401
    if not any(type(plain) is type(value) and plain == value for value in values):
        message = f"expected one of {values}"
        raise PlainError(message)
    return plain


def _member(kind: type[enum.IntEnum], plain: Any) -> enum.IntEnum:  # noqa: ANN401
    try:
        return kind(_a(int, plain))
    except PlainError:
        raise
    except ValueError as error:
        raise PlainError(str(error)) from None


def _object(
    kind: Callable[..., Any],
    parts: Mapping[str, Reader],
    plain: Any,  # noqa: ANN401
) -> Any:  # noqa: ANN401
    if _a(dict, plain).keys() != parts.keys():
        odd = ", ".join(sorted(plain.keys() ^ parts.keys()))
        message = f"missing, or unknown: {odd}"
        raise PlainError(message)
    return kind(**{name: _at(name, read, plain[name]) for name, read in parts.items()})


def _table(key: Reader, item: Reader, plain: Any) -> dict[Any, Any]:  # noqa: ANN401
    return {key(k): _at(k, item, v) for k, v in _a(dict, plain).items()}


def _pairs(key: Reader, item: Reader, plain: Any) -> dict[Any, Any]:  # noqa: ANN401
    read = partial(_row, [key, item])
    found = dict(read(pair) for pair in _a(list, plain))
    if len(found) != len(plain):
        message = "a key that is there twice"
        raise PlainError(message)
    return found


def _row(readers: list[Reader], plain: Any) -> tuple[Any, ...]:  # noqa: ANN401
    if len(_a(list, plain)) != len(readers):
        message = f"expected {len(readers)} items, found {len(plain)}"
        raise PlainError(message)
    return tuple(read(one) for read, one in zip(readers, plain, strict=True))


def _union(arguments: tuple[Any, ...]) -> Reader:
    """The first that takes it: no two of a union are written alike."""
    readers = [_reader(argument) for argument in arguments]

    def read(plain: Any) -> Any:  # noqa: ANN401
        complaint = PlainError("nothing fits")
        for each in readers:
            try:
                return each(plain)
            except PlainError as error:
                complaint = error
        raise complaint

    return read


def _at(place: str, read: Reader, plain: Any) -> Any:  # noqa: ANN401
    try:
        return read(plain)
    except PlainError as error:
        message = f"{place}: {error}"
        raise PlainError(message) from None


# -- types ---------------------------------------------------------------------------------------


def _fields(kind: type) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def _bare(kind: Any) -> Any:  # noqa: ANN401
    """The type below a NewType, which is another name for it."""
    while (below := getattr(kind, "__supertype__", None)) is not None:
        kind = below
    return kind


def _is_enum(kind: Any) -> bool:  # noqa: ANN401
    return isinstance(kind, type) and issubclass(kind, enum.IntEnum)
