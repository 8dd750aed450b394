"""`${env:NAME}` and `file:PATH`: values that are kept out of the configuration file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from monitor.config.problems import Loc
from monitor.config.tree import Tree, why

SECRET_BYTES_MAX = 65_536
"""The largest file that `file:PATH` reads."""

_ENV = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")


def resolve(tree: Tree, env: Mapping[str, str], folder: Path) -> None:
    """Replace `${env:NAME}` and `file:PATH` in every text of the tree, noting what fails.

    A relative PATH is relative to `folder`. What a variable or file holds is taken as it is.
    """
    tree.root = _resolved(tree, tree.root, (), env, folder)


def _resolved(tree: Tree, value: object, loc: Loc, env: Mapping[str, str], folder: Path) -> object:
    if isinstance(value, dict):
        return {k: _resolved(tree, v, (*loc, k), env, folder) for k, v in value.items()}
    if isinstance(value, tuple):
        return tuple(_resolved(tree, v, (*loc, i), env, folder) for i, v in enumerate(value))
    if not isinstance(value, str) or not ("${" in value or value.startswith("file:")):
        return value
    tree.hidden.add(loc)
    if "${" in _ENV.sub("", value):
        tree.note(loc, "expected ${env:NAME}, found another ${", "name the variable after env:")
        return ""
    for name in _ENV.findall(value):
        if not env.get(name):
            state = "is empty" if name in env else "is not set"
            tree.note(loc, f"the environment variable {name} {state}")
            return ""
    filled = _ENV.sub(lambda match: env[match[1]], value)
    return _content(tree, loc, folder / filled[5:]) if value.startswith("file:") else filled


def _content(tree: Tree, loc: Loc, path: Path) -> str:
    if loc[-1:] == ("token_file",):
        tree.note(loc, "expected a path, found file:", "this setting names the file: drop `file:`")
        return ""
    try:
        with path.open("rb") as file:
            content = file.read(SECRET_BYTES_MAX + 1)
        text = content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        tree.note(loc, "the file it names is not UTF-8 text")
        return ""
    except (OSError, ValueError) as error:
        tree.note(loc, f"the file it names cannot be read: {why(error)}")
        return ""
    if not text or len(content) > SECRET_BYTES_MAX:
        state = "larger than 64 KiB" if text else "empty"
        tree.note(loc, f"the file it names is {state}")
        return ""
    return text
