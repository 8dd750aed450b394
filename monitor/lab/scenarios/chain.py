"""The chain itself: behind, stopped, parted, another."""

from __future__ import annotations

from monitor.lab.faults import Fault
from monitor.lab.network import LabNetwork
from monitor.lab.scenarios.row import (
    LOCAL_SUBJECT,
    PAYER_ALIAS,
    QUORUM_SUBJECT,
    Scenario,
    finding,
    heal_all,
)
from monitor.model import Level, account_subject

LAG_BLOCKS = 8
CAME_BACK = frozenset({finding("reorg", LOCAL_SUBJECT, Level.DEGRADED)})
"""Healed, the node leaves the blocks that only it had: that is remembered for a while."""


async def _stall(net: LabNetwork) -> None:
    net.local.stall()


async def _quiet(net: LabNetwork) -> None:
    net.quiet()


async def _private_fork(net: LabNetwork) -> None:
    net.local.fork()


async def _lag(net: LabNetwork) -> None:
    """By more than this chain takes for a lag: on a fast one eight blocks are two seconds."""
    blocks = max(LAG_BLOCKS, 2 * net.pace.policy.lag_blocks)
    net.local.proxy.set(Fault("lag", blocks=blocks))


async def _wrong_chain(net: LabNetwork) -> None:
    other = await net.other_chain()
    net.local.proxy.add_upstream("other", other.url)
    net.local.proxy.route("other")


CHAIN: tuple[Scenario, ...] = (
    Scenario(
        name="lag",
        title="the local node shows the chain as it was, by twice what its profile allows",
        counterpart="iexec-worker 205: balance and stake read too low, 'your node is in the past'",
        fault=_lag,
        heal=heal_all,
        findings=frozenset({finding("head", LOCAL_SUBJECT, Level.FAILED)}),
        exit_code=1,
        detected_within="lag_blocks",
    ),
    Scenario(
        name="stall",
        title="the local node stops importing blocks and keeps answering",
        counterpart="go-ethereum 33687: the consensus client dies, eth_syncing stays false",
        fault=_stall,
        heal=heal_all,
        findings=frozenset({finding("stall", LOCAL_SUBJECT, Level.FAILED)}),
        exit_code=1,
        detected_within="lag_blocks",
    ),
    Scenario(
        name="network-quiet",
        title="nobody makes blocks any more",
        counterpart="Ropsten, 13 October 2018: two hours without a block; zq2 2246",
        fault=_quiet,
        heal=heal_all,
        findings=frozenset({finding("stall", QUORUM_SUBJECT, Level.DEGRADED)}),
        exit_code=0,
    ),
    Scenario(
        name="private-fork",
        title="the local node goes on with blocks of its own",
        counterpart="Infura, 11 November 2020: mined on a fork, then gone",
        fault=_private_fork,
        heal=heal_all,
        findings=frozenset({finding("fork", LOCAL_SUBJECT, Level.FAILED)}),
        exit_code=1,
        detected_within="confirmations",
        also=CAME_BACK,
    ),
    Scenario(
        name="lost-transactions",
        title="the local node is on a private fork, where payments are sent and mined",
        counterpart="the workerdrops of July 2018: transactions lost to a desynchronised node",
        fault=_private_fork,
        heal=heal_all,
        findings=frozenset({finding("fork", LOCAL_SUBJECT, Level.FAILED)}),
        exit_code=1,
        payments=5,
        also=frozenset(
            {finding("transactions", account_subject(PAYER_ALIAS), Level.FAILED), *CAME_BACK}
        ),
    ),
    Scenario(
        name="wrong-chain",
        title="behind the local node's URL there is suddenly a node of another chain",
        counterpart="a data directory or a load balancer mixed up",
        fault=_wrong_chain,
        heal=heal_all,
        findings=frozenset({finding("identity", LOCAL_SUBJECT, Level.FAILED)}),
        exit_code=1,
    ),
)
