"""Whether an answer is what a vector expects: by its values, or by its shape alone. Pure.

As ethereum/hive's `rpc-compat` has it: values to the letter, hex in the case in which it is
written; of an error the code and not the words; of a `speconly` vector keys and types. Other than
there, the entries of lists are looked into: each has to have the shape of one that is expected.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice

from monitor.canary.differences import (
    DIFFERENCES_MAX,
    Answer,
    Difference,
    Json,
    below,
    cut,
    differences,
    only_in_one,
    text_of,
)
from monitor.conformance.vectors import Expected


def compare(expected: Expected, answer: Answer, *, is_speconly: bool) -> tuple[Difference, ...]:
    """Where the answer, which was seen, is another: the first `DIFFERENCES_MAX`, empty if nowhere.

    `baseline` of a difference is what is expected, and `candidate` what was answered.
    """
    if expected.result is None or answer.result is None:
        wanted, found = _words(expected.code), _words(answer.code)
        return () if wanted == found else (Difference("", "changed", wanted, found),)
    if expected.result == answer.result:
        return ()
    try:
        a, b = json.loads(expected.result), json.loads(answer.result)
        found_all = shapes(a, b) if is_speconly else differences(a, b, is_same=is_exact)
        return tuple(islice(found_all, DIFFERENCES_MAX))
    except (ValueError, RecursionError):
        # Nested, or with numbers, beyond what can be read: the bytes are all there is to compare.
        return (Difference("", "changed", cut(expected.result), cut(answer.result)),)


def _words(code: int | None) -> str:
    return "a result" if code is None else f"error {code}"


def is_exact(a: Json, b: Json) -> bool:
    """Whether two values are one in JSON: 1 is 1.0, and neither is `true`."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    return a == b


def shapes(expected: Json, found: Json, path: str = "") -> Iterator[Difference]:
    """Every place where keys or types differ, whatever the values; lists may be of any length."""
    if isinstance(expected, dict) and isinstance(found, dict):
        yield from only_in_one(path, expected, found)
        for key in expected:
            if key in found:
                yield from shapes(expected[key], found[key], below(path, key))
    elif isinstance(expected, list) and isinstance(found, list):
        yield from _entries(expected, found, path)
    elif _kind(expected) != _kind(found):
        yield Difference(path, "changed", _typed(expected), _typed(found))


def _typed(value: Json) -> str:
    """A value and its kind: alone it would not say why it is wrong."""
    return text_of(value) if value is None else f"{text_of(value)}, {_kind(value)}"


def _entries(expected: list[Json], found: list[Json], path: str) -> Iterator[Difference]:
    """What is wrong with entries that have the shape of none that is expected.

    Of a list that is expected to be empty nothing is known of its entries.
    """
    known = list({_outline(one): one for one in expected}.values())
    seen: set[str] = set()
    for index, one in enumerate(found):
        outline = _outline(one)
        if outline in seen or not known:
            continue
        seen.add(outline)
        if all(any(shapes(each, one)) for each in known):
            like = expected[min(index, len(expected) - 1)]
            yield from shapes(like, one, f"{path}[{index}]")


def _outline(value: Json) -> str:
    """The keys and types of a value, written so that equal outlines are equal shapes."""
    if isinstance(value, dict):
        inner = (f"{json.dumps(key)}:{_outline(value[key])}" for key in sorted(value))
        return "{" + ",".join(inner) + "}"
    if isinstance(value, list):
        return "[" + ",".join(sorted({_outline(one) for one in value})) + "]"
    return _kind(value)


def _kind(value: Json) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "a list" if isinstance(value, list) else "an object"
