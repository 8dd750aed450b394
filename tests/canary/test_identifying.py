"""Which chain, which version, which forks: as both say it."""

from __future__ import annotations

import pytest

from monitor.canary.identifying import identity, upgrades
from tests.canary.staged import staged
from tests.rpc.canned import Canned, Json, Refusal


def forks(current: str, upcoming: str | None) -> Json:
    """An answer to `eth_config`."""
    following = None if upcoming is None else {"forkId": upcoming, "activationTime": 9}
    return {"current": {"forkId": current, "activationTime": 1}, "next": following, "last": None}


async def test_identity_of_two_versions_of_one_chain_passes() -> None:
    """And tells both versions."""
    node, other = Canned(), Canned(version="Geth/v2")
    async with staged(node, other) as pair:
        found = await identity(pair)
    assert found.outcome == "pass"
    assert "Geth/v1.16.2" in found.lines[2].baseline
    assert found.lines[2].candidate == "Geth/v2"


async def test_identity_of_another_chain_fails_and_of_nobody_is_unknown() -> None:
    """Not there is not other."""
    node, other = Canned(), Canned(chain_id="0x2")
    async with staged(node, other) as pair:
        assert (await identity(pair)).reason == "other_chain"
        await other.port.close()
        found = await identity(pair)
    assert (found.outcome, found.reason) == ("unknown", "unseen")


@pytest.mark.parametrize(
    ("mine", "theirs", "outcome"),
    [
        (forks("0x1", "0x2"), forks("0x1", "0x2"), "pass"),
        (forks("0x1", "0x2"), forks("0x1", None), "fail"),
        (None, None, "skipped"),
        (forks("0x1", None), None, "skipped"),
        (forks("0x1", None), {"current": "nonsense"}, "unknown"),
    ],
)
async def test_upgrades_are_read_as_eip_7910_has_them(
    mine: Json, theirs: Json, outcome: str
) -> None:
    """A node without the method, or with an answer that is none, is not ready and not unready."""
    node, other = Canned(), Canned()
    absent = Refusal("the method eth_config does not exist/is not available", -32601)
    node.answers["eth_config"] = absent if mine is None else mine
    other.answers["eth_config"] = absent if theirs is None else theirs
    async with staged(node, other) as pair:
        assert (await upgrades(pair)).outcome == outcome


async def test_upgrades_that_only_a_reference_knows_of_block() -> None:
    """Two old nodes agree with each other until the day of the fork."""
    node, other, reference = Canned(), Canned(), Canned()
    for one, upcoming in ((node, None), (other, None), (reference, "0x2")):
        one.answers["eth_config"] = forks("0x1", upcoming)
    async with staged(node, other, a=reference) as pair:
        found = await upgrades(pair)
    assert (found.outcome, found.reason) == ("fail", "not_ready")
    assert "by the a" in found.summary
