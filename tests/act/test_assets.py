from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.act import assets

VENDOR = Path(assets.__file__).parent / "web" / "vendor"


def test_files_of_the_pages_are_served_or_templates() -> None:
    """Nothing lies in the folder that no page needs, and the table names nothing that is not."""
    folder = Path(assets.__file__).parent / "web"
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    served = {path for path, _ in assets.STATIC.values()}
    notes = {"vendor/VENDORED.md", "vendor/LICENSE.uPlot"}
    assert there == served | set(assets.templates()) | notes


def test_shipped_files_are_the_repositorys_own_and_link_to_the_runbook() -> None:
    """What is handed out is what is committed; alerts link to wherever the runbook is read."""
    root = Path(__file__).parents[2]
    found = assets.shipped_files()
    rules = root / "alerts" / "headwatch.rules.yml"
    assert found["alerts/headwatch.rules.yml"] == rules.read_bytes()
    assert found["dashboards/fleet.json"] == (root / "dashboards/json/fleet.json").read_bytes()
    assert {name.removeprefix("runbook/").removesuffix(".md") for name in found} >= set(
        assets.runbook_names()
    )
    elsewhere = assets.shipped_files("https://watch.example.org/book/")
    text = elsewhere["alerts/headwatch.rules.yml"].decode()
    assert "runbook_url: https://watch.example.org/book/HeadwatchNodeStalled\n" in text
    assert "https://headwatch.example.org/runbook/" not in text


def test_vendored_files_are_those_that_were_taken() -> None:
    """What came from elsewhere is byte for byte what its note says, and nothing is without one."""
    note = (VENDOR / "VENDORED.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"\| `(\S+)` \| `([0-9a-f]{64})` \|", note))
    there = {path.name: path for path in VENDOR.iterdir() if path.name != "VENDORED.md"}
    assert set(told) == set(there)
    for name, digest in told.items():
        assert hashlib.sha256(there[name].read_bytes()).hexdigest() == digest, name
    assert re.search(r"sha512-[A-Za-z0-9+/]{86}==", note)


def test_stamp_is_of_the_content() -> None:
    """A browser keeps files by their address: it must change when one of them does."""
    served = dict(assets.static())
    assert assets.stamp() == assets.stamp_of(dict(reversed(served.items())))
    assert re.fullmatch(r"[0-9a-f]{12}", assets.stamp())
    for name, asset in served.items():
        changed = replace(asset, body=asset.body + b"\n")
        assert assets.stamp_of({**served, name: changed}) != assets.stamp()


def test_runbook_is_found_in_the_repository() -> None:
    """Every page that is beside the alerts can be asked for by its name."""
    folder = Path(assets.__file__).parents[2] / "alerts" / "runbook"
    names = {path.stem for path in folder.glob("*.md")} - {assets.INDEX}
    assert set(assets.runbook_names()) == names
    assert "HeadwatchNodeStalled" in names
    text = assets.runbook_text("HeadwatchNodeStalled")
    assert text is not None
    assert text.startswith("# HeadwatchNodeStalled")
    assert assets.runbook_text(assets.INDEX) is not None


@pytest.mark.parametrize("name", ["", "../README", "nothing", "README.md", ".", "/etc/hosts"])
def test_runbook_has_no_page_of_another_name(name: str) -> None:
    """A name from outside never becomes a path."""
    assert assets.runbook_text(name) is None
