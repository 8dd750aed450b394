"""What `headwatch lab` prints."""

from __future__ import annotations

import asyncio
import json
import sys

from monitor.lab.events import Event
from monitor.lab.network import LabNetwork
from monitor.lab.pace import Pace
from monitor.lab.scenarios import BY_NAME, SCENARIOS
from monitor.lab.timeline import lab_settings, run_scenario
from monitor.model import Key, Level

COLOURS = {
    "fault": "bold red",
    "heal": "bold green",
    "opened": "red",
    "changed": "yellow",
    "closed": "green",
    "gate": "cyan",
}


def _findings(findings: frozenset[tuple[Key, Level]]) -> str:
    words = (f"{check} {subject} {level.word}" for (check, subject), level in sorted(findings))
    return ", ".join(words) or "nothing"


def listing(*, as_json: bool) -> str:
    """The table of scenarios, for people or for machines."""
    if as_json:
        rows = [
            {
                "name": s.name,
                "title": s.title,
                "counterpart": s.counterpart,
                "findings": [
                    {"check": key[0], "subject": key[1], "level": level.word}
                    for key, level in sorted(s.findings)
                ],
                "exit_code": s.exit_code,
                "healed_exit_code": s.healed_exit_code,
            }
            for s in SCENARIOS
        ]
        return json.dumps(rows, indent=2)
    lines = []
    for scenario in SCENARIOS:
        lines.append(f"{scenario.name}")
        lines.append(f"    {scenario.title}")
        healed = scenario.healed_exit_code
        then = "" if healed is None else f", and {healed} when it is over"
        found = _findings(scenario.findings)
        exits = f"a gate that starts then exits {scenario.exit_code}{then}"
        lines.append(f"    finds: {found}; {exits}")
    return "\n".join(lines)


def line(event: Event) -> str:
    """One event as a line of plain text, columns aligned."""
    text = event.text
    if event.key is not None and event.level is not None:
        text = f"{event.key[0]} {event.key[1]} is {event.level.word}: {event.text}"
    if event.because is not None and event.what != "closed":
        text += f" (because of {event.because[0]} {event.because[1]})"
    return f"{event.seconds:7.2f} s  block {event.block:>4}  {event.what:<8} {text}"


def show(event: Event, *, as_json: bool = False) -> None:
    """Print one event as it happens; coloured on a terminal."""
    if as_json:
        print(json.dumps(event.to_json()), flush=True)
    elif sys.stdout.isatty():
        from rich.console import Console
        from rich.text import Text

        Console().print(Text(line(event), style=COLOURS.get(event.what, "")), soft_wrap=True)
    else:
        print(line(event), flush=True)


def scenario_command(name: str, *, seed: int, pace: Pace, as_json: bool) -> int:
    """Run one scenario and print its timeline; 0 when it went as its row says, else 1.

    Raises LookupError with the nearest names when there is no such scenario.
    """
    scenario = BY_NAME[name]
    report = asyncio.run(
        run_scenario(
            scenario,
            seed=seed,
            pace=pace,
            on_event=lambda event: show(event, as_json=as_json),
        )
    )
    problems = report.problems
    if not as_json:
        detected = report.detected_blocks
        took = "" if detected is None else f", found after {detected} blocks"
        verdict = "as expected" if not problems else "NOT as expected"
        print(f"\n{scenario.name}: {verdict}{took}")
        for problem in problems:
            print(f"  {problem}")
    return 1 if problems else 0


async def _up(pace: Pace, seed: int) -> None:
    from monitor.config import show as show_settings

    async with LabNetwork(seed=seed, pace=pace) as net:
        settings = lab_settings(net, pace.interval_seconds)
        print("# a lab network; this configuration watches it. Ctrl-C ends it.")
        print(show_settings(settings), flush=True)
        while True:
            await net.wait_blocks(1)


def up_command(pace: Pace, seed: int) -> int:
    """A healthy lab network until interrupted."""
    asyncio.run(_up(pace, seed))
    return 0
