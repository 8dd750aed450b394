"""The shape of the command line; what the commands do is tested in e2e/test_commands.py."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

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


def _arguments(
    command: argparse.ArgumentParser,
) -> Iterator[tuple[argparse.ArgumentParser, argparse.Action]]:
    """Every argument of a command and of those below it."""
    for action in command._actions:
        yield command, action
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from _arguments(below)


def test_help_of_every_argument_says_what_it_is_and_its_default() -> None:
    """Nobody has to try it out; what is off, or nothing, by default need not be said."""
    for command, action in _arguments(cli.parser()):
        if isinstance(action, argparse._SubParsersAction):
            continue
        where = f"{command.prog} {action.option_strings or action.dest}"
        assert action.help, where
        if action.default not in (None, False, [], argparse.SUPPRESS):
            assert str(action.default) in action.help, where


@pytest.mark.parametrize(
    "words",
    [
        ["{url}"],
        ["gate", "{url}"],
        ["gate", "wait", "{url}"],
        ["gate", "--nodes={url}"],
        ["gate", "--for", "{url}"],
        ["gate", "--output", "{url}"],
        ["run", "-c", "x.yaml", "{url}"],
        ["run", "--log-level", "{url}"],
        ["status", "--url", "http://127.0.0.1:9845", "{url}"],
        ["tx", "{url}"],
        ["tx", "list", "{url}"],
        ["ledger", "reconcile", "--hb", "{url}"],
        ["maintenance", "add", "--for", "{url}"],
        ["lab", "up", "--speed", "{url}"],
        ["profile", "show", "dev", "{url}"],
        ["config", "check", "{url}"],
    ],
    ids=" ".join,
)
def test_url_in_the_wrong_place_is_refused_without_its_key(
    words: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    """A log of the pipeline keeps what is said: scheme, host and port are enough to find it."""
    url = "https://rpc.example.org/v3/s3cr3t?apikey=s3cr3t"
    assert cli.main([word.format(url=url) for word in words]) == 2
    said = capfd.readouterr().err
    assert "s3cr3t" not in said
    assert "https://rpc.example.org:443/***" in said
