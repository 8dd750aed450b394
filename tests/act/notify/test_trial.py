"""One message to everybody, that says it is a test, and what came of it."""

from __future__ import annotations

from pathlib import Path

from monitor.act.notify.trial import ALERT, ALERT_SECONDS, TITLE, Trial, try_all
from monitor.config.settings import Alerting
from monitor.notices import SAMPLE
from tests.act.notify.conftest import Receiver

KEY = "s3cr3t-key-of-a-test"


def alerting_of(receiver: Receiver, **more: object) -> Alerting:
    """Everybody behind one receiver."""
    return Alerting.model_validate(
        {
            "alertmanagers": (
                {"name": "am", "url": receiver.url(f"/{KEY}"), "labels": {"team": "nodes"}},
            ),
            "channels": (
                {
                    "name": "people",
                    "url": f"json://127.0.0.1:{receiver.port}/{KEY}",
                    "body": "{{ message.notices[0].summary }}",
                },
            ),
            "heartbeats": ({"name": "alive", "url": receiver.url(f"/beat/{KEY}")},),
            "deadline_seconds": 1.0,
            **more,
        }
    )


async def test_everybody_gets_what_is_theirs_and_knows_that_it_is_a_test(
    receiver: Receiver,
) -> None:
    """An alert that ends by itself, a message in its own template, a fetch; all are taken."""
    trials = await try_all(alerting_of(receiver), clock=lambda: 1_795_000_000.0)
    assert trials == (
        Trial("am", "alertmanager", ""),
        Trial("people", "channel", ""),
        Trial("alive", "heartbeat", ""),
    )
    got = {each.path: each for each in receiver.got}
    (alert,) = got[f"/{KEY}/api/v2/alerts"].json
    assert alert["labels"] == {"team": "nodes", "alertname": ALERT, "severity": "info"}
    assert alert["annotations"]["summary"] == TITLE
    assert alert["startsAt"] == "2026-11-18T11:06:40.000Z"
    assert alert["endsAt"] == f"2026-11-18T11:0{6 + ALERT_SECONDS // 60}:40.000Z"
    told = got[f"/{KEY}"].json
    assert told["title"].startswith(TITLE)
    assert told["message"] == SAMPLE.notices[0].summary
    assert got[f"/beat/{KEY}"].method == "GET"


async def test_only_those_who_are_named_are_told(receiver: Receiver) -> None:
    """Whoever tries a new channel wakes nobody else."""
    trials = await try_all(alerting_of(receiver), only=("alive",))
    assert [trial.name for trial in trials] == ["alive"]
    assert [each.path for each in receiver.got] == [f"/beat/{KEY}"]


async def test_refusal_is_one_line_without_a_key(receiver: Receiver) -> None:
    """What is wrong is said by whom, and no address is repeated."""
    receiver.status, receiver.answer = 403, f"no such key {KEY}"
    trials = await try_all(alerting_of(receiver))
    assert all(trial.problem for trial in trials)
    assert trials[0].problem == "answered with HTTP 403: no such key ***"
    assert not any(KEY in trial.problem or "\n" in trial.problem for trial in trials)


async def test_receiver_that_does_not_answer_is_left_in_time(receiver: Receiver) -> None:
    """Nobody waits for ever for a test."""
    receiver.open.clear()
    trials = await try_all(alerting_of(receiver, deadline_seconds=0.2))
    assert {trial.problem for trial in trials} == {"no answer within 0.2 s"}
    receiver.open.set()


async def test_token_that_is_not_there_is_said(receiver: Receiver, tmp_path: Path) -> None:
    """A missing file is the operator's to mend, and is named as that."""
    manager = {"name": "am", "url": receiver.url("/"), "token_file": tmp_path / "none"}
    (trial,) = await try_all(Alerting.model_validate({"alertmanagers": (manager,)}))
    assert trial.problem == "the token file cannot be used: No such file or directory"
