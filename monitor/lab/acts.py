"""What the demo shows besides heads: payments that a node lost, and a ledger with a wrong number.

Both are what scenarios and commands do in earnest, on real nodes and the real contracts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec

from monitor.lab.events import Event, What
from monitor.lab.poco.lab import PocoLab
from monitor.lab.poco.plant import Field, choose, plant
from monitor.lab.scenarios import BY_NAME
from monitor.lab.timeline import run_scenario
from monitor.ledger.job import Job, Seat
from monitor.model import Level
from monitor.url import Url

LOST = "lost-transactions"
SEED = 2018
WORKERS, ORDERS = 8, 4
LEDGER_KEY = ("ledger", "ledger:workerdrop")
NEEDS = "the ledger's act is left out: it needs pip install 'headwatch[ledger]'"

Note = Callable[[What, str], None]
Tell = Callable[[Event], None]


async def lost_payments(tell: Tell) -> list[str]:
    """Payments to a node that is alone, found and sent to the network without a key.

    What was not as it should be.
    """
    report = await run_scenario(BY_NAME[LOST], on_event=tell)
    return [f"{LOST}: {problem}" for problem in report.problems]


async def wrong_number(note: Note, opened: Callable[[str, Level], None]) -> list[str]:
    """A workerdrop whose ledger is equal; then one number is changed in storage, and found.

    `opened` is told what was found of the ledger, and how bad it is. What was not as it should be.
    """
    if find_spec("pyarrow") is None:
        note("end", NEEDS)
        return []
    from monitor.ledger.reconcile import reconcile

    async with PocoLab(seed=SEED) as lab:
        drop = await lab.workerdrop(workers=WORKERS, orders=ORDERS)
        note(
            "up",
            f"a workerdrop on the contracts of 2018: {drop.transactions} transactions, "
            f"{drop.completed} work orders paid, {drop.claimed} claimed, {drop.faulty} workers "
            "slashed",
        )
        node = Seat("local", Url(lab.url))
        job = Job("workerdrop", "poco-v1", lab.deployment.hub, node)
        before = await reconcile(job)
        opened(
            f"{len(before.accounts)} accounts are what the rules say, to the last nRLC", Level.OK
        )
        (wrong,) = await choose(lab.deployment, seed=SEED, fields=[Field.STAKE])
        (planted,) = await plant(lab.deployment, wrong)
        note("fault", f"{planted.delta} nRLC are added to a stake, behind the contracts' back")
        after = await reconcile(job)
        for one in after.differences:
            opened(one.why, Level.FAILED)
        found = {(one.kind, one.account, one.delta) for one in after.differences}
        if before.differences or (planted.kind, planted.account, planted.delta) not in found:
            return [f"ledger: {planted} was not found for what it is: {sorted(map(str, found))}"]
        note("heal", "the number is put back")
        await plant(lab.deployment, replace(wrong, delta=-wrong.delta))
        healed = await reconcile(job)
        if healed.differences:
            return ["ledger: it did not heal"]
        opened(f"block {healed.block.number}: equal again", Level.OK)
    return []
