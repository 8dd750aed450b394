"""Fetching and finding anvil."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from monitor.lab import tools
from monitor.lab.errors import LabError

PROGRAM = b"#!/bin/sh\necho anvil\n"


def _package(path: Path, *, kind: bytes = tarfile.REGTYPE) -> str:
    """Write an npm package holding an anvil; returns its integrity."""
    entry = tarfile.TarInfo("package/bin/anvil")
    entry.type = kind
    entry.size = len(PROGRAM) if kind == tarfile.REGTYPE else 0
    entry.linkname = "/bin/sh"
    with tarfile.open(path, "w:gz") as archive:
        archive.addfile(entry, io.BytesIO(PROGRAM))
    digest = hashlib.sha512(path.read_bytes()).digest()
    return "sha512-" + base64.b64encode(digest).decode()


def _npm(directory: Path, script: str) -> Path:
    """A PATH whose npm is this shell script."""
    directory.mkdir()
    npm = directory / "npm"
    npm.write_text(f"#!/bin/sh\n{script}\n")
    npm.chmod(0o755)
    return directory


def _offer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, integrity: str, script: str) -> None:
    monkeypatch.setattr(tools, "INTEGRITY", {tools.platform_key(): integrity})
    monkeypatch.setenv("PATH", f"{_npm(tmp_path / 'path', script)}:/usr/bin:/bin")


def _packing(package: Path) -> str:
    return f'echo warning >&2; cp {package} anvil.tgz; echo \'[{{"filename": "anvil.tgz"}}]\''


def test_fetch_with_the_pinned_package_installs_a_program(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What npm packs is verified, extracted and executable, and nothing else is left behind."""
    integrity = _package(tmp_path / "p.tgz")
    _offer(monkeypatch, tmp_path, integrity, _packing(tmp_path / "p.tgz"))
    path = tools.fetch_anvil(tmp_path / "tools")
    assert path == tools.anvil_path(tmp_path / "tools")
    assert subprocess.run([path], capture_output=True, check=True).stdout == b"anvil\n"
    assert list(path.parent.iterdir()) == [path]


def test_fetch_into_a_relative_directory_installs_a_program(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`.tools`, as the Makefile says it, is a directory like any other."""
    integrity = _package(tmp_path / "p.tgz")
    _offer(monkeypatch, tmp_path, integrity, _packing(tmp_path / "p.tgz"))
    monkeypatch.chdir(tmp_path)
    assert tools.fetch_anvil(Path(".tools")).is_file()


def test_fetch_of_other_bytes_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A package that is not the pinned one is named with both digests and never installed."""
    _package(tmp_path / "p.tgz")
    _offer(monkeypatch, tmp_path, "sha512-AAAA", _packing(tmp_path / "p.tgz"))
    with pytest.raises(LabError, match=r"not the pinned package.*instead of sha512-AAAA"):
        tools.fetch_anvil(tmp_path / "tools")
    assert not tools.anvil_path(tmp_path / "tools").exists()


def test_fetch_of_a_link_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An archive member that is no regular file is not followed."""
    integrity = _package(tmp_path / "p.tgz", kind=tarfile.SYMTYPE)
    _offer(monkeypatch, tmp_path, integrity, _packing(tmp_path / "p.tgz"))
    with pytest.raises(LabError, match="no usable package/bin/anvil"):
        tools.fetch_anvil(tmp_path / "tools")


def test_fetch_when_present_asks_nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A second fetch needs no npm and no network."""
    path = tools.anvil_path(tmp_path)
    path.parent.mkdir()
    path.write_bytes(PROGRAM)
    path.chmod(0o755)
    monkeypatch.setenv("PATH", "")
    assert tools.fetch_anvil(tmp_path) == path


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ("echo no such package >&2; exit 1", "failed .1.: no such package"),
        ("echo nonsense", "did not name its file"),
    ],
)
def test_fetch_when_npm_fails_says_what_npm_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str, text: str
) -> None:
    """What npm said is in the error."""
    _offer(monkeypatch, tmp_path, "sha512-AAAA", script)
    with pytest.raises(LabError, match=text):
        tools.fetch_anvil(tmp_path / "tools")


def test_fetch_without_npm_names_the_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where npm is missing the error says what to install."""
    monkeypatch.setattr(tools, "INTEGRITY", {tools.platform_key(): "sha512-AAAA"})
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LabError, match="install npm, or name an anvil in HEADWATCH_ANVIL"):
        tools.fetch_anvil(tmp_path / "tools")


def test_fetch_on_an_unpinned_platform_names_the_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No package is trusted whose digest nobody wrote down."""
    monkeypatch.setattr(tools, "INTEGRITY", {})
    with pytest.raises(LabError, match=f"{tools.platform_key()}.*HEADWATCH_ANVIL"):
        tools.fetch_anvil(tmp_path)


