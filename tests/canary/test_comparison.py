"""What all checks come to together."""

from __future__ import annotations

import pytest

from monitor.canary.comparison import (
    NOT_ASKED,
    OUTCOMES,
    REQUIRED,
    TITLES,
    Comparison,
    Outcome,
    word_of,
)


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
        (run(latency="unknown"), True, "inconclusive"),
        (run(latency="unknown", answers="warn"), False, "inconclusive"),
        (run(latency="unknown", head="fail"), False, "fail"),
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
    """A fail decides; then a check that saw nothing; what is skipped decides nothing."""
    assert word_of(found, strict=strict) == word


@pytest.mark.parametrize("check", TITLES)
def test_word_of_a_run_with_any_check_failed_is_fail(check: str) -> None:
    """Each of the twelve can block by itself."""
    failed: dict[str, Outcome] = {check: "fail"}
    assert word_of(run(**failed)) == "fail"


@pytest.mark.parametrize("check", TITLES)
@pytest.mark.parametrize("strict", [False, True])
def test_word_of_a_run_with_any_check_blind_is_inconclusive(check: str, *, strict: bool) -> None:
    """What could not see is neither green nor red, whichever of the twelve it is."""
    blind: dict[str, Outcome] = {check: "unknown"}
    assert word_of(run(**blind), strict=strict) == "inconclusive"


def test_check_that_was_not_made_for_another_s_sake_is_not_blind() -> None:
    """The other one is."""
    assert of("peers", "unknown").is_blind
    assert not Comparison("peers", "unknown", NOT_ASKED, "said").is_blind
    assert not of("peers", "skipped").is_blind


def test_required_checks_are_the_first_and_what_everything_rests_on() -> None:
    """Twelve checks; without a common chain nothing else means anything."""
    assert len(TITLES) == 12
    assert set(TITLES) >= REQUIRED == {"identity", "consensus"}
    assert OUTCOMES[0] == "fail"
