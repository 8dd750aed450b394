"""PoCo of 2018 on a node of the lab: the real contracts, and people who use and abuse them.

- `artifacts.py`: the code and the ABI that the npm package `iexec-poco@1.1.17` holds.
- `calls.py`, `topics.py`: every call that is made, every event that is looked for.
- `blocks.py`: transactions of any account, in blocks of a chosen content, order and time.
- `deployment.py`: the contracts, deployed and wired.
- `lab.py`: a node with all of it, in one line.
- `accounts.py`: people, enclaves and results that follow from a seed.
- `plan.py`: who intends what; `scripts.py`: who acts in which block; `stage.py`: what they share.
- `work.py`: one work order, from its purchase to its end.
- `workerdrop.py`: all of it together; begin reading there.
- `puppets.py`: contracts that make several calls at once, or answer as if they were pools.
- `forgeries.py`: logs that a stranger writes in the words of others.
- `booth.py`, `traps.py`: what a reader of the chain may stumble over, laid on purpose.
- `plant.py`: wrong numbers in the contracts' storage.
- `tally.py`: what a history came to.
"""
