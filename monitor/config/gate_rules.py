"""The rules of gates, read: mistakes by file and line, and the rules that `headwatch gate` holds.

Works on the tree as written, as `consistency` does: the shorthand of a rule is resolved here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from monitor.config.gates import Gate, GateRule
from monitor.config.problems import Loc, listed, nearest, shown
from monitor.config.tree import Tree

if TYPE_CHECKING:
    from monitor.policy.presets import Thresholds
    from monitor.policy.rules import Options, Rule

T = TypeVar("T")


def check(tree: Tree, networks: Collection[str]) -> None:
    """Note every rule that cannot be read, or speaks of a network that there is not."""
    for loc, gate in tree.mappings("gate"):
        rules = gate.get("rules")
        if gate.get("preset") is None and (rules is None or rules == ()):
            tree.note(loc, "has no rules", "name a preset, or some rules")
        for index, written in enumerate(rules if isinstance(rules, tuple) else ()):
            place = (*loc, "rules", index)
            if isinstance(written, str):
                _check_rule(tree, place, {"rule": written}, place)
            elif isinstance(written, dict):
                _check_rule(tree, place, written, (*place, "rule"))
                network = written.get("network")
                if isinstance(network, str) and network not in networks:
                    where = (*place, "network")
                    hint = nearest(network, networks) or f"known: {listed(networks)}"
                    tree.note(where, f"unknown network, {tree.found(where, network)}", hint)


def _check_rule(tree: Tree, loc: Loc, written: Mapping[str, object], at: Loc) -> None:
    from monitor.policy.rules import over_of, parse

    text = written.get("rule")
    is_over_wrong = False
    for name in ("over", "max_age"):
        time = written.get(name)
        if isinstance(time, str):
            read = partial(over_of, time)
            is_over_wrong |= _read(tree, (*loc, name), read) is None
    if not isinstance(text, str) or _read(tree, at, lambda: parse(text)) is None or is_over_wrong:
        return
    try:
        rule = GateRule.model_validate(written)
    except ValueError:
        return  # What is wrong with a single setting is told by others.
    # By itself the rule is well: what is left is what is asked with it.
    _read(tree, loc, lambda: parse(text, options_of(rule)))


def _read(tree: Tree, loc: Loc, read: Callable[[], T]) -> T | None:
    """What is read; where it cannot be, that is noted, and nothing secret with it."""
    from monitor.policy.units import PolicyError

    try:
        return read()
    except PolicyError as error:
        found = ""
        if error.found:
            is_hidden = loc in tree.hidden
            found = f", found {'a value that is not shown' if is_hidden else shown(error.found)}"
        tree.note(loc, f"{error.expected}{found}", error.hint)
        return None


def options_of(rule: GateRule) -> Options:
    """What a rule asks for beside its condition. Raises PolicyError."""
    from monitor.policy.rules import Options, over_of

    return Options(
        severity=rule.severity,
        over_seconds=None if rule.over is None else over_of(rule.over),
        min_samples=rule.min_samples,
        consecutive=rule.consecutive,
        abort_on_fail=rule.abort_on_fail,
        network=rule.network or "",
        max_age_seconds=None if rule.max_age is None else over_of(rule.max_age),
    )


def rules_of(gate: Gate, thresholds: Mapping[str, Thresholds]) -> tuple[Rule, ...]:
    """The rules of a gate: those of its preset for each network, then its own."""
    return tuple(_rules(gate, thresholds))


def _rules(gate: Gate, thresholds: Mapping[str, Thresholds]) -> Iterator[Rule]:
    from monitor.policy import presets
    from monitor.policy.rules import parse

    if gate.preset is not None:
        for network, numbers in thresholds.items():
            yield from presets.rules_of(gate.preset, numbers, network)
    for written in gate.rules:
        yield parse(written.rule, options_of(written))
