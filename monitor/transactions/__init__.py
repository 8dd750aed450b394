"""The transaction watchdog: no transaction is lost, none is paid twice.

`words` are its values, `decide` its table, `journal` its memory, `watchdog` its loop. What is pure
(`words`, `decide`, `plan`, `fees`, `reactions`, `inclusion`, `raw`, `story`) touches nothing.
"""
