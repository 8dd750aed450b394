"""How two answers to one question differ. Pure.

A field that is added breaks nobody who did not know it; one that is gone, or has another value,
does. Of errors the code is compared and never the words, which belong to no specification.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Kind = Literal["added", "removed", "changed"]
Mask: TypeAlias = Callable[[str], str]
"""Takes out of a text what nobody may read, whole: half a key, cut, would be found by nobody."""
DIFFERENCES_MAX = 50
SHOWN_MAX = 80
MASKED_MAX = 2**16
"""So much of what cannot be read is masked, of which `SHOWN_MAX` is shown."""
_HEX = re.compile(r"0x[0-9a-fA-F]*")


def unmasked(text: str) -> str:
    """A mask that takes out nothing."""
    return text


@dataclass(frozen=True, slots=True)
class Answer:
    """What one node said to one question: one of the four."""

    result: bytes | None = None
    """JSON, as it came."""
    code: int | None = None
    """Of an error object."""
    is_absent: bool = False
    """The node does not have this method; `code` is set as well."""
    unseen: str = ""
    """Why there was no answer: a reason of `Unseen`."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where the candidate's answer is another than the baseline's."""

    path: str
    """`logs[0].data`; empty for the whole."""
    kind: Kind
    baseline: str
    """The value as JSON, cut; empty where it was added."""
    candidate: str


def compare(
    baseline: Answer,
    candidate: Answer,
    settled: Callable[[Json], Json] = lambda result: result,
    mask: Mask = unmasked,
) -> tuple[Difference, ...]:
    """Where they differ, the first `DIFFERENCES_MAX`; a baseline that was not seen differs nowhere.

    A method that is gone is for another check to say, and makes no difference here. `settled`
    takes out of a result what is not to be compared, `mask` out of a value what is not to be shown.
    """
    if baseline.unseen or baseline.is_absent or candidate.is_absent:
        return ()
    if baseline.result is None or candidate.result is None:
        said, found = _words(baseline), _words(candidate)
        return () if said == found else (Difference("", "changed", said, found),)
    if baseline.result == candidate.result:
        return ()
    try:
        pair = json.loads(baseline.result), json.loads(candidate.result)
    except (ValueError, RecursionError):
        # Nested beyond what can be read: the bytes are all there is to compare.
        shown = [cut(raw, mask) for raw in (baseline.result, candidate.result)]
        return (Difference("", "changed", *shown),)
    found_all = differences(settled(pair[0]), settled(pair[1]), mask=mask)
    return tuple(one for one, _ in zip(found_all, range(DIFFERENCES_MAX), strict=False))


def differences(
    baseline: Json,
    candidate: Json,
    *,
    is_same: Callable[[Json, Json], bool] | None = None,
    mask: Mask = unmasked,
) -> Iterator[Difference]:
    """Every place where two values differ, in the order of the baseline's fields.

    `is_same` compares what is neither object nor list; by default as `is_same_value` does.

    Lists are compared place by place, and one of another length is a change: what is added to an
    answer's rows is not a field that nobody knew.
    """
    is_same = is_same or is_same_value
    waiting: list[tuple[str, Json, Json]] = [("", baseline, candidate)]
    while waiting:
        path, a, b = waiting.pop()
        if isinstance(a, dict) and isinstance(b, dict):
            yield from only_in_one(path, a, b, mask)
            shared = [key for key in a if key in b]
            waiting += [(below(path, key), a[key], b[key]) for key in reversed(shared)]
        elif isinstance(a, list) and isinstance(b, list):
            if len(a) != len(b):
                yield Difference(path, "changed", f"{len(a)} entries", f"{len(b)} entries")
            pairs = list(zip(a, b, strict=False))
            waiting += [(f"{path}[{i}]", *pairs[i]) for i in reversed(range(len(pairs)))]
        elif not is_same(a, b):
            yield Difference(path, "changed", text_of(a, mask), text_of(b, mask))


def only_in_one(
    path: str, a: dict[str, Json], b: dict[str, Json], mask: Mask = unmasked
) -> Iterator[Difference]:
    """The fields that one of two objects has and the other has not."""
    for key, value in a.items():
        if key not in b:
            yield Difference(below(path, key), "removed", text_of(value, mask), "")
    for key, value in b.items():
        if key not in a:
            yield Difference(below(path, key), "added", "", text_of(value, mask))


def below(path: str, key: str) -> str:
    """The path of a field of what lies at `path`."""
    return f"{path}.{key}" if path else key


def is_same_value(a: Json, b: Json) -> bool:
    """Whether two values mean the same: upper case in hex is a checksum (EIP-55), no other value.

    `True` is not 1, which Python takes it for.
    """
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, str) and isinstance(b, str):
        is_hex = _HEX.fullmatch(a) and _HEX.fullmatch(b)
        return a.lower() == b.lower() if is_hex else a == b
    return a == b


def is_breaking(found: Sequence[Difference]) -> bool:
    """Whether something is gone or has another value."""
    return any(one.kind != "added" for one in found)


def persistent(rounds: Sequence[Sequence[Difference]]) -> tuple[Difference, ...]:
    """What differed in every round, at the same place and in the same way; as last seen."""
    if not rounds:
        return ()
    places = [{(one.path, one.kind) for one in found} for found in rounds]
    always = set.intersection(*places)
    return tuple(one for one in rounds[-1] if (one.path, one.kind) in always)


def _words(answer: Answer) -> str:
    if answer.unseen:
        return f"no answer ({answer.unseen})"
    return "a result" if answer.result is not None else f"error {answer.code}"


def text_of(value: Json, mask: Mask = unmasked) -> str:
    """A value as JSON, masked and then cut."""
    try:
        text = json.dumps(_masked(value, mask))
    except RecursionError:
        text = "nested beyond reason"
    return text if len(text) <= SHOWN_MAX else text[: SHOWN_MAX - 1] + "…"


def _masked(value: Json, mask: Mask) -> Json:
    """A value with every text in it masked: JSON may write one otherwise than it reads."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, list):
        return [_masked(one, mask) for one in value]
    if isinstance(value, dict):
        return {mask(key): _masked(one, mask) for key, one in value.items()}
    return value


def cut(raw: bytes, mask: Mask = unmasked) -> str:
    """The beginning of what could not be read, masked and then cut."""
    text = mask(raw[:MASKED_MAX].decode(errors="replace"))
    return text[:SHOWN_MAX] + ("…" if len(raw) > SHOWN_MAX else "")
