"""What an answer says of a send."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Hash32
from monitor.transactions.reactions import Outcome
from monitor.transactions.tap.judging import (
    Answer,
    Send,
    Verdict,
    answers_in,
    is_about_all,
    judge,
)
from monitor.transactions.tap.reading import Call, Kind

HASH, OTHER = Hash32("0x" + "1a" * 32), Hash32("0x" + "2b" * 32)
RECEIPT = {"transactionHash": HASH, "status": "0x1"}


def send(
    id_: bytes | None = b"1",
    hash_: Hash32 | None = HASH,
    kind: Kind = "raw",
    *,
    is_certain: bool = True,
) -> Send:
    raw = None if hash_ is None else b"raw"
    return Send(Call(id_, kind, () if raw is None else (raw,), is_certain), hash_, raw)


def result(value: Any, id_: Any = 1) -> Any:
    return {"jsonrpc": "2.0", "id": id_, "result": value}


def error(message: str, id_: Any = 1, code: int = -32000, **more: Any) -> Any:
    return {"jsonrpc": "2.0", "id": id_, "error": {"code": code, "message": message} | more}


def answers(message: Any) -> tuple[Answer, ...]:
    found = answers_in(json.dumps(message).encode())
    assert found is not None
    return found


def judged(sends: Sequence[Send], message: Any) -> list[Verdict]:
    return judge(sends, answers(message), is_batch=isinstance(message, list))


def outcomes(sends: Sequence[Send], message: Any) -> list[Outcome]:
    return [one.outcome for one in judged(sends, message)]


# -- one send --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (result(HASH), "accepted"),
        (result(HASH.upper().replace("X", "x")), "accepted"),
        (result(HASH, id_="another"), "accepted"),
        (result("queued"), "accepted"),
        ({"result": HASH, "error": None}, "accepted"),
        (error("already known"), "accepted"),
        (error("transaction already imported"), "accepted"),
        (error("Known transaction"), "accepted"),
        (error("nonce too low"), "refused"),
        (error("insufficient funds for gas * price + value"), "refused"),
        (error("replacement transaction underpriced"), "refused"),
        (error("a text that nobody has seen"), "unanswered"),
        (error("unknown transaction"), "unanswered"),
        (error("", code=-32000), "unanswered"),
        (error("parse error", id_=None), "unanswered"),
        (error("transaction indexing is in progress"), "unanswered"),
        ({"id": 1, "error": "nonce too low, in one string"}, "refused"),
        ({"id": 1, "error": "in one string"}, "unanswered"),
        ({"id": 1, "error": {}}, "unanswered"),
        ({"id": 1, "error": 5}, "unanswered"),
        ({"id": 1, "error": {"message": ["x"]}}, "unanswered"),
        ({"id": 1, "result": HASH, "error": {"message": "no"}}, "unanswered"),
        (error("request timed out"), "unanswered"),
        (error("upstream timeout"), "unanswered"),
        (error("rate limit exceeded"), "unanswered"),
    ],
)
def test_answer_to_one_send_is_judged(message: Any, expected: Outcome) -> None:
    """A result is taken, as is "known"; an error refuses it where its words are known to."""
    assert outcomes([send()], message) == [expected]


def test_answer_without_result_or_error_for_it_leaves_it_open() -> None:
    """A batch may leave out an answer, and a node may say null."""
    assert outcomes([send()], [result("0x1", id_=2), result(None)]) == ["unanswered"]
    assert outcomes([send()], [result("0x1", id_=2)]) == ["unanswered"]


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"<html>", b"null", b"[]", b"{}", b"5", b'"x"', b"\xff", b"[" * 100_000),
        *(b'{"id":1}', b'[{"id":1}]', b'{"id":1,"result":null}', b'{"id":1,"result":"0x'),
        b'[{"result":1},5]',
    ],
)
def test_body_that_is_no_answer_is_seen(body: bytes) -> None:
    """What has neither a result nor an error is no JSON-RPC, and does not pass."""
    assert answers_in(body) is None


def test_error_that_cannot_be_read_proves_nothing() -> None:
    """The client is told an error; whether the node has pooled it all the same, it does not say."""
    found = answers_in(b'{"id":1,"error":{"message":"\xff"}}')
    assert found is not None
    (one,) = judge([send()], found, is_batch=False)
    assert (one.outcome, one.message) == ("unanswered", "an error that cannot be read")


def test_refusal_carries_the_nodes_words() -> None:
    """They go into the journal; what was taken has none."""
    assert judged([send()], error("nonce too low"))[0].message == "nonce too low"
    assert judged([send()], error("already known"))[0].message == ""
    assert judged([send()], {"error": "in one string"})[0].message == "in one string"
    assert "-32000" in judged([send()], error(""))[0].message


# -- EIP-7966 --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (result(RECEIPT), "accepted"),
        (error("The transaction was added to the mempool but wasn't processed in 2s.", code=4), 0),
        (error("no receipt", code=4), 0),
        (error("The transaction was added to the transaction pool but wasn't processed"), 0),
        (error("The transaction was added to the mempool but ... a missing nonce", code=5), 0),
        (error("not ready", code=5), "unanswered"),
        (error("nonce too low"), "refused"),
    ],
)
def test_timeout_of_a_receipt_is_no_refusal(message: Any, expected: Outcome | int) -> None:
    """The transaction is in the pool: its sender is told so, and we must not forget it."""
    assert outcomes([send(kind="sync")], message) == [expected or "accepted"]


def test_code_of_the_receipts_timeout_means_nothing_elsewhere() -> None:
    """eth_sendRawTransaction has no such code."""
    assert outcomes([send()], error("no", code=4)) == ["unanswered"]
    assert outcomes([send()], error("nonce too low", code=4)) == ["refused"]


# -- batches ---------------------------------------------------------------------------------------


def test_batch_is_matched_by_id_in_any_order() -> None:
    """Answers may come in any order, among those to other calls."""
    sends = [send(b"1"), send(b'"b"', OTHER), send(b"3", OTHER)]
    message = [error("nonce too low", "b"), result("0x5", 7), result(HASH, 1.0)]
    assert outcomes(sends, message) == ["accepted", "refused", "unanswered"]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (error("batch requests are not supported", None), "unanswered"),
        ({"error": {"message": "invalid request"}}, "unanswered"),
        (error("nonce too low", None), "refused"),
        ([error("batch too large", 7)], "refused"),
    ],
)
def test_error_of_the_whole_batch_speaks_for_every_send(message: Any, expected: Outcome) -> None:
    """One error without an id, or go-ethereum's under the first, by which nothing of it was run."""
    assert is_about_all(answers(message))
    sends = [send(b"1"), send(b"2", OTHER), send(None)]
    found = judge(sends, answers(message), is_batch=True)
    assert [one.outcome for one in found] == [expected] * 3


