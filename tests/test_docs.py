"""What the documentation says is what the code does."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from monitor.cli import parser
from monitor.judge.profiles import PROFILES, Profile, policy

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.key)
def test_profiles_page_states_each_profiles_thresholds_and_sources(profile: Profile) -> None:
    """The table of docs/profiles.md holds the derived numbers, and each source is named."""
    page = (ROOT / "docs" / "profiles.md").read_text()
    rules = policy(profile)
    row = (
        f"| `{profile.key}` | {profile.model}, one in {profile.interval_seconds:g} s "
        f"| {rules.stall_seconds:.0f} s | {rules.lag_blocks} blocks "
        f"| {rules.confirmations} blocks | {rules.reorg_blocks} blocks | {rules.poll_seconds:g} s |"
    )
    assert row in page
    for source in profile.sources:
        assert f"- {source.note} ({source.where}, {source.date})" in page


@pytest.mark.parametrize("page", ["README.md", "docs/ledger.md"])
def test_commands_of_a_page_are_understood_by_the_command_line(page: str) -> None:
    """Every `headwatch …` line of its code blocks parses."""
    text = (ROOT / page).read_text()
    lines = re.findall(r"^    headwatch ([^#\n]+)", text, re.MULTILINE)
    assert len(lines) >= 5
    for line in lines:
        words = [word.replace("…", "host") for word in shlex.split(line)]
        assert callable(parser().parse_args(words).command), line


def test_readme_numbers_of_ethereum_are_the_profiles() -> None:
    """The thresholds that the README quotes are the derived ones."""
    text = " ".join((ROOT / "README.md").read_text().split())
    now, then = policy(PROFILES["ethereum"]), policy(PROFILES["ethereum-2018"])
    words = {2: "two", 3: "three", 5: "five", 6: "six"}
    assert (
        f"{words[now.lag_blocks]} blocks of lag, {now.stall_seconds:.0f} seconds of silence, "
        f"{words[now.confirmations]} blocks of fork"
    ) in text
    assert (
        f"{words[then.lag_blocks]} blocks, {then.stall_seconds:.0f} seconds, "
        f"{words[then.confirmations]}"
    ) in text
