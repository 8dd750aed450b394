"""A distribution that was really paid, in real transfers of the RLC of 2018, against its split."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from aiohttp import web
from jsonschema import Draft202012Validator

from monitor.lab.poco.accounts import named
from monitor.lab.poco.calls import call
from monitor.lab.poco.deployment import Deployment
from monitor.ledger.airdropping import (
    Drop,
    airdrop_json,
    airdrop_text,
    amount_text,
    units_of,
    verify_airdrop,
)
from monitor.ledger.confirming import LOGS_DIFFER, LOGS_TRUNCATED
from monitor.ledger.errors import CouldNotSee, NotAHub
from monitor.model import Address
from monitor.poco.airdrop import Standing
from tests.ledger.drops import LIMITS, cut_at, door, lab_of, seat_of
from tests.rpc.canned import Canned, Json, serving

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "docs" / "airdrop.schema.json").read_text(encoding="utf-8")
)
VALIDATOR = Draft202012Validator(SCHEMA)
STANDINGS = SCHEMA["$defs"]["standing"]["enum"]
TOTAL = "2000"
EACH, REMAINDER = 6_430_868_167, 63
"""2,000 RLC to 311 wallets: what was paid in August 2018."""
WALLETS = tuple(named(0, f"wallet {number}") for number in range(311))
Paid = list[tuple[Address, int]]


@asynccontextmanager
async def paid(payments: Sequence[tuple[Address, int]]) -> AsyncIterator[tuple[Deployment, Drop]]:
    """These transfers by the holder of all RLC, a hundred a block."""
    async with lab_of() as lab:
        deployment = lab.deployment
        give, owner = "transfer(address,uint256)", deployment.owner
        first = deployment.blocks.number + 1
        calls = [call(owner, deployment.rlc, give, *payment) for payment in payments]
        for start in range(0, len(calls), 100):
            await deployment.blocks.mine(calls[start : start + 100])
        last = deployment.blocks.number
        await deployment.blocks.settle()
        yield (
            deployment,
            Drop(
                node=seat_of(lab.url),
                token=deployment.rlc,
                payer=owner,
                wallets=WALLETS,
                total=TOTAL,
                first=first,
                last=last,
                limits=LIMITS,
            ),
        )


def exact() -> Paid:
    """Everybody's share."""
    return [(wallet, EACH) for wallet in WALLETS]


async def test_airdrop_of_2018_is_exact_to_the_last_unit() -> None:
    """2,000 RLC to 311 wallets: 6.430868167 RLC each, and 63 nRLC that nobody gets."""
    async with paid(exact()) as (_, drop):
        outcome = await verify_airdrop(drop)
        assert outcome.report.is_exact
        assert (outcome.shares.each, outcome.shares.remainder) == (EACH, REMAINDER)
        assert outcome.decimals == 9
        assert outcome.block.number == drop.last
        document = airdrop_json(outcome)
        assert document["verdict"] == "pass"
        assert document["standings"] == {"exact": 311}
        assert json.loads(json.dumps(document)) == document
        VALIDATOR.validate(document)
        text = airdrop_text(outcome)
        assert text.startswith("PASS")
        assert "6.430868167 each, 63 units over" in text


async def test_airdrop_with_mistakes_names_each_wallet_and_its_transactions() -> None:
    """Missing, short, over, twice, to a stranger: whose, by how much, and where."""
    payments = exact()
    stranger = named(0, "a stranger")
    payments[3] = (payments[3][0], EACH - 1)
    payments[5] = (payments[5][0], EACH + 7)
    del payments[4]
    payments += [(WALLETS[9], EACH), (stranger, 5), (WALLETS[10], 0), (stranger, 0)]
    async with paid(payments) as (_, drop):
        outcome = await verify_airdrop(drop)
        assert {(one.wallet, one.standing, one.delta) for one in outcome.report.wrong} == {
            (WALLETS[3], "short", -1),
            (WALLETS[4], "missing", -EACH),
            (WALLETS[5], "over", 7),
            (WALLETS[9], "twice", EACH),
            (stranger, "stranger", 5),
        }
        twice = next(one for one in outcome.report.wrong if one.wallet == WALLETS[9])
        assert len({each.transaction for each in twice.transfers}) == 2
        text = airdrop_text(outcome)
        assert text.startswith("FAIL: not as it should be: 5 wallets")
        assert all(each.transaction in text for each in twice.transfers)
        document = airdrop_json(outcome)
        assert document["verdict"] == "fail"
        VALIDATOR.validate(document)
        assert set(STANDINGS) == set(get_args(Standing))
        assert set(document["standings"]) == set(STANDINGS)  # type: ignore[call-overload]


async def test_airdrop_outside_of_its_blocks_is_missing() -> None:
    """Only what was paid in the range counts."""
    async with paid(exact()) as (_, drop):
        outcome = await verify_airdrop(replace(drop, first=drop.last))
        assert outcome.report.counts == {"missing": 300, "exact": 11}


