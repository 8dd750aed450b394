"""What programs ask, written down for a replay: no send, no secret, and nobody waits for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from monitor.canary.traffic import Request, is_safe, read
from monitor.transactions.tap.recording import (
    BODY_BYTES_MAX,
    LINES_AT_ONCE,
    LINES_WAITING_MAX,
    MODE,
    Recorder,
)

CALL = {"method": "eth_call", "params": [{"to": "0x1"}, "latest"], "id": 1, "jsonrpc": "2.0"}
SECRET = "correct-horse"  # noqa: S105 - invented


def body(message: Any) -> bytes:
    return json.dumps(message).encode()


def kept(path: Path) -> list[Request]:
    """What lies in the file."""
    return list(read(path.read_text(encoding="utf-8").splitlines())) if path.exists() else []


async def recorded(path: Path, *bodies: bytes, **settings: Any) -> list[Request]:
    """What a replay reads of it."""
    recorder = Recorder(path, **settings)
    for one in bodies:
        recorder.note(one)
    await recorder.close()
    return kept(path)


async def test_calls_are_read_back_as_a_replay_wants_them(tmp_path: Path) -> None:
    """One by one and of batches, in their order, with nothing but method and parameters."""
    path = tmp_path / "traffic.jsonl"
    spaced = b'{"method":"eth_getBalance",\n"params":[\n"0x1",\r\n"latest"]}'
    found = await recorded(path, body(CALL), body([CALL, {"method": "eth_chainId"}]), spaced)
    call = Request("eth_call", ({"to": "0x1"}, "latest"))
    assert found == [
        *(call, call),
        Request("eth_chainId", ()),
        Request("eth_getBalance", ("0x1", "latest")),
    ]
    assert path.stat().st_mode & 0o777 == MODE
    assert b"jsonrpc" not in path.read_bytes()


@pytest.mark.parametrize(
    "message",
    [
        {"method": "personal_unlockAccount", "params": ["0x1", SECRET]},
        {"method": "eth_sendRawTransaction", "params": [SECRET]},
        {"method": "eth_sign", "params": [SECRET]},
        {"method": "admin_addPeer", "params": [SECRET]},
        {"method": "eth_newFilter", "params": [SECRET]},
        {"method": "eth_call", "params": {"secret": SECRET}},
        {"method": 7, "params": [SECRET]},
        {"params": [SECRET]},
        SECRET,
    ],
    ids=lambda message: str(message)[:40],
)
async def test_what_a_replay_would_not_put_is_not_written_down(
    tmp_path: Path, message: Any
) -> None:
    """Neither by itself nor in a batch beside what is."""
    path = tmp_path / "traffic.jsonl"
    assert await recorded(path, body(message)) == []
    found = await recorded(path, body([CALL, message]))
    assert all(one.method == "eth_call" for one in found)
    assert not path.exists() or SECRET not in path.read_text()


@pytest.mark.parametrize(
    "text",
    [b"", b"nonsense", b"[" * 5000, b'{"method":"eth_call","params":["\xff"]}', b"[]"],
    ids=["nothing", "nonsense", "deep", "no UTF-8", "empty"],
)
async def test_body_that_cannot_be_read_is_no_trouble(tmp_path: Path, text: bytes) -> None:
    """The request goes on its way, whatever it is."""
    assert await recorded(tmp_path / "traffic.jsonl", text) == []


async def test_long_requests_are_not_looked_into(tmp_path: Path) -> None:
    """Nobody waits while a megabyte is read."""
    long = body({**CALL, "params": ["0x" + "0" * BODY_BYTES_MAX]})
    assert await recorded(tmp_path / "traffic.jsonl", long) == []


@pytest.mark.parametrize(("share", "count"), [(0.5, 2), (0.25, 1), (1.0, 4)])
async def test_share_of_the_requests_is_recorded(tmp_path: Path, share: float, count: int) -> None:
    """As the draws fall; at the share itself a request is left out."""
    draws = iter([0.0, 0.25, 0.5, 0.99])
    settings = {"share": share, "draw": lambda: next(draws)}
    found = await recorded(tmp_path / "traffic.jsonl", *[body(CALL)] * 4, **settings)
    assert len(found) == count


async def test_file_that_is_full_becomes_the_one_before_it(tmp_path: Path) -> None:
    """Two files at most, however long it records; a restart goes on where it was."""
    path, before = tmp_path / "traffic.jsonl", tmp_path / "traffic.jsonl.1"
    await recorded(path, body(CALL))
    line = path.stat().st_size
    counts = []
    for _ in range(4):
        await recorded(path, body(CALL), bytes_max=2 * line)
        counts.append((len(kept(path)), len(kept(before))))
    assert counts == [(2, 0), (1, 2), (2, 2), (1, 2)]


async def test_lines_are_written_while_it_records(tmp_path: Path) -> None:
    """What is waiting is bounded, and a crash loses little."""
    path = tmp_path / "traffic.jsonl"
    recorder = Recorder(path)
    for _ in range(LINES_AT_ONCE):
        recorder.note(body(CALL))
    assert recorder._writing is not None
    await recorder._writing
    assert len(path.read_text().splitlines()) == LINES_AT_ONCE
    recorder.note(body([CALL] * 500))
    for _ in range(LINES_WAITING_MAX // 500):
        recorder.note(body([CALL] * 500))
    assert recorder.left_out == 500
    await recorder.close()
    assert len(path.read_text().splitlines()) == LINES_AT_ONCE + LINES_WAITING_MAX


async def test_disk_that_takes_nothing_ends_the_recording_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said once; requests go on."""
    recorder = Recorder(tmp_path / "absent" / "traffic.jsonl")
    recorder.note(body(CALL))
    await recorder.close()
    recorder.note(body(CALL))
    await recorder.close()
    assert [record.message for record in caplog.records] == [
        "requests are not recorded any more: No such file or directory"
    ]


def test_safe_methods_are_those_that_read() -> None:
    """Whatever nobody has looked at is not among them."""
    assert is_safe("eth_call")
    assert is_safe("eth_getLogs")
    assert is_safe("eth_blockNumber")
    assert not is_safe("eth_sendRawTransaction")
    assert not is_safe("")
