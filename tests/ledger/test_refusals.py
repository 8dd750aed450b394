"""A contract that reverts is told from a node that cannot look, in every client's words."""

from __future__ import annotations

import pytest

from monitor.ledger.refusals import CODES, ROWS, Meaning, meaning_of
from monitor.rpc.errors import (
    BudgetSpent,
    CallRejected,
    CallTimeout,
    ConnectionRefused,
    MalformedAnswer,
    MethodAbsent,
    RpcError,
)

SAID = {
    Meaning.REVERTED: (
        (3, "execution reverted"),
        (-32000, "execution reverted"),
        (-32000, "execution reverted: historical state is not available"),
        (-32015, "VM execution error."),
        (-32000, "VM Exception while processing transaction: revert"),
        (-32603, "Error: Transaction reverted without a reason string"),
        (-32000, "Reverted 0x"),
        (-32000, "invalid opcode: INVALID"),
        (-32000, "invalid opcode: opcode 0xfe not defined"),
        (-32603, "EVM error InvalidFEOpcode"),
        (-32603, "EVM error OutOfGas"),
        (-32000, "out of gas"),
        (-32000, "Bad instruction fe"),
        (-32000, "stack limit reached 1024 (1023)"),
    ),
    Meaning.NO_BLOCK: (
        (-32000, "header not found"),
        (-32000, "header for hash not found"),
        (-32000, "Block not found"),
        (-39001, "Unknown block"),
        (-32001, "Resource not found"),
        (-32602, "BlockOutOfRangeError: block height is 20 but requested was 1000"),
        (-32000, "hash 0x12 is not currently canonical"),
    ),
    Meaning.PRUNED: (
        (-32000, "missing trie node 1a3bddc494098bac19ef26e6506812caa12ca5cf036a13ef0 (path )"),
        (-32000, "required historical state unavailable (reexec=128)"),
        (-32000, "historical state 12ab is not available"),
        (-32000, "historical state not available in path scheme yet"),
        (-32000, "state 0x669c5301b4a7abb7d1cd82d98f1c8a0d39e4dc0c3f80 is not available"),
        (
            -32000,
            (
                "This request is not supported because your node is running with state pruning. "
                "Run with --pruning=archive."
            ),
        ),
        (-32602, "distance to target block exceeds maximum proof window"),
        (-32000, "Block state not available"),
        (-32002, "No state available for block 0x12"),
        (-32000, "World state unavailable"),
        (4444, "Pruned history unavailable"),
        (-32000, "state at block #17 is pruned"),
        (-32000, "project ID does not have access to archive state"),
        (-32000, "method handler crashed"),
    ),
    Meaning.BUSY: (
        (-32005, "limit exceeded"),
        (429, "Your app has exceeded its compute units per second capacity"),
        (-32000, "Too Many Requests"),
        (-32000, "execution aborted (timeout = 5s)"),
    ),
    Meaning.REFUSED: (
        (-32602, "invalid argument 1: json: cannot unmarshal object into Go value of type string"),
        (-32603, "Internal error"),
        (-32603, "EVM error: database error: failed to get storage"),
        (-32000, "intrinsic gas too high -- CallGasCostMoreThanGasLimit"),
        (-32000, ""),
    ),
}
CASES = [(meaning, code, text) for meaning, said in SAID.items() for code, text in said]


@pytest.mark.parametrize(("meaning", "code", "text"), CASES)
def test_meaning_of_what_a_client_says_is_told(meaning: Meaning, code: int, text: str) -> None:
    """The clients' own words, and what they say."""
    assert meaning_of(CallRejected(f"eth_call: error {code}: {text}", code)) == meaning


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (CallTimeout("no answer within 5 s"), Meaning.TIMEOUT),
        (ConnectionRefused("HTTP 429"), Meaning.UNREACHABLE),
        (BudgetSpent("spent"), Meaning.BUDGET),
        (MalformedAnswer("execution reverted"), Meaning.MALFORMED),
        (MethodAbsent("the method eth_call is not available", -32601), Meaning.UNSUPPORTED),
    ],
    ids=lambda one: one.value if isinstance(one, Meaning) else "",
)
def test_meaning_of_an_answer_that_never_came_is_its_kind(
    error: RpcError, meaning: Meaning
) -> None:
    """Whatever its text says: no node said it."""
    assert meaning_of(error) == meaning


def test_rows_are_lower_case_and_each_can_match() -> None:
    """No text is shadowed by an earlier row that it contains, under another meaning."""
    for index, row in enumerate(ROWS):
        assert row.text == row.text.lower()
        above = (earlier for earlier in ROWS[:index] if earlier.text in row.text)
        assert [earlier.meaning for earlier in above if earlier.meaning != row.meaning] == []


@pytest.mark.parametrize("code", sorted(CODES))
def test_codes_speak_without_any_text(code: int) -> None:
    """A code of the table needs no words."""
    assert meaning_of(CallRejected("", code)) == CODES[code]
