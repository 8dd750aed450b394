"""The examples of deploy/examples: valid for who reads them, and answered by a real sidecar."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import aiohttp
import kubernetes_validate
import msgspec
import pytest
from ruamel.yaml import YAML

from monitor.cli import parser
from monitor.config import Gate, Settings, load, show
from monitor.config.settings import Http
from monitor.lab.network import LOCAL, LabNetwork
from monitor.lab.timeline import INTERVAL_SECONDS, lab_settings
from tests.deploy import resources
from tests.deploy.resources import AnalysisTemplate, Canary, condition, json_path
from tests.deploy.runner import ACTION, EXPRESSION, loaded, loaded_all
from tests.e2e.processes import sidecar, until_status
from tests.test_tooling import run

EXAMPLES = Path(__file__).resolve().parents[2] / "deploy" / "examples"
SCHEMAS = {"github-workflow.yml": "vendor.github-workflows", "gitlab-ci.yml": "vendor.gitlab-ci"}
WORKFLOW, PIPELINE = (loaded(EXAMPLES / name) for name in SCHEMAS)
RESOURCES = [document for path in sorted(EXAMPLES.glob("*.yaml")) for document in loaded_all(path)]
OWN = ("argoproj.io", "flagger.app")
KUBERNETES = [one for one in RESOURCES if not one["apiVersion"].startswith(OWN)]
EXTENSIONS = [one for one in RESOURCES if one["apiVersion"].startswith(OWN)]
VERSION = "1.37"
KEYS = {f"REFERENCE_{letter}": f"https://{letter}.example.org".lower() for letter in "ABC"}
GATE = "deploy"


def named(document: Any) -> str:
    return f"{document['kind']}-{document['metadata']['name']}"


# -- valid by those who read them ----------------------------------------------------------------


def test_every_example_is_read_here() -> None:
    """A file that no test looks at would rot."""
    assert {path.suffix for path in EXAMPLES.iterdir()} == {".yml", ".yaml"}
    assert {path.name for path in EXAMPLES.glob("*.yml")} == set(SCHEMAS)
    assert KUBERNETES
    assert EXTENSIONS


@pytest.mark.parametrize(("name", "schema"), SCHEMAS.items(), ids=SCHEMAS)
def test_pipeline_is_valid_by_its_services_schema(name: str, schema: str) -> None:
    """As the vendored schema of GitHub's workflows and of GitLab's pipelines has it."""
    check = (sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema)
    done = run(*check, str(EXAMPLES / name))
    assert done.returncode == 0, done.stdout + done.stderr


def test_workflow_has_nothing_that_zizmor_would_change() -> None:
    """Nothing is permitted by default, every action is one commit, nothing is injected."""
    zizmor = Path(sys.executable).with_name("zizmor")
    done = run(str(zizmor), "--offline", "--no-config", str(EXAMPLES / "github-workflow.yml"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert WORKFLOW["permissions"] == {}


@pytest.mark.parametrize("document", KUBERNETES, ids=named)
def test_resource_is_valid_for_kubernetes(document: Any) -> None:
    """Strictly: a field that its version does not know is a mistake."""
    kubernetes_validate.validate(document, VERSION, strict=True)


@pytest.mark.parametrize("document", EXTENSIONS, ids=named)
def test_resource_of_argo_or_flagger_has_only_fields_that_they_know(document: Any) -> None:
    """A Job within is judged by Kubernetes' schema; a typing error is seen."""
    read = resources.read(document)
    if isinstance(read, AnalysisTemplate):
        for metric in read.spec.metrics:
            provider = metric.provider
            assert (provider.web is None) != (provider.job is None)
            if provider.job is not None:
                job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "one"}}
                kubernetes_validate.validate(
                    {**job, "spec": provider.job.spec}, VERSION, strict=True
                )
    text = json.dumps(document)
    key = '"analysis"' if isinstance(read, Canary) else '"provider"'
    with pytest.raises(msgspec.ValidationError):
        resources.read(json.loads(text.replace(key, f'{key[:-1]}s"')))


# -- what they name is there ---------------------------------------------------------------------


class Command(NamedTuple):
    """A command of an example, and the configuration that it would read."""

    where: str
    words: list[str]
    config: str | None


def pods(document: Any) -> Iterator[Any]:
    """The Pods' specs of a resource."""
    if isinstance(document, dict):
        if "containers" in document:
            yield document
        for value in document.values():
            yield from pods(value)
    elif isinstance(document, list):
        for value in document:
            yield from pods(value)


CONFIGURATIONS = {
    one["metadata"]["name"]: one["data"]["headwatch.yaml"]
    for one in RESOURCES
    if one["kind"] == "ConfigMap"
}


