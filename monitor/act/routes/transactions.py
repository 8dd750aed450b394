"""Transactions of the watched accounts: what the journal says of them, and what may be ordered."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias, TypeVar

import msgspec
from aiohttp import web

from monitor.act.answers import (
    Packed,
    json_answer,
    packed_answer,
    parameter,
    problem,
    refused,
    whole,
)
from monitor.act.transactions import (
    LIMIT,
    LIMIT_MAX,
    NONE_WATCHED,
    Moment,
    Wanted,
    listing,
    ordered_json,
    states_of,
    story_json,
    veiled,
)
from monitor.act.transactions import find as find_story
from monitor.act.view import View
from monitor.act.words import plain, rfc3339
from monitor.transactions.orders import OrderError, Orders, Trouble
from monitor.transactions.story import lines
from monitor.transactions.words import State

PATH = "/api/v1/transactions"
NAME = "{name:[^/]+(?:/[0-9]+)?}"
"""A hash, the beginning of one, or ALIAS/NONCE."""
STATUS: Mapping[Trouble, int] = {"unknown": 404, "refused": 409, "unavailable": 503}
WEI_MAX = 2**128
FLAGS = {"0": False, "1": True, "false": False, "true": True}
JSON = "application/json"

W = TypeVar("W", bound=msgspec.Struct)
_DIGITS = re.compile(r"[0-9]{1,40}")
_HASH = re.compile(r"0x[0-9a-fA-F]{64}")
_RAW = re.compile(r"0x(?:[0-9a-fA-F]{2})+")


class Registration(msgspec.Struct, forbid_unknown_fields=True):
    """What is to be watched: bytes, or a hash whose bytes are then looked for."""

    raw: str | None = None
    hash: str | None = None
    network: str | None = None


class Price(msgspec.Struct, forbid_unknown_fields=True):
    """Fees in wei, both or neither; without them they follow the market."""

    fee_cap_wei: int | str | None = None
    tip_cap_wei: int | str | None = None
    dry_run: bool = False


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """An order that says everything by its path."""


Json: TypeAlias = Mapping[str, object]
Give: TypeAlias = Callable[[Orders, str, W], Awaitable[Json]]
"""Gives an order for the transaction of this name; raises OrderError and ValueError."""
Handler: TypeAlias = Callable[[web.Request], Awaitable[web.Response]]
REQUEST_BYTES_MAX: Mapping[type[msgspec.Struct], int] = {
    # A blob transaction in its network form is up to 1 MiB, and hexadecimal doubles it.
    Registration: 2_200_000,
    Price: 4096,
    Nothing: 4096,
}


class Transactions:
    """`/api/v1/transactions` and what is below it."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._reading = asyncio.Lock()
        """The journal is read by one at a time: no number of askers takes all threads."""

    def add(self, router: web.UrlDispatcher) -> None:
        router.add_get(PATH, self.all)
        router.add_get(f"{PATH}/{NAME}", self.one)
        router.add_post(PATH, self._ordering(Registration, _register, 201))
        router.add_post(f"{PATH}/halt", self._ordering(Nothing, _halt))
        router.add_post(f"{PATH}/resume", self._ordering(Nothing, _resume))
        router.add_post(f"{PATH}/{NAME}/rebroadcast", self._ordering(Nothing, _rebroadcast))
        router.add_post(f"{PATH}/{NAME}/replace", self._ordering(Price, _replace))
        router.add_post(f"{PATH}/{NAME}/cancel", self._ordering(Price, _cancel))
        router.add_post(f"{PATH}/{NAME}/propose", self._ordering(Nothing, _propose))

    # -- what there is ---------------------------------------------------------------------------

    async def all(self, request: web.Request) -> web.Response:
        """The live ones, the worst first; with `all=1` the newest closed ones as well."""
        journal, snapshot = self._view.journal, self._view.snapshot()
        if journal is None:
            return problem(NONE_WATCHED, 404)
        alias = parameter(request, "account") or None
        watched = {a.network for a in snapshot.accounts if alias in {None, a.alias}}
        if alias is not None and not watched:
            return problem("account: there is none of this alias in the configuration", 404)
        wanted = Wanted(
            alias=alias,
            states=_states(request),
            has_closed=_flag(request, "all"),
            limit=whole(request, "limit", "a number", LIMIT, LIMIT_MAX),
        )
        moment = Moment(
            now=snapshot.at,
            mode=snapshot.transactions_mode,
            networks={n.name: n.interval_seconds for n in snapshot.networks if n.name in watched},
        )
        async with self._reading:
            try:
                page = await asyncio.to_thread(lambda: _packed(listing(journal, wanted, moment)))
            except OrderError as error:
                return trouble(error)
        return packed_answer(request, page)

    async def one(self, request: web.Request) -> web.Response:
        """A transaction's story; with `text=1` as people read it.

        What is not public yet is shown to those who may give orders.
        """
        journal, name = self._view.journal, request.match_info["name"]
        if journal is None:
            return problem(NONE_WATCHED, 404)
        network, as_text = parameter(request, "network") or None, _flag(request, "text")
        refusal = refused(request, self._view.token)
        async with self._reading:
            try:
                story = await asyncio.to_thread(find_story, journal, name, network)
            except OrderError as error:
                return trouble(error)
            shown, withheld = (story, ()) if refusal is None else veiled(story)
            if not as_text:
                page = await asyncio.to_thread(lambda: _packed(story_json(shown, withheld)))
                return packed_answer(request, page)
        if refusal is not None and withheld:
            # The text says of bytes that are not there that nobody knows them.
            return refusal
        return web.Response(text="\n".join((*lines(story, rfc3339), "")))

    # -- what may be ordered ---------------------------------------------------------------------

    def _ordering(self, kind: type[W], give: Give[W], status: int = 200) -> Handler:
        """A handler that reads an order, gives it, and answers with what came of it."""

        async def handler(request: web.Request) -> web.Response:
            refusal = refused(request, self._view.token)
            if refusal is not None:
                return refusal
            orders = self._view.orders
            if orders is None:
                return problem(NONE_WATCHED, 404)
            # Also where the body is empty: a form of another site is sent without asking first.
            if request.content_type != JSON:
                return problem(f"Content-Type: expected {JSON}", 415)
            whole_request = request.clone(client_max_size=REQUEST_BYTES_MAX[kind])
            try:
                asked = _decoded(await whole_request.read(), kind)
                document = await give(orders, request.match_info.get("name", ""), asked)
            except ValueError as error:
                return problem(str(error), 422)
            except OrderError as error:
                return trouble(error)
            return json_answer(document, status)

        return handler


