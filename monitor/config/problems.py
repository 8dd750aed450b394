"""What is wrong with a configuration, in words: place, expectation, finding, remedy.

Standard library only. Values are shown sparingly: a URL may be a key, and so may any text that
was pasted into the wrong place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

Loc = tuple[str | int, ...]
"""The way to a setting: names of settings and, in lists, indexes from 0."""

ENVIRONMENT_FILE = "environment"
"""Stands for the file where a problem lies in an environment variable."""

# A run of letters and digits as long as that of a key is not repeated.
_SHOWN_TEXT = re.compile(r"(?!.*[A-Za-z0-9]{20})[\w.:\[\] -]{1,32}")
_SHOWN_INT = 10**20
_SHOWN_KEY = re.compile(r"(?!.*[A-Za-z0-9]{32})[\w.-]{1,63}")


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake, and where it is."""

    file: str
    """As it was named to us; `environment`; empty for a command-line flag."""
    line: int
    """From 1; 0 where there is no line (a flag, a variable, a file that cannot be opened)."""
    path: str
    """`nodes[1].url`, a flag, or the name of a variable; empty for the file as a whole."""
    message: str
    """What was expected, and what was found. Never a URL, never a value read from elsewhere."""
    hint: str = ""
    """The remedy, where one is known."""

    def __str__(self) -> str:
        """One line: `headwatch.yaml:7: nodes[1].max_lagg: unknown setting; did you mean …`."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        text = ": ".join(part for part in (place, self.path, self.message) if part)
        return f"{text}; {self.hint}" if self.hint else text


class ConfigError(Exception):
    """The operator erred: every problem found, in the order of the file. Exit code 2."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: (p.file, p.line, p.path)))
        super().__init__("\n".join(map(str, self.problems)))


def path_text(loc: Loc) -> str:
    """`nodes[1].url`; a key that does not look like a name is not repeated: it may be a secret."""
    text = ""
    for step in loc:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += ("." if text else "") + (step if _SHOWN_KEY.fullmatch(step) else "?")
    return text


def shown(value: object) -> str:
    """`value` as an error may repeat it: long texts and texts like an address by kind only."""
    match value:
        case None:
            text = "nothing"
        case bool():
            text = "true" if value else "false"
        case int():
            text = str(value) if abs(value) < _SHOWN_INT else "a very large number"
        case float():
            text = repr(value)
        case str():
            text = (
                repr(value)
                if _SHOWN_TEXT.fullmatch(value)
                else f"a text of {len(value)} characters"
            )
        case dict():
            text = "a mapping"
        case _:
            text = "a list"
    return text


def listed(known: Iterable[str]) -> str:
    """The names among `known`; what does not look like one is not repeated: it may be a secret."""
    return ", ".join(sorted(filter(_SHOWN_KEY.fullmatch, known))) or "none"


def nearest(word: str, known: Iterable[str], prefix: str = "") -> str:
    """`did you mean 'x'?`, or an empty string where nothing known is near.

    `prefix`: what all of them begin with, which makes none of them nearer.
    """
    # Imported here because only a mistake needs it.
    import difflib

    names = sorted(k.removeprefix(prefix) for k in known if _SHOWN_KEY.fullmatch(k))
    matches = difflib.get_close_matches(word.removeprefix(prefix), names, n=1, cutoff=0.6)
    return f"did you mean '{prefix}{matches[0]}'?" if matches else ""
