"""A real node whose client has releases and advisories, in files, judged by the gate."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from monitor.config import Gate, ReleaseFeed, show
from monitor.lab.network import LabNetwork
from monitor.lab.timeline import INTERVAL_SECONDS, lab_settings
from monitor.lab.tools import ANVIL_VERSION
from tests.e2e.processes import headwatch_beside
from tests.releases.atom import ADVISORY, atom

AT = "2026-01-03T11:01:02Z"
RULES = ["version.advisories_count.max == 0", "version.behind_releases.max < 9"]


@pytest.mark.usefixtures("anvil_path")
@pytest.mark.parametrize(
    ("tags", "check", "reason", "code"),
    [
        ([f"v{ANVIL_VERSION}"], "geth/", "newest", 0),
        ([f"v{ANVIL_VERSION}", "v999.0.0"], "geth/", "behind", 0),
        ([f"v{ANVIL_VERSION}"], "^anvil/v1", "vulnerable", 1),
    ],
    ids=["newest", "behind", "vulnerable"],
)
async def test_gate_says_what_is_known_of_a_real_nodes_version(
    tags: list[str], check: str, reason: str, code: int, tmp_path: Path
) -> None:
    """Old is a warning; a gate may hold that nothing is known against it, by a rule."""
    (tmp_path / "feed.atom").write_bytes(atom(dict.fromkeys(tags, AT)))
    (tmp_path / "known.json").write_text(json.dumps([ADVISORY | {"check": check}]))
    feed = ReleaseFeed.model_validate(
        {
            "client": "anvil",
            "feed": tmp_path / "feed.atom",
            "releases_max": 0,
            "advisories": tmp_path / "known.json",
        }
    )
    gate = Gate.model_validate_json(json.dumps({"rules": RULES}))
    async with LabNetwork() as net:
        await net.wait_blocks(3)
        settings = lab_settings(net, INTERVAL_SECONDS)
        changed = settings.model_copy(update={"releases": (feed,), "gate": {"deploy": gate}})
        config = tmp_path / "headwatch.yaml"
        config.write_text(show(changed))
        done = await headwatch_beside("gate", "-c", str(config), "--gate", "deploy", "--json")
    assert done.returncode == code, done.stdout + done.stderr
    document = json.loads(done.stdout)
    (finding,) = (one for one in document["findings"] if one["check"] == "version")
    assert (finding["reason"], finding["subject"]) == (reason, "node:local")
    assert finding["level"] == ("ok" if reason == "newest" else "degraded")
