"""The vectors of a directory, laid out as those of execution-apis: `METHOD/NAME.io`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from monitor.conformance.vectors import BYTES_MAX, UNREADABLE, Vector, VectorError, parse
from monitor.model import Hash32

FILES_MAX = 10_000
HEAD_NAME = "headfcu.json"
"""The call that makes the last block of `chain.rlp` a client's head (engine API, Paris)."""
SKIP_LINES_MAX = 1000
_HASH = re.compile(r"0x[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a vector lies."""

    method: str
    name: str
    path: Path

    @property
    def id(self) -> str:
        return f"{self.method}/{self.name}"


@dataclass(frozen=True, slots=True)
class Skip:
    """One line of a file that names what is left out."""

    pattern: str
    """A glob over `METHOD/NAME`."""
    why: str
    line: int


class _Fork(msgspec.Struct, frozen=True, rename="camel"):
    head_block_hash: str


class _Forkchoice(msgspec.Struct, frozen=True):
    params: list[msgspec.Raw]


_forkchoices = msgspec.json.Decoder(_Forkchoice)
_forks = msgspec.json.Decoder(_Fork)


def find(folder: Path, methods: Sequence[str] = ()) -> tuple[Place, ...]:
    """The vectors of these methods (globs; all where there are none), by method and name.

    Raises VectorError where there is none, or more than `FILES_MAX`.
    """
    found = [
        Place(path.parent.name, path.stem, path)
        for path in folder.glob("*/*.io")
        if not methods or any(fnmatchcase(path.parent.name, glob) for glob in methods)
    ]
    if not found:
        of = f" of {', '.join(methods)}" if methods else ""
        message = f"{folder}: there is no METHOD/NAME.io{of}"
        raise VectorError(message)
    if len(found) > FILES_MAX:
        message = f"{folder}: there are {len(found)} files, more than {FILES_MAX}; name a --method"
        raise VectorError(message)
    return tuple(sorted(found, key=lambda place: (place.method, place.name)))


def load(place: Place) -> Vector:
    """The vector of one file. Raises VectorError, which names it."""
    try:
        return parse(_bytes(place.path))
    except VectorError as error:
        message = f"{place.path}: {error}"
        raise VectorError(message) from None


def head_hash(folder: Path) -> Hash32 | None:
    """The hash of the head that the vectors are about; None where the directory does not say.

    Raises VectorError.
    """
    path = folder / HEAD_NAME
    if not path.exists():
        return None
    try:
        params = _forkchoices.decode(_bytes(path)).params
        found = _forks.decode(params[0]).head_block_hash if params else ""
    except VectorError as error:
        message = f"{path}: {error}"
        raise VectorError(message) from None
    except UNREADABLE as error:
        message = f"{path}: it is no engine_forkchoiceUpdated: {error}"
        raise VectorError(message) from None
    if not _HASH.fullmatch(found):
        message = f"{path}: its headBlockHash is no hash"
        raise VectorError(message)
    return Hash32(found.lower())


def read_skips(path: Path) -> tuple[Skip, ...]:
    """What a file leaves out: `GLOB  # why`, a line each. Raises VectorError."""
    found = []
    try:
        lines = _bytes(path).decode().splitlines()
    except UnicodeDecodeError:
        message = f"{path}: it is not UTF-8"
        raise VectorError(message) from None
    except VectorError as error:
        message = f"{path}: {error}"
        raise VectorError(message) from None
    for number, line in enumerate(lines, 1):
        pattern, _, why = (part.strip() for part in line.partition("#"))
        if pattern and not why:
            message = f"{path}: line {number}: expected METHOD/NAME  # why, found no reason"
            raise VectorError(message)
        if pattern:
            found.append(Skip(pattern, why, number))
    if len(found) > SKIP_LINES_MAX:
        message = f"{path}: there are more than {SKIP_LINES_MAX} lines"
        raise VectorError(message)
    return tuple(found)


def skip_of(place: Place, skips: Iterable[Skip]) -> Skip | None:
    """The first line that leaves a file out."""
    return next((one for one in skips if fnmatchcase(place.id, one.pattern)), None)


def _bytes(path: Path) -> bytes:
    """The bytes of a file, one more than may be at most. Raises VectorError."""
    try:
        with path.open("rb") as file:
            return file.read(BYTES_MAX + 1)
    except OSError as error:
        message = f"it cannot be read: {error.strerror}"
        raise VectorError(message) from None
