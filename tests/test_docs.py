"""What the documentation says is what the code does."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from monitor.cli import parser
from monitor.commands.silences import plot
from monitor.judge.profiles import PROFILES, Profile, policy
from monitor.policy.measures import MEASURES, Measure
from monitor.policy.presets import PRESETS, Thresholds, rules_of
from monitor.policy.rules import Rule, parse
from monitor.policy.units import SECONDS, said

ROOT = Path(__file__).parents[1]
GATE = ROOT / "docs" / "gate.md"
WHOSE = {
    "node": "each node",
    "quorum": "each network's references",
    "journal": "each network's journal",
    "ledger": "each ledger",
}


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
    if profile.assumed:
        assert f"- assumed: {', '.join(f'`{name}`' for name in profile.assumed)}\n" in page
    if profile.unknown:
        assert f"- not found: {'; '.join(profile.unknown)}\n" in page


def test_profiles_page_shows_the_silences_as_they_are_printed() -> None:
    """The plot on the page is the one of the command."""
    page = (ROOT / "docs" / "profiles.md").read_text()
    assert "\n".join(f"    {line}" for line in plot(policy(PROFILES["ethereum"]))) in page


@pytest.mark.parametrize(
    ("page", "least"),
    [("README.md", 3), ("docs/ledger.md", 3), ("docs/gate.md", 4), ("docs/rollout.md", 3)],
)
def test_commands_of_a_page_are_understood_by_the_command_line(page: str, least: int) -> None:
    """Every `headwatch …` line of its code blocks parses."""
    text = (ROOT / page).read_text().replace("\\\n", "")
    lines = re.findall(r"^    headwatch ([^#\n]+)", text, re.MULTILINE)
    assert len(lines) >= least
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


def measure_row(measure: Measure) -> str:
    words = ", ".join(f"`.{word}`" for word in measure.aggregations) or "nothing"
    return (
        f"| `{measure.name}` | {words} | {measure.unit} | {WHOSE[measure.subjects]} "
        f"| {measure.meaning} |"
    )


def preset_row(profile: Profile, preset: str, rule: Rule) -> str:
    options = rule.options
    asked = [
        "warns" if options.severity == "warn" else "",
        f"over {said(options.over_seconds, SECONDS)}" if options.over_seconds else "",
        f"{options.min_samples} samples" if options.min_samples > 1 else "",
        f"{options.consecutive} in a row" if options.consecutive > 1 else "",
        "ends at once" if options.abort_on_fail else "",
    ]
    said_so = ", ".join(word for word in asked if word)
    return f"| `{profile.key}` | `{preset}` | `{rule.text}` | {said_so} |"


def gate_page() -> str:
    """docs/gate.md with its tables made from the code."""
    measures = [
        "| Measure | Followed by | Unit | Of | What it is |",
        "|---|---|---|---|---|",
        *(measure_row(measure) for measure in MEASURES),
    ]
    presets = ["| Profile | Preset | Rule | Asked |", "|---|---|---|---|"]
    for profile in PROFILES.values():
        rules = policy(profile)
        numbers = Thresholds(
            lag_blocks=rules.lag_blocks,
            confirmations=rules.confirmations,
            interval_seconds=profile.interval_seconds,
            stall_seconds=rules.stall_seconds,
        )
        presets += [
            preset_row(profile, preset, rule)
            for preset in PRESETS
            for rule in rules_of(preset, numbers)
        ]
    text = GATE.read_text(encoding="utf-8")
    for name, table in (("measures", measures), ("presets", presets)):
        start, end = f"<!-- {name}: written by tests/test_docs.py -->", f"<!-- /{name} -->"
        before, _, rest = text.partition(start)
        text = "\n".join([before + start, *table, end]) + rest.partition(end)[2]
    return text


COMPARED = re.compile(
    r"^\| (\d+) \| .+? \| \*\*(yes|partly|no)\*\*(.*?) \| (.*?) \| ([YPN– ]+) \|$", re.MULTILINE
)
CITED = re.compile(r"\[`(\w+)`\]\(\.\./([\w/.]+)\)")


def test_comparison_answers_every_row_with_a_test_or_a_reason() -> None:
    """68 rows; what headwatch has, a test shows that is there; what it has not, is said why."""
    page = (ROOT / "docs" / "comparison.md").read_text()
    rows = COMPARED.findall(page)
    assert [int(number) for number, *_ in rows] == list(range(1, 69))
    for number, word, words, shown, nine in rows:
        assert len(nine.split()) == 9, number
        cited = CITED.findall(shown)
        assert bool(cited) == (word != "no"), number
        assert words or word == "yes", number
        for name, path in cited:
            source = (ROOT / path).read_text()
            assert f"def {name}(" in source, f"{number}: {path} has no {name}"


def test_gate_page_tables_are_those_of_the_code() -> None:
    """`python tests/test_docs.py` writes them anew."""
    assert GATE.read_text(encoding="utf-8") == gate_page()


def test_gate_page_rules_are_read() -> None:
    """What the page and the example show as rules are rules."""
    for path in (GATE, ROOT / "headwatch.example.yaml"):
        text = path.read_text(encoding="utf-8").partition("<!-- measures")[0]
        found = re.findall(r"(?:- (?:\{?rule: )?)([a-z_]+\.[a-z0-9_.]+ [<>=]+ [^,}\n]+)", text)
        assert len(found) >= 3, path
        for rule in found:
            assert parse(rule).text == rule


if __name__ == "__main__":
    GATE.write_text(gate_page(), encoding="utf-8")
