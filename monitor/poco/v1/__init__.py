"""PoCo as it ran in 2018: IexecHub, Marketplace and WorkerPool of npm `iexec-poco@1.1.17`.

- `events.py`: what the contracts emit; `declared.py` and `decoding.py`: how logs become that.
- `facts.py`: what no event carries and never changes, read once.
- `state.py`: the ledger: accounts, scores, pools, orders, work orders.
- `rules.py`: the arithmetic: logarithm, weights, shares, the kitty.
- `endings.py`: what the end of a work order does, step by step, by those rules.
- `replay.py`: event after event, the ledger that follows, in `books.py`; effects compared as they
  come, in `effects.py`; what cannot happen, in `oddities.py`.
- `movement.py`: every change with its reason; `totals.py`: what a ledger comes to.
- `stored.py`: what the contracts' getters say at one block.
- `compare.py` and `laws.py`: predicted against stored; what holds of any ledger.
"""
