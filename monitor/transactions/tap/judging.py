"""Reads answers: whether the node took what was sent, refused it, or left that open.

The direction of doubt is chosen for each case. A sender who was told an error may sign the payment
again: so what its node refused is never sent by us. An error is a refusal where its text is known
to be one (`reactions`). In words that nobody knows it proves nothing, as where no answer of the
node stands behind it: then everybody is asked whether the transaction is on its way, and it is not
sent by us unless somebody has it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from monitor.model import Hash32
from monitor.transactions.reactions import MEANING, Outcome, react
from monitor.transactions.tap.reading import UNREADABLE, Call, id_key

POOLED = "was added to the"
"""EIP-7966's errors 4 and 5 go on with `mempool`, go-ethereum's with `transaction pool`."""
RECEIPT_TIMEOUT = 4
"""EIP-7966: it was added to the pool, and no block had it in time."""
OF_ALL = "batch"
"""go-ethereum answers a batch that is too long with one error under its first id."""
DOUBT: tuple[Outcome, ...] = ("accepted", "refused", "unanswered")
_HASH = re.compile(rb'"(0x[0-9a-f]{64})"')


class _Answer(msgspec.Struct, frozen=True):
    """One JSON-RPC response; `Raw` is JSON as it came, empty where it did not come."""

    id: msgspec.Raw = msgspec.Raw(b"")
    result: msgspec.Raw = msgspec.Raw(b"")
    error: msgspec.Raw = msgspec.Raw(b"")


_answers: msgspec.json.Decoder[list[_Answer] | _Answer] = msgspec.json.Decoder(
    list[_Answer] | _Answer
)


@dataclass(frozen=True, slots=True)
class Answer:
    """One response: a result, an error, or neither."""

    id: bytes | None
    """As `reading.id_key` has it."""
    result: bytes
    """JSON; empty for none, and for null."""
    error: str | None
    """Its text; None where it is no error."""
    code: int | None = None

    @property
    def is_result(self) -> bool:
        return bool(self.result) and self.error is None

    def names(self, hash_: str) -> bool:
        """Whether the hash is in the result: as the result, or in a receipt."""
        return hash_.encode() in self.result.lower()


@dataclass(frozen=True, slots=True)
class Send:
    """One transaction on its way."""

    call: Call
    hash: Hash32 | None
    """None where the node signs it: only its answer tells."""
    raw: bytes | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one transaction, as far as its sender was told."""

    send: Send
    outcome: Outcome
    message: str = ""
    """The node's error, or why there is no answer; empty where it was taken."""
    hash: Hash32 | None = None
    """None where the node was to sign it and did not."""


def answers_in(body: bytes) -> tuple[Answer, ...] | None:
    """The responses in a body, in its order; None for what is no JSON-RPC."""
    try:
        read = _answers.decode(body)
    except UNREADABLE:
        return None
    many = tuple(_answer(one) for one in (read if isinstance(read, list) else [read]))
    return many if any(one.result or one.error is not None for one in many) else None


def is_about_all(answers: Sequence[Answer]) -> bool:
    """Whether this one error speaks for every call of a batch."""
    if len(answers) != 1 or answers[0].error is None:
        return False
    return answers[0].id in {None, b"null"} or OF_ALL in answers[0].error.lower()


def judge(sends: Sequence[Send], answers: Sequence[Answer], *, is_batch: bool) -> list[Verdict]:
    """One verdict for each send of a request, in their order, from all answers to it."""
    of_all = not is_batch or is_about_all(answers)
    ids = Counter(send.call.id for send in sends)
    verdicts = []
    for send in sends:
        id_ = send.call.id
        if of_all or (id_ is None and not send.call.is_certain):
            mine = list(answers)
        else:
            mine = [one for one in answers if one.id == id_ and id_ is not None]
        verdicts.append(verdict(send, mine, is_shared=ids[id_] > 1))
    return verdicts


def verdict(send: Send, answers: Sequence[Answer], *, is_shared: bool) -> Verdict:
    """What the answers to its call say of one send.

    `is_shared`: other sends have the same id, so that only the hash tells whose a result is.
    """
    results = [one for one in answers if one.is_result]
    if send.hash is None:
        hash_ = next((found for one in results if (found := _hash_in(one.result))), None)
        return Verdict(send, "accepted" if hash_ else "refused", hash=hash_)
    if any(one.names(send.hash) for one in results):
        return Verdict(send, "accepted", hash=send.hash)
    errors = [_of_error(send, one) for one in answers if one.error is not None]
    if errors:
        # Of several, each may be this one's: taken by one is taken, and refused beats unknown.
        return min(errors, key=lambda one: DOUBT.index(one.outcome))
    if results and send.call.is_certain and not is_shared:
        # A gateway may answer with another thing than the hash: to its sender it is a success.
        return Verdict(send, "accepted", hash=send.hash)
    if results and not send.call.is_certain:
        return Verdict(send, "refused", "the answer is of another call", send.hash)
    return Verdict(send, "unanswered", "there is no answer to it", send.hash)


def _hash_in(result: bytes) -> Hash32 | None:
    """The hash that a result is, of a transaction that the node signed."""
    found = _HASH.fullmatch(result.lower())
    return Hash32(found[1].decode()) if found else None


def _answer(one: _Answer) -> Answer:
    id_, result, error = bytes(one.id), bytes(one.result), bytes(one.error)
    text, code = _read_error(error)
    return Answer(
        id=id_key(id_),
        result=b"" if result == b"null" else result,
        error=text,
        code=code,
    )


def _read_error(raw: bytes) -> tuple[str | None, int | None]:
    """Text and code of an error object; some gateways send a string in its place."""
    if raw in {b"", b"null"}:
        return None, None
    try:
        value: Any = msgspec.json.decode(raw)
    except UNREADABLE:
        return "an error that cannot be read", None
    if isinstance(value, dict):
        message, code = value.get("message"), value.get("code")
        text = message if isinstance(message, str) and message else raw.decode(errors="replace")
        return text, code if isinstance(code, int) else None
    return (value if isinstance(value, str) and value else raw.decode(errors="replace")), None


def _of_error(send: Send, answer: Answer) -> Verdict:
    text = answer.error or ""
    timed_out = send.call.kind == "sync" and answer.code == RECEIPT_TIMEOUT
    if timed_out or POOLED in text.lower():
        return Verdict(send, "accepted", hash=send.hash)
    outcome = MEANING[react(text)].outcome
    return Verdict(send, outcome, "" if outcome == "accepted" else text, send.hash)
