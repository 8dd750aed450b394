"""The action in the root, as a runner of GitHub's runs it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from packaging.utils import canonicalize_name

from monitor.cli import parser
from monitor.config import show
from monitor.lab.network import LabNetwork
from monitor.lab.timeline import INTERVAL_SECONDS, lab_settings
from tests.canary.staged import serves_blocks
from tests.deploy.runner import ACTION, EXPRESSION, ROOT, Ended, Runner, commands_of, loaded, obeyed
from tests.rpc.canned import Canned, Chain, nothing_unheard, serving
from tests.test_tooling import locked

SCRIPTS = sorted((ROOT / "deploy" / "action").glob("*.sh"))
INSTALL, GATE = (step for step in loaded(ACTION)["runs"]["steps"])
REFERENCE = "{name: a, url: 'http://127.0.0.1:2'}"
BLIND = (
    "nodes: [{name: local, network: dev, url: 'http://127.0.0.1:1', "
    f"references: [{REFERENCE}]}}]\n"
)
"""A configuration of nodes that nobody can see."""
KEY = "s3cretKey0123456789"


def program(name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """A linter of the `dev` group, beside the Python that runs the tests."""
    return subprocess.run(
        [Path(sys.executable).with_name(name), *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )


# -- what it says of itself ----------------------------------------------------------------------


def test_action_is_valid_by_githubs_schema() -> None:
    """A typing error in a key would be ignored by the runner, or stop it."""
    check = (sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-actions")
    done = subprocess.run([*check, ACTION], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_action_has_nothing_that_zizmor_would_change(tmp_path: Path) -> None:
    """No injection, no action that is not pinned; and a planted one is seen."""
    done = program("zizmor", "--offline", "--no-config", "--persona", "pedantic", ACTION)
    assert done.returncode == 0, done.stdout + done.stderr
    planted = tmp_path / "action.yml"
    text = ACTION.read_text(encoding="utf-8")
    planted.write_text(text.replace("run: bash ", "run: echo ${{ inputs.gate }}; bash ", 1))
    done = program("zizmor", "--offline", "--no-config", planted)
    assert done.returncode != 0
    assert "template-injection" in done.stdout


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_script_has_nothing_that_shellcheck_would_change(path: Path) -> None:
    """Each can be run by itself, and stops at the first error."""
    done = program("shellcheck", path)
    assert done.returncode == 0, done.stdout
    assert os.access(path, os.X_OK)
    assert "set -euo pipefail" in path.read_text(encoding="utf-8").splitlines()


def test_every_input_is_used_and_every_output_is_set() -> None:
    """Inputs reach a script by the environment, and each of those variables is read there."""
    action = loaded(ACTION)
    used = set()
    for step, script in ((INSTALL, "install.sh"), (GATE, "gate.sh")):
        text = (ROOT / "deploy" / "action" / script).read_text(encoding="utf-8")
        assert step["run"] == f'bash "$GITHUB_ACTION_PATH/deploy/action/{script}"'
        for name, value in step["env"].items():
            assert f'"${name}"' in text, name
            used |= {found.removeprefix("inputs.") for found in EXPRESSION.findall(value)}
    assert used == set(action["inputs"])
    for name, output in action["outputs"].items():
        assert output["value"] == f"${{{{ steps.{GATE['id']}.outputs.{name} }}}}"


# -- what it does --------------------------------------------------------------------------------


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """A job in which the first step is done: headwatch is installed, from here."""
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    made = Runner(tmp_path, workspace)
    headwatch = made.temp / "headwatch-venv" / "bin" / "headwatch"
    headwatch.parent.mkdir(parents=True)
    headwatch.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m monitor "$@"\n')
    headwatch.chmod(0o755)
    (made.temp / "headwatch-venv" / ".installed").write_text(str(ROOT))
    return made


async def judged(runner: Runner, **inputs: str) -> Ended:
    """Run the action beside a lab that this loop keeps alive."""
    named = {name.replace("_", "-"): value for name, value in inputs.items()}
    return await asyncio.to_thread(runner.run, named)


def configured(net: LabNetwork, runner: Runner, name: str) -> None:
    (runner.workspace / name).write_text(show(lab_settings(net, INTERVAL_SECONDS)))


async def test_action_tells_a_healthy_node_from_one_on_a_fork(
    anvil_path: Path, runner: Runner
) -> None:
    """Step and outputs end as the verdict is; reports and summary are there either way."""
    del anvil_path
    async with LabNetwork() as net:
        await net.wait_blocks(3)
        configured(net, runner, "nodes with space.yaml")
        config = {"config": "nodes with space.yaml", "timeout": "60s"}
        ended = await judged(runner, **config, state="state.json", strict="false")
        assert ended.code == 0, ended.log
        assert _told(ended) == ("pass", "true", "0")
        assert ended.outputs["summary"] in ended.log
        assert ended.summary.startswith("## ✅ headwatch: pass")
        assert not obeyed(ended.log)
        passed = json.loads((runner.workspace / "state.json").read_text())
        assert passed["nodes"]["local"]["version"].startswith("anvil/")
        net.local.fork()
        await net.wait_blocks(12)
        ended = await judged(runner, **config)
        assert ended.code == 1, ended.log
        assert _told(ended) == ("fail", "false", "1")
        assert "❌ headwatch: fail" in ended.summary
        assert any("title=fork%3A node%3Alocal::" in line for line in obeyed(ended.log))
        assert int(_junit(ended).get("failures", "0")) > 0


def _told(ended: Ended) -> tuple[str, str, str]:
    """Verdict, ok and exit code of the outputs; the reports that they name say the same."""
    document = json.loads(Path(ended.outputs["json"]).read_text(encoding="utf-8"))
    assert document["verdict"] == ended.outputs["verdict"]
    log = json.loads(Path(ended.outputs["sarif"]).read_text(encoding="utf-8"))
    assert log["version"] == "2.1.0"
    assert int(_junit(ended).get("tests", "0")) > 0
    return ended.outputs["verdict"], ended.outputs["ok"], ended.outputs["exit-code"]


def _junit(ended: Ended) -> ET.Element:
    return ET.parse(ended.outputs["junit"]).getroot()  # noqa: S314 - our own report


@pytest.mark.parametrize(
    ("choice", "code", "warns"), [("inconclusive", 3, False), ("fail", 1, False), ("pass", 0, True)]
)
async def test_action_that_cannot_see_ends_as_its_input_says(
    choice: str, code: int, *, warns: bool, runner: Runner
) -> None:
    """Outputs say inconclusive all the same: who let it pass can read that it was not one."""
    (runner.workspace / "headwatch.yaml").write_text(BLIND)
    ended = await judged(runner, timeout="5s", inconclusive_as=choice)
    assert ended.code == code, ended.log
    assert _told(ended) == ("inconclusive", "false", "3")
    warned = [line for line in obeyed(ended.log) if line.startswith("::warning")]
    assert any("told to let pass" in line for line in warned) is warns


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"config": "none.yaml"}, "exit code 2 and no verdict"),
        ({"gate": "deploy"}, "exit code 2 and no verdict"),
        ({"for": "soon"}, "exit code 2 and no verdict"),
        ({"for": "--json"}, "exit code 2 and no verdict"),
        ({"strict": "yes"}, "strict: expected true or false"),
        ({"wait": "1"}, "wait: expected true or false"),
        ({"inconclusive-as": "green"}, "expected inconclusive, fail or pass"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
async def test_action_with_a_mistake_ends_with_2_and_an_annotation(
    inputs: Mapping[str, str], said: str, runner: Runner
) -> None:
    """No verdict is an output, so that no condition on one holds; no node was asked."""
    (runner.workspace / "headwatch.yaml").write_text(BLIND)
    ended = await asyncio.to_thread(runner.run, inputs)
    assert ended.code == 2, ended.log
    (line,) = obeyed(ended.log)
    assert line.startswith("::error title=headwatch::")
    assert said in line
    assert (ended.outputs["verdict"], ended.outputs["ok"], ended.summary) == ("", "", "")


async def test_words_of_a_node_are_no_commands(runner: Runner) -> None:
    """What a program prints there, nobody obeys: neither old commands nor new ones."""
    said = "::error::planted\\n##[error]planted\\n::stop-commands::planted\\n::planted::"
    headwatch = runner.temp / "headwatch-venv" / "bin" / "headwatch"
    headwatch.write_text(f"#!/bin/sh\nprintf '{said}\\n'\nexit 4\n")
    ended = await judged(runner)
    assert ended.code == 4
    assert "planted" in ended.log
    assert not any("planted" in line for line in obeyed(ended.log))
    first, second = (
        re.findall(r"::stop-commands::([0-9a-f]{32})\n", run.log)
        for run in (ended, await judged(runner))
    )
    assert first != second


async def test_inputs_become_the_options_of_the_gate(runner: Runner) -> None:
    """Each where it is given; the command line understands all of them at once."""
    headwatch = runner.temp / "headwatch-venv" / "bin" / "headwatch"
    headwatch.write_text(
        '#!/bin/sh\nfor word; do printf "%s\\n" "$word"; done >"$RUNNER_TEMP/asked"\n'
    )
    inputs = {"config": "a b.yaml", "gate": "deploy", "for": "10m", "timeout": "1h"}
    inputs |= {"wait": "true", "strict": "true", "accepted": "known.yaml", "state": "$HOME;`id`"}
    await judged(runner, **inputs)
    words = (runner.temp / "asked").read_text().splitlines()
    chosen: Any = parser().parse_args(words)
    assert (chosen.verb, chosen.gate, chosen.strict) == ("wait", "deploy", True)
    assert (chosen.config, chosen.accepted) == (Path("a b.yaml"), Path("known.yaml"))
    assert (chosen.state, chosen.window, chosen.timeout) == (Path("$HOME;`id`"), 600, 3600)
    assert [one.partition("=")[0] for one in chosen.output] == [
        *("json", "junit", "sarif", "markdown", "github-output", "annotations")
    ]
    await judged(runner)
    words = (runner.temp / "asked").read_text().splitlines()
    assert words[1] == "--output"


async def test_inputs_of_a_canary_become_its_options(runner: Runner) -> None:
    """Each reference of a line of its own; nothing in any of them is run, or another option."""
    headwatch = runner.temp / "headwatch-venv" / "bin" / "headwatch"
    headwatch.write_text(
        '#!/bin/sh\nfor word; do printf "%s\\n" "$word"; done >"$RUNNER_TEMP/asked"\n'
    )
    references = ["https://a.example.org/*", "${env:REFERENCE_B}", "--strict", "`id`;$(id)"]
    inputs = {"baseline": "${env:OLD}", "candidate": "http://new:8545/$HOME", "network": "sepolia"}
    lines = "".join(f"  {one}  \n\n" for one in references)
    await judged(runner, **inputs, references=lines, traffic="a b.jsonl", **{"for": "1h"})
    chosen: Any = parser().parse_args((runner.temp / "asked").read_text().splitlines())
    assert (chosen.baseline, chosen.candidate, chosen.network) == tuple(inputs.values())
    assert chosen.reference == references
    assert (chosen.traffic, chosen.window) == (Path("a b.jsonl"), 3600)
    assert (chosen.config, chosen.strict) == (None, False)


async def test_action_compares_a_candidate_with_the_node_in_service(runner: Runner) -> None:
    """Without a configuration; the step ends as the canary does, and every report is there."""
    nodes = [Canned(Chain(100)), Canned(Chain(100)), Canned(Chain(100), chain_id="0x2")]
    for node in nodes:
        serves_blocks(node)
    with nothing_unheard():
        async with serving(*nodes):
            old, new, other = (f"{node.url}/{KEY}" for node in nodes)
            runner.env = {"OLD": old}
            pair = {"baseline": "${env:OLD}", "network": "dev"}
            passed = await judged(runner, **pair, candidate=new, state="state.json")
            failed = await judged(runner, **pair, candidate=other)
            mixed = await judged(runner, **pair, candidate=new, config="headwatch.yaml")
    assert (passed.code, failed.code, mixed.code) == (0, 1, 2), passed.log
    assert _told(passed) == ("pass", "true", "0")
    assert _told(failed) == ("fail", "false", "1")
    assert "❌ headwatch: fail" in failed.summary
    assert json.loads((runner.workspace / "state.json").read_text())["nodes"].keys() == {
        "candidate"
    }
    assert "-c does not go with --baseline and --candidate" in mixed.log
    assert KEY not in "".join(one.log + one.summary for one in (passed, failed, mixed))


def test_install_without_a_python_that_is_new_enough_says_so(tmp_path: Path) -> None:
    """In an annotation that names the way out, before anything is made."""
    runner = Runner(tmp_path, tmp_path)
    ended = runner.run({"python": "false"}, steps=1)
    assert ended.code == 2
    (line,) = obeyed(ended.log)
    assert "Python 3.11 or newer" in line
    assert not (runner.temp / "headwatch-venv").exists()


@pytest.mark.wide
def test_install_brings_what_the_lock_names_and_is_quick_again(tmp_path: Path) -> None:
    """Every package in the venv has the version of requirements.lock; the action runs from it."""
    (tmp_path / "headwatch.yaml").write_text(BLIND)
    runner = Runner(tmp_path, tmp_path)
    ended = runner.run({"timeout": "5s", "python": sys.executable})
    assert ended.code == 3, ended.log
    venv = runner.temp / "headwatch-venv"
    listed = [str(venv / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "freeze"]
    frozen = subprocess.run(listed, capture_output=True, text=True, check=True).stdout
    found = re.findall(r"(?m)^([\w.-]+)==(\S+)$", frozen)
    assert len(found) > 10
    for name, version in found:
        assert locked()[canonicalize_name(name)] == version, name
    stamp = (venv / ".installed").stat().st_mtime_ns
    assert runner.run({"python": "false"}, steps=1).code == 0
    assert (venv / ".installed").stat().st_mtime_ns == stamp


# -- the runner that the tests have --------------------------------------------------------------


def test_runner_reads_outputs_as_github_does() -> None:
    """A value of several lines ends where its word says, whatever looks like a command in it."""
    text = "a=1\nb<<end\nx=2\nend of it\nend\nc=<<x\n"
    assert commands_of(text) == {"a": "1", "b": "x=2\nend of it", "c": "<<x"}


def test_runner_obeys_what_is_not_stopped() -> None:
    """The tests above can see a command."""
    log = (
        "::error::a\n::stop-commands::w\n::error::b\n::x::\n::w::\n  ::notice title=t::c\nd ##[e]\n"
    )
    assert obeyed(log) == ["::error::a", "::notice title=t::c", "d ##[e]"]
