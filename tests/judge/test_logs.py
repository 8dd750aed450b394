"""What a node tells of a block, against the block's header and against the majority."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.judge.answer import Answer
from monitor.judge.logs import LogsSaid, LogsSeen, ReceiptsSaid, judge
from monitor.model import Finding, Hash32, Level, Observation, Unseen
from tests.judge.builders import NOW, POLICY, TIMEOUT, agreeing, block, round_of

THREE = round_of(*agreeing())
ONE = round_of(*agreeing(names="a"))
ROOT, OTHER = Hash32("0x" + "11" * 32), Hash32("0x" + "22" * 32)
LOGS = LogsSaid(3, "logs", "bloom")
FEWER = LogsSaid(2, "fewer", "other bloom")
ALTERED = LogsSaid(3, "altered", "bloom")
"""Other data under the same topics: the bloom does not see it."""
RECEIPTS = ReceiptsSaid(2, ROOT, "receipts", "logs", adds_up=True)
WRONG = ReceiptsSaid(2, OTHER, "wrong", "fewer", adds_up=True)
WRONG_SUMS = replace(RECEIPTS, digest="gas", adds_up=False)
STRANGE = ReceiptsSaid(2, None, "strange", "logs", adds_up=True)
"""Receipts of a type whose encoding is not known."""
WELL = LogsSeen(block(990).stamp, LOGS, RECEIPTS, ROOT, "bloom")


def said(*logs: LogsSaid | Unseen) -> tuple[Answer[LogsSaid], ...]:
    return tuple(
        Answer(f"net/{name}", f"op-{name}", "", one) for name, one in zip("abc", logs, strict=False)
    )


def told(*receipts: ReceiptsSaid | Unseen) -> tuple[Answer[ReceiptsSaid], ...]:
    return tuple(
        Answer(f"net/{name}", f"op-{name}", "", one)
        for name, one in zip("abc", receipts, strict=False)
    )


def judged(seen: LogsSeen | Unseen, *, single: bool = False) -> Finding:
    observation = Observation("local", "logs", NOW, 0.1, seen)
    (finding,) = judge([observation], ONE if single else THREE, POLICY, NOW)
    return finding


def test_logs_without_history_give_no_finding() -> None:
    """Nobody asked, nobody judged."""
    assert judge([], THREE, POLICY, NOW) == ()


def test_logs_unseen_are_unknown_with_their_reason() -> None:
    """What was not answered is not wrong."""
    finding = judged(TIMEOUT)
    assert (finding.level, finding.reason) == (Level.UNKNOWN, "timeout")


def test_logs_that_prove_themselves_are_well_without_any_reference() -> None:
    """The receipts come to the root in the header, and the logs are those of the receipts."""
    finding = judged(WELL)
    assert (finding.level, finding.measured, finding.as_of) == (Level.OK, 0.0, WELL.stamp)


@pytest.mark.parametrize(
    ("seen", "level", "reason"),
    [
        (replace(WELL, logs=FEWER, log_answers=said(LOGS, LOGS, FEWER)), "FAILED", "logs_differ"),
        (replace(WELL, logs=FEWER, log_answers=said(FEWER, FEWER, LOGS)), "OK", "same_logs"),
        (
            replace(WELL, logs=FEWER, log_answers=said(LOGS, TIMEOUT, FEWER)),
            "DEGRADED",
            "logs_differ",
        ),
        (replace(WELL, logs=FEWER), "DEGRADED", "logs_differ"),
    ],
    ids=["majority_differs", "the_chain_adds_logs", "no_majority", "silence"],
)
def test_logs_that_are_not_those_of_right_receipts_are_put_to_the_references(
    seen: LogsSeen, level: str, reason: str
) -> None:
    """A majority makes it a failure, or an addition of the chain; silence leaves a doubt."""
    finding = judged(seen)
    assert (finding.level, finding.reason) == (Level[level], reason)


@pytest.mark.parametrize(
    ("receipts", "answers", "level", "reason"),
    [
        (WRONG, told(RECEIPTS, RECEIPTS, WRONG), "FAILED", "receipts_root_differs"),
        (WRONG, told(WRONG, WRONG, RECEIPTS), "OK", "same_logs"),
        (WRONG, told(TIMEOUT, TIMEOUT, RECEIPTS), "DEGRADED", "receipts_root_differs"),
        (WRONG_SUMS, told(RECEIPTS, RECEIPTS, RECEIPTS), "FAILED", "receipts_root_differs"),
        (WRONG_SUMS, told(TIMEOUT), "UNKNOWN", "no_quorum"),
        (STRANGE, told(STRANGE, STRANGE, STRANGE), "OK", "same_logs"),
        (STRANGE, told(RECEIPTS, RECEIPTS, STRANGE), "FAILED", "receipts_root_differs"),
        (STRANGE, told(), "UNKNOWN", "no_quorum"),
    ],
    ids=[
        "majority_differs",
        "the_chain_adds_receipts",
        "no_majority",
        "gas_does_not_add_up",
        "gas_and_nobody",
        "strange_everywhere",
        "strange_and_different",
        "strange_and_nobody",
    ],
)
def test_receipts_that_do_not_come_to_the_root_are_put_to_the_references(
    receipts: ReceiptsSaid, answers: tuple[Answer[ReceiptsSaid], ...], level: str, reason: str
) -> None:
    """The header alone raises a doubt, a majority makes it a failure or a way of the chain."""
    logs = said(LOGS, LOGS, LOGS)
    seen = replace(WELL, receipts=receipts, receipt_answers=answers, log_answers=logs)
    finding = judged(seen)
    assert (finding.level, finding.reason) == (Level[level], reason)


@pytest.mark.parametrize(
    ("logs", "bloom", "answers", "level"),
    [
        (LOGS, "bloom", said(LOGS, LOGS, TIMEOUT), "OK"),
        (LOGS, "bloom", said(TIMEOUT, TIMEOUT, LOGS), "OK"),
        (ALTERED, "bloom", said(LOGS, LOGS, TIMEOUT), "FAILED"),
        (FEWER, "bloom", said(TIMEOUT), "DEGRADED"),
        (FEWER, "bloom", said(LOGS, LOGS, LOGS), "FAILED"),
        (FEWER, None, said(TIMEOUT), "UNKNOWN"),
        (FEWER, None, said(FEWER, FEWER, TIMEOUT), "OK"),
    ],
    ids=[
        "majority",
        "bloom_alone",
        "bloom_does_not_see_it",
        "bloom_sees_it",
        "both",
        "nobody",
        "no_header",
    ],
)
def test_logs_without_receipts_are_compared_and_their_bloom_where_nobody_answers(
    logs: LogsSaid, bloom: str | None, answers: tuple[Answer[LogsSaid], ...], level: str
) -> None:
    """A node without `eth_getBlockReceipts` is judged all the same."""
    root = None if bloom is None else ROOT
    seen = LogsSeen(WELL.stamp, logs, None, root, bloom, answers)
    assert judged(seen).level == Level[level]


def test_logs_with_one_reference_are_never_failed() -> None:
    """Right head, wrong receipts is seen with one reference, which may be the wrong one."""
    seen = replace(WELL, receipts=WRONG, receipt_answers=told(RECEIPTS), log_answers=said(LOGS))
    assert judged(seen, single=True).level == Level.DEGRADED
    unknown = replace(WELL, receipts=STRANGE, log_answers=said(LOGS))
    assert judged(unknown, single=True).level == Level.UNKNOWN


def test_logs_that_differ_are_told_with_what_was_said_by_whom() -> None:
    """Both parts are told where both are wrong, the worse of them first."""
    seen = replace(
        WELL,
        logs=FEWER,
        receipts=WRONG,
        log_answers=said(LOGS, LOGS, FEWER),
        receipt_answers=told(RECEIPTS, TIMEOUT, WRONG),
    )
    finding = judged(seen)
    assert (finding.reason, finding.measured) == ("logs_differ", 2.0)
    assert finding.summary.startswith("the 2 logs of block 990 are not the 3 of the references")
    root, logs = finding.evidence
    assert (root.method, logs.method) == ("eth_getBlockReceipts", "eth_getLogs")
    assert "come to the root 0x222222…222222, its header says 0x111111…111111" in root.said
    assert logs.said.endswith("; so say op-a, op-b")


def test_logs_of_which_nothing_is_known_measure_nothing() -> None:
    """Not knowing is no difference."""
    assert judged(LogsSeen(WELL.stamp, LOGS, None, None, None)).measured is None