def commands() -> Iterator[Command]:
    """Every call of headwatch in the examples."""
    for document in RESOURCES:
        for pod in pods(document):
            for container in (*pod.get("initContainers", ()), *pod["containers"]):
                if "/headwatch:" in container["image"]:
                    (volume,) = (v for v in pod["volumes"] if v["name"] == "configuration")
                    config = CONFIGURATIONS[volume["configMap"]["name"]]
                    yield Command(named(document), container["args"], config)
    for line in PIPELINE["gate"]["script"]:
        yield Command("gitlab", shlex.split(line)[1:], None)


COMMANDS = list(commands())


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.where)
def test_command_of_an_example_is_understood(command: Command) -> None:
    """Each option is one of ours, and the gate that is named is in the configuration beside it."""
    chosen: Any = parser().parse_args(command.words)
    assert callable(chosen.command)
    if command.config is not None:
        assert chosen.config == Path("/etc/headwatch/headwatch.yaml")
    if getattr(chosen, "gate", None) is not None and command.config is not None:
        assert chosen.gate in YAML(typ="safe").load(command.config)["gate"]


def test_examples_start_a_sidecar_and_gates() -> None:
    """The table above is not empty by a mistake."""
    words = [command.words for command in COMMANDS]
    assert sorted(one[0] for one in words) == ["gate", "gate", "gate", "run"]
    assert sum("wait" in one for one in words) == 1


def settings_of(text: str, folder: Path) -> Settings:
    path = folder / "headwatch.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path, KEYS)


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_configuration_of_an_example_loads(name: str, tmp_path: Path) -> None:
    """With the three keys that its Secret holds, for the node that its probes name."""
    settings = settings_of(CONFIGURATIONS[name], tmp_path)
    assert [node.name for node in settings.nodes] == [LOCAL]
    assert set(settings.gate) == {GATE}
    (network,) = settings.networks.values()
    assert len({reference.operator for reference in network.references}) == 3


def test_ports_of_the_sidecar_are_those_that_it_listens_on(tmp_path: Path) -> None:
    """Container, Service, probes and the URLs of delivery tools agree, with our default port."""
    settings = settings_of(CONFIGURATIONS["headwatch"], tmp_path)
    host, _, port = settings.http.listen.rpartition(":")
    assert host == "0.0.0.0"  # noqa: S104 - read, not listened on
    assert port == Http().listen.rpartition(":")[2]
    container, service = the_sidecar(), one_of("Service")
    assert container["ports"] == [{"name": "headwatch", "containerPort": int(port)}]
    assert [one["port"] for one in service["spec"]["ports"]] == [int(port)]
    assert service["spec"]["ports"][0]["targetPort"] == "headwatch"
    # Else a gate could not be asked just when its answer would be no.
    assert service["spec"]["publishNotReadyAddresses"] is True
    where = service["metadata"]
    for request in REQUESTS:
        if request.host:
            assert request.host == f"{where['name']}.{where['namespace']}:{port}"


def one_of(kind: str) -> Any:
    (found,) = (one for one in RESOURCES if one["kind"] == kind)
    return found


def the_sidecar() -> Any:
    (container,) = one_of("Deployment")["spec"]["template"]["spec"]["initContainers"]
    return container


def test_sidecar_is_native_and_only_its_liveness_is_apart_from_the_chain() -> None:
    """Start-up and readiness ask for the node, liveness for the loop; the app has no part in it."""
    container = the_sidecar()
    assert container["restartPolicy"] == "Always"
    probes = {name: container[f"{name}Probe"] for name in ("startup", "readiness", "liveness")}
    paths = {name: probe["httpGet"]["path"] for name, probe in probes.items()}
    assert paths == {
        "startup": "/-/synced?node=local",
        "readiness": "/-/synced?node=local",
        "liveness": "/-/healthy",
    }
    assert {probe["httpGet"]["port"] for probe in probes.values()} == {"headwatch"}


def test_workflow_uses_inputs_and_outputs_that_the_action_has() -> None:
    """What a workflow asks an action for under a wrong name is empty, and nobody is told."""
    action = loaded(ACTION)
    (step,) = (s for s in WORKFLOW["jobs"]["gate"]["steps"] if s.get("id") == "gate")
    assert set(step["with"]) <= set(action["inputs"])
    assert step["uses"].startswith("example/headwatch@")
    text = (EXAMPLES / "github-workflow.yml").read_text(encoding="utf-8")
    asked = {
        word.removeprefix("steps.gate.outputs.")
        for expression in EXPRESSION.findall(text)
        for word in expression.split()
        if word.startswith("steps.gate.outputs.")
    }
    assert {"ok", "sarif"} <= asked <= set(action["outputs"])


