"""The ledger of the contracts of 2018 (npm `iexec-poco@1.1.17`).

- `discovery.py`: which contracts belong to a hub, and since which block.
- `reads.py`: what no event carries, and what the getters say at one block.
- `ledger.py`: logs, facts and replay put together.
- `explain_account.py`, `explain_task.py`: the same ledger in words; `arithmetic.py`: how each
  reward came about, step by step.
"""
