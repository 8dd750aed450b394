"""The artifacts of PoCo: fetched, found, and deployed from a folder that was empty."""

from __future__ import annotations

import base64
import hashlib
import tarfile
from pathlib import Path

import pytest

from monitor.lab import tools
from monitor.lab.errors import LabError
from monitor.lab.poco.blocks import Blocks
from monitor.lab.poco.deployment import deploy


def _packed(path: Path, artifacts: Path, without: str = "") -> str:
    """Write an npm package of these artifacts; returns its integrity."""
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for name in tools.POCO_ARTIFACTS:
            if name != without:
                archive.add(artifacts / f"{name}.json", f"package/build/contracts/{name}.json")
    return "sha512-" + base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()


def _npm(monkeypatch: pytest.MonkeyPatch, directory: Path, package: Path) -> Path:
    """A PATH whose npm hands out this package, and writes down what it was asked for."""
    directory.mkdir()
    npm = directory / "npm"
    asked = directory / "asked"
    npm.write_text(
        f'#!/bin/sh\necho "$2" >> {asked}; cp {package} p.tgz; echo \'[{{"filename": "p.tgz"}}]\'\n'
    )
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}:/usr/bin:/bin")
    return asked


async def test_fetch_into_an_empty_folder_is_enough_to_deploy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, poco_path: Path, blocks: Blocks
) -> None:
    """What npm packs is verified and extracted; the contracts stand; a second fetch asks nobody."""
    package = tmp_path / "package.tgz"
    monkeypatch.setattr(tools, "POCO_INTEGRITY", _packed(package, poco_path))
    asked = _npm(monkeypatch, tmp_path / "path", package)
    folder = tools.fetch_poco(tmp_path / ".tools")
    assert folder == tools.poco_path(tmp_path / ".tools")
    assert [one.name for one in (tmp_path / ".tools").iterdir()] == [folder.name]
    made = await deploy(blocks.anvil, artifacts=folder)
    assert made.artifacts == folder
    assert tools.fetch_poco(tmp_path / ".tools") == folder
    assert asked.read_text() == f"iexec-poco@{tools.POCO_VERSION}\n"


def test_fetch_of_another_package_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, poco_path: Path
) -> None:
    """The pinned sha512 is of one file only, and nothing of another is installed."""
    package = tmp_path / "package.tgz"
    _packed(package, poco_path)
    _npm(monkeypatch, tmp_path / "path", package)
    with pytest.raises(LabError, match="is not the pinned package"):
        tools.fetch_poco(tmp_path / ".tools")
    assert list((tmp_path / ".tools").iterdir()) == []


def test_fetch_of_a_package_without_a_contract_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, poco_path: Path
) -> None:
    """Half an installation is none: the missing member is named."""
    package = tmp_path / "package.tgz"
    integrity = _packed(package, poco_path, without="WorkOrder")
    monkeypatch.setattr(tools, "POCO_INTEGRITY", integrity)
    _npm(monkeypatch, tmp_path / "path", package)
    with pytest.raises(LabError, match=r"no usable package/build/contracts/WorkOrder\.json"):
        tools.fetch_poco(tmp_path / ".tools")
    assert list((tmp_path / ".tools").iterdir()) == []


def test_fetch_over_half_an_installation_makes_it_whole(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, poco_path: Path
) -> None:
    """A folder in which a file is missing is replaced."""
    package = tmp_path / "package.tgz"
    monkeypatch.setattr(tools, "POCO_INTEGRITY", _packed(package, poco_path))
    _npm(monkeypatch, tmp_path / "path", package)
    folder = tools.fetch_poco(tmp_path / ".tools")
    (folder / "RLC.json").unlink()
    (folder / "stale").write_text("")
    assert tools.fetch_poco(tmp_path / ".tools") == folder
    assert {one.stem for one in folder.iterdir()} == set(tools.POCO_ARTIFACTS)


def test_find_prefers_the_environment_then_the_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The operator's word counts first; a folder that lacks a contract is no find."""
    named = tmp_path / "named"
    cached = tools.poco_path(tmp_path / "cache" / "headwatch")
    for folder in (named, cached):
        folder.mkdir(parents=True)
        for name in tools.POCO_ARTIFACTS:
            (folder / f"{name}.json").write_text("{}")
    monkeypatch.setattr(tools, "__file__", str(tmp_path / "x" / "y" / "z" / "tools.py"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HEADWATCH_POCO", str(named))
    assert tools.find_poco() == named
    (named / "RLC.json").unlink()
    with pytest.raises(LabError, match=r"HEADWATCH_POCO names .*, which lacks some"):
        tools.find_poco()
    monkeypatch.delenv("HEADWATCH_POCO")
    assert tools.find_poco() == cached
    (cached / "IexecHub.json").unlink()
    with pytest.raises(LabError, match=r"headwatch lab fetch.*make setup"):
        tools.find_poco()