def test_pipeline_of_gitlab_keeps_what_the_gate_writes() -> None:
    """Each report goes where GitLab looks for it; what follows asks a variable that is set."""
    gate, switch = PIPELINE["gate"], PIPELINE["switch"]
    chosen: Any = parser().parse_args(shlex.split(gate["script"][0])[1:])
    written = dict(one.split("=", 1) for one in chosen.output)
    reports = gate["artifacts"]["reports"]
    names = {"junit": "junit", "codequality": "codequality"}
    names |= {"metrics": "openmetrics", "dotenv": "dotenv"}
    assert reports == {name: written[kind] for name, kind in names.items()}
    assert gate["artifacts"]["paths"] == [written["json"]]
    # A gate that could not see lets the pipeline go on: the next job must not take it for a pass.
    assert gate["allow_failure"] == {"exit_codes": [3]}
    guard = switch["script"][0]
    for value, code in (("true", 0), ("false", 1), ("", 1)):
        env = {"HEADWATCH_OK": value, "PATH": ""}
        shell = ["/bin/sh", "-euc", guard]
        assert subprocess.run(shell, env=env, check=False).returncode == code


# -- a real sidecar answers them -----------------------------------------------------------------


class Request(NamedTuple):
    """What somebody asks a running sidecar."""

    who: str
    method: str
    path: str
    host: str
    json_path: str = ""
    success: str = ""
    failure: str = ""


def requests() -> Iterator[Request]:
    """Every request that an example makes."""
    for name in ("startup", "readiness", "liveness"):
        yield Request(name, "GET", the_sidecar()[f"{name}Probe"]["httpGet"]["path"], "")
    for document in EXTENSIONS:
        read = resources.read(document)
        if isinstance(read, Canary):
            for webhook in read.spec.analysis.webhooks:
                url = urlsplit(webhook.url)
                yield Request(f"flagger {webhook.name}", "POST", url.path, url.netloc)
            continue
        for metric in read.spec.metrics:
            web = metric.provider.web
            if web is not None:
                url = urlsplit(web.url)
                yield Request(
                    *(read.metadata.name, web.method, url.path, url.netloc, web.json_path),
                    *(metric.success_condition, metric.failure_condition),
                )


REQUESTS = list(requests())
FLAGGER_BODY = {"name": "scheduler", "namespace": "production", "phase": "Progressing"}
"""What Flagger posts (docs.flagger.app, webhooks); we do not read it."""


async def answer(session: aiohttp.ClientSession, address: str, request: Request) -> str:
    """How the asker would take what the sidecar answers: yes, no, or neither."""
    body = FLAGGER_BODY if request.method == "POST" else None
    async with session.request(request.method, address + request.path, json=body) as response:
        text = await response.text()
    if request.json_path:
        assert response.status == 200  # Anything else is an error of the measurement.
        result = json_path(request.json_path, json.loads(text))
        if condition(request.success, result):
            return "yes"
        is_no = not request.failure or condition(request.failure, result)
        return "no" if is_no else "neither"
    assert response.status in {200, 503}
    if response.status == 503 and request.method == "POST":
        assert text.startswith(("fail: ", "inconclusive: "))
        assert text.count("\n") == 1
    return "yes" if response.status == 200 else "no"


async def test_sidecar_answers_the_requests_of_the_examples(
    anvil_path: Path, tmp_path: Path
) -> None:
    """All say yes while the node is well; on a fork all but liveness say no."""
    del anvil_path
    gate = settings_of(CONFIGURATIONS["headwatch"], tmp_path).gate[GATE]
    assert isinstance(gate, Gate)
    assert {request.method for request in REQUESTS} == {"GET", "POST"}
    async with LabNetwork() as net:
        await net.wait_blocks(3)
        settings = lab_settings(net, INTERVAL_SECONDS, listen="127.0.0.1:0")
        config = tmp_path / "lab.yaml"
        config.write_text(show(settings.model_copy(update={"gate": {GATE: gate}})))
        async with sidecar(config) as (_, address), aiohttp.ClientSession() as session:
            await until_status(f"{address}/-/synced?node=local", 200)
            await net.wait_blocks(6)
            for request in REQUESTS:
                assert await answer(session, address, request) == "yes", request.who
            net.local.fork()
            await until_status(f"{address}/-/synced?node=local", 503)
            for request in REQUESTS:
                wanted = "yes" if request.who == "liveness" else "no"
                assert await answer(session, address, request) == wanted, request.who


async def test_sidecar_that_cannot_see_is_no_pass_for_anybody(tmp_path: Path) -> None:
    """Who knows three answers is told neither; liveness stays yes, since the loop is well."""
    text = CONFIGURATIONS["headwatch"].replace("0.0.0.0:9845", "127.0.0.1:0")
    text = text.replace("http://node:8545", "http://127.0.0.1:1")
    for port, name in enumerate(KEYS, 2):
        text = text.replace(f"${{env:{name}}}", f"http://127.0.0.1:{port}")
    config = tmp_path / "headwatch.yaml"
    config.write_text(text)
    async with sidecar(config) as (_, address), aiohttp.ClientSession() as session:
        await until_status(f"{address}/-/ready", 200)
        wanted = {"liveness": "yes", "headwatch-verdict": "neither"}
        for request in REQUESTS:
            found = await answer(session, address, request)
            assert found == wanted.get(request.who, "no"), request.who
