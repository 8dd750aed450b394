from __future__ import annotations

import asyncio
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from monitor.act.transactions import NONE_WATCHED
from monitor.model import Hash32
from monitor.transactions.journal import Journal, Reader
from monitor.transactions.orders import OrderError, Trouble
from tests.act.accounts import (
    ALIAS,
    GWEI,
    HOSTILE,
    Clerk,
    raw_of,
    sighting,
    tx_hash,
    watched,
    written,
)
from tests.act.conftest import Serve, Stage
from tests.act.snapshots import NETWORK, NOW

PATH = "/api/v1/transactions"
TOKEN = "the-token"  # noqa: S105 - of this test
BEARER = {"Authorization": f"Bearer {TOKEN}"}
ORDERS = ("rebroadcast", "replace", "cancel", "propose")
EVERY_ORDER = (PATH, f"{PATH}/halt", f"{PATH}/resume", *(f"{PATH}/0xabcdef/{o}" for o in ORDERS))


async def stage_of(tmp_path: Path, *, beat_at: float = NOW - 5) -> Stage:
    """Accounts, their journal, and somebody who takes orders."""
    path = await written(tmp_path / "journal.sqlite", beat_at=beat_at)
    return Stage(watched(), orders=Clerk(), journal=Reader(path))


def clerk_of(stage: Stage) -> Clerk:
    assert isinstance(stage.orders, Clerk)
    return stage.orders


# -- reading -------------------------------------------------------------------------------------


async def test_list_shows_live_ones_and_the_worst_first(tmp_path: Path, serve: Serve) -> None:
    """Nonce, state, level, hash and sentence of each; what is done is not among them."""
    client = await serve(await stage_of(tmp_path))
    async with client.get(PATH) as answer:
        assert answer.status == 200
        found = await answer.json()
    assert (found["schema"], found["mode"]) == ("headwatch.transactions/1", "acting")
    assert (found["level"], found["left_out"]) == ("degraded", 0)
    rows = found["transactions"]
    assert [row["nonce"] for row in rows] == [17, 18, 19]
    assert rows[0]["state"] == "not_propagated"
    assert (rows[0]["alias"], rows[0]["network"], rows[0]["level"]) == (ALIAS, NETWORK, "degraded")
    assert rows[0]["hash"] == tx_hash(17)
    assert [row["has_raw"] for row in rows] == [True, True, False]
    assert rows[2]["level"] is None
    assert found["networks"] == [
        {"name": NETWORK, "number": 21_000_123, "age_seconds": 5.0, "is_stale": False}
    ]


@pytest.mark.parametrize(
    ("query", "nonces", "left_out"),
    [
        ("?all=1", [17, 18, 19, 16], 0),
        ("?all=true&limit=2", [17, 18], 2),
        ("?limit=0", [], 3),
        ("?state=blocked", [18], 0),
        ("?state=blocked,not_propagated", [17, 18], 0),
        ("?state=final_ok", [], 0),
        ("?state=final_ok&all=1", [16], 0),
        (f"?account={ALIAS}", [17, 18, 19], 0),
        ("?account=worker-pool", [], 0),
    ],
)
async def test_list_is_of_what_was_asked_for(
    query: str, nonces: list[int], left_out: int, tmp_path: Path, serve: Serve
) -> None:
    """By account and state; closed ones on request; what a limit cut off is counted."""
    client = await serve(await stage_of(tmp_path))
    async with client.get(PATH + query) as answer:
        found = await answer.json()
    assert [row["nonce"] for row in found["transactions"]] == nonces
    assert found["left_out"] == left_out


async def test_list_that_is_cut_still_knows_the_worst_level(tmp_path: Path, serve: Serve) -> None:
    """A limit hides rows and no trouble."""
    client = await serve(await stage_of(tmp_path))
    async with client.get(f"{PATH}?limit=0") as answer:
        assert (await answer.json())["level"] == "degraded"
    async with client.get(f"{PATH}?state=blocked") as answer:
        assert (await answer.json())["level"] == "ok"


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("?state=gone", 400, "state: found 'gone', expected one of pending"),
        ("?account=nobody", 404, "account: there is none of this alias"),
        ("?all=yes", 400, "all: expected"),
        ("?limit=1001", 400, "limit: expected a number from 0 to 1000"),
        ("?limit=-1", 400, "limit: expected"),
        ("?account=a&account=b", 400, "account: expected once"),
    ],
)
async def test_list_that_cannot_be_is_refused_in_one_line(
    query: str, status: int, said: str, tmp_path: Path, serve: Serve
) -> None:
    """A word that is none is named; an account that is not watched is not one without troubles."""
    client = await serve(await stage_of(tmp_path))
    async with client.get(PATH + query) as answer:
        assert answer.status == status
        assert said in (await answer.json())["error"]


