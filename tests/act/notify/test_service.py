"""One apprise URL, and what of it may be shown."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from dataclasses import replace

import pytest

from monitor.act.notify.service import Service, in_thread, kind_of, secrets_of
from monitor.notices import SAMPLE, Message
from tests.act.notify.conftest import Receiver, until

NAME = "headwatch-notify"
STALL = SAMPLE.notices[0]
OVER = replace(STALL, kind="closed", level="ok")


@pytest.mark.parametrize(
    "url",
    [
        "slack://TokenAAAA/TokenBBBB/TokenCCCC/#channel",
        "tgram://123456789:secret_bot-token/12315544",
        "mailto://user:p%40ssword@example.com?smtp=mail.example.com&to=a@example.org",
        "json://user:password@localhost:8080/path/of/hook?+X-Token=abcdef",
    ],
)
def test_no_part_of_an_address_that_may_be_a_key_is_shown(url: str) -> None:
    """As written and decoded, alone and in a sentence."""
    service = Service.__new__(Service)
    service._secrets = secrets_of(url)
    said = service.masked(f"cannot send to {url}: " + " ".join(secrets_of(url)))
    for part in secrets_of(url):
        assert part not in said
    if "p%40ssword" in url:
        assert "p@ssword" in secrets_of(url) or "ssword" in secrets_of(url)


def test_address_that_apprise_does_not_know_is_refused_without_it() -> None:
    """The error names no part of it."""
    with pytest.raises(ValueError, match="does not understand") as caught:
        Service("nosuch://s3cr3t/key")
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (SAMPLE, "failure"),
        (replace(SAMPLE, level="unknown"), "warning"),
        (replace(SAMPLE, level="ok", notices=(OVER,)), "success"),
        (replace(SAMPLE, notices=(STALL, OVER)), "failure"),
    ],
)
def test_kind_follows_the_worst_news(message: Message, kind: str) -> None:
    """Green only where everything in it is over."""
    assert kind_of(message) == kind


async def test_thread_answers_in_the_loop(receiver: Receiver) -> None:
    """Blocking calls leave the loop free, which here answers them."""
    service = Service(receiver.url("/hook", "json"))
    assert await in_thread(lambda: service.send("title", "body", "warning")) == ""
    assert receiver.got[0].json["title"] == "title"
    receiver.status = 500
    problem = await in_thread(lambda: service.send("title", "body", "warning"))
    assert "500" in problem


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_thread_that_breaks_off_is_a_failure() -> None:
    """Whoever waits is not left waiting."""

    def call() -> str:
        message = "a mistake"
        raise RuntimeError(message)

    assert await asyncio.wait_for(in_thread(call), 10) == "it broke off"
    # Its traceback is printed after its answer was given.
    await until(lambda: NAME not in {t.name for t in threading.enumerate()}, "its end")


def test_apprise_is_loaded_by_the_first_channel_only() -> None:
    """Whoever has no channel needs no extra and does not wait for it."""
    program = (
        "import sys, monitor.act.notify.notifier as n; from monitor.config.settings import Alerting"
        "; from monitor.act.instruments import Instruments"
        "; n.Notifier(Alerting(), instruments=Instruments(), page_url='')"
        "; sys.exit('apprise' in sys.modules or 'jinja2' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
