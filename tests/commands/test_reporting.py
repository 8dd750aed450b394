"""Every report that can be written is, and what cannot is known before or told after."""

from __future__ import annotations

import argparse
import errno
import io
import json
import os
from pathlib import Path

import pytest

from monitor.commands import UsageError
from monitor.commands.reporting import check_outputs, report
from tests.act.reports.told import RUNS
from tests.commands.test_ledger import no_room

CHOSEN = argparse.Namespace(json=False)
FULL = Path("/dev/full")
CODES = {"healthy": (0, 2), "troubled": (1, 1), "blind": (3, 3)}
"""The exit code with every report, and with one that is missing."""


class Full(io.StringIO):
    """Standard output on a full disk."""

    def flush(self) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("run", CODES)
def test_report_that_cannot_be_written_is_told_and_the_others_are_there(
    run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What failed or was not seen stays so; a pass without its reports is none."""
    outputs = [("junit", FULL), ("json", tmp_path / "a.json"), ("sarif", tmp_path / "a.sarif")]
    assert report(CHOSEN, RUNS[run], outputs) == CODES[run][1]
    said = capsys.readouterr()
    assert said.err == "headwatch: --output junit=/dev/full: No space left on device\n"
    assert said.out.startswith(RUNS[run].word.upper())
    assert json.loads((tmp_path / "a.json").read_text())["verdict"] == RUNS[run].word
    json.loads((tmp_path / "a.sarif").read_text())
    assert report(CHOSEN, RUNS[run], outputs[1:]) == CODES[run][0]


@pytest.mark.parametrize("run", CODES)
def test_outcome_that_nobody_takes_is_told_and_the_reports_are_there(
    run: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A full disk below standard output takes no report with it."""
    monkeypatch.setattr("sys.stdout", Full())
    assert report(CHOSEN, RUNS[run], [("json", tmp_path / "a.json")]) == CODES[run][1]
    assert (
        capsys.readouterr().err == "headwatch: cannot write the result: No space left on device\n"
    )
    assert json.loads((tmp_path / "a.json").read_text())["verdict"] == RUNS[run].word


def test_report_on_standard_output_takes_the_place_of_the_text(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With --json beside it, both."""
    outputs = [("dotenv", Path("-"))]
    report(CHOSEN, RUNS["healthy"], outputs)
    assert capsys.readouterr().out.startswith("HEADWATCH_")
    report(argparse.Namespace(json=True), RUNS["healthy"], outputs)
    said = capsys.readouterr().out
    assert said.startswith("{")
    assert "\nHEADWATCH_" in said


@pytest.mark.parametrize("kind", ["junit", "markdown"])
def test_output_into_a_folder_that_is_not_there_is_told_beforehand(
    kind: str, tmp_path: Path
) -> None:
    """And nothing is made in its place."""
    (tmp_path / "file").write_text("")
    for path, said in (
        (tmp_path / "none" / "x", "No such file or directory"),
        (tmp_path / "file" / "x", "No such file or directory"),
        (tmp_path, "Is a directory"),
        (tmp_path / ("x" * 300), "File name too long"),
    ):
        with pytest.raises(UsageError) as caught:
            check_outputs([("json", tmp_path / "good.json"), (kind, path)])
        assert str(caught.value) == f"--output {kind}={path}: {said}"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_output_that_may_not_be_written_is_told_beforehand(tmp_path: Path) -> None:
    """A file, or the folder of one that is not there yet."""
    kept, folder = tmp_path / "kept", tmp_path / "folder"
    kept.write_text("")
    folder.mkdir()
    kept.chmod(0o400)
    folder.chmod(0o500)
    for path in (kept, folder / "x"):
        with pytest.raises(UsageError, match="Permission denied"):
            check_outputs([("json", path)])


def test_outputs_that_can_be_written_are_let_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Standard output, a file of the working directory, one that is there, and what is no file."""
    monkeypatch.chdir(tmp_path)
    kept = tmp_path / "kept"
    kept.write_text("of another step")
    check_outputs([("json", Path(p)) for p in ("-", "new", "kept", "/dev/null", "/dev/stdout")])
    assert kept.read_text() == "of another step"
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_report_that_is_cut_short_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A disk that is full in the middle of it."""
    with no_room(10):
        assert report(CHOSEN, RUNS["healthy"], [("json", tmp_path / "a.json")]) == 2
    assert "File too large" in capsys.readouterr().err
