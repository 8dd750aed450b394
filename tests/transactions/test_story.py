"""A slot's story, for a person and for a program: whole, exact, and safe to print."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace

import pytest

from monitor.model import Address, BlockNumber, BlockStamp, Evidence, Hash32, Level, Wei
from monitor.transactions.reactions import remedy_of
from monitor.transactions.story import (
    ARGUMENT_BYTES_MAX,
    RAW_BYTES_SHOWN_MAX,
    Said,
    Send,
    Stage,
    Story,
    as_json,
    curl,
    lines,
    request,
)
from monitor.transactions.words import Attempt, Slot, State, Transaction

SENDER = Address("0x" + "ab" * 20)
OTHER = Address("0x" + "cd" * 20)
FIRST, SECOND, BLOCK = (Hash32("0x" + digit * 64) for digit in "123")
RAW = bytes.fromhex("02f86b01")
SEEN = Transaction(
    hash=FIRST,
    type=2,
    chain_id=1,
    sender=SENDER,
    nonce=7,
    to=OTHER,
    value_wei=Wei(15 * 10**17),
    gas=21_000,
    fee_cap_wei=30 * 10**9,
    tip_cap_wei=1,
    blob_fee_cap_wei=None,
    data=b"\x01\x02",
)
BLOBS = replace(
    SEEN,
    hash=SECOND,
    type=3,
    to=None,
    value_wei=Wei(0),
    blob_fee_cap_wei=10**9,
    blob_count=2,
    authorizations=3,
    data=b"",
)
STORY = Story(
    network="mainnet",
    alias="scheduler",
    slot=Slot(
        id=1,
        chain_id=1,
        sender=SENDER,
        nonce=7,
        attempts=(
            Attempt(FIRST, "observed", 10.0, SEEN, has_raw=True),
            Attempt(SECOND, "replace", 40.0, None, has_raw=False),
        ),
        state=State.DROPPED,
        since=30.0,
        first_seen_at=10.0,
    ),
    sources={FIRST: "main", SECOND: "signer"},
    raw={FIRST: RAW},
    stages=(
        Stage(10.0, None, State.PENDING, "", None, "first seen: main"),
        Stage(
            30.0,
            State.PENDING,
            State.DROPPED,
            "17",
            Level.FAILED,
            "unknown everywhere for 3 rounds",
            (
                Evidence("ref", "eth_getTransactionReceipt", "null", 29.0),
                Evidence(
                    "ref", "rounds", "3", 29.0, BlockStamp(BlockNumber(5), BLOCK, 28), "3 rounds"
                ),
            ),
        ),
    ),
    sends=(
        Send(1, FIRST, "ref", "rebroadcast", 31.0, 32.0, "known", "already known"),
        Send(2, FIRST, "main", "resend", 31.0, 32.0, "accepted"),
        Send(3, FIRST, "ref", "rebroadcast", 33.0, None),
    ),
    said=(Said("main", "absent", 100, 30.0), Said("ref", "absent", None, 30.0)),
)
CURL = (
    "curl -s -H 'content-type: application/json' -d '"
    '{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":["0x02f86b01"]}'
    "' RPC_URL"
)

FEES = (
    f"type 2, to {OTHER}, value 1.5 ether, gas 21000, fee cap 30 gwei,"
    " tip cap 0.000000001 gwei, 2 bytes of data"
)


def when(at: float) -> str:
    return f"T{at:g}"


def closed() -> Story:
    slot = replace(
        STORY.slot,
        state=State.REPLACED_OTHER,
        first_seen_number=99,
        mined_number=101,
        mined_hash=BLOCK,
        closed_at=90.0,
    )
    return replace(STORY, slot=slot, consumer_hash=SECOND)


def test_story_is_told_from_its_beginning_to_its_end() -> None:
    """What it is, each attempt with its bytes and a command, states, sends, what was said."""
    assert lines(STORY, when) == (
        f"nonce 7 of {SENDER} (scheduler, mainnet, chain 1)",
        "dropped since T30",
        "first seen T10",
        "attempts",
        f"  {FIRST}",
        "    observed, first seen T10, main",
        f"    {FEES}",
        "    raw 0x02f86b01",
        f"    {CURL}",
        f"  {SECOND}",
        "    replace, first seen T40, signer",
        "    its bytes are not known",
        "states",
        "  T10  pending: first seen: main",
        "  T30  pending -> dropped (row 17, failed): unknown everywhere for 3 rounds",
        "    ref eth_getTransactionReceipt: null",
        "    ref rounds: 3 (limit: 3 rounds)",
        "sends",
        "  T31  rebroadcast 0x111111…111111 to ref: known (already known)",
        "  T31  resend 0x111111…111111 to main: accepted",
        "  T33  rebroadcast 0x111111…111111 to ref: no answer is known",
        "said",
        "  T30  main at 100: absent",
        "  T30  ref: absent",
    )


def test_story_that_is_over_says_by_what() -> None:
    """The block and the transaction that took the nonce; its height at first sight."""
    told = lines(closed(), when)
    assert told[1:5] == (
        "replaced_other since T30",
        "first seen T10 at height 99",
        f"in block 101 {BLOCK}",
        f"closed T90 by {SECOND}",
    )


def test_story_says_what_helps_where_it_was_not_taken() -> None:
    """One line for an answer, by what each node said last; nothing once the slot is closed."""
    sends = (
        Send(1, FIRST, "ref", "rebroadcast", 31.0, 32.0, "known", "already known"),
        Send(2, FIRST, "main", "resend", 31.0, 32.0, "pool_full", "txpool is full"),
        Send(3, FIRST, "ref", "rebroadcast", 33.0, 34.0, "unrecognised", "no, not that"),
        Send(4, FIRST, "main", "resend", 33.0, 34.0, "funds", "insufficient funds"),
        Send(5, FIRST, "other", "rebroadcast", 33.0, 34.0, "funds", "insufficient funds"),
        Send(6, FIRST, "ref", "rebroadcast", 35.0, None),
    )
    told = lines(replace(STORY, sends=sends), when)
    begin = told.index("what helps")
    assert told[begin - 1].startswith("  T35  rebroadcast")
    assert told[begin + 1 :] == (
        f"  ref, unrecognised: {remedy_of('unrecognised')}",
        f"  main, other, funds: {remedy_of('funds')}",
        "said",
        "  T30  main at 100: absent",
        "  T30  ref: absent",
    )
    assert "what helps" not in lines(replace(closed(), sends=sends), when)


def test_story_without_sends_has_no_heading_for_them() -> None:
    """Nor for what nobody said, nor for what helps."""
    told = lines(replace(STORY, sends=(), said=()), when)
    assert not {"sends", "what helps", "said"} & set(told)


def test_stage_in_a_block_names_it() -> None:
    """Height and hash: after a reorganisation it is another."""
    stage = replace(STORY.stages[0], mined_number=5, mined_hash=BLOCK)
    assert f"    block 5 {BLOCK}" in lines(replace(STORY, stages=(stage,)), when)


def test_transaction_of_another_kind_is_described() -> None:
    """A creation, blobs and authorizations are named, and nothing that is not there."""
    attempt = Attempt(SECOND, "replace", 40.0, BLOBS, has_raw=False)
    told = lines(replace(STORY, slot=replace(STORY.slot, attempts=(attempt,))), when)
    assert (
        "    type 3, creates a contract, value 0 ether, gas 21000, fee cap 30 gwei,"
        " tip cap 0.000000001 gwei, 2 blobs, blob fee cap 1 gwei, 3 authorizations,"
        " 0 bytes of data" in told
    )


@pytest.mark.parametrize(
    ("wei", "ether"),
    [
        (0, "0"),
        (1, "0.000000000000000001"),
        (10**18, "1"),
        (10**19, "10"),
        (10**18 + 10**17, "1.1"),
        (2**256 - 1, f"{(2**256 - 1) // 10**18}.{(2**256 - 1) % 10**18:018d}"),
    ],
)
def test_amount_is_never_rounded(wei: int, ether: str) -> None:
    """To the last wei, and without zeros that say nothing."""
    attempt = Attempt(FIRST, "observed", 1.0, replace(SEEN, value_wei=Wei(wei)), has_raw=False)
    told = lines(replace(STORY, slot=replace(STORY.slot, attempts=(attempt,))), when)
    assert any(f", value {ether} ether, " in line for line in told)


@pytest.mark.parametrize("bad", ["\x1b[2J", "a\nb", "\r", "\x00", "\u202e", "\x9b1m"])
def test_words_of_others_do_nothing_to_a_terminal(bad: str) -> None:
    """What a node says stays on its line and moves no cursor, wherever it stands."""
    stage = replace(
        STORY.stages[1],
        summary=bad,
        evidence=(Evidence(bad, bad, bad, 1.0, threshold=bad),),
    )
    told = replace(
        STORY,
        alias=bad,
        network=bad,
        sources={FIRST: bad},
        stages=(stage,),
        sends=(Send(1, FIRST, bad, bad, 1.0, 2.0, bad, bad),),
        said=(Said(bad, bad, 1, 1.0),),
    )
    for line in lines(told, when):
        assert line.isprintable(), line
        assert bad not in line


def test_command_sends_the_bytes_and_names_no_endpoint() -> None:
    """A shell hands curl one JSON-RPC request; where to is for the person to say."""
    assert curl(RAW) == CURL
    *_, body, url = shlex.split(curl(RAW))
    assert json.loads(body)["params"] == ["0x02f86b01"]
    assert url == "RPC_URL"


@pytest.mark.parametrize(("more", "is_given"), [(0, True), (1, False)])
def test_command_that_would_be_too_long_reads_a_file(more: int, *, is_given: bool) -> None:
    """No shell takes an argument beyond its limit: the request is to be put into a file."""
    empty = len(request(b""))
    raw = bytes((ARGUMENT_BYTES_MAX - empty) // 2 + more)
    assert (len(request(raw)) <= ARGUMENT_BYTES_MAX) is is_given
    given = shlex.split(curl(raw))[-2]
    assert given == (request(raw) if is_given else "@request.json")


@pytest.mark.parametrize(("size", "is_whole"), [(RAW_BYTES_SHOWN_MAX, True), (131_072, False)])
def test_bytes_are_shown_whole_up_to_a_limit(size: int, *, is_whole: bool) -> None:
    """Blobs fill no terminal; JSON has them."""
    story = replace(STORY, raw={FIRST: bytes(size)})
    (shown,) = [line for line in lines(story, when) if line.startswith("    raw ")]
    assert shown.endswith("(131072 bytes; as JSON it is whole)") is not is_whole
    assert len(re.sub(r"….*", "", shown)) <= len("    raw 0x") + 2 * RAW_BYTES_SHOWN_MAX
    attempts = as_json(story)["attempts"]
    assert isinstance(attempts, list)
    assert len(attempts[0]["raw"]) == 2 + 2 * size


def test_story_as_json_holds_all_of_it() -> None:
    """Times in seconds, wei as text, states and levels as words."""
    told = json.loads(json.dumps(as_json(closed())))
    attempts, states, sends, said = (
        told.pop(name) for name in ("attempts", "states", "sends", "said")
    )
    assert told == {
        "network": "mainnet",
        "alias": "scheduler",
        "chain_id": 1,
        "sender": SENDER,
        "nonce": 7,
        "state": "replaced_other",
        "since": 30.0,
        "first_seen_at": 10.0,
        "first_seen_number": 99,
        "mined_number": 101,
        "mined_hash": BLOCK,
        "closed_at": 90.0,
        "consumer_hash": SECOND,
    }
    assert attempts == [
        {
            "hash": FIRST,
            "kind": "observed",
            "first_seen_at": 10.0,
            "source": "main",
            "transaction": {
                "type": 2,
                "chain_id": 1,
                "to": OTHER,
                "value_wei": "1500000000000000000",
                "gas": "21000",
                "fee_cap_wei": "30000000000",
                "tip_cap_wei": "1",
                "blob_fee_cap_wei": None,
                "blob_count": 0,
                "authorizations": 0,
                "data": "0x0102",
            },
            "raw": "0x02f86b01",
            "curl": CURL,
        },
        {
            "hash": SECOND,
            "kind": "replace",
            "first_seen_at": 40.0,
            "source": "signer",
            "transaction": None,
            "raw": None,
            "curl": None,
        },
    ]
    assert [(each["before"], each["state"], each["level"]) for each in states] == [
        (None, "pending", None),
        ("pending", "dropped", "failed"),
    ]
    assert states[1]["evidence"][1] == {
        "source": "ref",
        "method": "rounds",
        "said": "3",
        "at": 29.0,
        "block": {"number": 5, "hash": BLOCK},
        "threshold": "3 rounds",
        "p_value": None,
    }
    assert (states[1]["row"], states[1]["summary"], states[1]["at"]) == (
        "17",
        "unknown everywhere for 3 rounds",
        30.0,
    )
    assert sends[0] == {
        "hash": FIRST,
        "node": "ref",
        "act": "rebroadcast",
        "intent_at": 31.0,
        "done_at": 32.0,
        "reaction": "known",
        "message": "already known",
    }
    assert said == [
        {"at": 30.0, "node": "main", "said": "absent", "number": 100},
        {"at": 30.0, "node": "ref", "said": "absent", "number": None},
    ]


def test_blob_transaction_as_json_has_its_cap_as_text() -> None:
    """As every amount."""
    attempt = Attempt(SECOND, "replace", 40.0, BLOBS, has_raw=False)
    told = as_json(replace(STORY, slot=replace(STORY.slot, attempts=(attempt,))))
    assert isinstance(told["attempts"], list)
    assert told["attempts"][0]["transaction"]["blob_fee_cap_wei"] == "1000000000"
