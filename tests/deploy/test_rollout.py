"""The guide from a release into service says what the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from ruamel.yaml import YAML

from monitor.config import Gate, load
from monitor.judge.profiles import PROFILES
from monitor.passed import State
from tests.deploy.runner import ACTION, ROOT, loaded

GUIDE = (ROOT / "docs" / "rollout.md").read_text(encoding="utf-8")
GATE_PAGE = (ROOT / "docs" / "gate.md").read_text(encoding="utf-8")
KEYS = {f"REFERENCE_{letter}": f"https://{letter}.example.org".lower() for letter in "ABC"}
SOAK_MINUTES_MIN = 60


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_configuration_of_the_guide_loads_and_has_the_gate_of_its_commands(tmp_path: Path) -> None:
    """What is copied from the page works, the rules of the second gate as well."""
    candidate, sends = blocks(GUIDE, "yaml")
    path = tmp_path / "candidate.yaml"
    path.write_text(candidate)
    settings = load(path, KEYS)
    assert set(settings.gate) == set(re.findall(r"--gate (\w+)", GUIDE))
    assert f"/api/v1/gate/{next(iter(settings.gate))}`" in GUIDE
    assert f"/-/synced?node={settings.nodes[0].name}`" in GUIDE
    made = YAML(typ="safe").load(sends)["gate"]["sends"]
    assert len(Gate.model_validate_json(json.dumps(made)).rules) == 3


def test_state_file_of_the_guide_is_one() -> None:
    """Every field that is shown is read, and none is left out."""
    (text,) = blocks(GUIDE, "json")
    state = msgspec.json.decode(text, type=State)
    assert msgspec.json.encode(state) == msgspec.json.encode(json.loads(text))
    for field in ("since", "at", "report", "before"):
        assert f"`{field}`" in GUIDE


@pytest.mark.parametrize(
    ("row", "profile"),
    [
        ("Ethereum, Sepolia, Hoodi", "ethereum"),
        ("Ethereum, Sepolia, Hoodi", "sepolia"),
        ("Ethereum, Sepolia, Hoodi", "hoodi"),
        ("Gnosis", "gnosis"),
        ("proof of work of 2018", "ethereum-2018"),
    ],
)
def test_soak_of_the_guide_is_the_longest_of_an_hour_300_blocks_and_two_finalities(
    row: str, profile: str
) -> None:
    """The table follows from the profiles."""
    chain = PROFILES[profile]
    blocks_minutes = 300 * chain.interval_seconds / 60
    finality_minutes = 2 * (chain.finality_blocks or 0) * chain.interval_seconds / 60
    found = re.search(rf"(?m)^\| {row} \| (\d+) min \| (none|\d+ min) \| (\d+) min \|", GUIDE)
    assert found is not None
    assert float(found[1]) == pytest.approx(blocks_minutes, abs=0.5)
    if chain.finality_blocks is None:
        assert found[2] == "none"
    else:
        assert float(found[2].removesuffix(" min")) == pytest.approx(finality_minutes, abs=0.5)
    soak = int(found[3])
    assert max(SOAK_MINUTES_MIN, blocks_minutes, finality_minutes) <= soak
    assert soak <= max(SOAK_MINUTES_MIN, blocks_minutes, finality_minutes) + 5


def test_gate_page_speaks_of_the_action_as_it_is() -> None:
    """Its inputs and outputs, and every file of the examples."""
    action = loaded(ACTION)
    step: Any = YAML(typ="safe").load(
        next(text for text in blocks(GATE_PAGE, "yaml") if "example/headwatch@" in text)
    )[0]
    assert set(step["with"]) <= set(action["inputs"])
    section = GATE_PAGE.partition("## In a pipeline\n")[2].partition("\n## ")[0]
    for name in action["outputs"]:
        assert f"`{name}`" in section, name
    listed = set(re.findall(r"(?m)^\| `([\w.-]+)` \|", section))
    assert listed == {path.name for path in (ROOT / "deploy" / "examples").iterdir()}
