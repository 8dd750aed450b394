"""What is remembered of the past: incidents, bars, lag, budgets and one-off windows, in one file.

`History` is the front: it is told of edges and of the state of every second, keeps sums in memory
(`tally`), and writes them about every ten seconds in a thread of its own (`store`). Whoever asks
reads over a connection of his own (`reads`). The file is SQLite in WAL mode, so that it is readable
after a kill at any instant and while it is written; `schema` brings older files forward, and
`opening` decides what a file is. Nothing here may hurt what is judged and told: when the disk is
full or the file damaged, history is lost, counted and said, and nothing else.
"""

from __future__ import annotations

from monitor.history.history import History
from monitor.history.record import Bar, HistoryError, Incident, LagPoint, Step, Uptime

__all__ = ("Bar", "History", "HistoryError", "Incident", "LagPoint", "Step", "Uptime")
