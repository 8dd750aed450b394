"""The fault lab: real anvil nodes that lag, stall and fork on purpose, and proxies that lie.

- `errors.py`: what the lab raises.
- `tools.py`: fetches and finds the pinned anvil and contracts; standard library only.
- `anvil.py`: one anvil process, started, asked, stopped and never left behind.
- `replicator.py`: copies the leader's blocks onto a follower, with the same hashes.
- `pulse.py`: wakes whoever waits, and passes on the failure of a background task.
- `pace.py`: when blocks are made and how late a node has them, drawn from a chain's profile.
- `leader.py`: mines a chain at that pace, with a little seeded traffic, and reorganises it.
- `arrivals.py`: the leader's chain as one node gets to know it.
- `follower.py`: a node that follows, stalls, lags or forks, and its process: killed, hung, empty.
- `network.py`: a leader, its followers and their proxies, together.
- `faults.py`: what a fault is, and which call it meets.
- `view.py`: the chain as a faulty node shows it: behind, frozen, ahead, with other hashes.
- `tags.py`: what `latest`, `safe` and `finalized` name where finality is faulty.
- `lies.py`: other times, logs and state in an answer.
- `disguise.py`: the answers to one exchange, with the faults of content applied.
- `port.py`: a listening port that can be unplugged and plugged in again.
- `proxy.py`: one node as a client sees it: the HTTP side and its faults of transport.
- `relay.py`: the websocket side of the proxy.
- `scenarios/`: the table, one file a theme: fault, findings, the gate's exit code, healing.
- `events.py`: one line of a timeline.
- `report.py`: in what a run of a scenario differs from its row.
- `timeline.py`: a scenario run for real under the eyes of the real loop.
- `poco/`: the contracts of 2018 on an anvil, and people who use and abuse them.
- `commands.py`: what `headwatch lab` prints.
- `demo.py`: the main job on an embedded default, live in the terminal and on the page.
- `acts.py`: what the demo shows besides heads: lost payments, and a ledger.
"""
