from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from jsonschema import Draft202012Validator

from monitor.cli import parser
from monitor.ledger.report import (
    DIFFERENCES_SHOWN_MAX,
    Protocol,
    Report,
    Verdict,
    report_of,
    text,
    to_json,
)
from monitor.model import BlockNumber, BlockStamp, Hash32
from monitor.poco.airdrop import Standing
from monitor.poco.difference import Difference, Kind
from monitor.poco.v1.compare import compare
from monitor.poco.v1.laws import LAWS
from monitor.poco.v1.state import Account, ContributionStatus, State, WorkOrderStatus
from tests.poco.v1.by_hand import (
    FAILED,
    FAULTY,
    GOOD,
    HUB,
    IDLE,
    PAID,
    RIGHT,
    RUNNING,
    SCHEDULER,
    STRANGER,
    UNPAID,
    ledger,
    stored_of,
    with_entry,
)

GOLDEN = Path(__file__).parent / "golden"
SCHEMA = json.loads(
    (Path(__file__).parents[2] / "docs" / "ledger.schema.json").read_text(encoding="utf-8")
)
VALIDATOR = Draft202012Validator(SCHEMA)
BLOCK = BlockStamp(BlockNumber(6_000_000), Hash32("0x" + "be" * 32), 1_532_088_000)
PLACED = Difference(
    kind="effect",
    why="the hub emitted Reward of 129 nRLC, and 128 nRLC were due",
    account=GOOD,
    task=PAID,
    predicted=128,
    logged=129,
    delta=1,
    block=9,
    transaction=Hash32("0x" + "77" * 32),
    log_index=11,
)


def report(*differences: Difference, state: State | None = None) -> Report:
    return report_of(
        ledger() if state is None else state,
        differences,
        chain_id=1,
        block=BLOCK,
        verdict="fail" if differences else "pass",
    )


def spoiled() -> list[Difference]:
    """One of each kind that is found in what is stored."""
    stored = with_entry(stored_of(ledger()), "accounts", GOOD, (1_000_001_088, 0))
    stored = with_entry(stored, "scores", FAULTY, 60)
    was = stored.contributions[PAID, GOOD]
    assert was is not None
    wrong = replace(was, score=5, weight=4, status=4)
    stored = with_entry(stored, "contributions", (PAID, GOOD), wrong)
    order = replace(stored.work_orders[RUNNING], consensus=RIGHT)
    return compare(ledger(), with_entry(stored, "work_orders", RUNNING, order))


def test_schema_is_itself_valid() -> None:
    """The committed schema is JSON Schema 2020-12, closed, and requires every field."""
    Draft202012Validator.check_schema(SCHEMA)
    for part in [SCHEMA, *SCHEMA["$defs"].values()]:
        if part.get("type") == "object":
            assert part["additionalProperties"] is False
            assert set(part["required"]) == set(part["properties"])


def test_page_describes_every_field_kind_and_law() -> None:
    """docs/ledger.md has a row for each, and a worker's page the announced numbers."""
    page = (Path(__file__).parents[2] / "docs" / "ledger.md").read_text(encoding="utf-8")
    for kind in get_args(Kind):
        assert f"| `{kind}` |" in page
    for law in LAWS:
        assert f"\n| {law.number} | " in page
    differences = SCHEMA["$defs"]["difference"]["properties"]
    for field in (*SCHEMA["properties"], *differences, *get_args(Verdict), *get_args(Standing)):
        assert f"`{field}`" in page
    assert all(amount in page for amount in ("**4.95**", "**14.85**", "**24.75**", "**0.45**"))


def test_page_shows_commands_that_the_command_line_understands() -> None:
    """What is copied from it runs."""
    page = (Path(__file__).parents[2] / "docs" / "ledger.md").read_text(encoding="utf-8")
    lines = re.findall(r"^    headwatch ([^#\n]+)", page, re.MULTILINE)
    assert {line.split()[1] for line in lines} >= {"sync", "reconcile", "export", "explain"}
    for line in lines:
        assert callable(parser().parse_args(shlex.split(line)).command), line


def test_schema_knows_every_word_that_a_report_may_hold() -> None:
    """Kinds, verdicts, protocols and statuses are the code's."""
    properties, defs = SCHEMA["properties"], SCHEMA["$defs"]
    assert set(defs["difference"]["properties"]["kind"]["enum"]) == set(get_args(Kind))
    assert set(properties["verdict"]["enum"]) == set(get_args(Verdict))
    assert set(properties["protocol"]["enum"]) == set(get_args(Protocol))
    tasks = {status.name.lower() for status in WorkOrderStatus}
    assert tasks <= set(defs["task"]["properties"]["status"]["enum"])
    parts = {status.name.lower() for status in ContributionStatus}
    assert parts == set(defs["contribution"]["properties"]["status"]["enum"])


