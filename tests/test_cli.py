"""The shape of the command line; what the commands do is tested in e2e/test_commands.py."""

from __future__ import annotations

import argparse

import pytest

from monitor import cli, commands
from monitor.commands import OutputError, UsageError


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
        *(["lab", "scenario"], ["lab", "fetch"], ["demo"], ["tx"], ["tx", "list"], ["tx", "show"]),
        *(["tx", verb] for verb in ("watch", "rebroadcast", "replace", "cancel", "propose")),
        *(["tx", "halt"], ["tx", "resume"], ["ledger"], ["airdrop"], ["airdrop", "verify"]),
        *(["profile"], ["profile", "list"], ["profile", "show"]),
        *(["ledger", verb] for verb in ("sync", "reconcile", "export", "explain")),
    ):
        assert cli.main([*words, "--help"]) == 0
