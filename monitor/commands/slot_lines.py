"""Transactions, offers and orders as lines for a terminal. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monitor.act.words import duration
from monitor.commands.transaction_access import Done, Listing, Row, StoryPart
from monitor.transactions.sentences import ether, gwei

HEADINGS = ("level", "account", "nonce", "state", "age", "hash", "what is known")
NUMBERS = frozenset({"nonce"})
UNJUDGED = "–"


def table(found: Listing) -> str:
    """One line a transaction; the last column is as long as it is."""
    if not found.transactions:
        return "no transaction is on its way"
    has_networks = len({row.network for row in found.transactions}) > 1
    rows = [_cells(row, found.at, has_network=has_networks) for row in found.transactions]
    return "\n".join(_aligned((HEADINGS, *rows)))


def _cells(row: Row, now: float, *, has_network: bool) -> tuple[str, ...]:
    end = now if row.closed_at is None else row.closed_at
    return (
        UNJUDGED if row.level is None else row.level,
        f"{row.alias} ({row.network})" if has_network else row.alias,
        str(row.nonce),
        row.state,
        duration(max(0.0, end - row.first_seen_at)),
        row.hash or "not known",
        row.summary,
    )


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.rjust(width) if heading in NUMBERS else cell.ljust(width)
            for cell, width, heading in zip(row, widths, HEADINGS, strict=True)
        ]
        yield "  ".join(cells).rstrip()


def notes_of(found: Listing) -> Iterator[str]:
    """What must be known to read the list: who sends nothing, what is old, what is cut."""
    if found.mode == "halted":
        yield "halted: nothing is sent until `headwatch tx resume`"
    elif found.mode == "dry_run":
        yield "dry run: nothing is sent"
    for network in found.networks:
        if not network.is_stale:
            continue
        alone = ": no sidecar runs" if found.mode == "alone" else ""
        if network.age_seconds is None:
            yield f"{network.name}: the journal knows of no round{alone}"
        else:
            age = duration(network.age_seconds)
            yield f"{network.name}: the newest round in the journal is {age} old{alone}"
    if found.left_out:
        yield f"{found.left_out} more are not shown: see --limit"


def offer(story: StoryPart, planned: Done, transfer_gas: int) -> str:
    """What would be signed: fees now and then, and the most that it costs."""
    newest = next((a.transaction for a in reversed(story.attempts) if a.transaction), None)
    lines = [f"{planned.act} nonce {planned.nonce} of {planned.alias} ({planned.network})"]
    if newest is not None:
        to = "a new contract" if newest.to is None else newest.to
        verb = "pays" if planned.act == "replace" else "would no longer pay"
        lines.append(f"  {verb} {ether(newest.value_wei)} to {to}")
        now = f"fee cap {gwei(newest.fee_cap_wei)}, tip {gwei(newest.tip_cap_wei)}"
        lines.append(f"  now   {now}")
    if planned.fee_cap_wei is None or planned.tip_cap_wei is None:
        return "\n".join(lines)
    lines.append(f"  then  fee cap {gwei(planned.fee_cap_wei)}, tip {gwei(planned.tip_cap_wei)}")
    gas = transfer_gas if planned.act == "cancel" else None if newest is None else newest.gas
    if gas is not None:
        cost_wei = gas * planned.fee_cap_wei
        total = f"  cost  at most {ether(cost_wei)} for {gas} gas"
        if planned.act == "replace" and newest is not None:
            total += f", {ether(cost_wei + newest.value_wei)} in all"
        lines.append(total)
    return "\n".join(lines)


def deliveries(done: Done) -> str:
    """Who was sent it, and what they made of it."""
    lines = [done.summary or f"{done.act} of nonce {done.nonce}"]
    if done.hash is not None and done.hash not in lines[0]:
        lines.append(f"hash {done.hash}")
    lines += [
        f"  {one.label}: {one.reaction}" + (f" ({one.message})" if one.message else "")
        for one in done.deliveries
    ]
    return "\n".join(lines)
