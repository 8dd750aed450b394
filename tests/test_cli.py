"""The shape of the command line; what the commands do is tested in e2e/test_commands.py."""

from __future__ import annotations

import argparse

import pytest

from monitor import cli, commands
from monitor.commands import OutputError, UsageError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("60", 60.0), ("60s", 60.0), ("5m", 300.0), ("250ms", 0.25), ("1.5h", 5400.0), ("0", 0.0)],
)
def test_time_with_a_unit_is_read_as_seconds(text: str, seconds: float) -> None:
    """Units are part of the text; a bare number is seconds."""
    assert cli.seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-1s", "5 m", "1d", "1e3", "99999h", "9" * 400])
def test_time_that_is_none_is_refused_with_its_text(text: str) -> None:
    """What is no time, or longer than a week, is a usage error."""
    with pytest.raises(argparse.ArgumentTypeError, match="expected"):
        cli.seconds_of(text)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("no"), 2),
        (OutputError("full"), 2),
        (KeyboardInterrupt(), 130),
        (RuntimeError("ours"), 4),
    ],
)
def test_error_of_a_command_becomes_its_exit_code(
    error: BaseException,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Every way to end has its code and one line; a mistake of ours shows its traceback too."""

    def fails(chosen: argparse.Namespace) -> int:
        raise error

    monkeypatch.setattr(commands, "lab_list", fails)
    monkeypatch.setattr(cli, "_drop_output", lambda: None)
    assert cli.main(["lab", "list"]) == code
    said = capfd.readouterr().err
    assert said.splitlines()[-1].startswith("headwatch: ")
    assert ("Traceback" in said) == (code == 4)


def test_help_of_every_command_can_be_read() -> None:
    """--help works at every level and exits 0."""
    for words in (
        *([], ["run"], ["gate"], ["config"], ["config", "init"], ["config", "check"]),
        *(["config", "show"], ["config", "schema"], ["lab"], ["lab", "list"], ["lab", "up"]),
        *(["lab", "scenario"], ["lab", "fetch"], ["demo"]),
    ):
        assert cli.main([*words, "--help"]) == 0
