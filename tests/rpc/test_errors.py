"""The drawn tree of failures, and the many ways to say that a method is absent."""

from __future__ import annotations

from typing import get_args

import pytest

from monitor.model import Unseen, UnseenReason
from monitor.rpc.errors import (
    BudgetSpent,
    CallRejected,
    CallTimeout,
    ConnectionRefused,
    MalformedAnswer,
    MethodAbsent,
    RpcError,
    Throttled,
    is_absent,
    is_throttled,
)

TREE: list[tuple[RpcError, UnseenReason]] = [
    (CallTimeout("x"), "timeout"),
    (ConnectionRefused("x"), "refused"),
    (Throttled("x"), "refused"),
    (CallRejected("x", -32000), "rpc_error"),
    (MethodAbsent("x", -32601), "unsupported"),
    (MalformedAnswer("x"), "malformed"),
    (BudgetSpent("x"), "budget"),
]


@pytest.mark.parametrize(
    ("error", "reason"), TREE, ids=lambda value: value if isinstance(value, str) else ""
)
def test_error_is_written_down_under_its_reason(error: RpcError, reason: UnseenReason) -> None:
    """Every leaf has one reason, and its text becomes the detail."""
    assert isinstance(error, RpcError)
    assert error.unseen() == Unseen(reason, "x")


def test_errors_cover_every_reason_but_ours() -> None:
    """`no_quorum` and mistakes of ours are not a call's; all others come of one."""
    ours = {"no_quorum", "internal_error"}
    assert {reason for _, reason in TREE} == set(get_args(UnseenReason)) - ours


def test_method_absent_is_a_rejection_with_a_code() -> None:
    """Who only asks whether the node answered need not know the difference."""
    error = MethodAbsent("x", -32601)
    assert isinstance(error, CallRejected)
    assert error.code == -32601


@pytest.mark.parametrize(
    ("code", "message", "absent"),
    [
        (-32601, "", True),
        (-32601, "anything at all", True),
        (-32004, "", True),
        (-32000, "THE METHOD ETH_FOO DOES NOT EXIST/IS NOT AVAILABLE", True),
        (-32600, "unknown variant `eth_foo`, expected one of `eth_bar`", True),
        (0, "Method eth_foo not supported.", True),
        (-32604, "Method not enabled", True),
        (-32000, "unsupported method: eth_foo", True),
        (-32000, "historical state is not available", False),
        (-32000, "account does not exist", False),
        (-32000, "tag finalized not supported", False),
        (-32603, "method handler crashed", False),
        (-32005, "limit exceeded", False),
        (-32602, "invalid argument 0", False),
        (-32700, "parse error", False),
        (0, "", False),
    ],
)
def test_absence_is_told_by_code_or_by_words_about_a_method(
    code: int, message: str, absent: bool
) -> None:
    """Two codes are certain; words count only where they speak of a method."""
    assert is_absent(code, message) is absent


@pytest.mark.parametrize(
    ("error", "throttled"),
    [
        (Throttled("HTTP 429"), True),
        (CallRejected("eth_call: error -32005: limit exceeded", -32005), True),
        (CallRejected("eth_call: error 429: compute units per second", 429), True),
        (CallRejected("error -32005: query returned more than 10000 results", -32005), False),
        (CallRejected("eth_call: error -32000: execution reverted", -32000), False),
        (MethodAbsent("eth_foo: error -32601: method not found", -32601), False),
        (ConnectionRefused("HTTP 503"), False),
        (CallTimeout("no answer within 5 s"), False),
        (BudgetSpent("spent"), False),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, RpcError) else "",
)
def test_error_of_a_node_that_is_asked_too_much_is_told_apart(
    error: RpcError, *, throttled: bool
) -> None:
    """By HTTP status or by code; an answer that would be too large has the same code."""
    assert is_throttled(error) is throttled
