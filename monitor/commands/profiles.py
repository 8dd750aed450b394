"""`headwatch profile`: what is known of each chain, and the thresholds that follow from it."""

from __future__ import annotations

import argparse
import difflib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from monitor.commands import PASS, UsageError, say

if TYPE_CHECKING:
    from monitor.judge.profiles import Policy, Profile


def add(profile: argparse.ArgumentParser) -> None:
    """The verbs of `headwatch profile`."""
    verbs = profile.add_subparsers(title="verbs", metavar="VERB", required=True)
    listed = verbs.add_parser("list", help="every profile and its thresholds, a line each")
    listed.set_defaults(command=profile_list)
    shown = verbs.add_parser(
        "show", help="one profile: thresholds, false alarms a month, silences, drifts, sources"
    )
    shown.add_argument("name", metavar="NAME", help="as `headwatch profile list` shows it")
    shown.set_defaults(command=profile_show)
    for verb in (listed, shown):
        verb.add_argument("--json", action="store_true", help="as JSON")


def profile_list(chosen: argparse.Namespace) -> int:
    """`headwatch profile list`."""
    from monitor.judge.profiles import PROFILES, policy

    policies = [policy(profile) for profile in PROFILES.values()]
    if chosen.json:
        say(json.dumps({"profiles": [document(rules) for rules in policies]}, indent=2))
        return PASS
    say("\n".join(table(policies)))
    return PASS


def profile_show(chosen: argparse.Namespace) -> int:
    """`headwatch profile show NAME`."""
    from monitor.judge.profiles import PROFILES, policy

    if chosen.name not in PROFILES:
        near = difflib.get_close_matches(chosen.name, PROFILES, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        message = f"no chain profile {chosen.name[:63]!r}{hint} (see `headwatch profile list`)"
        raise UsageError(message)
    rules = policy(PROFILES[chosen.name])
    say(json.dumps(document(rules), indent=2) if chosen.json else "\n".join(lines(rules)))
    return PASS


def made(profile: Profile) -> str:
    """How its blocks are made: `slots, one in 12 s`."""
    return f"{profile.model}, one in {profile.interval_seconds:g} s"


def table(policies: list[Policy]) -> list[str]:
    """A heading, and a line for each profile, columns aligned."""
    rows = [("PROFILE", "CHAIN", "BLOCKS", "QUIET", "LAG", "FORK", "POLL")]
    for rules in policies:
        chain_id = rules.profile.chain_id
        rows.append(
            (
                rules.profile.key,
                "any" if chain_id is None else str(chain_id),
                made(rules.profile),
                f"{rules.stall_seconds:.0f} s",
                f"{rules.lag_blocks} blocks",
                f"{rules.confirmations} blocks",
                f"{rules.poll_seconds:.2g} s",
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def document(rules: Policy) -> dict[str, object]:
    """The profile with everything that follows from it, for machines."""
    from monitor.commands.drifts import document as drift_document
    from monitor.commands.silences import silences
    from monitor.judge.drift import DRIFT_BUDGET_DAYS, drift
    from monitor.judge.profiles import FORK_P, LAG_P, STALL_BUDGET_DAYS, alarms_a_month

    looked_for = drift(rules.profile)
    return {
        **asdict(rules.profile),
        "thresholds": {
            "stall_seconds": rules.stall_seconds,
            "lag_blocks": rules.lag_blocks,
            "confirmations": rules.confirmations,
            "reorg_blocks": rules.reorg_blocks,
            "poll_seconds": rules.poll_seconds,
        },
        "budgets": {
            "stall_days_an_alarm": STALL_BUDGET_DAYS,
            "stall_alarms_a_month": alarms_a_month(rules.profile),
            "drift_days_an_alarm": DRIFT_BUDGET_DAYS,
            "drift_alarms_a_month": None if looked_for is None else looked_for.alarms_a_month,
            "lag_p": LAG_P,
            "fork_p": None if rules.profile.fork_rate is None else FORK_P,
        },
        "silences": [{"seconds": row.seconds, "a_month": row.a_month} for row in silences(rules)],
        "drift": drift_document(rules.profile),
    }


def lines(rules: Policy) -> list[str]:
    """The profile for people: thresholds with their reasons, silences as a plot, sources."""
    from monitor.commands import drifts
    from monitor.commands.silences import number, plot
    from monitor.judge.profiles import alarms_a_month

    profile = rules.profile
    alarms = alarms_a_month(profile)
    expected = (
        "none while a majority of its authorities seals" if alarms is None else number(alarms)
    )
    chain = "any chain id" if profile.chain_id is None else f"chain id {profile.chain_id}"
    return [
        f"{rules.label}: {made(profile)}, {chain}",
        f"genesis {profile.genesis_hash or 'not known: the references are asked'}",
        "",
        f"network quiet  {rules.stall_words}",
        f"               false alarms a month: {expected}",
        f"behind         {rules.lag_words}",
        f"forked         {rules.fork_words}",
        f"reorg          warned of from {rules.reorg_blocks} blocks",
        *drifts.threshold(profile),
        f"polled         every {rules.poll_seconds:.3g} s",
        "",
        *plot(rules),
        *drifts.plot(profile),
        "",
        "sources",
        *(f"  {source.note} ({source.where}, {source.date})" for source in profile.sources),
        *_titled("assumed, since no source states it", profile.assumed),
        *_titled("not found", profile.unknown),
    ]


def _titled(title: str, words: tuple[str, ...]) -> list[str]:
    return [title, *(f"  {word}" for word in words)] if words else []