async def _register(orders: Orders, name: str, asked: Registration) -> Json:
    del name
    if (asked.raw is None) == (asked.hash is None):
        message = "expected either raw or hash"
        raise ValueError(message)
    if asked.hash is not None and not _HASH.fullmatch(asked.hash):
        message = "hash: expected 0x and 64 hexadecimal digits"
        raise ValueError(message)
    if asked.raw is not None and not _RAW.fullmatch(asked.raw):
        message = "raw: expected 0x and pairs of hexadecimal digits"
        raise ValueError(message)
    raw = None if asked.raw is None else bytes.fromhex(asked.raw[2:])
    hash_ = None if asked.hash is None else asked.hash.lower()
    return ordered_json(await orders.register(raw=raw, hash_=hash_, network=asked.network))


async def _rebroadcast(orders: Orders, name: str, asked: Nothing) -> Json:
    del asked
    return ordered_json(await orders.rebroadcast(name))


async def _replace(orders: Orders, name: str, asked: Price) -> Json:
    return ordered_json(
        await orders.replace(
            name,
            fee_cap_wei=_wei("fee_cap_wei", asked.fee_cap_wei),
            tip_cap_wei=_wei("tip_cap_wei", asked.tip_cap_wei),
            dry_run=asked.dry_run,
        )
    )


async def _cancel(orders: Orders, name: str, asked: Price) -> Json:
    return ordered_json(
        await orders.cancel(
            name,
            fee_cap_wei=_wei("fee_cap_wei", asked.fee_cap_wei),
            tip_cap_wei=_wei("tip_cap_wei", asked.tip_cap_wei),
            dry_run=asked.dry_run,
        )
    )


async def _propose(orders: Orders, name: str, asked: Nothing) -> Json:
    del asked
    return await orders.propose(name)


async def _halt(orders: Orders, name: str, asked: Nothing) -> Json:
    del name, asked
    await orders.halt()
    return {"halted": True}


async def _resume(orders: Orders, name: str, asked: Nothing) -> Json:
    del name, asked
    await orders.resume()
    return {"halted": False}


def _decoded(body: bytes, kind: type[W]) -> W:
    """The order in a body; an empty one is an empty object. Raises ValueError with one line."""
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        message = f"body: {plain(str(error))}"
        raise ValueError(message) from None


def _wei(name: str, given: int | str | None) -> int | None:
    """An amount, as a number or as decimal digits. Raises ValueError with one line."""
    if isinstance(given, str):
        given = int(given) if _DIGITS.fullmatch(given) else -1
    if given is not None and not 0 <= given <= WEI_MAX:
        message = f"{name}: expected a whole number of wei from 0 to 2^128"
        raise ValueError(message)
    return given


def _flag(request: web.Request, name: str) -> bool:
    """A query parameter that is yes or no. Raises HTTPBadRequest."""
    text = parameter(request, name) or "0"
    if text not in FLAGS:
        raise web.HTTPBadRequest(reason=f"{name}: expected 0, 1, false or true")
    return FLAGS[text]


def _states(request: web.Request) -> tuple[State, ...]:
    """States with commas between them. Raises HTTPBadRequest."""
    names = (parameter(request, "state") or "").split(",")
    try:
        return states_of(name for name in names if name)
    except ValueError as error:
        raise web.HTTPBadRequest(reason=plain(str(error))) from None


def _packed(document: object) -> Packed:
    body = json.dumps(document, separators=(",", ":"), allow_nan=False).encode() + b"\n"
    return Packed.of(body, JSON)


def trouble(error: OrderError) -> web.Response:
    """Why nothing came of it."""
    return problem(str(error), STATUS[error.trouble])