@pytest.mark.parametrize(("age", "is_stale"), [(60.0, False), (60.1, True), (None, True)])
async def test_list_says_when_the_journal_is_stale(
    age: float | None, *, is_stale: bool, tmp_path: Path, serve: Serve
) -> None:
    """Five blocks, of 12 s here, without a round are too many; never a round is, too."""
    stage = await stage_of(tmp_path, beat_at=NOW - (age or 0))
    if age is None:
        (tmp_path / "other").mkdir()
        stage.journal = Reader(await written(tmp_path / "other" / "j.sqlite", beat_at=0))
    client = await serve(stage)
    async with client.get(PATH) as answer:
        (network,) = (await answer.json())["networks"]
    assert network["is_stale"] == is_stale


@pytest.mark.parametrize("name", [tx_hash(17), tx_hash(17)[:8], f"{ALIAS}/17", tx_hash(17).upper()])
async def test_story_is_found_by_hash_prefix_and_nonce(
    name: str, tmp_path: Path, serve: Serve
) -> None:
    """Whatever is at hand names it, and the story is whole."""
    client = await serve(await stage_of(tmp_path))
    async with client.get(f"{PATH}/{name.replace('0X', '0x')}") as answer:
        assert answer.status == 200
        story = await answer.json()
    assert (story["alias"], story["nonce"], story["state"]) == (ALIAS, 17, "not_propagated")
    assert story["states"][-1]["evidence"][1]["source"] == "ethereum/a"
    assert [send["reaction"] for send in story["sends"]] == ["accepted", "transport"]
    (attempt,) = story["attempts"]
    assert attempt["raw"] == f"0x{raw_of(17).hex()}"
    assert "eth_sendRawTransaction" in attempt["curl"]
    assert story["withheld"] == []


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        (tx_hash(99), 404, "the journal has no transaction"),
        (f"{ALIAS}/99", 404, "the journal has no transaction"),
        (f"{ALIAS}/{'9' * 19}", 404, "expected a hash"),
        ("0x12", 404, "expected a hash"),
        ("0xzzzzzzzz", 404, "expected a hash"),
        ("%27%3B%20DROP%20TABLE", 404, "expected a hash"),
    ],
)
async def test_story_that_is_not_there_says_so(
    name: str, status: int, said: str, tmp_path: Path, serve: Serve
) -> None:
    """404 and one line, whatever is asked for."""
    client = await serve(await stage_of(tmp_path))
    async with client.get(f"{PATH}/{name}") as answer:
        assert answer.status == status
        assert said in (await answer.json())["error"]


async def test_story_of_an_ambiguous_beginning_asks_for_more(tmp_path: Path, serve: Serve) -> None:
    """Two transactions that begin alike are not guessed between."""
    path = await written(tmp_path / "journal.sqlite")
    journal = Journal(path, clock=lambda: NOW)
    await journal.open()
    for nonce, end in ((30, "1"), (31, "2")):
        twin = Hash32("0xabcdef" + end * 58)
        await journal.observe(replace(sighting(nonce), hash=twin, transaction=None, raw=None), NOW)
    await journal.close()
    client = await serve(Stage(watched(), orders=Clerk(), journal=Reader(path)))
    async with client.get(f"{PATH}/0xabcdef") as answer:
        assert answer.status == 409
        assert "name more of its digits" in (await answer.json())["error"]
    async with client.get(f"{PATH}/0xabcdef1") as answer:
        assert (await answer.json())["nonce"] == 30


