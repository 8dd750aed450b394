"""PoCo's arithmetic over columns: the same digits as `monitor/poco`, many rows at a time.

Exact 64-bit integers throughout. Nothing is computed in floats, and nothing wraps: each kernel
states its bound and why it suffices, and raises `OutOfBounds` for what lies beyond. numba compiles
the loops where it is installed (`headwatch[fast]`); numpy computes the same where it is not.

- `bounds.py`: what a kernel may be given.
- `compiled.py`: which engine there is; loops compiled when they are first needed.
- `scores.py`: the score after each event of a worker.
- `weights.py`: the weight of a contribution.
- `rewards.py`: percentages, pots, and the split of a pot by weight.
- `kitty.py`: what each end of a work order puts into the kitty or takes out.
- `balances.py`: sums by account.
"""
