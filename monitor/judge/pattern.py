r"""Regular expressions of strangers, searched for in time that grows with the text and no faster.

An advisory names the versions it is about by one (geth's `check`, for Go's RE2). Python's own
engine tries alternatives one after the other and may never end; this one follows all of them at
once, as RE2 does, and knows what advisories use: literals, `.`, `\d`, `\w`, escaped signs, `[…]`,
groups, `|`, `*`, `+`, `?`, `^` and `$`. Anything else is refused, never read as something else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NoReturn

PATTERN_CHARACTERS_MAX = 1024
CLASSES: dict[str, Callable[[str], bool]] = {
    "d": lambda c: c in "0123456789",
    "w": lambda c: c == "_" or (c.isascii() and c.isalnum()),
    "s": lambda c: c in "\t\n\f\r ",
}
END = ""
"""What is read after the last character."""
Test = Callable[[str], bool]


@dataclass(slots=True)
class _State:
    """A place in the expression: what takes a character and goes on, or ways that take none."""

    takes: Test | None = None
    ways: list[int] = field(default_factory=list)
    anchor: str = ""
    """`^` or `$`: the ways are open only there."""


class Pattern:
    """One expression. Raises ValueError where it is not of the kind that is known here."""

    def __init__(self, text: str) -> None:
        if len(text) > PATTERN_CHARACTERS_MAX:
            message = f"an expression of more than {PATTERN_CHARACTERS_MAX} characters"
            raise ValueError(message)
        self.text = text
        self._at = 0
        self._states: list[_State] = []
        self._begin, last = self._alternatives(0)
        if self._at < len(text):
            self._refuse("a ) too many")
        self._end = self._state()
        self._states[last].ways.append(self._end)

    def is_in(self, text: str) -> bool:
        """Whether it matches anywhere in a text, as Go's `MatchString` has it."""
        here: set[int] = set()
        for index, character in enumerate((*text, END)):
            is_last = index == len(text)
            here = self._reached({*here, self._begin}, is_first=index == 0, is_last=is_last)
            if self._end in here:
                return True
            here = {
                way
                for number in here
                if (takes := self._states[number].takes) is not None
                and character != END
                and takes(character)
                for way in self._states[number].ways
            }
        return False

    def _reached(self, numbers: Iterable[int], *, is_first: bool, is_last: bool) -> set[int]:
        found: set[int] = set()
        waiting = list(numbers)
        while waiting:
            number = waiting.pop()
            if number in found:
                continue
            found.add(number)
            state = self._states[number]
            is_open = {"": True, "^": is_first, "$": is_last}[state.anchor]
            if state.takes is None and is_open:
                waiting += state.ways
        return found

    # -- reading ---------------------------------------------------------------------------------

    def _state(self, takes: Test | None = None, ways: Iterable[int] = (), anchor: str = "") -> int:
        self._states.append(_State(takes, list(ways), anchor))
        return len(self._states) - 1

    def _refuse(self, what: str) -> NoReturn:
        message = f"{what}, at character {self._at + 1} of the expression"
        raise ValueError(message)

    def _next(self) -> str:
        return self.text[self._at] if self._at < len(self.text) else END

    def _alternatives(self, depth: int) -> tuple[int, int]:
        """First and last state of `a|b|c`."""
        first, last = self._state(), self._state()
        while True:
            begin, end = self._sequence(depth)
            self._states[first].ways.append(begin)
            self._states[end].ways.append(last)
            if self._next() != "|":
                return first, last
            self._at += 1

    def _sequence(self, depth: int) -> tuple[int, int]:
        first = last = self._state()
        while self._next() not in {END, "|", ")"}:
            begin, end = self._repeated(depth)
            self._states[last].ways.append(begin)
            last = end
        return first, last

    def _repeated(self, depth: int) -> tuple[int, int]:
        begin, end = self._one(depth)
        sign = self._next()
        if sign == END or sign not in "*+?":
            return begin, end
        self._at += 1
        if self._next() != END and self._next() in "*+?{":
            self._refuse("a repetition of a repetition")
        last = self._state()
        self._states[end].ways.append(last)
        if sign in "*+":
            self._states[end].ways.append(begin)
        first = self._state(ways=[begin])
        if sign in "*?":
            self._states[first].ways.append(last)
        return first, last

    def _one(self, depth: int) -> tuple[int, int]:
        character = self._next()
        if character in "*+?{":
            self._refuse(f"{character} is not known here")
        self._at += 1
        if character == "(":
            return self._group(depth)
        if character in "^$":
            last = self._state()
            return self._state(ways=[last], anchor=character), last
        last = self._state()
        return self._state(self._test(character), [last]), last

    def _group(self, depth: int) -> tuple[int, int]:
        if depth >= DEPTH_MAX:
            self._refuse("groups in too many groups")
        if self.text.startswith("?:", self._at):
            self._at += 2
        found = self._alternatives(depth + 1)
        if self._next() != ")":
            self._refuse("a ( without its )")
        self._at += 1
        return found

    def _test(self, character: str) -> Test:
        if character == ".":
            return lambda c: c != "\n"
        if character == "[":
            return self._class()
        if character == "\\":
            return self._escaped()
        return lambda c: c == character

    def _escaped(self) -> Test:
        character = self._next()
        self._at += 1
        if character in CLASSES:
            return CLASSES[character]
        if character == END or (character.isascii() and character.isalnum()):
            self._refuse(f"\\{character} is not known here")
        return lambda c: c == character

    def _class(self) -> Test:
        """`[a-z0-9_]`, and `[^…]`."""
        is_not = self._next() == "^"
        self._at += is_not
        tests: list[Test] = []
        while (character := self._next()) != "]" or not tests:
            if character == END:
                self._refuse("a [ without its ]")
            self._at += 1
            if character == "[":
                self._refuse("[ in a class is not known here")
            if character == "\\":
                tests.append(self._escaped())
            elif self._next() == "-" and self.text[self._at + 1 : self._at + 2] not in {"]", ""}:
                upper = self.text[self._at + 1]
                self._at += 2
                tests.append(_between(character, upper))
            else:
                tests.append(_equal(character))
        self._at += 1
        return lambda c: any(test(c) for test in tests) != is_not


DEPTH_MAX = 20


def _between(lower: str, upper: str) -> Test:
    return lambda c: lower <= c <= upper


def _equal(character: str) -> Test:
    return lambda c: c == character
