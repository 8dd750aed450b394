"""A YAML file as plain values that remember where each was written.

Mappings become `dict`, lists become `tuple`. Every problem is noted and reading goes on, so that
all mistakes of a file can be told at once; only a file that cannot be parsed ends it at the first.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from monitor.config.problems import ConfigError, Loc, Problem, path_text, shown

if TYPE_CHECKING:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

Node = Any
"""A node of ruamel.yaml, whose own types do not say what its kinds have."""

FILE_BYTES_MAX = 1_048_576
"""The largest configuration file that is read."""
VALUES_MAX = 100_000
"""The most values of a file, its aliases expanded."""

_HEX = re.compile(r"0x[0-9A-Fa-f]+")
_TAG = "tag:yaml.org,2002:"

_SYNTAX = (
    ("character '\\t'", "found a tab; YAML indents with spaces"),
    ("mapping values are not allowed", "found a second ': ', or a deeper indent than expected"),
    ("expected <block end>", "found an indent that fits no line above it"),
    ("found undefined alias", "found an alias (*) without its anchor (&); quote a text with a *"),
    ("another document", "found a second document (---); a configuration is one"),
    ("escape character", "found an unknown escape (\\); use single quotes for a text with a \\"),
    ("expected ',' or ']'", "found a [ that is never closed, or a missing comma"),
    ("expected ',' or '}'", "found a { that is never closed, or a missing comma"),
    ("unexpected end of stream", "found a quote that is never closed"),
    ("that cannot start any token", "found a character that no plain text begins with; quote it"),
    ("could not find expected ':'", "found a key without its ':'"),
)
"""Part of the parser's words -> ours."""


class Place(NamedTuple):
    """Where a value came from."""

    file: str
    line: int
    """From 1; 0 where there is none."""
    label: str = ""
    """Said in place of the path: a flag, or the name of a variable."""


@dataclass(slots=True)
class Tree:
    """Plain values, their places, and the problems found so far."""

    root: object
    places: dict[Loc, Place]
    hidden: set[Loc] = field(default_factory=set)
    """Values that were read from elsewhere and may be secrets."""
    problems: list[Problem] = field(default_factory=list)
    noted: set[tuple[Loc, str]] = field(default_factory=set)

    def note(self, loc: Loc, message: str, hint: str = "") -> None:
        """Add a problem; the first one of a value stands, since the others often follow from it."""
        place = self.place(loc)
        if (loc, place.label) not in self.noted:
            self.noted.add((loc, place.label))
            text = place.label or path_text(loc)
            self.problems.append(Problem(place.file, place.line, text, message, hint))

    def place(self, loc: Loc) -> Place:
        """The place of `loc`, or of what should have contained it."""
        while loc and loc not in self.places:
            loc = loc[:-1]
        return self.places[loc]

    def said(self, loc: Loc) -> str:
        """How a sentence names `loc`: by its flag or its path."""
        place = self.places.get(loc)
        return (place and place.label) or path_text(loc)

    def at(self, *loc: str | int) -> object:
        """The value at `loc`, or `None` where there is nothing of that shape."""
        value = self.root
        for step in loc:
            if isinstance(value, dict):
                value = value.get(step)
            elif isinstance(value, tuple) and isinstance(step, int) and step < len(value):
                value = value[step]
            else:
                return None
        return value

    def found(self, loc: Loc, value: object) -> str:
        """`found …`, in words that repeat no secret."""
        return "found a value that is not shown" if loc in self.hidden else f"found {shown(value)}"

    def mappings(self, *loc: str | int) -> Iterator[tuple[Loc, dict[str, object]]]:
        """The mappings directly under `loc`, with their places; anything else is passed over."""
        value = self.at(*loc)
        steps: Iterator[tuple[str | int, object]] = iter(())
        if isinstance(value, dict):
            steps = iter(value.items())
        elif isinstance(value, tuple):
            steps = iter(enumerate(value))
        for step, item in steps:
            if isinstance(item, dict):
                yield (*loc, step), item


def read(path: Path, hint: str = "") -> Tree:
    """The tree of a YAML file. Raises ConfigError, of one problem, when there is none to be had.

    `hint` says how to come by such a file, to whoever has none or an empty one.
    """
    return parse(_text(path, hint), str(path), hint)


