"""A runner of GitHub's, as far as a composite action sees it.

Steps are run by the documented command for `shell: bash`, with the files and the environment that a
runner gives, and nothing of the workspace but its directory. Of expressions it knows `inputs.NAME`
and `steps.ID.outputs.NAME`, and refuses every other.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
ACTION = ROOT / "action.yml"
SECONDS_MAX = 240.0
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
KEPT = ("PATH", "HOME", "LANG", "HEADWATCH_ANVIL", "PIP_INDEX_URL", "PIP_CONFIG_FILE")
"""Of the environment of whoever runs the tests."""


def loaded(path: Path) -> Any:
    """A YAML document in plain types."""
    return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))


def loaded_all(path: Path) -> list[Any]:
    """The YAML documents of a file."""
    return list(YAML(typ="safe", pure=True).load_all(path.read_text(encoding="utf-8")))


@dataclass
class Ended:
    """How an action ended, and what it left."""

    code: int
    log: str
    summary: str
    outputs: Mapping[str, str]


@dataclass
class Runner:
    """One job of one workflow."""

    directory: Path
    workspace: Path
    env: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("temp", "files"):
            (self.directory / name).mkdir()

    @property
    def temp(self) -> Path:
        """`$RUNNER_TEMP`."""
        return self.directory / "temp"

    def run(self, inputs: Mapping[str, str], *, steps: int | None = None) -> Ended:
        """Run the action with these inputs; `steps` is after how many of its steps to stop."""
        action = loaded(ACTION)
        unknown = set(inputs) - set(action["inputs"])
        assert not unknown, f"action.yml has no inputs {unknown}"
        values = {name: one.get("default", "") for name, one in action["inputs"].items()}
        values |= inputs
        known: dict[str, str] = {f"inputs.{name}": value for name, value in values.items()}
        log, code, summary = "", 0, self.directory / "files" / "summary.md"
        summary.write_text("", encoding="utf-8")
        for index, step in enumerate(action["runs"]["steps"][:steps]):
            output = self.directory / "files" / f"output-{index}"
            output.write_text("", encoding="utf-8")
            assert "${{" not in step["run"], "an expression in a script is code from outside"
            done = self._bash(step, known, {"OUTPUT": output, "STEP_SUMMARY": summary})
            log += done.stdout
            for name, value in commands_of(output.read_text(encoding="utf-8")).items():
                known[f"steps.{step.get('id', index)}.outputs.{name}"] = value
            code = done.returncode
            if code:
                break  # The steps after one that failed are skipped.
        outputs = {
            name: evaluated(one["value"], known, missing="")
            for name, one in action["outputs"].items()
        }
        return Ended(code, log, summary.read_text(encoding="utf-8"), outputs)

    def _bash(
        self, step: Mapping[str, Any], known: Mapping[str, str], files: Mapping[str, Path]
    ) -> subprocess.CompletedProcess[str]:
        assert step["shell"] == "bash"
        script = self.directory / "files" / "script.sh"
        script.write_text(step["run"], encoding="utf-8")
        env = {name: os.environ[name] for name in KEPT if name in os.environ}
        env |= {f"GITHUB_{name}": str(path) for name, path in files.items()}
        env |= {"GITHUB_ACTION_PATH": str(ROOT), "RUNNER_TEMP": str(self.temp), "CI": "true"}
        env |= self.env
        env |= {name: evaluated(text, known) for name, text in step.get("env", {}).items()}
        return subprocess.run(
            [shutil.which("bash") or "bash", "--noprofile", "--norc", "-eo", "pipefail", script],
            cwd=self.workspace,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
        )


def evaluated(text: str, known: Mapping[str, str], *, missing: str | None = None) -> str:
    """A text with its expressions replaced by their values."""

    def value(match: re.Match[str]) -> str:
        found = known.get(match[1], missing)
        assert found is not None, f"{match[0]} is nothing that is known here"
        return found

    return EXPRESSION.sub(value, text)


def commands_of(text: str) -> dict[str, str]:
    """What a file of `NAME=VALUE` and `NAME<<WORD` sets, as the runner reads `$GITHUB_OUTPUT`."""
    found: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        name, separator, rest = line.partition("=")
        here, delimiter, word = line.partition("<<")
        if delimiter and len(here) < len(name):
            value = []
            for part in lines:
                if part == word:
                    break
                value.append(part)
            else:
                message = f"{here} has no end {word}"
                raise AssertionError(message)
            found[here] = "\n".join(value)
        else:
            assert separator or not line, f"no command: {line}"
            found[name] = rest
    return found


def obeyed(log: str) -> list[str]:
    """The workflow commands of a log that a runner obeys: none between stop and go on."""
    found: list[str] = []
    word: str | None = None
    for line in map(str.strip, log.splitlines()):
        if word is not None:
            word = None if line == f"::{word}::" else word
        elif stop := re.fullmatch(r"::stop-commands::(.+)", line):
            word = stop[1]
        elif re.match(r"::[a-z-]+( [^:]*)?::", line) or "##[" in line:
            found.append(line)
    assert word is None, "commands were stopped for good"
    return found