@pytest.mark.parametrize("logs", [77, 151])
async def test_airdrop_through_a_node_that_cuts_its_answers_is_inconclusive(logs: int) -> None:
    """Nobody is told that a wallet was left out because a node left out its transfer."""
    async with paid(exact()) as (deployment, drop), door(drop.node.url.reveal()) as relay:
        relay.change = cut_at(logs)
        with pytest.raises(CouldNotSee, match="logs are left out") as caught:
            await verify_airdrop(drop_through(relay.url, drop))
        assert caught.value.reason == LOGS_TRUNCATED
        del deployment


async def test_airdrop_through_a_node_that_hides_a_transfer_is_inconclusive() -> None:
    """Where a reference shows what the node does not, nobody is accused."""

    def hide(method: str, params: list[Json], result: Json) -> Json:
        if method != "eth_getLogs":
            return result
        return [log for log in result if WALLETS[7][2:] not in log["topics"][2]]

    async with paid(exact()) as (deployment, drop), door(drop.node.url.reveal()) as relay:
        relay.change = hide
        lied_to = await verify_airdrop(drop_through(relay.url, drop))
        assert [one.wallet for one in lied_to.report.wrong] == [WALLETS[7]]
        url = deployment.blocks.anvil.url
        with pytest.raises(CouldNotSee) as caught:
            await verify_airdrop(drop_through(relay.url, drop, reference=url))
        assert caught.value.reason == LOGS_DIFFER


def drop_through(url: str, drop: Drop, reference: str | None = None) -> Drop:
    """The same distribution, asked of another node."""
    references = () if reference is None else (seat_of(reference, "ref", "one"),)
    return replace(drop, node=seat_of(url), references=references)


@pytest.mark.parametrize(
    ("change", "kind", "said"),
    [
        (lambda d: {"token": d.hub}, NotAHub, "is no token"),
        (lambda d: {"token": Address("0x" + "12" * 20)}, NotAHub, "is no token"),
        (lambda d: {"last": 10**6}, CouldNotSee, "has no block 1000000"),
        (lambda d: {"total": "1.0000000001"}, ValueError, "more decimals than the token"),
        (lambda d: {"total": "many"}, ValueError, "expected an amount in whole tokens"),
        (lambda d: {"wallets": ()}, ValueError, "no wallets"),
        (lambda d: {"wallets": WALLETS[:1] * 2}, ValueError, "listed more than once"),
    ],
)
async def test_airdrop_of_bad_input_is_refused_in_one_line(
    change: Callable[[Deployment], dict[str, Any]], kind: type[Exception], said: str
) -> None:
    """What cannot be judged is said, with what is wrong with it."""
    async with paid([(WALLETS[0], 1)]) as (deployment, drop):
        with pytest.raises(kind, match=said) as caught:
            await verify_airdrop(replace(drop, **change(deployment)))
        assert "\n" not in str(caught.value)


async def test_airdrop_through_what_is_no_node_is_given_up_after_two_requests() -> None:
    """A wrong URL is told at once."""

    async def refuse(request: web.BaseRequest, asked: Json) -> web.StreamResponse:
        del request, asked
        return web.Response(status=401, text="no key")

    canned, nobody = Canned(respond=refuse), Address("0x" + "12" * 20)
    async with serving(canned):
        drop = Drop(seat_of(canned.url), nobody, nobody, WALLETS, TOTAL, 0, 1)
        with pytest.raises(CouldNotSee, match=r"HTTP 401; check that the node runs"):
            await verify_airdrop(drop)
    assert canned.methods == ["eth_chainId"] * 2


@pytest.mark.parametrize(
    ("total", "decimals", "units"),
    [
        ("2000", 9, 2_000_000_000_000),
        ("0.5", 9, 500_000_000),
        ("0.000000001", 9, 1),
        ("1.500", 1, 15),
        ("7", 0, 7),
        ("7.0", 0, 7),
        ("0", 18, 0),
    ],
)
def test_units_of_an_amount_are_exact(total: str, decimals: int, units: int) -> None:
    """No float on the way; zeros behind the last digit are nothing."""
    assert units_of(total, decimals) == units


@pytest.mark.parametrize("total", ["", "-1", "1e3", " 1", "1.", ".5", "1,000", "٣", "1" * 61])
def test_units_of_what_is_no_amount_are_refused(total: str) -> None:
    """Signs, exponents, blanks and other digits are refused, not guessed."""
    with pytest.raises(ValueError, match="expected an amount"):
        units_of(total, 9)


@pytest.mark.parametrize(
    ("units", "decimals", "text"),
    [
        (EACH, 9, "6.430868167"),
        (-1, 9, "-0.000000001"),
        (1234, 0, "1,234"),
        (10**12, 9, "1,000.000000000"),
    ],
)
def test_amount_text_has_all_decimals(units: int, decimals: int, text: str) -> None:
    """To the last unit, with its sign."""
    assert amount_text(units, decimals) == text
