"""What all checks come to together."""

from __future__ import annotations

import pytest

from monitor.canary.comparison import OUTCOMES, REQUIRED, TITLES, Comparison, Outcome, word_of


def of(check: str, outcome: Outcome) -> Comparison:
    return Comparison(check, outcome, "some", "said")


def run(**outcomes: Outcome) -> list[Comparison]:
    """A run in which every check passed but these."""
    return [of(check, outcomes.get(check, "pass")) for check in TITLES]


@pytest.mark.parametrize(
    ("found", "strict", "word"),
    [
        (run(), False, "pass"),
        (run(answers="warn"), False, "pass"),
        (run(answers="warn"), True, "fail"),
        (run(peers="skipped", disk="skipped", restart="skipped"), True, "pass"),
        (run(latency="unknown"), True, "pass"),
        (run(identity="unknown"), False, "inconclusive"),
        (run(consensus="unknown"), False, "inconclusive"),
        (run(consensus="skipped"), False, "inconclusive"),
        (run(consensus="warn"), False, "pass"),
        (run(consensus="unknown", peers="fail"), False, "fail"),
        ([], False, "inconclusive"),
        ([of("identity", "pass")], False, "inconclusive"),
    ],
)
def test_word_of_a_run_follows_its_worst(found: list[Comparison], strict: bool, word: str) -> None:
    """A fail decides; then a required check that saw nothing; what is skipped is no pass."""
    assert word_of(found, strict=strict) == word


@pytest.mark.parametrize("check", TITLES)
def test_word_of_a_run_with_any_check_failed_is_fail(check: str) -> None:
    """Each of the twelve can block by itself."""
    failed: dict[str, Outcome] = {check: "fail"}
    assert word_of(run(**failed)) == "fail"


def test_required_checks_are_the_first_and_what_everything_rests_on() -> None:
    """Twelve checks; without a common chain nothing else means anything."""
    assert len(TITLES) == 12
    assert set(TITLES) >= REQUIRED == {"identity", "consensus"}
    assert {of(check, "pass").is_required for check in REQUIRED} == {True}
    assert not of("peers", "pass").is_required
    assert OUTCOMES[0] == "fail"
