"""The driver in this process: the default."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True, slots=True)
class InProcess:
    """One part after the other; fewer rows at a time with more parts, and the same digits."""

    parts: int = 1

    def map(self, stage: Callable[[A], B], parts: Iterable[A]) -> Iterator[B]:
        return map(stage, parts)
