"""Where `headwatch tx` asks and orders: the running sidecar, or the journal where none runs.

What the sidecar answers and what is read here are the same documents, so that whoever prints them
need not know. They are decoded strictly, and every text in them is made fit for a terminal.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from monitor.act.transactions import NONE_WATCHED, Moment, Wanted, find, listing, story_json
from monitor.act.words import plain, rfc3339
from monitor.commands import UnseenError, UsageError
from monitor.commands.asking import READ_SECONDS_MAX, Asking
from monitor.config import Settings, data_directory
from monitor.status.document import Line
from monitor.transactions.journal import JournalError, Reader
from monitor.transactions.orders import Orders
from monitor.transactions.story import lines

PATH = "/api/v1/transactions"
STORY_BEGINS = "nonce "
"""So does the text of every story."""
PROPOSAL = "headwatch.proposal/"
"""How the name of its schema begins."""
D = TypeVar("D", bound=msgspec.Struct)
Json = Mapping[str, object]
Alone = Callable[[Settings, Path], AbstractAsyncContextManager[Orders]]


class NetworkPart(msgspec.Struct, frozen=True):
    """How fresh the journal is."""

    name: Line
    age_seconds: float | None
    is_stale: bool


class Row(msgspec.Struct, frozen=True):
    """A transaction in a list."""

    network: Line
    alias: Line
    nonce: int
    state: Line
    level: Line | None
    first_seen_at: float
    hash: Line | None
    summary: Line
    closed_at: float | None


class Listing(msgspec.Struct, frozen=True):
    """The list: `monitor.act.transactions.listing`."""

    at: float
    mode: Line
    level: Line
    networks: tuple[NetworkPart, ...]
    transactions: tuple[Row, ...]
    left_out: int


class Fields(msgspec.Struct, frozen=True):
    """What a transaction pays, and for what."""

    type: int
    to: Line | None
    value_wei: int
    gas: int
    fee_cap_wei: int
    tip_cap_wei: int


class AttemptPart(msgspec.Struct, frozen=True):
    """One of a story's transactions."""

    hash: Line
    kind: Line
    transaction: Fields | None


class StagePart(msgspec.Struct, frozen=True):
    """A state of a story."""

    summary: Line


class StoryPart(msgspec.Struct, frozen=True):
    """As much of a story as is acted on; `monitor.transactions.story.as_json` is the whole."""

    network: Line
    alias: Line
    nonce: int
    state: Line
    consumer_hash: Line | None
    attempts: tuple[AttemptPart, ...]
    states: tuple[StagePart, ...]


class DeliveryPart(msgspec.Struct, frozen=True):
    """What an endpoint made of the bytes."""

    label: Line
    reaction: Line
    message: Line


class Done(msgspec.Struct, frozen=True):
    """What came of an order."""

    act: Line
    network: Line
    alias: Line
    nonce: int
    hash: Line | None
    deliveries: tuple[DeliveryPart, ...]
    fee_cap_wei: int | None
    tip_cap_wei: int | None
    summary: Line


@dataclass(frozen=True, slots=True)
class Told(Generic[D]):
    """A document, as it came and as values."""

    document: Json
    values: D


