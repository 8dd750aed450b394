"""The job of a ledger of the configuration."""

from __future__ import annotations

from pathlib import Path

from monitor.config import Ledger, Settings
from monitor.judge.profiles import PROFILES, confirmations, override
from monitor.ledger.job import FINALIZED, Job, Seat
from monitor.rpc.node import Limits

LEDGERS = "ledger"
"""The folder below `data_dir` in which every ledger has one of its own."""


def job_of(settings: Settings, ledger: Ledger, directory: Path, at: str = FINALIZED) -> Job:
    """What is to be done for a ledger of the settings, whose network and node are filled in.

    `directory` is the data directory. The limits are the configuration's: a body may be as large.
    """
    network = settings.networks[str(ledger.network)]
    node = next(node for node in settings.nodes if node.name == ledger.node)
    chosen = network.profile
    profile = override(
        PROFILES[chosen.profile],
        interval_seconds=chosen.interval_seconds,
        speed=chosen.speed,
        chain_id=chosen.chain_id,
        genesis_hash=chosen.genesis_hash,
    )
    references = (
        Seat(f"{ledger.network}/{each.name}", each.url, each.operator)
        for each in network.references
    )
    return Job(
        name=ledger.name,
        protocol=ledger.protocol,
        contract=ledger.address,
        node=Seat(node.name, node.url),
        references=tuple(references),
        folder=directory / LEDGERS / ledger.name,
        at=at,
        from_block=ledger.from_block,
        chain_id=profile.chain_id,
        confirmations=confirmations(profile),
        limits=Limits(
            deadline_seconds=settings.rpc.deadline_seconds,
            body_bytes_max=settings.rpc.body_bytes_max,
            batch_calls_max=settings.rpc.batch_calls_max,
        ),
    )
