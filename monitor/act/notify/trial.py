"""One message to everybody who is configured, so that the first real one is not the first.

It says in its first word that it is a test. Nothing is retried: whoever asks wants to know now.
"""

from __future__ import annotations

import asyncio
import datetime
import json
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import aiohttp

from monitor.act.notify.channel import filled
from monitor.act.notify.exchange import Request, send
from monitor.act.notify.service import Service, in_thread
from monitor.act.words import rfc3339
from monitor.config.settings import Alerting, Alertmanager, Channel, Heartbeat
from monitor.notices import SAMPLE
from monitor.wire import open_session

ALERT = "HeadwatchTest"
ALERT_SECONDS = 60
"""After so long the alert of a test is over by itself."""
TITLE = "TEST of headwatch, nothing is wrong"

Kind = Literal["alertmanager", "channel", "heartbeat"]


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of one message."""

    name: str
    kind: Kind
    problem: str
    """One line without a key; empty where it was taken."""


async def try_all(
    alerting: Alerting,
    *,
    only: Collection[str] = (),
    clock: Callable[[], float] = time.time,
) -> tuple[Trial, ...]:
    """Tell everybody, or those who are named, at once; in the order of the configuration.

    An Alertmanager gets an alert `HeadwatchTest` of severity info that ends by itself, a channel a
    sample in its own template, a heartbeat is fetched.
    """
    now = clock()
    deadline = alerting.deadline_seconds
    async with open_session({}) as session:
        trials: dict[str, Callable[[], Awaitable[Trial]]] = {}
        for alerts in alerting.alertmanagers:
            trials[alerts.name] = partial(_alert, alerts, session, deadline, now)
        for channel in alerting.channels:
            trials[channel.name] = partial(_message, channel, deadline, now)
        for beat in alerting.heartbeats:
            trials[beat.name] = partial(_beat, beat, session, deadline)
        wanted = [trial for name, trial in trials.items() if not only or name in only]
        return tuple(await asyncio.gather(*(trial() for trial in wanted)))


async def _alert(
    alerts: Alertmanager, session: aiohttp.ClientSession, deadline: float, now: float
) -> Trial:
    alert = {
        "labels": {**alerts.labels, "alertname": ALERT, "severity": "info"},
        "annotations": {"summary": TITLE},
        "startsAt": rfc3339(now),
        "endsAt": rfc3339(now + ALERT_SECONDS),
    }
    request = Request(
        alerts.url,
        path=("api", "v2", "alerts"),
        body=json.dumps([alert]).encode(),
        token_file=alerts.token_file,
    )
    answer = await send(session, request, deadline_seconds=deadline)
    return Trial(alerts.name, "alertmanager", answer.problem)


async def _message(channel: Channel, deadline: float, now: float) -> Trial:
    at = datetime.datetime.fromtimestamp(now, datetime.UTC).strftime("%H:%M:%S UTC")
    title, body = filled(channel, replace(SAMPLE, at=at))
    service = Service(channel.url.get_secret_value())
    sending = in_thread(partial(service.send, f"{TITLE}. {title}", body, "info"))
    done, _ = await asyncio.wait({sending}, timeout=deadline)
    problem = sending.result() if done else f"no answer within {deadline:g} s"
    return Trial(channel.name, "channel", problem)


async def _beat(heartbeat: Heartbeat, session: aiohttp.ClientSession, deadline: float) -> Trial:
    answer = await send(session, Request(heartbeat.url), deadline_seconds=deadline)
    return Trial(heartbeat.name, "heartbeat", answer.problem)
