"""The list of the sealed files: it is what makes a file one of the store.

    {"schema": "headwatch.ledger-store/1", "chain_id": 1, "protocol": "poco-v1", "contract": "0x..",
     "files": [{"name": "000001500000-000001712345.parquet", "first": 1500000, "last": 1712345,
                "last_hash": "0x..", "logs": 100012, "bytes": 4000000, "sha256": ".."}],
     "sha256": ".."}

The ranges follow each other without a gap, from the first block held; both ends are included. The
last digest is that of the list of files, as JSON without white space. A
reader needs this file and the files it names, and nothing else of the folder.
"""

from __future__ import annotations

import hashlib
import re
from itertools import pairwise
from pathlib import Path

import msgspec

from monitor.ledger.errors import BrokenStore
from monitor.ledger.store.disk import REMEDY, translated, write_whole
from monitor.ledger.store.words import Identity, Mark
from monitor.model import Address, Hash32

MANIFEST_NAME = "manifest.json"
SCHEMA = "headwatch.ledger-store/"
VERSION = 1


class Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sealed file."""

    name: str
    """Within the folder of the sealed files."""
    first: int
    last: int
    last_hash: str
    logs: int
    bytes: int
    sha256: str
    """In hex, of the whole file."""

    @property
    def mark(self) -> Mark:
        """Its end."""
        return Mark(self.last, Hash32(self.last_hash))


class _Version(msgspec.Struct, frozen=True):
    schema: str


class _Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    schema: str
    chain_id: int
    protocol: str
    contract: str
    files: tuple[Sealed, ...]
    sha256: str


def name_of(first: int, last: int) -> str:
    """The name of a sealed file; names sort as their ranges do."""
    return f"{first:012}-{last:012}.parquet"


NAME = re.compile(r"\d{12,}-\d{12,}\.parquet")


def read_manifest(path: Path, identity: Identity) -> tuple[Sealed, ...]:
    """The sealed files, in order.

    Raises BrokenStore for what is no manifest, of a newer version or of another ledger.
    """
    with translated(path, "read"):
        raw = path.read_bytes()
    try:
        version = _version_of(msgspec.json.decode(raw, type=_Version).schema)
        if version > VERSION:
            message = (
                f"{path} has schema version {version}, and this headwatch knows {VERSION}:"
                " run the newer headwatch"
            )
            raise BrokenStore(message)
        found = msgspec.json.decode(raw, type=_Manifest)
    except (msgspec.DecodeError, UnicodeError, RecursionError, ValueError) as error:
        message = f"{path} is damaged ({error}): {REMEDY}"
        raise BrokenStore(message) from None
    there = Identity(found.chain_id, found.protocol, Address(found.contract))
    refuse_other(path, there, identity)
    if found.sha256 != _digest(found.files):
        message = f"{path} is damaged (its sha256 is another): {REMEDY}"
        raise BrokenStore(message)
    _check_ranges(path, found.files)
    return found.files


def write_manifest(path: Path, identity: Identity, files: tuple[Sealed, ...]) -> None:
    """Put the list there at once. Raises BrokenStore, and the former one is there then."""
    whole = _Manifest(f"{SCHEMA}{VERSION}", *identity, files, _digest(files))
    raw = msgspec.json.format(msgspec.json.encode(whole), indent=1)
    with translated(path, "written"):
        write_whole(path, raw + b"\n")


def refuse_other(path: Path, there: Identity, identity: Identity) -> None:
    """Raises BrokenStore where a file belongs to another ledger."""
    if there != identity:
        message = f"{path} is of another ledger: {there}, not {identity}"
        raise BrokenStore(message)


def _digest(files: tuple[Sealed, ...]) -> str:
    return hashlib.sha256(msgspec.json.encode(files)).hexdigest()


def _version_of(text: str) -> int:
    if not re.fullmatch(re.escape(SCHEMA) + r"\d{1,9}", text):
        message = "it has another program's schema"
        raise ValueError(message)
    return int(text.removeprefix(SCHEMA))


def _check_ranges(path: Path, files: tuple[Sealed, ...]) -> None:
    """A list whose ranges leave something out was not written by us."""
    for each in files:
        if each.last < each.first or each.name != name_of(each.first, each.last):
            message = f"{path} is damaged (the range of {each.name[:64]!r}): {REMEDY}"
            raise BrokenStore(message)
    for each, after in pairwise(files):
        if after.first != each.last + 1:
            message = f"{path} is damaged ({after.name} does not follow {each.name}): {REMEDY}"
            raise BrokenStore(message)
