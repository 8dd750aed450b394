"""The list of sealed files: what was written is read, and nothing else is taken for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from monitor.ledger.errors import BrokenStore
from monitor.ledger.store.manifest import (
    NAME,
    SCHEMA,
    VERSION,
    Sealed,
    name_of,
    read_manifest,
    write_manifest,
)
from monitor.ledger.store.words import Mark
from tests.ledger.store.samples import IDENTITY, named


def sealed(first: int, last: int, name: str | None = None) -> Sealed:
    """A file of this range."""
    return Sealed(name or name_of(first, last), first, last, named(last), 9, 99, "ab" * 32)


FILES = (sealed(10, 19), sealed(20, 20), sealed(21, 10**13))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "manifest.json"


@pytest.mark.parametrize("count", [0, 1, 3])
def test_manifest_comes_back_as_it_was(path: Path, count: int) -> None:
    """However many files there are."""
    write_manifest(path, IDENTITY, FILES[:count])
    assert read_manifest(path, IDENTITY) == FILES[:count]


def test_manifest_says_what_readers_need(path: Path) -> None:
    """Whose it is, and of each file its name, range, end, count and digest, as plain JSON."""
    write_manifest(path, IDENTITY, FILES[:1])
    said = json.loads(path.read_bytes())
    assert said.pop("sha256")
    assert said == {
        "schema": "headwatch.ledger-store/1",
        "chain_id": 1,
        "protocol": "poco-v1",
        "contract": IDENTITY.contract,
        "files": [
            {
                "name": "000000000010-000000000019.parquet",
                "first": 10,
                "last": 19,
                "last_hash": named(19),
                "logs": 9,
                "bytes": 99,
                "sha256": "ab" * 32,
            }
        ],
    }
    assert FILES[0].mark == Mark(19, named(19))


def test_names_sort_as_ranges_do() -> None:
    """Up to heights of twelve digits; longer ones are names of files too."""
    names = [name_of(first, first + 5) for first in (0, 99, 100, 10**11)]
    assert names == sorted(names)
    assert all(NAME.fullmatch(name) for name in [*names, name_of(10**15, 10**15)])
    assert not any(map(NAME.fullmatch, ("a.parquet", "1-2.parquet", names[0] + ".new")))


def altered(path: Path, **words: Any) -> None:
    """Write other words over those of a list."""
    path.write_text(json.dumps(json.loads(path.read_text()) | words))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"schema": "other/1"}, "is damaged .*another program's schema"),
        ({"schema": f"{SCHEMA}x"}, "is damaged"),
        (
            {"schema": f"{SCHEMA}{VERSION + 1}", "files": 7, "more": 1},
            f"has schema version {VERSION + 1}, .* knows {VERSION}: run the newer headwatch",
        ),
        ({"more": 1}, "is damaged"),
        ({"files": 7}, "is damaged"),
        ({"files": []}, "is damaged .*sha256"),
        ({"sha256": "ab"}, "is damaged .*sha256"),
        ({"chain_id": 5}, "is of another ledger"),
        ({"schema": None}, "is damaged"),
    ],
)
def test_manifest_that_is_another_is_refused(path: Path, words: dict[str, Any], said: str) -> None:
    """Of another program, newer, of another ledger, or changed by hand: the file is named."""
    write_manifest(path, IDENTITY, FILES)
    altered(path, **words)
    with pytest.raises(BrokenStore, match=f"^{path} {said}"):
        read_manifest(path, IDENTITY)


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b"[" * 100_000, b"[]"])
def test_manifest_that_is_none_is_refused(path: Path, raw: bytes) -> None:
    """Whatever lies there instead."""
    path.write_bytes(raw)
    with pytest.raises(BrokenStore, match=f"^{path} is damaged"):
        read_manifest(path, IDENTITY)


@pytest.mark.parametrize(
    "files",
    [
        (sealed(10, 19), sealed(21, 22)),
        (sealed(10, 19), sealed(19, 22)),
        (sealed(20, 21), sealed(10, 19)),
        (sealed(10, 9),),
        (sealed(10, 19, "../../etc/passwd"),),
        (sealed(10, 19, name_of(10, 18)),),
    ],
)
def test_manifest_of_ranges_that_do_not_follow_is_refused(
    path: Path, files: tuple[Sealed, ...]
) -> None:
    """Ranges with a gap, an overlap, out of order or of other names were not written by us."""
    write_manifest(path, IDENTITY, files)
    with pytest.raises(BrokenStore, match=f"^{path} is damaged"):
        read_manifest(path, IDENTITY)


def test_manifest_that_cannot_be_written_or_read_is_named(tmp_path: Path) -> None:
    """A folder that is not there."""
    path = tmp_path / "none" / "manifest.json"
    with pytest.raises(BrokenStore, match="cannot be written: No such file"):
        write_manifest(path, IDENTITY, ())
    with pytest.raises(BrokenStore, match="cannot be read: No such file"):
        read_manifest(path, IDENTITY)
