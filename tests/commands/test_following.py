from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

import pytest

from monitor.commands import UnseenError
from monitor.commands.following import POLL_SECONDS, Ending, Progress, follow
from monitor.commands.transaction_access import AttemptPart, StagePart, StoryPart, Told
from monitor.status.document import Line

MINE, OTHER = Line("0x" + "1" * 64), Line("0x" + "2" * 64)


def story(state: str, *, consumer: Line | None = None, kind: str = "observed") -> Told[StoryPart]:
    attempts = (AttemptPart(MINE, Line("observed"), None), AttemptPart(OTHER, Line(kind), None))
    stages = (StagePart(Line("seen")), StagePart(Line(f"it is {state}")))
    part = StoryPart(
        Line("ethereum"), Line("scheduler"), 17, Line(state), consumer, attempts, stages
    )
    return Told({"state": state}, part)


class Time:
    """A clock that only waiting moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def read(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        assert 0 < seconds <= POLL_SECONDS
        self.now += seconds


def followed(
    answers: Sequence[Told[StoryPart] | UnseenError],
    *,
    seconds: float = 60.0,
    is_terminal: bool = False,
) -> tuple[Ending, str]:
    """How it ended, and what was said; the last answer is given for ever."""
    time, out = Time(), io.StringIO()

    def all_of() -> Iterator[Told[StoryPart] | UnseenError]:
        yield from answers
        while True:
            yield answers[-1]

    following = all_of()

    def look() -> Told[StoryPart]:
        answer = next(following)
        if isinstance(answer, UnseenError):
            raise answer
        return answer

    progress = Progress(out, is_terminal)
    ending = follow(look, seconds, progress, stopwatch=time.read, pause=time.wait)
    return ending, out.getvalue()


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("final_ok", 0),
        ("final_reverted", 1),
        ("replaced_same", 1),
        ("replaced_other", 1),
        ("cancelled", 1),
        ("lost", 1),
    ],
)
def test_follow_ends_with_the_nonce_and_its_code(state: str, code: int) -> None:
    """0 only where the payment is in a final block and went well."""
    ending, _ = followed([story("pending"), story("mined"), story(state, consumer=MINE)])
    assert ending.exit_code == code
    assert ending.sentence == f"nonce 17 of scheduler: {state} by {MINE}"
    assert ending.document == {"state": state}


@pytest.mark.parametrize("kind", ["cancel", "fill"])
def test_follow_of_a_nonce_that_pays_nobody_is_no_success(kind: str) -> None:
    """A cancellation of ours went well: the payment did not."""
    ending, _ = followed([story("final_ok", consumer=OTHER, kind=kind)])
    assert ending.exit_code == 1
    assert f"was used by a {kind}: {OTHER}" in ending.sentence
    ending, _ = followed([story("final_ok", consumer=OTHER, kind="replace")])
    assert ending.exit_code == 0, "the same payment with higher fees is one"


@pytest.mark.parametrize(
    "state", ["pending", "mined", "reverted", "reorged_out", "dropped", "of_a_newer_version"]
)
def test_follow_of_what_may_still_change_goes_on_until_its_time_is_over(state: str) -> None:
    """Neither a revert that is not final nor a word that is not known ends it; 3 then."""
    ending, _ = followed([story(state)], seconds=5.0)
    assert ending.exit_code == 3
    assert ending.sentence == f"not final after 5.0 s: {state}"
    assert ending.document == {"state": state}


def test_follow_waits_for_a_sidecar_that_is_away() -> None:
    """A restart in between is said and outlived; never to have seen anything is said too."""
    away = UnseenError("the sidecar does not answer")
    ending, said = followed([story("pending"), away, away, story("final_ok")])
    assert ending.exit_code == 0
    assert said.splitlines() == [
        "pending: it is pending",
        "the sidecar does not answer",
        "final_ok: it is final_ok",
    ]
    ending, _ = followed([away], seconds=3.0)
    assert (ending.exit_code, ending.document) == (3, {})
    assert ending.sentence == "not seen within 3.0 s"


def test_progress_on_a_terminal_is_one_line_that_is_left_at_the_end() -> None:
    """Rewritten with how long it has lasted; the cursor is on a line of its own afterwards."""
    _, said = followed([story("pending"), story("final_ok")], is_terminal=True)
    assert said == (
        "\r\x1b[Kpending: it is pending, 0.0 s\r\x1b[Kfinal_ok: it is final_ok, 2.0 s\n"
    )
