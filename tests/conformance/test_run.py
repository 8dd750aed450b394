"""Vectors are put as they are written, and what cannot be seen is neither guilt nor a pass."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from monitor.conformance.finding import find, head_hash, read_skips
from monitor.conformance.outcome import Conformance
from monitor.conformance.run import AT_ONCE, UNSEEN_MAX, Plan, run
from monitor.conformance.vectors import VectorError
from monitor.rpc.node import Limits
from monitor.url import Url
from tests.conformance.written import answers, asks, refuses, write, write_head
from tests.rpc.canned import Canned, Clock, Refusal, nothing_unheard, serving

KEY = "s3cretKey0123456789"
NOW = 1_700_000_000.0


async def put(node: Canned, folder: Path, skip: Path | None = None, **more: Any) -> Conformance:
    """The vectors of a folder, put to a node that listens."""
    plan = Plan(
        folder=folder,
        url=Url(f"{node.url}/{KEY}"),
        places=find(folder),
        head=head_hash(folder),
        skips=() if skip is None else read_skips(skip),
        limits=more.pop("limits", Limits(deadline_seconds=5.0, batch_calls_max=1)),
    )
    with nothing_unheard():
        return await run(plan, clock=Clock(NOW), **more)


def came(found: Conformance) -> dict[str, tuple[str, str]]:
    """(outcome, reason) of each file."""
    return {one.id: (one.outcome, one.reason) for one in found.files}


async def test_each_file_comes_to_what_the_node_answers(tmp_path: Path) -> None:
    """Each by itself, in the order of methods and names."""
    write(tmp_path, "eth_b/same", asks("eth_b"), answers("0x1"))
    write(tmp_path, "eth_b/other", asks("eth_b"), answers("0x2"))
    write(tmp_path, "eth_b/shape", "// speconly:", asks("eth_b"), answers("0x2"))
    write(tmp_path, "eth_a/error", asks("eth_a"), refuses(3))
    write(tmp_path, "eth_a/other", asks("eth_a"), refuses(4))
    write(tmp_path, "eth_c/gone", asks("eth_c"), answers("0x1"))
    write(tmp_path, "eth_c/known", asks("eth_c"), refuses(-32601))
    node = Canned(answers={"eth_b": "0x1", "eth_a": Refusal("reverted", 3)})
    async with serving(node):
        found = await put(node, tmp_path)
    assert list(came(found).items()) == [
        ("eth_a/error", ("pass", "same")),
        ("eth_a/other", ("fail", "differs")),
        ("eth_b/other", ("fail", "differs")),
        ("eth_b/same", ("pass", "same")),
        ("eth_b/shape", ("pass", "same")),
        ("eth_c/gone", ("skipped", "absent")),
        ("eth_c/known", ("pass", "same")),
    ]
    assert (found.client, found.chain, found.blind) == (node.version, "", "")
    (one,) = (one for one in found.files if one.id == "eth_b/other")
    assert [(each.baseline, each.candidate) for each in one.differences] == [('"0x2"', '"0x1"')]


@pytest.mark.parametrize("code", [-32000, -32601, -32004])
async def test_method_that_answered_is_not_absent_whatever_is_said_of_it(
    tmp_path: Path, code: int
) -> None:
    """An error whose words are those of a missing method is another answer where it is there."""
    write(tmp_path, "eth_call/crashes", asks("eth_call", "b"), answers("0x1"))
    write(tmp_path, "eth_call/works", asks("eth_call", "c"), answers("0x1"))
    write(tmp_path, "eth_revert/crashes", asks("eth_revert", "b"), answers("0x1"))
    write(tmp_path, "eth_revert/works", asks("eth_revert", "a"), refuses(3))
    write(tmp_path, "eth_gone/one", asks("eth_gone", "b"), answers("0x1"))
    write(tmp_path, "eth_gone/two", asks("eth_gone", "b"), refuses(3))
    crash = Refusal("method handler crashed: value not available", code)
    said = {"a": Refusal("reverted", 3), "b": crash, "c": "0x1"}
    node = Canned(
        answers=dict.fromkeys(
            ("eth_call", "eth_revert", "eth_gone"), lambda params: said[params[0]]
        )
    )
    async with serving(node):
        found = await put(node, tmp_path)
    assert came(found) == {
        "eth_call/crashes": ("fail", "differs"),
        "eth_call/works": ("pass", "same"),
        "eth_gone/one": ("skipped", "absent"),
        "eth_gone/two": ("skipped", "absent"),
        "eth_revert/crashes": ("fail", "differs"),
        "eth_revert/works": ("pass", "same"),
    }
    (one,) = (one for one in found.files if one.id == "eth_call/crashes")
    assert [(each.baseline, each.candidate) for each in one.differences] == [
        ("a result", f"error {code}")
    ]


async def test_request_is_put_as_it_is_written_with_an_id_of_ours(tmp_path: Path) -> None:
    """Each in a request of its own, its params to the letter."""
    number = "12345678901234567890123"
    call = f'{{"id":"theirs","method":"eth_a","params":[{number},{{"b":1,"a":2}}]}}'
    write(tmp_path, "eth_a/one", f">> {call}", answers(1))
    sent: list[bytes] = []

    async def seen(request: web.BaseRequest, message: Any) -> None:
        del message
        sent.append(await request.read())

    node = Canned(answers={"eth_a": 1}, respond=seen)
    async with serving(node):
        found = await put(node, tmp_path)
    assert came(found) == {"eth_a/one": ("pass", "same")}
    (mine,) = (body for body in sent if b"eth_a" in body)
    assert f'"params":[{number},{{"b":1,"a":2}}]'.encode() in mine
    assert json.loads(mine)["id"] != "theirs"


async def test_round_trips_go_in_order_and_end_where_one_is_not_as_expected(tmp_path: Path) -> None:
    """What comes after it may rest on it; the line is that of its request."""
    lines = [asks("eth_a"), answers(1), asks("eth_b"), answers(2), asks("eth_c"), answers(3)]
    write(tmp_path, "eth_a/bad", "// it", *lines)
    node = Canned(answers={"eth_a": 1, "eth_b": 0, "eth_c": 3})
    async with serving(node):
        found = await put(node, tmp_path)
        (one,) = found.files
        assert (one.outcome, one.line) == ("fail", 4)
        assert node.methods == ["web3_clientVersion", "eth_a", "eth_b"]
        node.forget()
        node.answers["eth_b"] = 2
        found = await put(node, tmp_path)
    assert found.files[0].summary == "3 answers as expected"
    assert node.methods == ["web3_clientVersion", "eth_a", "eth_b", "eth_c"]


async def test_what_may_change_something_goes_last_and_alone(tmp_path: Path) -> None:
    """Nobody else reads while a transaction is sent."""
    write(tmp_path, "eth_aSend/one", asks("eth_sendRawTransaction", "0x"), answers(1))
    write(
        tmp_path, "eth_aSend/two", asks("eth_gasPrice"), answers(1), asks("eth_aSend"), answers(1)
    )
    for index in range(3):
        write(tmp_path, f"eth_gasPrice/{index}", asks("eth_gasPrice"), answers(1))
    node = Canned(answers=dict.fromkeys(("eth_sendRawTransaction", "eth_gasPrice", "eth_aSend"), 1))
    async with serving(node):
        found = await put(node, tmp_path)
    assert {outcome for outcome, _ in came(found).values()} == {"pass"}
    assert node.methods[1:] == [
        *["eth_gasPrice"] * 3,
        *("eth_sendRawTransaction", "eth_gasPrice", "eth_aSend"),
    ]


async def test_files_are_put_at_once_up_to_a_bound(tmp_path: Path) -> None:
    """So many are under way, and never one more."""
    for index in range(2 * AT_ONCE):
        write(tmp_path, f"eth_gasPrice/{index}", asks("eth_gasPrice"), answers(1))
    under_way: set[int] = set()
    most: list[int] = []
    full = asyncio.Event()

    async def held(request: web.BaseRequest, message: Any) -> None:
        del request
        if message["method"] == "eth_gasPrice":
            under_way.add(message["id"])
            most.append(len(under_way))
            if len(under_way) == AT_ONCE:
                full.set()
            await full.wait()
            under_way.discard(message["id"])

    node = Canned(answers={"eth_gasPrice": 1}, respond=held)
    done: list[tuple[int, int]] = []
    async with serving(node):
        await put(node, tmp_path, progress=lambda *step: done.append(step))
    assert max(most) == AT_ONCE
    assert done == [(index, 2 * AT_ONCE) for index in range(1, 2 * AT_ONCE + 1)]


async def test_left_out_is_not_put(tmp_path: Path) -> None:
    """And says why."""
    write(tmp_path, "eth_gasPrice/one", asks("eth_gasPrice"), answers(2))
    skip = tmp_path / "skip"
    skip.write_text("eth_gas*/one  # differs by client\n")
    node = Canned(answers={"eth_gasPrice": 1})
    async with serving(node):
        found = await put(node, tmp_path, skip)
    assert came(found) == {"eth_gasPrice/one": ("skipped", "left_out")}
    assert found.files[0].summary == "left out: differs by client"
    assert node.methods == ["web3_clientVersion"]


async def test_broken_file_leaves_nothing_half_done(tmp_path: Path) -> None:
    """No node is asked anything before all files can be read."""
    write(tmp_path, "eth_a/one", asks("eth_a"), answers(1))
    write(tmp_path, "eth_b/one", asks("eth_a"))
    node = Canned(answers={"eth_a": 1})
    async with serving(node):
        with pytest.raises(VectorError, match=r"eth_b/one\.io: line 1: the request has no answer"):
            await put(node, tmp_path)
    assert node.methods == []


async def test_file_that_breaks_meanwhile_is_unknown(tmp_path: Path) -> None:
    """The others are told all the same."""
    write(tmp_path, "eth_a/one", asks("eth_a"), answers(1))
    second = write(tmp_path, "eth_a/two", asks("eth_a"), answers(1))
    node = Canned(answers={"eth_a": 1})
    async with serving(node):
        found = await put(node, tmp_path, progress=lambda *step: second.write_text("?"))
    assert list(came(found).values()) == [("pass", "same"), ("unknown", "changed")]


# -- on which chain ------------------------------------------------------------------------------


def by_hash(node: Canned) -> None:
    """Let a node know its blocks by hash, and one that lies on no chain."""

    def block(params: list[Any]) -> Any:
        known = {node.chain.hash(number): number for number in range(node.chain.head + 1)}
        if params[0] == STRAY:
            return node.chain.block(1) | {"hash": STRAY}
        return node.chain.block(known[params[0]]) if params[0] in known else None

    node.answers["eth_getBlockByHash"] = block


STRAY = "0x" + "5" * 64


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (100, "its head is the vectors', block 100"),
        (99, "its head is 1 block beyond the vectors', block 99"),
        (0, "its head is 100 blocks beyond the vectors', block 0"),
    ],
)
async def test_head_or_ancestor_of_it_is_the_vectors_chain(
    tmp_path: Path, number: int, said: str
) -> None:
    """How far the node is beyond is told: `latest` means another block then."""
    node = Canned(answers={"eth_a": 1})
    by_hash(node)
    write(tmp_path, "eth_a/one", asks("eth_a"), answers(1))
    write_head(tmp_path, node.chain.hash(number))
    async with serving(node):
        found = await put(node, tmp_path)
    assert (found.chain, found.blind) == (said, "")
    assert came(found) == {"eth_a/one": ("pass", "same")}


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (
            "0x" + "7" * 64,
            f"the node is on another chain, or not yet there: it has no block 0x{'7' * 64}",
        ),
        (STRAY, "the node is on another chain: block 1 is 0x"),
    ],
)
async def test_node_on_another_chain_is_asked_nothing_more(
    tmp_path: Path, head: str, said: str
) -> None:
    """Its answers would mean nothing; a block on a branch that was left is on no chain."""
    node = Canned(answers={"eth_a": 1})
    by_hash(node)
    write(tmp_path, "eth_a/one", asks("eth_a"), answers(1))
    write_head(tmp_path, head)
    async with serving(node):
        found = await put(node, tmp_path)
    assert found.blind.startswith(said)
    assert found.files == ()
    assert "eth_a" not in node.methods


async def test_node_whose_blocks_cannot_be_read_is_asked_nothing_more(tmp_path: Path) -> None:
    """An error is no other chain."""
    node = Canned(answers={"eth_getBlockByHash": Refusal("busy", -32000)})
    write(tmp_path, "eth_a/one", asks("eth_a"), answers(1))
    write_head(tmp_path, STRAY)
    async with serving(node):
        found = await put(node, tmp_path)
    assert found.blind.startswith("whether it is on the vectors' chain cannot be seen: ")
    assert found.files == ()


# -- what cannot be seen -------------------------------------------------------------------------


async def test_node_that_is_not_there_is_told_in_one_line(tmp_path: Path) -> None:
    """Nothing of its URL, and no file that failed."""
    write(tmp_path, "eth_a/one", asks("eth_a"), answers(1))
    node = Canned()
    async with serving(node):
        pass
    found = await put(node, tmp_path)
    assert found.blind == "the node cannot be asked: connection refused"
    assert found.files == ()


async def test_node_without_a_version_is_asked_all_the_same(tmp_path: Path) -> None:
    """It answers, which is enough."""
    write(tmp_path, "eth_a/one", asks("eth_a"), answers(1))
    node = Canned(answers={"eth_a": 1, "web3_clientVersion": Refusal("no", -32601)})
    async with serving(node):
        found = await put(node, tmp_path)
    assert (found.client, came(found)) == ("", {"eth_a/one": ("pass", "same")})


async def test_answer_that_does_not_come_is_unknown_and_one_that_is_none_a_failure(
    tmp_path: Path,
) -> None:
    """A node that is slow has not answered otherwise; one that writes HTML has."""
    for method in ("eth_gasPrice", "eth_chainId", "eth_syncing"):
        write(tmp_path, f"{method}/one", asks(method), answers("0x1"))
    forever = asyncio.Event()

    async def respond(request: web.BaseRequest, message: Any) -> web.Response | None:
        del request
        if message["method"] == "eth_gasPrice":
            await forever.wait()
        if message["method"] == "eth_chainId":
            return web.Response(text="<html>")
        return None

    node = Canned(answers={"eth_syncing": "0x1"}, respond=respond)
    async with serving(node):
        limits = Limits(deadline_seconds=0.3, batch_calls_max=1)
        found = await put(node, tmp_path, limits=limits)
        forever.set()
    assert came(found) == {
        "eth_chainId/one": ("fail", "malformed"),
        "eth_gasPrice/one": ("unknown", "timeout"),
        "eth_syncing/one": ("pass", "same"),
    }


@pytest.mark.parametrize("more", [-1, 0, 1])
async def test_node_that_has_stopped_answering_is_left_alone(tmp_path: Path, more: int) -> None:
    """After so many calls in a row; each would take its deadline."""
    for index in range(UNSEEN_MAX + more):
        write(tmp_path, f"eth_a/{index:02}", asks("eth_a"), answers(1))

    async def respond(request: web.BaseRequest, message: Any) -> web.Response | None:
        del request
        return web.Response(status=503) if message["method"] == "eth_a" else None

    node = Canned(respond=respond)
    async with serving(node):
        found = await put(node, tmp_path)
    reasons = [reason for _, reason in came(found).values()]
    assert reasons.count("refused") == min(UNSEEN_MAX, UNSEEN_MAX + more)
    assert reasons.count("not_asked") == max(0, more)
    assert {outcome for outcome, _ in came(found).values()} == {"unknown"}


async def test_answer_in_between_begins_the_count_anew(tmp_path: Path) -> None:
    """A node that hangs on one method is asked for all others."""
    for index in range(2 * UNSEEN_MAX):
        method = "eth_a" if index % UNSEEN_MAX else "eth_b"
        write(tmp_path, f"eth_a/{index:02}", asks(method), answers(1))

    async def respond(request: web.BaseRequest, message: Any) -> web.Response | None:
        del request
        return web.Response(status=503) if message["method"] == "eth_a" else None

    node = Canned(answers={"eth_b": 1}, respond=respond)
    async with serving(node):
        found = await put(node, tmp_path)
    assert {reason for _, reason in came(found).values()} == {"refused", "same"}


@pytest.mark.parametrize("before", range(40, 80, 4))
async def test_nothing_of_the_url_is_told(tmp_path: Path, before: int) -> None:
    """Whatever a node echoes: its version, a value, a key; where a text is cut, too."""
    write(tmp_path, "eth_a/one", asks("eth_a"), answers({"a": "0x1"}))
    write(tmp_path, "eth_b/one", asks("eth_b"), answers("0x1"))
    echo = f"http://node.example.org/{KEY}"
    said = {"a": "-" * before + KEY, KEY: 1, "b": echo}
    node = Canned(version=f"node {echo}", answers={"eth_a": said, "eth_b": [echo] * 9})
    async with serving(node):
        found = await put(node, tmp_path)
    assert set(came(found).values()) == {("fail", "differs")}
    assert "***" in repr(found)
    assert KEY[:6] not in repr(found)
    one = found.files[0]
    assert [each.path for each in one.differences] == ["***", "b", "a"]
    assert one.summary == "eth_a: 3 differences, the first at ***"


async def test_key_that_is_expected_to_be_masked_is_not_told(tmp_path: Path) -> None:
    """Masked it is the very answer; and JSON may write a key in escapes."""
    write(tmp_path, "eth_a/one", asks("eth_a"), answers("***"))
    escaped = "".join(f"\\u{ord(c):04x}" for c in KEY)

    async def respond(request: web.BaseRequest, message: Any) -> web.Response | None:
        del request
        text = f'{{"jsonrpc":"2.0","id":{message["id"]},"result":"{escaped}"}}'
        return web.Response(text=text) if message["method"] == "eth_a" else None

    node = Canned(respond=respond)
    async with serving(node):
        found = await put(node, tmp_path)
    assert came(found) == {"eth_a/one": ("fail", "differs")}
    assert KEY[1:6] not in repr(found)
    (difference,) = found.files[0].differences
    assert (difference.baseline, difference.candidate) == ("***", "***")
