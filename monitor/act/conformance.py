"""What came of test vectors, for machines and people. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from monitor.act.comparisons import MARKS
from monitor.act.words import plain, rfc3339
from monitor.canary.differences import Difference
from monitor.conformance.outcome import OUTCOMES, Conformance, Tried, by_method
from monitor.model import Verdict, VerdictWord

COLOURS: Mapping[VerdictWord, str] = {"pass": "32", "inconclusive": "35", "fail": "31"}
SHOWN_MAX = 10
"""So many places of one answer are shown to people; the JSON has them all."""
NAMED_MAX = 3


def conformance_json(found: Conformance) -> Mapping[str, object]:
    """The run, as `docs/gate.schema.json` has it."""
    return {
        "vectors": plain(found.vectors),
        "client": plain(found.client),
        "chain": plain(found.chain),
        "blind": plain(found.blind),
        "counts": {outcome: found.count(outcome) for outcome in OUTCOMES},
        "files": [_file_json(one) for one in found.files],
    }


def _file_json(one: Tried) -> Mapping[str, object]:
    return {
        "method": plain(one.method),
        "name": plain(one.name),
        "outcome": one.outcome,
        "reason": one.reason,
        "summary": plain(one.summary),
        "line": one.line,
        "differences": [
            {
                "path": plain(each.path),
                "kind": each.kind,
                "expected": plain(each.baseline),
                "answered": plain(each.candidate),
            }
            for each in one.differences
        ],
    }


def conformance_headline(word: VerdictWord, found: Conformance) -> str:
    """The verdict in one sentence: how many files, and which decide."""
    if found.blind:
        return f"the vectors say nothing: {found.blind}"
    said = f"{_counts(found)} of {len(found.files)} files"
    bad = [one for one in found.files if one.outcome in {"fail", "unknown"}]
    if word == "pass" or not bad:
        return said
    bad.sort(key=lambda one: OUTCOMES.index(one.outcome))
    named = ", ".join(one.id for one in bad[:NAMED_MAX])
    more = len(bad) - NAMED_MAX
    return f"{said}: {named}" + (f" and {more} more" if more > 0 else "")


def conformance_text(verdict: Verdict, found: Conformance, *, colour: bool) -> str:
    """The verdict, a line a method, below it what is not well with both values, and when."""

    def paint(text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if colour else text

    word = paint(verdict.word.upper(), f"1;{COLOURS[verdict.word]}")
    lines = [f"{word}  {plain(conformance_headline(verdict.word, found))}", ""]
    methods = by_method(found.files)
    width = max((len(plain(method)) for method in methods), default=0)
    for method, members in methods.items():
        worst = min((one.outcome for one in members), key=OUTCOMES.index)
        mark, code = MARKS[worst]
        counts = _counts(Conformance("", files=tuple(members)))
        lines.append(f"  {paint(mark, code)} {plain(method):<{width}}  {counts}")
        lines += (f"    {line}" for one in members for line in _bad_lines(one))
    whose = ", ".join(plain(said) for said in (found.client, found.chain) if said)
    lines += [""] if methods else []
    return "\n".join((*lines, f"{rfc3339(verdict.at)}  {whose or plain(found.vectors)}"))


def _bad_lines(one: Tried) -> Iterator[str]:
    if one.outcome not in {"fail", "unknown"}:
        return
    yield f"{MARKS[one.outcome][0]} {plain(one.name)}, line {one.line}: {plain(one.summary)}"
    for difference in one.differences[:SHOWN_MAX]:
        yield f"    - {difference_words(difference)}"
    more = len(one.differences) - SHOWN_MAX
    if more > 0:
        yield f"    - and {more} more"


def difference_words(one: Difference) -> str:
    """One place where an answer is another than expected, on one printable line."""
    where, expected, answered = plain(one.path), plain(one.baseline), plain(one.candidate)
    where = where or "the answer"
    if one.kind == "added":
        return f"{where}: not expected, answered {answered}"
    if one.kind == "removed":
        return f"{where}: expected {expected}, and missing"
    return f"{where}: expected {expected}, answered {answered}"


def _counts(found: Conformance) -> str:
    """`1 fail, 3 skipped, 8 pass`, the worst first."""
    counts = ((found.count(outcome), outcome) for outcome in OUTCOMES)
    return ", ".join(f"{count} {outcome}" for count, outcome in counts if count) or "none"
