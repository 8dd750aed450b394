"""A program that signs, and every way in which a program can do something else."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.transactions.raw import decode
from monitor.transactions.signers import SignerError
from monitor.transactions.signers.command import OUTPUT_BYTES_MAX, CommandSigner
from tests.transactions import signing
from tests.transactions.signers.fakes import OTHER, SELF, TAMPERED, asked
from tests.transactions.signing import SENDER, STRANGER, sign

RAW = sign(signing.dynamic(nonce=7)).raw
SIGNATURE = "0x" + RAW.hex()
WAIT_SECONDS_MAX = 20.0


def script(text: str, *arguments: str, deadline_seconds: float = WAIT_SECONDS_MAX) -> CommandSigner:
    """A signer that runs these lines of shell; the signature is in $SIGNATURE."""
    lines = f"SIGNATURE={SIGNATURE}\n{text}"
    return CommandSigner(
        ("/bin/sh", "-c", lines, "sh", *arguments), deadline_seconds=deadline_seconds
    )


async def test_command_gets_its_request_and_its_answer_is_handed_on(tmp_path: Path) -> None:
    """One line of JSON on its input, whatever white space around its output."""
    seen = tmp_path / "seen.json"
    signer = script(f"cat > {seen}; printf ' \\n%s\\n\\n' $SIGNATURE")
    assert await signer.sign(asked(), SELF) == RAW
    text = seen.read_text(encoding="utf-8")
    assert text.count("\n") == 1
    assert json.loads(text) == {
        "sender": SELF,
        "transaction": {
            "type": "0x2",
            "from": SENDER.address,
            "chainId": "0x7a69",
            "nonce": "0x7",
            "to": signing.TO,
            "value": "0x5",
            "data": "0xdeadbeef",
            "gas": "0x7530",
            "maxFeePerGas": "0xee6b2800",
            "maxPriorityFeePerGas": "0x3b9aca00",
        },
    }


async def test_command_is_started_without_a_shell(tmp_path: Path) -> None:
    """What its arguments hold is not interpreted."""
    odd = "$(touch " + str(tmp_path / "made") + ");`id`"
    assert await script('[ "$1" = "$2" ] && echo $SIGNATURE', odd, odd).sign(asked(), SELF) == RAW
    assert not (tmp_path / "made").exists()


async def test_command_may_leave_its_input_unread(tmp_path: Path) -> None:
    """Even where it is longer than a pipe holds."""
    data = "0x" + "11" * 100_000
    raw = sign(signing.dynamic(nonce=7, data=data)).raw
    (tmp_path / "raw").write_text("0x" + raw.hex(), encoding="utf-8")
    signer = script('exec <&-; cat "$1"', str(tmp_path / "raw"))
    assert await signer.sign(asked(data=data), SELF) == raw


@pytest.mark.parametrize("name", TAMPERED)
async def test_command_that_signs_something_else_is_refused(name: str) -> None:
    """What differs is named, and no bytes come out."""
    tamper, words = TAMPERED[name]
    fields = signing.dynamic(nonce=7)
    tamper(fields)
    with pytest.raises(SignerError, match=words):
        await script("echo $1", "0x" + sign(fields).raw.hex()).sign(asked(), SELF)


async def test_command_with_another_key_is_refused() -> None:
    """The sender is what the signature recovers."""
    other = "0x" + sign(signing.dynamic(nonce=7), STRANGER).raw.hex()
    with pytest.raises(SignerError, match=f"sender {OTHER}, not {SELF}"):
        await script("echo $1", other).sign(asked(), SELF)


@pytest.mark.parametrize(
    "text",
    [
        "true",
        "echo garbage",
        "echo 0x",
        "printf '\\377'",
        "echo $SIGNATURE $SIGNATURE",
        "echo 0xg0",
    ],
)
async def test_command_that_prints_something_else_is_an_error(text: str) -> None:
    """What it printed is not repeated."""
    with pytest.raises(SignerError) as caught:
        await script(text).sign(asked(), SELF)
    assert str(caught.value) == "sh: what it printed is not 0x and pairs of hexadecimal digits"


async def test_command_that_prints_no_transaction_is_an_error() -> None:
    """Digits alone are not enough."""
    with pytest.raises(SignerError, match="what it signed is no transaction"):
        await script("echo 0x00").sign(asked(), SELF)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("exit 3", "^sh: it ended with exit code 3$"),
        ("echo no key >&2; exit 1", "^sh: it ended with exit code 1: no key$"),
        ("echo $SIGNATURE; exit 1", "^sh: it ended with exit code 1$"),
        ("kill -9 $$", "^sh: it was ended by SIGKILL$"),
        ("printf 'one\\ntwo\\033[1m\\n' >&2; exit 1", r"exit code 1: one two \[1m$"),
        (
            "echo begun >&2; yes | head -n 9999 >&2; echo end >&2; exit 1",
            "exit code 1: …y y .* end$",
        ),
    ],
)
async def test_command_that_fails_is_an_error_with_its_last_words(text: str, words: str) -> None:
    """The end of its standard error, on one line, cut; even if it printed a signature."""
    with pytest.raises(SignerError, match=words) as caught:
        await script(text).sign(asked(), SELF)
    assert len(str(caught.value)) < 300


async def test_command_complaint_is_shown_without_secrets() -> None:
    """Its own arguments, URLs, and digits that may be a key."""
    text = 'echo "$@" https://vault.example.org/v1/t0ken 0x$(printf %064d 7) plain >&2; exit 1'
    signer = script(text, "--key=s3cretword", "--quiet", "hunt", "abc")
    with pytest.raises(SignerError) as caught:
        await signer.sign(asked(), SELF)
    words = "exit code 1: --key=*** --quiet *** abc https://*** 0x*** plain"
    assert str(caught.value).endswith(words)


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("/nowhere/at/all",), "^all: it cannot be started: no such file or directory$"),
        (("/etc/passwd",), "^passwd: it cannot be started: permission denied$"),
        (("/",), "it cannot be started: permission denied$"),
    ],
)
async def test_command_that_cannot_be_started_is_an_error(
    argv: tuple[str, ...], words: str
) -> None:
    """Named, with the system's reason."""
    with pytest.raises(SignerError, match=words):
        await CommandSigner(argv).sign(asked(), SELF)


