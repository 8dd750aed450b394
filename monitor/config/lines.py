"""Where things are written: the lines that a report of the gate points to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from monitor.config.problems import Loc
from monitor.config.tree import Tree, read
from monitor.model import account_subject, ledger_subject, node_subject, reference_label, subject_of


def lines_of(path: Path, gate: str | None = None, rules_count: int = 0) -> Mapping[str, int]:
    """Line by subject, and by `rule:INDEX` of a gate with so many rules.

    What is not written in the file has none. The rules of a preset come before the others and lie
    where the gate is named. Raises ConfigError where the file cannot be read.
    """
    tree = read(path)
    places = {**dict(_subjects(tree)), **dict(_rules(tree, gate, rules_count))}
    return {key: tree.place(loc).line for key, loc in places.items()}


def _subjects(tree: Tree) -> Iterator[tuple[str, Loc]]:
    for loc, node in tree.mappings("nodes"):
        yield node_subject(str(node.get("name"))), loc
    for loc, _ in tree.mappings("networks"):
        name = str(loc[-1])
        yield subject_of(reference_label(name)), loc
        for at, reference in tree.mappings(*loc, "references"):
            yield subject_of(reference_label(name, str(reference.get("name")))), at
    for loc, account in tree.mappings("transactions", "accounts"):
        yield account_subject(str(account.get("alias"))), loc
    for loc, ledger in tree.mappings("ledgers"):
        yield ledger_subject(str(ledger.get("name"))), loc


def _rules(tree: Tree, gate: str | None, count: int) -> Iterator[tuple[str, Loc]]:
    if gate is None:
        return
    written = tree.at("gate", gate, "rules")
    own = len(written) if isinstance(written, tuple) else 0
    for index in range(count - own):
        yield f"rule:{index}", ("gate", gate)
    for index in range(own):
        yield f"rule:{count - own + index}", ("gate", gate, "rules", index)
