"""A consensus client over the standard Beacon API (ethereum/beacon-APIs): a thin client of GETs.

Numbers travel as strings in there. What newer versions of the specification added, older clients
leave out: `is_optimistic` came with the merge, `el_offline` a year later.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar
from urllib.parse import urlsplit, urlunsplit

import aiohttp
import msgspec
import yarl

from monitor.rpc.errors import (
    CallRejected,
    CallTimeout,
    ConnectionRefused,
    MalformedAnswer,
    MethodAbsent,
    RpcError,
    Throttled,
)
from monitor.rpc.host import read_body
from monitor.url import Url
from monitor.wire import BROKEN, connection_text

T = TypeVar("T")
HTTP_OK, HTTP_TOO_MANY = 200, 429
HTTP_ABSENT = (404, 405, 501)
"""The client does not have the endpoint, or nothing of that name."""
ACCEPT = {"Accept": "application/json"}
"""Some answer with SSZ where nothing is said (lighthouse, teku)."""
SYNCING = "/eth/v1/node/syncing"
VERSION = "/eth/v1/node/version"
PEER_COUNT = "/eth/v1/node/peer_count"
GENESIS = "/eth/v1/beacon/genesis"
SPEC = "/eth/v1/config/spec"
FINALITY = "/eth/v1/beacon/states/head/finality_checkpoints"
MILLISECONDS = 1000

Uint64 = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,20}\Z")]


class RawSyncing(msgspec.Struct, frozen=True):
    """`GET /eth/v1/node/syncing`."""

    head_slot: Uint64
    sync_distance: Uint64
    is_syncing: bool
    is_optimistic: bool | None = None
    el_offline: bool | None = None


class RawVersion(msgspec.Struct, frozen=True):
    """`GET /eth/v1/node/version`."""

    version: str


class RawPeerCount(msgspec.Struct, frozen=True):
    """`GET /eth/v1/node/peer_count`."""

    connected: Uint64


class RawGenesis(msgspec.Struct, frozen=True):
    """`GET /eth/v1/beacon/genesis`."""

    genesis_time: Uint64


class RawSpec(msgspec.Struct, frozen=True):
    """`GET /eth/v1/config/spec`, as far as time is concerned.

    The consensus-specs are about to name a slot in milliseconds instead of seconds.
    """

    SLOTS_PER_EPOCH: Uint64
    SECONDS_PER_SLOT: Uint64 | None = None
    SLOT_DURATION_MS: Uint64 | None = None


class RawCheckpoint(msgspec.Struct, frozen=True):
    """A checkpoint of the consensus-specs."""

    epoch: Uint64


class RawFinality(msgspec.Struct, frozen=True):
    """`GET /eth/v1/beacon/states/{state_id}/finality_checkpoints`."""

    finalized: RawCheckpoint


class _Problem(msgspec.Struct, frozen=True):
    """What an endpoint answers instead: a code and a message."""

    message: str = ""


@dataclass(frozen=True, slots=True)
class Syncing:
    """Where the client says that it is."""

    head_slot: int
    sync_distance: int
    """Slots between its head and the slot of its clock."""
    is_syncing: bool
    is_optimistic: bool | None
    """Its head was not verified by an execution client; None where the client does not say."""
    el_offline: bool | None
    """Its execution client does not answer it; None where the client does not say."""


@dataclass(frozen=True, slots=True)
class Slots:
    """How a chain counts time; it never changes."""

    genesis_time: int
    """Seconds since the Unix epoch."""
    slot_seconds: float
    epoch_slots: int

    def at(self, timestamp: float) -> int:
        """The slot at a time; negative before genesis."""
        return int((timestamp - self.genesis_time) // self.slot_seconds)


class BeaconNode:
    """One consensus client. Its URL never leaves it; everything raises RpcError."""

    def __init__(
        self,
        url: Url,
        session: aiohttp.ClientSession,
        *,
        deadline_seconds: float = 5.0,
        body_bytes_max: int = 1 << 20,
    ) -> None:
        self.url = url
        self.deadline_seconds = deadline_seconds
        self.body_bytes_max = body_bytes_max
        self._session = session
        self._parts = urlsplit(url.reveal())

    async def syncing(self) -> Syncing:
        """Whether it follows the chain, and with an execution client that does."""
        raw = await self._get(SYNCING, RawSyncing)
        return Syncing(
            head_slot=int(raw.head_slot),
            sync_distance=int(raw.sync_distance),
            is_syncing=raw.is_syncing,
            is_optimistic=raw.is_optimistic,
            el_offline=raw.el_offline,
        )

    async def version(self) -> str:
        """As it names itself."""
        return (await self._get(VERSION, RawVersion)).version

    async def peers_count(self) -> int:
        """Peers that it is connected with."""
        return int((await self._get(PEER_COUNT, RawPeerCount)).connected)

    async def finalized_epoch(self) -> int:
        """The epoch of the finalized checkpoint in the state of its head."""
        return int((await self._get(FINALITY, RawFinality)).finalized.epoch)

    async def slots(self) -> Slots:
        """How its chain counts time."""
        genesis, spec = await asyncio.gather(
            self._get(GENESIS, RawGenesis), self._get(SPEC, RawSpec)
        )
        if spec.SECONDS_PER_SLOT is not None:
            slot_seconds = float(spec.SECONDS_PER_SLOT)
        else:
            slot_seconds = int(spec.SLOT_DURATION_MS or "0") / MILLISECONDS
        if not slot_seconds or not int(spec.SLOTS_PER_EPOCH):
            message = f"{SPEC}: no length of a slot or an epoch"
            raise MalformedAnswer(message)
        return Slots(int(genesis.genesis_time), slot_seconds, int(spec.SLOTS_PER_EPOCH))

    async def _get(self, path: str, kind: type[T]) -> T:
        try:
            async with asyncio.timeout(self.deadline_seconds):
                body = await self._body(path)
        except TimeoutError:
            message = f"{path}: no answer within {self.deadline_seconds:g} s"
            raise CallTimeout(message) from None
        except BROKEN as error:
            message = f"{path}: {self.url.scrub(connection_text(error))}"
            raise ConnectionRefused(message) from None
        try:
            return msgspec.json.decode(body, type=_Envelope[kind]).data  # type: ignore[valid-type]
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            message = f"{path}: {self.url.scrub(str(error))}"
            raise MalformedAnswer(message) from None

    async def _body(self, path: str) -> bytes:
        address = self._address(path)
        async with self._session.get(address, headers=ACCEPT, allow_redirects=False) as response:
            body = await read_body(response, self.body_bytes_max)
            if response.status != HTTP_OK:
                raise self._rejection(path, response.status, body)
            return body

    def _address(self, path: str) -> yarl.URL:
        """Of an endpoint below the configured path; a query, where keys are too, stays behind."""
        parts = self._parts
        return yarl.URL(urlunsplit(parts._replace(path=parts.path.rstrip("/") + path, fragment="")))

    def _rejection(self, path: str, status: int, body: bytes) -> RpcError:
        text = f"{path}: HTTP {status}"
        try:
            said = msgspec.json.decode(body, type=_Problem).message
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            kind = Throttled if status == HTTP_TOO_MANY else ConnectionRefused
            return MethodAbsent(text, status) if status in HTTP_ABSENT else kind(text)
        text = f"{text}: {self.url.scrub(said)}" if said else text
        if status == HTTP_TOO_MANY:
            return Throttled(text)
        return (MethodAbsent if status in HTTP_ABSENT else CallRejected)(text, status)


class _Envelope(msgspec.Struct, Generic[T], frozen=True):
    """What every answer comes in; `execution_optimistic` and `finalized` beside it are not read."""

    data: T
