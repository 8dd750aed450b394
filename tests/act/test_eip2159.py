"""The names of EIP-2159: as the EIP writes them, of what is seen, and nothing that is not."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.act.collector import registry_of, render
from monitor.act.eip2159 import EipCollector
from monitor.act.metrics import METRICS
from monitor.act.metrics_of_clients import EIP_METRICS, LIMIT
from monitor.judge.peers import PeersSeen
from monitor.model import Level, Snapshot, Unseen
from tests.act import snapshots
from tests.act.snapshots import NETWORK, TIP, finding, network_facts, node_facts, quorum

LABELS = f'{{network="{NETWORK}",node="local"}}'
HEIGHT = f"ethereum_blockchain_height{LABELS}"
BEST = f"ethereum_best_known_block_number{LABELS}"
COUNT = f"ethereum_peer_count{LABELS}"


def page(snapshot: Snapshot) -> str:
    return render(EipCollector(lambda: snapshot), "")[0].decode()


def samples(snapshot: Snapshot) -> dict[str, float]:
    lines = [line for line in page(snapshot).splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def showing(number: int = TIP, *more: object, has_quorum: bool = True) -> Snapshot:
    """One node at this height, and what its peers check wrote down."""
    seen = (
        *snapshots.observations_of("local", number),
        *(snapshots.observed("local", "peers", one) for one in more),
    )
    shown = snapshots.snapshot_of((finding("head", "node:local"),), (node_facts(),), seen)
    reference = quorum() if has_quorum else None
    return replace(shown, networks=(network_facts(reference=reference),))


def test_names_types_and_words_are_the_eips() -> None:
    """So that a dashboard that is made for the EIP finds them; none is also in our own table."""
    assert [(one.name, one.type, one.help) for one in EIP_METRICS] == [
        ("ethereum_blockchain_height", "gauge", "The current height of the canonical chain"),
        ("ethereum_best_known_block_number", "gauge", "The estimated highest block available"),
        ("ethereum_peer_count", "gauge", "The current number of peers connected"),
    ]
    assert not {one.name for one in METRICS if one.name.startswith("ethereum_")}


def test_page_says_what_was_seen_of_a_node() -> None:
    """Family by family, with help and type."""
    text = page(showing(TIP, PeersSeen(25)))
    for metric in EIP_METRICS:
        assert f"# HELP {metric.name} {metric.help}\n# TYPE {metric.name} gauge\n" in text
    assert samples(showing(TIP, PeersSeen(25))) == {HEIGHT: TIP, BEST: TIP, COUNT: 25}


def test_page_knows_no_limit_of_peers() -> None:
    """No method tells it, and nothing is made up."""
    assert LIMIT not in page(showing(TIP, PeersSeen(25)))


@pytest.mark.parametrize(
    ("number", "has_quorum", "best"),
    [
        (TIP - 9, True, TIP),
        (TIP, True, TIP),
        (TIP + 3, True, TIP + 3),
        (TIP - 9, False, TIP - 9),
    ],
)
def test_best_known_block_is_the_highest_that_anybody_names(
    number: int, best: int, *, has_quorum: bool
) -> None:
    """The references' where they agree on one, else the node's own: it always has a value."""
    found = samples(showing(number, has_quorum=has_quorum))
    assert (found[HEIGHT], found[BEST]) == (number, best)


@pytest.mark.parametrize("more", [(), (Unseen("unsupported", "no"),), (Unseen("timeout", "no"),)])
def test_peers_that_were_not_seen_have_no_sample(more: tuple[object, ...]) -> None:
    """Not zero."""
    assert set(samples(showing(TIP, *more))) == {HEIGHT, BEST}


def test_node_that_is_not_seen_has_no_sample() -> None:
    """Neither its old height nor the peers it had."""
    unseen = (
        snapshots.observed("local", "head", Unseen("refused", "no")),
        snapshots.observed("local", "peers", PeersSeen(25)),
    )
    gone = finding("head", "node:local", Level.UNKNOWN)
    assert page(snapshots.snapshot_of((gone,), (node_facts(),), unseen)) == ""


def test_references_have_none() -> None:
    """They are other people's clients."""
    assert all("/" not in name for name in samples(snapshots.healthy("local", "spare")))
    assert len(samples(snapshots.healthy("local", "spare"))) == 4


def test_page_without_it_has_none_of_the_names() -> None:
    """The page as it is where nothing is configured."""
    text = render(registry_of(showing(TIP, PeersSeen(25))), "")[0].decode()
    assert "ethereum_blockchain_height" not in text


def test_page_pleases_promtool_but_for_a_name_that_is_the_eips(promtool: Path) -> None:
    """A gauge that ends with `_count` is against the custom, and so it is called."""
    text = page(showing(TIP, PeersSeen(25)))
    done = subprocess.run(
        [promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    (complaint,) = (done.stdout + done.stderr).splitlines()
    assert complaint.startswith("ethereum_peer_count non-histogram and non-summary metrics should")