@pytest.mark.parametrize(
    "message",
    [[error("nonce too low", 7)], [error("batch", 1), error("batch", 2)], [result("batch")]],
)
def test_error_of_one_call_speaks_for_no_other(message: Any) -> None:
    """An error with an id is that call's."""
    assert not is_about_all(answers(message))
    assert outcomes([send(b"9")], message) == ["unanswered"]


def test_ids_that_are_shared_are_told_apart_by_the_hash() -> None:
    """Two sends under one id: a result is whose hash it names, and nobody else's."""
    sends = [send(b"1", HASH), send(b"1", OTHER)]
    assert outcomes(sends, [result(OTHER), result(HASH)]) == ["accepted", "accepted"]
    assert outcomes(sends, [result(OTHER), error("nonce too low")]) == ["refused", "accepted"]
    assert outcomes(sends, [result(OTHER)]) == ["unanswered", "accepted"]
    assert outcomes(sends, [error("nonce too low")]) == ["refused", "refused"]
    assert outcomes(sends, [error("timed out"), error("nonce too low")]) == ["refused", "refused"]


def test_notification_has_no_answer() -> None:
    """Nothing in a batch's answer is to a call without an id."""
    stray = [{"result": HASH}, {"error": {"message": "x"}}]
    assert outcomes([send(None)], [result("0x1", None), *stray]) == ["unanswered"]
    assert outcomes([send(b"null")], [result(HASH, None), result("0x1", 2)]) == ["accepted"]


# -- what had to be guessed ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (result(HASH), "accepted"),
        (result(RECEIPT), "accepted"),
        ([result("0x1", 8), result(HASH, 9)], "accepted"),
        (error("already known"), "accepted"),
        (error("parse error", None), "unanswered"),
        (result("0x5"), "refused"),
        ([result("0x5", 8), error("nonce too low", 9)], "refused"),
        (error("timed out"), "unanswered"),
    ],
)
def test_guess_is_taken_where_its_hash_is_named(message: Any, expected: Outcome) -> None:
    """A result that does not name it is to another call: then it was none, and is not sent."""
    assert outcomes([send(None, is_certain=False)], message) == [expected]


def test_guess_with_an_id_keeps_to_its_answer() -> None:
    """In a batch, a guess is not judged by another call's answer."""
    message = [error("no", 7), result(HASH, 2)]
    assert outcomes([send(b"2", is_certain=False)], message) == ["accepted"]
    assert outcomes([send(b"3", is_certain=False)], message) == ["unanswered"]


# -- signed by the node ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "hash_"),
    [
        (result(HASH), HASH),
        (result(HASH.upper().replace("0X", "0x")), HASH),
        (result("0x1234"), None),
        (result({"hash": HASH}), None),
        (error("locked"), None),
    ],
)
def test_transaction_signed_by_the_node_is_known_by_its_answer(
    message: Any, hash_: Hash32 | None
) -> None:
    """Only a hash as the result says that there is one."""
    (found,) = judged([send(b"1", None, "signed_by_node")], message)
    assert found.hash == hash_
    assert (found.outcome == "accepted") is (hash_ is not None)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(("message", "code")), inner),
    max_leaves=6,
)
RESPONSES = st.fixed_dictionaries({}, optional={"id": VALUES, "result": VALUES, "error": VALUES})


@given(RESPONSES | st.lists(RESPONSES), st.booleans(), st.booleans())
def test_judging_of_anything_gives_each_send_one_verdict(
    message: Any, is_batch: bool, is_certain: bool
) -> None:
    """No answer breaks the tap, and none leaves a send without a verdict."""
    found = answers_in(json.dumps(message).encode())
    sends = [send(b"1", is_certain=is_certain), send(None, OTHER), send(b"2", None)]
    if found is not None:
        assert [one.send for one in judge(sends, found, is_batch=is_batch)] == sends
