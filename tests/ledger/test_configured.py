"""A ledger of the configuration as a job: through which node, witnessed by whom, kept where."""

from __future__ import annotations

from pathlib import Path

from monitor.config import Settings, load
from monitor.judge.profiles import PROFILES, confirmations
from monitor.ledger.configured import job_of
from monitor.ledger.job import Seat
from monitor.url import Url

TEXT = """
data_dir: /var/lib/somewhere
rpc: {deadline_seconds: 7, batch_calls_max: 50}
networks:
  main:
    profile: ethereum
    references:
      - {name: a, url: "https://a.example/key-of-a", operator: one}
      - {name: b, url: "https://b.example/"}
nodes:
  - {name: other, network: main, url: "http://other.example:8545"}
  - {name: local, network: main, url: "http://local.example:8545/key-of-ours"}
ledgers:
  - {name: drop, node: local, address: "0x0d5ef019ca4c5cc413ee892ced89d7107c5f424d", from_block: 9}
"""


def settings(tmp_path: Path, text: str = TEXT) -> Settings:
    """The settings of a file."""
    path = tmp_path / "headwatch.yaml"
    path.write_text(text)
    return load(path, {})


def test_job_of_a_ledger_has_everything_of_its_network(tmp_path: Path) -> None:
    """The node that is named, every reference with its operator, the profile's chain and depth."""
    made = settings(tmp_path)
    job = job_of(made, made.ledgers[0], Path("/d"))
    assert (job.name, job.protocol) == ("drop", "poco-v1")
    assert job.node == Seat("local", Url("http://local.example:8545/key-of-ours"))
    assert [(each.label, each.operator) for each in job.references] == [
        ("main/a", "one"),
        ("main/b", "b.example:443"),
    ]
    assert job.folder == Path("/d/ledger/drop")
    assert job.at == "finalized"
    assert job.from_block == 9
    assert job.chain_id == 1
    assert job.confirmations == confirmations(PROFILES["ethereum"]) > 0
    assert (job.limits.deadline_seconds, job.limits.batch_calls_max) == (7.0, 50)


def test_job_of_a_ledger_is_on_the_chain_of_an_overridden_profile(tmp_path: Path) -> None:
    """A chain id of the configuration is the one that the node must be on."""
    text = TEXT.replace("profile: ethereum", "profile: {profile: dev, chain_id: 77}")
    made = settings(tmp_path, text)
    job = job_of(made, made.ledgers[0], Path("/d"), at="latest")
    assert job.chain_id == 77
    assert job.at == "latest"
