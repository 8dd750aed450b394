"""Dataclasses as JSON and back: nothing lost, nothing guessed."""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, NewType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.ledger.plain import PlainError, dump, load
from monitor.url import Url

Name = NewType("Name", str)


class Colour(enum.IntEnum):
    RED = 0
    BLUE = 3


@dataclass(slots=True)
class Leaf:
    amount: int
    colour: Colour = Colour.RED
    name: Name | None = None


@dataclass(slots=True)
class Tree:
    kind: Literal["oak", "elm"]
    is_old: bool
    leaves: dict[Name, Leaf] = field(default_factory=dict)
    by_number: dict[int, Leaf] = field(default_factory=dict)
    places: set[tuple[Name, Name]] = field(default_factory=set)
    path: list[Name] = field(default_factory=list)
    ended: tuple[int, int] | None = None
    said: int | str | None = None
    all: tuple[Leaf, ...] = ()


names = st.text(max_size=4).map(Name)
leaves = st.builds(Leaf, st.integers(-(2**300), 2**300), st.sampled_from(Colour), st.none() | names)
trees = st.builds(
    Tree,
    st.sampled_from(["oak", "elm"]),
    st.booleans(),
    st.dictionaries(names, leaves, max_size=3),
    st.dictionaries(st.integers(), leaves, max_size=3),
    st.sets(st.tuples(names, names), max_size=3),
    st.lists(names, max_size=3),
    st.none() | st.tuples(st.integers(), st.integers()),
    st.none() | st.integers() | names,
    st.lists(leaves, max_size=2).map(tuple),
)


@given(trees)
def test_load_of_what_was_dumped_is_the_same(tree: Tree) -> None:
    """Whole numbers of any size, sets, tuples as keys, enums and None come back as they were."""
    raw = dump(Tree, tree)
    again = load(Tree, raw)
    assert again == tree
    assert list(again.leaves) == list(tree.leaves)
    assert all(type(leaf.colour) is Colour for leaf in again.leaves.values())
    assert dump(Tree, again) == raw


GOOD = json.loads(dump(Tree, Tree("oak", is_old=True, leaves={Name("a"): Leaf(1)}, ended=(1, 2))))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "ash"}, "kind: expected one of"),
        ({"is_old": 1}, "is_old: expected bool, found int"),
        ({"leaves": []}, "leaves: expected dict, found list"),
        ({"leaves": {"a": {"amount": True, "colour": 0, "name": None}}}, "a: amount: expected int"),
        (
            {"leaves": {"a": {"amount": 1.0, "colour": 0, "name": None}}},
            "expected int, found float",
        ),
        ({"leaves": {"a": {"amount": 1, "colour": 1, "name": None}}}, "1 is not a valid Colour"),
        ({"leaves": {"a": {"amount": 1, "colour": 0}}}, "missing, or unknown: name"),
        ({"leaves": {"a": {"amount": 1, "colour": 0, "name": 1}}}, "name: expected"),
        ({"more": 1}, "missing, or unknown: more"),
        ({"by_number": [[1]]}, "by_number: expected 2 items, found 1"),
        ({"by_number": {}}, "by_number: expected list, found dict"),
        (
            {"by_number": [[1, GOOD["leaves"]["a"]], [1, GOOD["leaves"]["a"]]]},
            "a key that is there twice",
        ),
        ({"ended": [1]}, "ended: expected"),
        ({"said": 1.5}, "said: expected"),
        ({"said": True}, "said: expected"),
        ({"all": {}}, "all: expected list"),
    ],
)
def test_load_of_anything_else_is_refused_by_its_place(
    change: dict[str, object], said: str
) -> None:
    """A field that is missing, unknown or of another type is named, and nothing is converted."""
    with pytest.raises(PlainError, match=said.replace("[", r"\[")):
        load(Tree, json.dumps(GOOD | change).encode())


@pytest.mark.parametrize("raw", [b"", b"{", b"[" * 100_000, b"\xff", b"null"])
def test_load_of_what_is_no_document_is_refused(raw: bytes) -> None:
    """Half a file, other bytes and nesting beyond reason are one kind of error."""
    with pytest.raises(PlainError):
        load(Tree, raw)


def test_writer_of_an_unknown_type_is_our_mistake() -> None:
    """A type that cannot be read back is not written either."""

    @dataclass
    class Odd:
        raw: bytes

    with pytest.raises(TypeError, match="cannot be written"):
        dump(Odd, Odd(b""))


@dataclass(frozen=True, slots=True)
class Seat:
    url: Url
    folder: Path | None
    seconds: float
    counts: Mapping[str, int]
    by_number: Mapping[int, int]


SEAT = Seat(Url("http://node.example/v2/k3y"), Path("/a b/c"), 0.1, {"x": 2**80}, {1: 2})


def test_load_of_urls_paths_and_seconds_is_the_same() -> None:
    """A URL comes back with its secrets, since whoever reads it must dial it."""
    again = load(Seat, dump(Seat, SEAT))
    assert again == SEAT
    assert again.url.reveal() == SEAT.url.reveal()
    assert load(Seat, dump(Seat, replace(SEAT, folder=None))).folder is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"url": "ftp://node.example/v2/k3y"}, "url: expected http://"),
        ({"url": 1}, "url: expected str"),
        ({"seconds": 1}, "seconds: expected float"),
        ({"counts": [["x", 1]]}, "counts: expected dict"),
        ({"by_number": {"1": 2}}, "by_number: expected list"),
    ],
)
def test_load_of_a_bad_url_or_number_repeats_nothing_of_it(
    change: dict[str, object], said: str
) -> None:
    """What was wrong is said, by its place, and no key with it."""
    plain = json.loads(dump(Seat, SEAT))
    with pytest.raises(PlainError, match=said) as caught:
        load(Seat, json.dumps(plain | change).encode())
    assert "k3y" not in str(caught.value)
