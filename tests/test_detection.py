"""docs/detection.md says how long faults go unnoticed: every fault, every chain, as measured."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.delays import SEEDS, UNITS, UNPLAYED, cell, delays, page
from monitor.judge.profiles import PROFILES
from monitor.lab.scenarios import SCENARIOS
from tests.world_faults import FAULTS

PAGE = Path(__file__).parents[1] / "docs" / "detection.md"
BY_NAME = {fault.name: fault for fault in FAULTS}


def figures(unit: str) -> dict[tuple[str, str], str]:
    """The cells of the page's tables in this unit: by fault and profile."""
    found = {}
    text = PAGE.read_text(encoding="utf-8")
    tables = re.findall(rf"### In {unit}, [^\n]+\n\n((?:\|[^\n]+\n)+)", text)
    for table in tables:
        head, _, *rows = (
            [part.strip(" `") for part in line.strip("|").split("|")] for line in table.splitlines()
        )
        for name, *cells in rows:
            found.update({(name, key): c for key, c in zip(head[1:], cells, strict=True)})
    return found


@pytest.mark.parametrize("unit", UNITS)
def test_detection_page_has_every_fault_on_every_chain(unit: str) -> None:
    """No chain and no fault is left out, and the worst is never better than the median."""
    found = figures(unit)
    assert set(found) == {(fault.name, key) for fault in FAULTS for key in PROFILES}
    for place, text in found.items():
        assert re.fullmatch(r"\d+(\.\d)? / \d+(\.\d)?", text), place
        median, worst = (float(part) for part in text.split(" / "))
        assert 0 <= median <= worst, place


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("lag", "ethereum"),
        ("stall", "gnosis"),
        ("private-fork", "kovan-2018"),
        ("liar-hash", "arbitrum"),
        ("client-split", "ethereum-2018"),
    ],
)
def test_detection_page_figures_are_those_of_the_world(name: str, key: str) -> None:
    """The same seeds give the same figures; where they do not, the page is to be measured anew."""
    found = delays(PROFILES[key], BY_NAME[name], SEEDS)
    for unit in UNITS:
        assert figures(unit)[name, key] == cell(found, unit)


def test_detection_page_says_when_and_how_it_was_measured() -> None:
    """The date, the seeds, and the command that does it again."""
    text = PAGE.read_text(encoding="utf-8")
    assert re.search(rf"Measured 20\d\d-\d\d-\d\d, .*: median / worst of {SEEDS} seeds\.", text)
    assert "\n    python -m benchmarks detection --page docs/detection.md" in text


def test_detection_page_names_every_scenario_of_the_lab() -> None:
    """What the world cannot play is said, with what is known of it all the same."""
    played = {fault.name for fault in FAULTS}
    rows = {scenario.name for scenario in SCENARIOS}
    assert rows <= played | set(UNPLAYED)
    assert set(UNPLAYED) <= rows - played


def test_detection_page_lists_are_those_of_the_code() -> None:
    """`python -m tests.test_detection` writes them anew; figures are measured, and stay."""
    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