async def test_story_as_text_is_what_people_read(tmp_path: Path, serve: Serve) -> None:
    """For `curl`: lines, with times people can read, and the bytes with a command."""
    path = await written(tmp_path / "journal.sqlite", said=HOSTILE)
    client = await serve(Stage(watched(), orders=Clerk(), journal=Reader(path)))
    async with client.get(f"{PATH}/{ALIAS}/17?text=1") as answer:
        assert answer.content_type == "text/plain"
        text = await answer.text()
    assert text.startswith(f"nonce 17 of 0x{'5c' * 20}")
    assert "curl -s" in text
    assert "2026-11-18T" in text
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("token", "headers", "is_shown"),
    [
        (None, {}, True),
        (None, {"Host": "headwatch.example.org"}, False),
        (None, {"X-Forwarded-For": "198.51.100.7"}, False),
        (None, {"Sec-Fetch-Site": "cross-site"}, False),
        (TOKEN, {}, False),
        (TOKEN, {"Authorization": "Bearer wrong"}, False),
        (TOKEN, BEARER, True),
    ],
)
async def test_bytes_that_nobody_else_has_are_for_those_who_may_give_orders(
    token: str | None, headers: dict[str, str], *, is_shown: bool, tmp_path: Path, serve: Serve
) -> None:
    """Nonce 18 is known here alone: neither its bytes nor what it does leak; of 17 both are public.

    That something is left out is said, so that nobody takes it for unknown.
    """
    client = await serve(await stage_of(tmp_path), token=token)
    secret = raw_of(18).hex()
    async with client.get(f"{PATH}/{ALIAS}/18", headers=headers) as answer:
        body = await answer.text()
    assert (secret in body) == is_shown
    story = json.loads(body)
    assert (story["attempts"][0]["transaction"] is not None) == is_shown
    assert story["withheld"] == ([] if is_shown else [tx_hash(18)])
    async with client.get(f"{PATH}/{ALIAS}/18?text=1", headers=headers) as answer:
        assert answer.status == (200 if is_shown else 403 if token is None else 401)
        assert (secret in await answer.text()) == is_shown
    async with client.get(f"{PATH}/{ALIAS}/17", headers=headers) as answer:
        assert raw_of(17).hex() in await answer.text()


async def test_journal_that_cannot_be_read_is_503(tmp_path: Path, serve: Serve) -> None:
    """One line that says what is wrong with it; a wrong name is not blamed for it."""
    stage = Stage(watched(), orders=Clerk(), journal=Reader(tmp_path / "none.sqlite"))
    client = await serve(stage)
    for path in (PATH, f"{PATH}/{tx_hash(17)}"):
        async with client.get(path) as answer:
            assert answer.status == 503
            assert "there is no journal" in (await answer.json())["error"]


async def test_fifty_readers_at_once_are_all_answered(tmp_path: Path, serve: Serve) -> None:
    """Reading is one at a time, and nobody is forgotten."""
    client = await serve(await stage_of(tmp_path))

    async def look(path: str) -> int:
        async with client.get(path) as answer:
            await answer.read()
            return answer.status

    found = await asyncio.gather(*(look(p) for p in (PATH, f"{PATH}/{ALIAS}/17") * 25))
    assert set(found) == {200}


# -- orders --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "asked", "given"),
    [
        (f"{PATH}/halt", {}, ("halt", {"name": ""})),
        (f"{PATH}/resume", {}, ("resume", {"name": ""})),
        (f"{PATH}/0xabcdef/rebroadcast", {}, ("rebroadcast", {"name": "0xabcdef"})),
        (f"{PATH}/{ALIAS}/17/propose", {}, ("propose", {"name": f"{ALIAS}/17"})),
        (
            f"{PATH}/{ALIAS}/17/replace",
            {"fee_cap_wei": 44 * GWEI, "tip_cap_wei": str(3 * GWEI)},
            (
                "replace",
                {"name": f"{ALIAS}/17", "cap": 44 * GWEI, "tip": 3 * GWEI, "dry_run": False},
            ),
        ),
        (
            f"{PATH}/0xabcdef/cancel",
            {"dry_run": True},
            ("cancel", {"name": "0xabcdef", "cap": None, "tip": None, "dry_run": True}),
        ),
        (
            PATH,
            {"raw": "0x02AB", "network": NETWORK},
            ("register", {"name": "", "raw": b"\x02\xab", "hash": None, "network": NETWORK}),
        ),
        (
            PATH,
            {"hash": "0x" + tx_hash(17)[2:].upper()},
            ("register", {"name": "", "raw": None, "hash": tx_hash(17), "network": None}),
        ),
    ],
)
async def test_order_is_given_as_it_was_asked(
    path: str,
    asked: dict[str, object],
    given: tuple[str, dict[str, object]],
    tmp_path: Path,
    serve: Serve,
) -> None:
    """Amounts as numbers or as text, names by hash or by nonce; once, and nothing else."""
    stage = await stage_of(tmp_path)
    client = await serve(stage)
    async with client.post(path, json=asked) as answer:
        assert answer.status == (201 if path == PATH else 200)
    assert clerk_of(stage).given == [given]