class Access:
    """Asks the sidecar of these settings, or the journal of their `data_dir`."""

    def __init__(
        self,
        settings: Settings,
        env: Mapping[str, str],
        *,
        clock: Callable[[], float] = time.time,
        alone: Alone | None = None,
    ) -> None:
        """`alone` yields who carries out orders where no sidecar runs.

        Raises UsageError where no account is watched.
        """
        if not settings.transactions.accounts:
            raise UsageError(NONE_WATCHED)
        self.settings = settings
        self._asking = Asking(settings.http)
        self._directory = data_directory(settings, env)
        self._clock = clock
        self._alone = alone

    def list(self, wanted: Wanted) -> Told[Listing]:
        """The transactions that are wanted. Raises OrderError, UsageError, UnseenError."""
        accounts = self.settings.transactions.accounts
        mine = [a for a in accounts if wanted.alias in {None, a.alias}]
        if not mine:
            known = ", ".join(account.alias for account in accounts)
            message = f"--account: found {wanted.alias!r}, watched are {known}"
            raise UsageError(message)
        query = {"all": int(wanted.has_closed), "limit": wanted.limit}
        chosen = {"account": wanted.alias, "state": ",".join(wanted.states)}
        query_text = urlencode({**query, **{name: text for name, text in chosen.items() if text}})
        answer = self._asking.get(f"{PATH}?{query_text}")
        if answer is not None:
            return self._told(answer, Listing)
        moment = Moment(
            now=self._clock(), mode="alone", networks={a.network or "": 0.0 for a in mine}
        )
        return self._told(_bytes(listing(self._reader(), wanted, moment)), Listing)

    def story(self, name: str, network: str | None = None) -> Told[StoryPart]:
        """The story of a transaction. Raises OrderError, UsageError, UnseenError."""
        answer = self._asking.get(_path(name, network=network))
        if answer is None:
            answer = _bytes(story_json(find(self._reader(), name, network)))
        return self._told(answer, StoryPart)

    def text(self, name: str, network: str | None = None) -> str:
        """The same as people read it."""
        answer = self._asking.get(_path(name, network=network, text="1"))
        if answer is None:
            return "\n".join(lines(find(self._reader(), name, network), rfc3339))
        try:
            text = answer.decode()
        except UnicodeDecodeError:
            raise self._stranger() from None
        if not text.startswith(STORY_BEGINS):
            raise self._stranger()
        return "\n".join(map(_printable, text.splitlines()))

    def order(self, path: str, document: Json, carry: Callable[[Orders], Awaitable[Json]]) -> Json:
        """Give an order, by its path below the API's or, where no sidecar runs, by `carry`.

        Raises OrderError where it is not carried out, UsageError and UnseenError.
        """
        answer = self._asking.post(f"{PATH}{path}", document)
        if answer is not None:
            return self._object(answer)

        async def act() -> Json:
            try:
                async with self._opened() as orders:
                    return await carry(orders)
            except JournalError as error:
                message = f"no sidecar listens at {self.settings.http.listen}, and {error}"
                raise UnseenError(message) from None

        return asyncio.run(act())

    def done(
        self, path: str, document: Json, carry: Callable[[Orders], Awaitable[Json]]
    ) -> Told[Done]:
        """As `order`, of what sends or registers."""
        return self._told(_bytes(self.order(path, document, carry)), Done)

    def proposal(self, name: str) -> Json:
        """The unsigned replacement, as it came. Raises OrderError, UsageError, UnseenError."""
        path = order_path(name, "propose")
        document = self.order(path, {}, lambda orders: orders.propose(name))
        if not str(document.get("schema")).startswith(PROPOSAL):
            raise self._stranger()
        return document

    def switch(self, *, is_halt: bool) -> None:
        """Halt or resume. Raises OrderError, UsageError, UnseenError.

        The switch is a file that a sidecar looks at before it sends: whoever wants to halt is
        helped also where a sidecar runs and does not answer.
        """
        try:
            path_of = f"{PATH}/{'halt' if is_halt else 'resume'}"
            answer = self._asking.post(path_of, {}, seconds_max=READ_SECONDS_MAX)
            if answer is not None:
                if self._object(answer).get("halted") is not is_halt:
                    raise self._stranger()
                return
        except UnseenError:
            if not is_halt:
                raise
        from monitor.watchdog import HALT_NAME

        path = self._directory / HALT_NAME
        try:
            if is_halt:
                path.touch()
            else:
                path.unlink(missing_ok=True)
        except OSError as error:
            message = f"{path} cannot be {'written' if is_halt else 'removed'}: {error.strerror}"
            raise UnseenError(message) from None

    @property
    def is_kept(self) -> bool:
        """Whether a sidecar runs, so that what is registered is also followed."""
        return self._asking.get("/-/healthy") is not None

    def _opened(self) -> AbstractAsyncContextManager[Orders]:
        if self._alone is not None:
            return self._alone(self.settings, self._directory)
        from monitor.guarding import alone

        return alone(self.settings, self._directory)

    def _reader(self) -> Reader:
        from monitor.transactions.journal import JOURNAL_NAME

        return Reader(self._directory / JOURNAL_NAME)

    def _told(self, answer: bytes, kind: type[D]) -> Told[D]:
        document = self._object(answer)
        try:
            return Told(document, msgspec.convert(document, kind, strict=False, dec_hook=_line))
        except (msgspec.ValidationError, RecursionError, UnicodeEncodeError):
            raise self._stranger() from None

    def _object(self, answer: bytes) -> Json:
        try:
            document = json.loads(answer)
        except (ValueError, RecursionError):
            raise self._stranger() from None
        if not isinstance(document, dict):
            raise self._stranger()
        return document

    def _stranger(self) -> UnseenError:
        listen = self.settings.http.listen
        return UnseenError(f"what listens at {listen} is no headwatch, or an older one")


def order_path(name: str, act: str) -> str:
    """Below the API's path: what is ordered, and for which transaction."""
    return f"/{quote(name, safe='/')}/{act}"


def _path(name: str, **query: str | None) -> str:
    chosen = {key: text for key, text in query.items() if text is not None}
    return f"{PATH}/{quote(name, safe='/')}" + (f"?{urlencode(chosen)}" if chosen else "")


def _bytes(document: Json) -> bytes:
    return json.dumps(document).encode()


def _line(kind: type, value: object) -> Line:
    if kind is not Line or not isinstance(value, str):
        message = "expected a text"
        raise ValueError(message)
    return Line(plain(value))


def _printable(text: str) -> str:
    """Indented as it was: only what a terminal obeys is gone."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