def _text(path: Path, hint: str) -> str:
    name = str(path)
    try:
        with path.open("rb") as file:
            content = file.read(FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        raise _one(name, "there is no such file", hint=hint) from None
    except IsADirectoryError:
        raise _one(name, "expected a file, found a directory") from None
    except (OSError, ValueError) as error:
        raise _one(name, f"cannot be read: {why(error)}") from None
    if len(content) > FILE_BYTES_MAX:
        raise _one(name, f"expected at most {FILE_BYTES_MAX} bytes (1 MiB), found more")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _one(name, "expected UTF-8, found other bytes", line, "save it as UTF-8") from None


def why(error: Exception) -> str:
    """Why a file cannot be read, without its name."""
    return (error.strerror or "unknown error") if isinstance(error, OSError) else "not a path"


def _one(name: str, message: str, line: int = 0, hint: str = "") -> ConfigError:
    return ConfigError([Problem(name, line, "", message, hint)])


def parse(text: str, name: str, hint: str = "") -> Tree:
    """The tree of `text`; `name` is said in problems, and `hint` where there is nothing in it.

    Raises ConfigError on a syntax error.
    """
    # Imported here because only reading a file needs it.
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    tree = Tree({}, {(): Place(name, 1)})
    try:
        with warnings.catch_warnings():
            # They quote the file, which may hold keys.
            warnings.simplefilter("ignore")
            yaml = YAML(typ="safe", pure=True)
            node = yaml.compose(text)
            tree.root = None if node is None else _Reader(tree, name, yaml).value(node, ())
    except RecursionError:
        raise _one(name, "expected a few levels of settings, found far more") from None
    except YAMLError as error:
        raise _one(name, _syntax(error), _line(error, text)) from None
    if node is None:
        raise _one(name, "is empty", hint=hint)
    if not isinstance(tree.root, dict):
        expected = "expected settings as `name: value` lines"
        raise _one(name, f"{expected}, {tree.found((), tree.root)}", node.start_mark.line + 1)
    return tree


def _syntax(error: YAMLError) -> str:
    problem = str(getattr(error, "problem", None) or "")
    known = (ours for theirs, ours in _SYNTAX if theirs in problem)
    return "is not YAML here: " + next(known, "the line, or the one above it, cannot be read")


def _line(error: YAMLError, text: str) -> int:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is not None:
        return int(mark.line) + 1
    position = getattr(error, "position", None)
    return text.count("\n", 0, position) + 1 if isinstance(position, int) else 0


def _whole(text: str) -> str | None:
    """`text`, with the pairs of escapes by which JSON writes one character joined.

    `None` where half of such a pair is missing, and where there is no text.
    """
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except (UnicodeDecodeError, AttributeError):
        return None


class _Reader:
    """Turns the parser's nodes into plain values; notes duplicate keys and odd values."""

    def __init__(self, tree: Tree, name: str, yaml: YAML) -> None:
        self.tree = tree
        self.name = name
        self.construct = yaml.constructor.construct_object
        self.open: set[int] = set()
        self.count = 0

    def value(self, node: Node, loc: Loc) -> object:
        self.count += 1
        if self.count > VALUES_MAX:
            raise _one(self.name, f"expected at most {VALUES_MAX} values, found more")
        if id(node) in self.open:
            self.tree.note(loc, "found an alias (*) inside of what it stands for")
            return None
        self.open.add(id(node))
        try:
            if node.id == "mapping":
                return self._mapping(node, loc)
            if node.id == "sequence":
                items = enumerate(node.value)
                return tuple(self._placed(item, (*loc, index), item) for index, item in items)
            return self._scalar(node, loc)
        finally:
            self.open.discard(id(node))

    def _placed(self, node: Node, loc: Loc, mark: Node) -> object:
        self.tree.places[loc] = Place(self.name, mark.start_mark.line + 1)
        return self.value(node, loc)

    def _mapping(self, node: Node, loc: Loc) -> dict[str, object]:
        pairs: dict[str, object] = {}
        merged: list[Node] = []
        for key, item in node.value:
            line = key.start_mark.line + 1
            name = _whole(key.value) if key.tag == _TAG + "str" else None
            if key.tag == _TAG + "merge":
                merged += item.value if item.id == "sequence" else [item]
            elif name is None:
                where = (*loc, f"?{line}")
                self.tree.places[where] = Place(self.name, line, path_text(loc) or "?")
                self.tree.note(where, "expected a name before the ':', found something else")
            elif name in pairs:
                where = (*loc, name)
                first = self.tree.places[where].line
                self.tree.places[(*where, "")] = Place(self.name, line, path_text(where))
                self.tree.note((*where, ""), f"given twice, first on line {first}", "keep one")
            else:
                pairs[name] = self._placed(item, (*loc, name), key)
        for source in merged:
            self._merge(source, loc, pairs)
        return pairs

    def _merge(self, source: Node, loc: Loc, pairs: dict[str, object]) -> None:
        """`<<: *anchor`: what is not given here is taken from there."""
        if source.id != "mapping" or id(source) in self.open:
            self.tree.note(loc, "expected a mapping of its own after <<, found something else")
            return
        self.open.add(id(source))
        for name, value in self._mapping(source, loc).items():
            pairs.setdefault(name, value)
        self.open.discard(id(source))

    def _scalar(self, node: Node, loc: Loc) -> object:
        if node.tag == _TAG + "str" or (node.tag == _TAG + "int" and _HEX.fullmatch(node.value)):
            # A hash without quotes is a number to YAML, and would lose its leading zeros.
            text = _whole(node.value)
            if text is None:
                self.tree.note(loc, "expected a text, found half of a character (\\u)")
            return text
        if node.tag == _TAG + "null":
            return None
        if node.tag in {_TAG + "int", _TAG + "float", _TAG + "bool"}:
            try:
                value: object = self.construct(node)
            except (ValueError, LookupError, OverflowError):
                pass
            else:
                return value
        expected = "expected a text, a number, true or false"
        self.tree.note(loc, f"{expected}, found a date or a tagged value", "quote it")
        return None