async def test_order_answers_what_came_of_it(tmp_path: Path, serve: Serve) -> None:
    """Who took the bytes, in which words, and what it may cost, amounts as decimal strings."""
    client = await serve(await stage_of(tmp_path))
    async with client.post(f"{PATH}/0xabcdef/replace", json={}) as answer:
        done = await answer.json()
    assert done["deliveries"][0] == {"label": "ethereum/a", "reaction": "accepted", "message": ""}
    assert (done["fee_cap_wei"], done["tip_cap_wei"]) == ("44000000000", "3000000000")
    assert (done["act"], done["hash"], done["nonce"]) == ("replace", tx_hash(17, 1), 17)
    async with client.post(f"{PATH}/0xabcdef/propose", json={}) as answer:
        assert (await answer.json())["schema"] == "headwatch.proposal/1"
    async with client.post(f"{PATH}/halt", json={}) as answer:
        assert await answer.json() == {"halted": True}
    async with client.post(f"{PATH}/resume", json={}) as answer:
        assert await answer.json() == {"halted": False}


@pytest.mark.parametrize(
    ("trouble", "status"), [("unknown", 404), ("refused", 409), ("unavailable", 503)]
)
@pytest.mark.parametrize("path", EVERY_ORDER)
async def test_order_that_is_not_carried_out_says_why(
    path: str, trouble: Trouble, status: int, tmp_path: Path, serve: Serve
) -> None:
    """The trouble is the status, its line the answer."""
    stage = await stage_of(tmp_path)
    clerk_of(stage).trouble = OrderError("a cap blocks it", trouble)
    client = await serve(stage)
    asked = {"raw": "0x02"} if path == PATH else {}
    async with client.post(path, json=asked) as answer:
        assert answer.status == status
        assert await answer.json() == {"error": "a cap blocks it"}


