"""A whole history at once: four stages over columns, in process or on a cluster, same digits.

- `columns.py`: the history as arrays.
- `gathering.py`: from decoded events to those arrays.
- `stages.py`: what is computed of one part of them.
- `moves.py`: what every purchase, contribution and end moves on the accounts.
- `predict.py`: the stages one after the other, with whichever driver.
- `local.py` and `cluster.py`: the two drivers.

The sequential replay of `monitor/poco` is the specification; on any valid history the drivers give
its scores, weights, rewards and balances to the last digit.
"""