def test_every_platform_is_pinned_by_a_sha512() -> None:
    """No package is believed by its name, wherever it is for (SECURITY.md)."""
    pins = [*tools.INTEGRITY.values(), *tools.INTEGRITY_BEFORE.values(), tools.POCO_INTEGRITY]
    assert all(re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", pin) for pin in pins)
    assert len(set(pins)) == len(pins)
    assert {"linux-amd64", "linux-arm64", "darwin-amd64", "darwin-arm64"} == set(tools.INTEGRITY)


def test_setup_without_an_older_anvil_for_the_platform_says_so_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It was published for one platform, and only tests of differing versions need it."""
    _offer(monkeypatch, tmp_path, _package(tmp_path / "p.tgz"), _packing(tmp_path / "p.tgz"))
    monkeypatch.setattr(tools, "INTEGRITY_BEFORE", {})
    monkeypatch.setattr(tools, "fetch_poco", tools.poco_path)
    assert tools.main([str(tmp_path / "tools")]) == 0
    assert f"anvil {tools.ANVIL_BEFORE}: not published for " in capsys.readouterr().out


def test_find_prefers_the_environment_then_the_cache_then_the_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The nearer the operator's word, the more it counts."""
    named, on_path = tmp_path / "named", tmp_path / "anvil"
    cached = tools.anvil_path(tmp_path / "cache" / "headwatch")
    cached.parent.mkdir(parents=True)
    for path in (named, on_path, cached):
        path.write_bytes(PROGRAM)
        path.chmod(0o755)
    monkeypatch.setattr(tools, "__file__", str(tmp_path / "x" / "y" / "z" / "tools.py"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HEADWATCH_ANVIL", str(named))
    assert tools.find_anvil() == named
    monkeypatch.delenv("HEADWATCH_ANVIL")
    assert tools.find_anvil() == cached
    cached.unlink()
    assert tools.find_anvil() == on_path
    on_path.unlink()
    with pytest.raises(LabError, match=r"headwatch lab fetch.*make setup"):
        tools.find_anvil()


def test_find_with_a_wrong_name_in_the_environment_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An explicit wish is not silently replaced by another anvil."""
    monkeypatch.setenv("HEADWATCH_ANVIL", str(tmp_path / "absent"))
    with pytest.raises(LabError, match=r"HEADWATCH_ANVIL names .*absent"):
        tools.find_anvil()


def test_module_as_a_program_prints_one_line_a_thing(tmp_path: Path) -> None:
    """`python -m monitor.lab.tools DIR` says where each thing is, in one line."""
    path, before = tools.anvil_path(tmp_path), tools.anvil_path(tmp_path, tools.ANVIL_BEFORE)
    for program in (path, before):
        program.parent.mkdir()
        program.write_bytes(PROGRAM)
        program.chmod(0o755)
    artifacts = tools.poco_path(tmp_path)
    artifacts.mkdir()
    for name in tools.POCO_ARTIFACTS:
        (artifacts / f"{name}.json").write_text("{}")
    done = subprocess.run(
        [sys.executable, "-m", "monitor.lab.tools", str(tmp_path)],
        cwd=Path(tools.__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stdout == (
        f"anvil {tools.ANVIL_VERSION}: {path}\nanvil {tools.ANVIL_BEFORE}: {before}\n"
        f"iexec-poco {tools.POCO_VERSION}: {artifacts}\n"
    )
    assert tools.main([]) == 2


def test_fetch_of_the_older_anvil_is_held_against_its_own_digest(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each version has a folder and a digest of its own; the one is not taken for the other."""
    integrity = _package(tmp_path / "p.tgz")
    _offer(monkeypatch, tmp_path, "sha512-AAAA", _packing(tmp_path / "p.tgz"))
    monkeypatch.setattr(tools, "INTEGRITY_BEFORE", {tools.platform_key(): integrity})
    path = tools.fetch_anvil(tmp_path / "tools", tools.ANVIL_BEFORE)
    assert path == tools.anvil_path(tmp_path / "tools", tools.ANVIL_BEFORE)
    with pytest.raises(LabError, match="instead of sha512-AAAA"):
        tools.fetch_anvil(tmp_path / "tools")


def test_find_of_the_older_anvil_looks_where_it_is_fetched_to(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The PATH's anvil is of some version: only one that was fetched will do."""
    monkeypatch.setattr(tools, "__file__", str(tmp_path / "x" / "y" / "z" / "tools.py"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(LabError, match=f"{tools.ANVIL_BEFORE} found: run `make setup`"):
        tools.find_anvil_before()
    path = tools.anvil_path(tmp_path / "cache" / "headwatch", tools.ANVIL_BEFORE)
    path.parent.mkdir(parents=True)
    path.write_bytes(PROGRAM)
    path.chmod(0o755)
    assert tools.find_anvil_before() == path