@pytest.mark.parametrize(
    ("token", "headers", "status"),
    [
        (TOKEN, {}, 401),
        (TOKEN, {"Authorization": "Bearer wrong"}, 401),
        (None, {"Host": "headwatch.example.org"}, 403),
        (None, {"X-Forwarded-For": "198.51.100.7"}, 403),
        (None, {"Sec-Fetch-Site": "cross-site"}, 403),
        (None, {"Content-Type": "text/plain"}, 415),
        (TOKEN, {**BEARER, "Content-Type": "application/x-www-form-urlencoded"}, 415),
    ],
)
@pytest.mark.parametrize("path", EVERY_ORDER)
async def test_order_of_somebody_who_may_not_is_not_given(
    path: str,
    *,
    token: str | None,
    headers: dict[str, str],
    status: int,
    tmp_path: Path,
    serve: Serve,
) -> None:
    """Without the token, from another machine or site, or as a form: nothing is done."""
    stage = await stage_of(tmp_path)
    client = await serve(stage, token=token)
    typed = {"Content-Type": "application/json", **headers}
    async with client.post(path, data=b'{"raw": "0x02"}', headers=typed) as answer:
        assert answer.status == status
    assert clerk_of(stage).given == []


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        (PATH, b"{}", "expected either raw or hash"),
        (PATH, b'{"raw": "0x02", "hash": "0x02"}', "expected either raw or hash"),
        (PATH, b'{"raw": "0x0"}', "raw: expected"),
        (PATH, b'{"raw": "02"}', "raw: expected"),
        (PATH, b'{"raw": "0xzz"}', "raw: expected"),
        (PATH, b'{"raw": ["0x02"]}', "body: "),
        (PATH, b'{"hash": "0x02"}', "hash: expected"),
        (PATH, b'{"raw": "0x02", "nonce": 7}', "unknown field `nonce`"),
        (PATH, b'{"raw": "0x02"', "body: "),
        (PATH, b"\xff\xfe", "body: "),
        (PATH, b"[" * 60_000, "body: "),
        (PATH, b'"0x02"', "body: "),
        (f"{PATH}/halt", b'{"now": true}', "unknown field `now`"),
        (f"{PATH}/0xabcdef/replace", b'{"fee_cap_wei": -1}', "fee_cap_wei: expected"),
        (f"{PATH}/0xabcdef/replace", b'{"fee_cap_wei": 1.5}', "body: "),
        (f"{PATH}/0xabcdef/replace", b'{"fee_cap_wei": true}', "body: "),
        (f"{PATH}/0xabcdef/replace", b'{"fee_cap_wei": "1e9"}', "fee_cap_wei: expected"),
        (f"{PATH}/0xabcdef/cancel", b'{"tip_cap_wei": "-3"}', "tip_cap_wei: expected"),
        (
            f"{PATH}/0xabcdef/cancel",
            json.dumps({"tip_cap_wei": 2**128 + 1}).encode(),
            "tip_cap_wei: expected",
        ),
        (f"{PATH}/0xabcdef/cancel", b'{"nonce": 3}', "unknown field `nonce`"),
        (f"{PATH}/0xabcdef/cancel", b'{"dry_run": "no"}', "body: "),
    ],
)
async def test_order_that_is_none_is_refused_in_one_line(
    path: str, body: bytes, said: str, tmp_path: Path, serve: Serve
) -> None:
    """422, the field and what was expected; a nonce cannot be asked for; nothing is given."""
    stage = await stage_of(tmp_path)
    client = await serve(stage)
    headers = {"Content-Type": "application/json"}
    async with client.post(path, data=body, headers=headers) as answer:
        assert answer.status == 422
        error = (await answer.json())["error"]
    assert said in error
    assert "\n" not in error
    assert clerk_of(stage).given == []


async def test_order_without_a_body_is_one(tmp_path: Path, serve: Serve) -> None:
    """What is said by the path alone needs no words."""
    stage = await stage_of(tmp_path)
    client = await serve(stage)
    headers = {"Content-Type": "application/json"}
    async with client.post(f"{PATH}/halt", headers=headers) as answer:
        assert answer.status == 200
    assert [act for act, _ in clerk_of(stage).given] == ["halt"]


async def test_body_has_room_for_a_blob_transaction_and_no_more(
    tmp_path: Path, serve: Serve
) -> None:
    """1 MiB of bytes fits; ten megabytes are not read, and neither is much for a small order."""
    stage = await stage_of(tmp_path)
    client = await serve(stage)
    headers = {"Content-Type": "application/json"}

    def body(raw: str) -> io.BytesIO:
        return io.BytesIO(json.dumps({"raw": raw}).encode())

    largest = body("0x" + "03" * 2**20)
    async with client.post(PATH, data=largest, headers=headers) as answer:
        assert answer.status == 201
    (_, given), *_ = clerk_of(stage).given
    raw: Any = given["raw"]
    assert len(raw) == 2**20
    for path, size in ((PATH, 10_000_000), (f"{PATH}/0xabcdef/replace", 5000)):
        async with client.post(path, data=body("0" * size), headers=headers) as answer:
            assert answer.status == 413
            assert list(await answer.json()) == ["error"]
    assert len(clerk_of(stage).given) == 1


@pytest.mark.parametrize("path", EVERY_ORDER)
async def test_nothing_watched_is_404_and_says_so(path: str, serve: Serve) -> None:
    """Where no account is configured, there is nothing to read and nobody to order."""
    client = await serve(Stage())
    async with client.post(path, json={"raw": "0x02"}) as answer:
        assert answer.status == 404
        assert await answer.json() == {"error": NONE_WATCHED}
    for read in (PATH, f"{PATH}/{tx_hash(17)}"):
        async with client.get(read) as answer:
            assert answer.status == 404
            assert await answer.json() == {"error": NONE_WATCHED}


async def test_nothing_watched_is_told_to_those_who_may_alone(serve: Serve) -> None:
    """Who has no token learns nothing by ordering."""
    client = await serve(Stage(), token=TOKEN)
    async with client.post(f"{PATH}/halt", json={}) as answer:
        assert answer.status == 401
