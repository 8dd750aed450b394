"""`headwatch ledger explain`: one account or one work order in words, from its own replay."""

from __future__ import annotations

from monitor.ledger.job import Job, Tell
from monitor.ledger.reconcile import KNOWN
from monitor.ledger.sync import opened, silent, stored, sync
from monitor.ledger.v1.explain_account import explain_account
from monitor.ledger.v1.explain_task import explain_task
from monitor.ledger.v1.ledger import Course, Reading, known_of
from monitor.model import Address
from monitor.poco.v1.compare import asked_of
from monitor.poco.v1.events import Logged
from monitor.poco.v1.movement import Movement


async def explain(job: Job, who: Address, tell: Tell = silent) -> str | None:
    """The text; None where the address is no account and no work order of this ledger.

    Raises CouldNotSee, NotAHub and BrokenStore.
    """
    movements: list[Movement] = []
    story: list[Logged] = []

    def watch(movement: Movement) -> None:
        if movement.account == who:
            movements.append(movement)

    def hear(logged: Logged) -> None:
        if getattr(logged.event, "woid", None) == who:
            story.append(logged)

    async with opened(job, tell) as ground:
        with stored(job, ground) as store:
            await sync(ground, store, tell)
            known = known_of(store.facts(KNOWN))
            reading = Reading(ground.node, ground.contracts, ground.at)
            course = Course(reading, known, watch=watch, hear=hear, tell=tell)
            state = (await course.follow(store.batches(last=ground.at.number))).state
    if who in state.work_orders:
        return explain_task(state, known.facts, story, who)
    if who in asked_of(state).accounts:
        return explain_account(state, known.facts, movements, who)
    return None
