"""What the checks of the client export beside the numbers they offer."""

from __future__ import annotations

from dataclasses import replace

from monitor.judge.peers import PeersSeen
from monitor.model import Unseen
from tests.act import snapshots
from tests.act.surveyed_clients import PEERS
from tests.act.test_collector import page


def page_with(seen: PeersSeen | Unseen) -> set[str]:
    """The lines of the metrics page of a healthy fleet whose node was asked for its peers."""
    healthy = snapshots.healthy()
    told = snapshots.observed("local", "peers", seen)
    text = page(replace(healthy, observations=(*healthy.observations, told)))
    return {line for line in text.splitlines() if line.startswith("headwatch_peers_")}


def test_peers_are_exported_by_client_and_direction() -> None:
    """The mix of clients has a label, out of few; what was counted is counted once."""
    labels = 'network="ethereum",node="local"'
    assert page_with(PEERS) == {
        f"headwatch_peers_connected{{{labels}}} 5.0",
        f"headwatch_peers_inbound{{{labels}}} 1.0",
        f"headwatch_peers_outbound{{{labels}}} 2.0",
        f"headwatch_peers_behind{{{labels}}} 1.0",
        f'headwatch_peers_clients{{client="geth",{labels}}} 2.0',
        f'headwatch_peers_clients{{client="other",{labels}}} 1.0',
    }


def test_peers_that_are_not_told_of_have_no_sample() -> None:
    """No client has 0 peers where the node says nothing of them; unseen, there is no count."""
    only = 'headwatch_peers_connected{network="ethereum",node="local"} 5.0'
    assert page_with(PeersSeen(5)) == {only}
    assert page_with(Unseen("timeout", "no answer in 5 s")) == set()
