"""The sealed files: each written once, listed once, checked when the store is opened."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.ledger.errors import BrokenStore
from monitor.ledger.logs import between
from monitor.ledger.store.disk import REMEDY, UNFINISHED, translated, write_whole
from monitor.ledger.store.encoding import file_bytes, read_file
from monitor.ledger.store.manifest import NAME, Sealed, name_of, read_manifest, write_manifest
from monitor.ledger.store.words import Identity, Mark

if TYPE_CHECKING:
    import pyarrow as pa


class Files:
    """The sealed part of a store: a folder, and the list of what in it counts.

    A file counts once the list names it, and no longer than that: it is written before, and taken
    away after. Raises BrokenStore, naming the file.
    """

    def __init__(self, folder: Path, manifest: Path, identity: Identity) -> None:
        """Read the list; an empty one is written where there is none."""
        self._folder = folder
        self._manifest = manifest
        self._identity = identity
        self.listed: tuple[Sealed, ...] = ()
        with translated(manifest, "opened"):
            manifest.with_name(manifest.name + UNFINISHED).unlink(missing_ok=True)
        if manifest.exists():
            self.listed = read_manifest(manifest, identity)
        else:
            self._list(())
        with translated(folder, "made"):
            folder.mkdir(exist_ok=True)

    @property
    def sealed_to(self) -> int | None:
        """The last block that is sealed."""
        return self.listed[-1].last if self.listed else None

    def check(self) -> None:
        """Compare every file with the list, and take away what a kill left unlisted."""
        for sealed in self.listed:
            self._check(sealed)
        with translated(self._folder, "read"):
            there = sorted(self._folder.iterdir())
        listed = {sealed.name for sealed in self.listed}
        for path in there:
            if path.name in listed:
                continue
            if not NAME.fullmatch(path.name.removesuffix(UNFINISHED)):
                message = f"{path} is no file of this store: move it away"
                raise BrokenStore(message)
            with translated(path, "removed"):
                path.unlink()

    def add(self, batches: list[pa.RecordBatch], first: int, end: Mark) -> None:
        """Seal the logs from `first` to `end`."""
        body = file_bytes(batches)
        path = self._folder / name_of(first, end.block)
        with translated(path, "written"):
            write_whole(path, body)
        sealed = Sealed(
            path.name,
            first,
            *end,
            sum(batch.num_rows for batch in batches),
            len(body),
            hashlib.sha256(body).hexdigest(),
        )
        self._list((*self.listed, sealed))

    def drop(self, above: int) -> None:
        """Take away the files that end above a block."""
        kept = tuple(sealed for sealed in self.listed if sealed.last <= above)
        gone = self.listed[len(kept) :]
        self._list(kept)
        for sealed in gone:
            path = self._folder / sealed.name
            with translated(path, "removed"):
                path.unlink(missing_ok=True)

    def batches(self, first: int, last: int) -> Iterator[pa.RecordBatch]:
        """The logs of a range, in order."""
        for sealed in self.listed:
            if sealed.first <= last and first <= sealed.last:
                for batch in read_file(self._folder / sealed.name):
                    part = between(batch, first, last)
                    if part.num_rows:
                        yield part

    def _list(self, files: tuple[Sealed, ...]) -> None:
        write_manifest(self._manifest, self._identity, files)
        self.listed = files

    def _check(self, sealed: Sealed) -> None:
        path = self._folder / sealed.name
        if not path.exists():
            message = f"{path} is missing: {REMEDY}"
            raise BrokenStore(message)
        with translated(path, "read"), path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != sealed.sha256:
            message = f"{path} is damaged or another file (its sha256 is not as listed): {REMEDY}"
            raise BrokenStore(message)