def test_command_without_a_word_is_refused() -> None:
    """There is nothing to start."""
    with pytest.raises(ValueError, match="at least one word"):
        CommandSigner(())


@pytest.mark.parametrize(
    "text",
    [
        "exec 9> {fifo}; sleep 1000",
        "exec 9> {fifo}; trap '' TERM; sleep 1000 & wait",
        "exec 9> {fifo}; sleep 1000 & echo $SIGNATURE",
        "exec 9> {fifo}; yes >&2",
        "exec 9> {fifo}; exec >&- 2>&-; sleep 1000",
    ],
    ids=["hangs", "with a child", "leaves a child", "complains for ever", "closes its output"],
)
async def test_command_that_hangs_is_killed_with_its_children(tmp_path: Path, text: str) -> None:
    """At the deadline; a pipe that all of them hold open ends, so none of them is left."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    ending = asyncio.create_task(asyncio.to_thread(fifo.read_bytes))
    signer = script(text.format(fifo=fifo), deadline_seconds=0.3)
    with pytest.raises(SignerError, match=r"^sh: no signature within 0.3 s$"):
        await signer.sign(asked(), SELF)
    assert await asyncio.wait_for(ending, WAIT_SECONDS_MAX) == b""


async def test_command_whose_caller_is_gone_is_killed(tmp_path: Path) -> None:
    """Nobody waits for it any more."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    signing_ = asyncio.create_task(
        script(f"exec 9> {fifo}; echo begun >&9; sleep 1000").sign(asked(), SELF)
    )
    with await asyncio.to_thread(fifo.open, "rb") as pipe:
        assert await asyncio.to_thread(pipe.readline) == b"begun\n"
        signing_.cancel()
        with pytest.raises(asyncio.CancelledError):
            await signing_
        assert await asyncio.wait_for(asyncio.to_thread(pipe.read), WAIT_SECONDS_MAX) == b""


def running(marker: str) -> bool:
    """Whether a process has this word in its command line; one that has ended has none."""
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if marker.encode() in place.read_bytes():
                return True
    return False


@pytest.mark.parametrize("turns", range(12))
async def test_command_cancelled_while_it_starts_is_killed_with_its_children(
    tmp_path: Path, turns: int
) -> None:
    """However far its start has come."""
    marker = f"marker-{tmp_path.name}"
    text = "/bin/sh -c 'sleep 1000; true' $1 & sleep 1000; true"
    task = asyncio.create_task(script(text, marker).sign(asked(), SELF))
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        while running(marker):
            await asyncio.sleep(0.01)


async def test_command_that_prints_too_much_is_killed() -> None:
    """At once, and not at the deadline; up to the limit it may."""
    with pytest.raises(SignerError, match="it printed more than 524288 bytes"):
        await script("yes").sign(asked(), SELF)
    room = OUTPUT_BYTES_MAX - len(SIGNATURE)
    spaces = "printf $SIGNATURE; head -c $1 /dev/zero | tr '\\0' ' '"
    assert await script(spaces, str(room)).sign(asked(), SELF) == RAW
    with pytest.raises(SignerError, match="it printed more than 524288 bytes"):
        await script(spaces, str(room + 1)).sign(asked(), SELF)


async def test_command_signs_several_at_once() -> None:
    """Each with a process of its own; closing it ends nothing."""
    signer = script("cat > /dev/null; echo $SIGNATURE")
    signed = await asyncio.gather(*(signer.sign(asked(), SELF) for _ in range(3)))
    assert {decode(raw).hash for raw in signed} == {decode(RAW).hash}
    await signer.close()


async def test_command_is_not_started_to_sign_for_every_chain(tmp_path: Path) -> None:
    """What cannot be made good afterwards is not asked."""
    with pytest.raises(SignerError, match="names no chain"):
        await script(f"touch {tmp_path / 'made'}").sign(
            replace(asked("legacy"), chain_id=None), SELF
        )
    assert not (tmp_path / "made").exists()