@pytest.mark.parametrize(
    "written",
    [
        report(),
        report(state=State(HUB)),
        report(*spoiled(), PLACED),
        replace(report(), verdict="inconclusive", total_supply=10**30, protocol="poco-v5"),
    ],
    ids=["lawful", "empty", "spoiled", "other"],
)
def test_json_of_every_report_fits_the_schema(written: Report) -> None:
    """What is printed is what the schema promises."""
    assert list(VALIDATOR.iter_errors(json.loads(to_json(written)))) == []


def test_json_of_the_lawful_ledger_is_the_golden_one() -> None:
    """The whole document, byte for byte, with two differences in it."""
    written = to_json(report(spoiled()[0], PLACED)).decode() + "\n"
    assert written == (GOLDEN / "report.json").read_text(encoding="utf-8")


def test_json_of_equal_ledgers_is_equal_whatever_order_they_came_about_in() -> None:
    """The order is that of addresses; contributions too."""
    backwards = ledger()
    for name in ("accounts", "scores", "work_orders"):
        field = getattr(backwards, name)
        items = list(reversed(field.items()))
        field.clear()
        field.update(items)
    for order in backwards.work_orders.values():
        order.contributions = dict(reversed(order.contributions.items()))
        order.rewards = dict(reversed(order.rewards.items()))
    assert to_json(report(state=backwards)) == to_json(report())


def test_json_omits_rows_of_zeros_and_keeps_half_of_one() -> None:
    """Nobody is listed with nothing; who has only locked RLC is listed."""
    state = ledger()
    state.accounts[STRANGER] = Account()
    state.accounts[IDLE] = Account(0, 1)
    state.scores[STRANGER] = 0
    state.work_orders[UNPAID].rewards[STRANGER] = (0, 0)
    document = json.loads(to_json(report(state=state)))
    assert STRANGER not in document["accounts"]
    assert document["accounts"][IDLE] == {"stake": "0", "locked": "1"}
    assert STRANGER not in document["scores"]
    assert STRANGER not in document["rewards"][UNPAID]["stake"]


def test_json_has_the_net_change_of_every_account_at_a_tasks_end() -> None:
    """Reward, unlock, seize and kitty together, the hub included; running tasks have none."""
    rewards = json.loads(to_json(report()))["rewards"]
    assert rewards.keys() == {FAILED, PAID, UNPAID}
    assert rewards[PAID]["stake"][GOOD] == "158"
    assert rewards[PAID]["locked"][HUB] == "-30"
    assert rewards[UNPAID]["stake"][FAULTY] == "30"
    assert FAULTY not in rewards[PAID]["stake"]
    assert SCHEDULER not in rewards[UNPAID]["stake"]


def test_json_says_null_where_there_is_no_value() -> None:
    """No consensus yet, no hash yet, no such place in the chain: never an invented one."""
    document = json.loads(to_json(report(spoiled()[0])))
    running = document["tasks"][RUNNING]
    assert running["consensus"] is None
    assert running["contributions"][IDLE]["result_hash"] is None
    assert document["total_supply"] is None
    (difference,) = document["differences"]
    assert [difference[key] for key in ("task", "logged", "block", "transaction")] == [None] * 4


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("pass", report()),
        ("fail", report(*spoiled(), PLACED)),
        ("inconclusive", replace(report(state=State(HUB)), verdict="inconclusive")),
    ],
    ids=["pass", "fail", "inconclusive"],
)
def test_text_of_each_verdict_is_the_golden_one(name: str, written: Report) -> None:
    """Verdict, block, counts; each difference in a table and in a sentence."""
    assert text(written) == (GOLDEN / f"report-{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(("more", "words"), [(0, ""), (1, "1 more difference:")])
def test_text_stops_after_a_hundred_differences_and_counts_the_rest(more: int, words: str) -> None:
    """A terminal is no place for a million lines; the JSON has them all."""
    count = DIFFERENCES_SHOWN_MAX + more
    written = report(*[PLACED] * count)
    assert text(written).count("- block 9, log 11") == DIFFERENCES_SHOWN_MAX
    assert words in text(written)
    assert ("more difference" in text(written)) is bool(more)
    assert len(json.loads(to_json(written))["differences"]) == count


@pytest.mark.parametrize(
    ("difference", "words"),
    [
        (replace(PLACED, transaction=None), "- block 9, log 11: the hub"),
        (replace(PLACED, transaction=None, log_index=None), "- block 9: the hub"),
        (replace(PLACED, block=None), "- the hub"),
    ],
    ids=["no transaction", "no log", "no block"],
)
def test_text_names_as_much_of_the_place_as_there_is(difference: Difference, words: str) -> None:
    """Block, log and transaction, where the difference has them."""
    assert words in text(report(difference))
