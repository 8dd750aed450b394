"""The configuration: what may be written, what it means, and what is said of every mistake.

`python tests/test_config.py` writes the schema and the tables of docs/configuration.md anew.
"""

from __future__ import annotations

import ast
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from ruamel.yaml import YAML

from monitor import config
from monitor.act.reports.variables import dotenv
from monitor.config import ConfigError
from monitor.config.flags import LedgerFlags, read_flags
from monitor.config.lines import lines_of
from monitor.config.tree import parse
from monitor.model import Address, Hash32
from monitor.url import Url
from tests.act.reports.told import troubled

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "headwatch.example.yaml"
PAGE = ROOT / "docs" / "configuration.md"
SCHEMA = ROOT / "docs" / "headwatch.schema.json"
BAD = sorted((ROOT / "tests" / "bad_configs").glob("*.yaml"))
ENV = {"KEY": "SECRETKEY123/v3", "EMPTY": ""}
SECRET = "SECRETKEY123"  # noqa: S105  (what must never be said)

REFERENCES = """\
    references:
      - {name: a, url: "https://a.example.org/v3/SECRETKEY123", operator: one, client: geth}
      - {name: b, url: "https://b.example.org"}
"""
LEAST = f"""\
nodes:
  - name: local
    network: ethereum
    url: http://127.0.0.1:8545/v3/SECRETKEY123
{REFERENCES}"""


def loaded(tmp_path: Path, text: str | bytes, env: dict[str, str] | None = None) -> config.Settings:
    path = tmp_path / "headwatch.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return config.load(path, env or {})


def mistakes(tmp_path: Path, text: str | bytes, env: dict[str, str] | None = None) -> str:
    """What is said of `text`, without the name of the folder."""
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text, env)
    return str(caught.value).replace(f"{tmp_path}/", "")


# Mistakes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_load_bad_config_says_exactly_what_is_wrong(path: Path) -> None:
    """Each mistake has its text, by line and path, and no text holds a key out of a URL."""
    content = path.read_text(encoding="utf-8", errors="replace").splitlines()
    expected = [line.removeprefix("# expect: ") for line in content if line.startswith("# expect:")]
    with pytest.raises(ConfigError) as caught:
        config.load(path, ENV)
    said = str(caught.value)
    found = [line.removeprefix(str(path)).lstrip(": ") for line in said.splitlines()]
    assert found == expected
    assert SECRET not in said
    assert SECRET not in repr(caught.value.problems)


def test_bad_configs_are_many() -> None:
    """The folder of mistakes is found, and stays as wide as it was."""
    assert len(BAD) >= 80


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_load_bad_config_holds_no_secret_in_its_traceback(path: Path) -> None:
    """No chained exception, which a log might print, repeats a key either."""
    with pytest.raises(ConfigError) as caught:
        config.load(path, ENV)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_load_missing_file_says_how_to_start(tmp_path: Path) -> None:
    """One line, and the command that writes a first file."""
    with pytest.raises(ConfigError) as caught:
        config.load(tmp_path / "no.yaml", {})
    expected = "there is no such file; `headwatch config init` writes one to start from"
    assert str(caught.value) == f"{tmp_path / 'no.yaml'}: {expected}"


def test_load_directory_is_one_clear_line(tmp_path: Path) -> None:
    """A directory is named as such."""
    with pytest.raises(ConfigError) as caught:
        config.load(tmp_path, {})
    assert str(caught.value) == f"{tmp_path}: expected a file, found a directory"


def test_load_path_that_is_none_is_one_clear_line() -> None:
    """A path the system refuses is the operator's mistake, not our crash."""
    with pytest.raises(ConfigError, match="cannot be read: not a path"):
        config.load(Path("a\0b"), {})


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_load_unreadable_file_is_one_clear_line(tmp_path: Path) -> None:
    """The system's reason is said."""
    path = tmp_path / "headwatch.yaml"
    path.write_text(LEAST)
    path.chmod(0)
    with pytest.raises(ConfigError, match="cannot be read: Permission denied"):
        config.load(path, {})


@pytest.mark.parametrize(
    ("more", "expected"),
    [(0, None), (1, "headwatch.yaml: expected at most 1048576 bytes (1 MiB), found more")],
)
def test_load_large_file_is_refused_above_one_mebibyte(
    tmp_path: Path, more: int, expected: str | None
) -> None:
    """1 MiB is read, one byte more is not."""
    text = LEAST + "#" * (1_048_576 - len(LEAST) + more)
    if expected is None:
        assert loaded(tmp_path, text).nodes
    else:
        assert mistakes(tmp_path, text) == expected


def test_load_byte_order_mark_is_accepted(tmp_path: Path) -> None:
    """Editors of Windows write one."""
    assert loaded(tmp_path, b"\xef\xbb\xbf" + LEAST.encode()) == loaded(tmp_path, LEAST)


@pytest.mark.parametrize(
    "text",
    ["a: " + "[" * 5000, "a:\n" + "".join(" " * i + "a:\n" for i in range(1, 1400))],
    ids=["brackets", "indents"],
)
def test_load_deep_nesting_is_one_clear_line(tmp_path: Path, text: str) -> None:
    """A file made to exhaust the stack is a mistake like any other."""
    assert "expected a few levels of settings" in mistakes(tmp_path, text)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ('"\\ud83d\\ude00"', "unknown setting; known here"),
        ('"\\ud83d"', "expected a name before the ':'"),
        ('listen: "\\ud83d"\n ', "expected a text, found half of a character"),
    ],
)
def test_load_half_a_character_is_one_clear_line(tmp_path: Path, key: str, expected: str) -> None:
    """JSON, which is YAML too, escapes some characters in two halves."""
    assert expected in mistakes(tmp_path, f"http:\n {key}: 1\n{LEAST}".replace("\n : 1", ""))


def test_load_expanding_aliases_is_one_clear_line(tmp_path: Path) -> None:
    """A few hundred bytes cannot be made to fill the memory."""
    names = "abcdefghi"
    text = "a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
        f"{name}: &{name} [{','.join(['*' + before] * 10)}]\n"
        for before, name in itertools.pairwise(names)
    )
    assert mistakes(tmp_path, text) == "headwatch.yaml: expected at most 100000 values, found more"


def test_problems_are_sorted_by_line_and_structured(tmp_path: Path) -> None:
    """A page or an editor can place each problem without parsing its text."""
    text = LEAST + "rpc: {batch_calls_max: 0}\n"
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text.replace("name: local", "nam: local"))
    problems = caught.value.problems
    assert [(p.line, p.path) for p in problems] == [
        (2, "nodes[0].nam"),
        (2, "nodes[0].name"),
        (8, "rpc.batch_calls_max"),
    ]
    assert problems[0].hint == "did you mean 'name'?"
    assert {p.file for p in problems} == {str(tmp_path / "headwatch.yaml")}


# What may be written ----------------------------------------------------------------------------


def test_load_least_config_fills_in_defaults(tmp_path: Path) -> None:
    """The least of product.md becomes one network, named after its profile."""
    made = loaded(tmp_path, LEAST)
    assert made.data_dir is None
    assert (made.http, made.rpc) == (config.Http(), config.Rpc())
    assert (made.alerting, made.history) == (config.Alerting(), config.History())
    assert made.maintenance == ()
    assert made.http.address == ("127.0.0.1", 9845)
    assert made.nodes == (
        config.NodeSettings(
            name="local",
            network="ethereum",
            url=Url("http://127.0.0.1:8545/v3/SECRETKEY123"),
            websocket=None,
        ),
    )
    network = made.networks["ethereum"]
    assert network.profile == config.ProfileRef(profile="ethereum")
    assert [(r.name, r.operator, r.client, r.calls_a_day) for r in network.references] == [
        ("a", "one", "geth", None),
        ("b", "b.example.org:443", None, None),
    ]


def test_load_keeps_what_a_node_and_a_check_are_configured_with(tmp_path: Path) -> None:
    """Through the shorthand too; the address of a consensus client is masked like the others."""
    text = LEAST.replace(
        "    network: ethereum\n",
        "    network: ethereum\n    beacon: https://b.example.org:5052/SECRETKEY123\n",
    )
    made = loaded(tmp_path, f"{text}checks: {{peers: {{every_seconds: 5}}}}\n")
    assert made.nodes[0].beacon == Url("https://b.example.org:5052/SECRETKEY123")
    assert SECRET not in repr(made)
    assert made.checks == {"peers": config.CheckSettings(every_seconds=5.0)}


def test_load_initial_text_is_valid(tmp_path: Path) -> None:
    """What `config init` writes passes `config check`, and its schema."""
    assert loaded(tmp_path, config.INITIAL).nodes[0].name == "local"
    jsonschema.validate(YAML(typ="safe").load(config.INITIAL), config.schema())


def test_load_inline_network_takes_the_numbers_given(tmp_path: Path) -> None:
    """`network: {profile: dev, …}` is a network of its own, named after the profile."""
    digits = "00" * 31 + "AA"
    inline = f"{{profile: dev, interval_seconds: 1, chain_id: 31337, genesis_hash: 0x{digits}}}"
    made = loaded(tmp_path, LEAST.replace("network: ethereum", f"network: {inline}"))
    assert made.nodes[0].network == "dev"
    assert made.networks["dev"].profile == config.ProfileRef(
        profile="dev",
        interval_seconds=1,
        chain_id=31337,
        genesis_hash=Hash32(f"0x{digits.lower()}"),
    )


def test_load_two_nodes_with_equal_networks_share_one(tmp_path: Path) -> None:
    """Shorthand written twice does not double the polls of the references."""
    second = LEAST.removeprefix("nodes:\n").replace("local", "second").replace("8545", "8645")
    made = loaded(tmp_path, LEAST + second)
    assert list(made.networks) == ["ethereum"]
    assert {node.network for node in made.nodes} == {"ethereum"}


def test_load_two_nodes_with_other_references_get_names_apart(tmp_path: Path) -> None:
    """A derived name is unique, and says profile and node."""
    second = LEAST.removeprefix("nodes:\n").replace("local", "second").replace("8545", "8645")
    made = loaded(tmp_path, LEAST + second.replace("one", "three"))
    assert [node.network for node in made.nodes] == ["ethereum", "ethereum-second"]
    assert made.networks["ethereum-second"].references[0].operator == "three"


def test_load_own_network_never_joins_a_defined_one(tmp_path: Path) -> None:
    """A defined name is not taken over, even by a derived name that collides with it."""
    defined = REFERENCES.replace("    references", "    profile: ethereum\n    references")
    top = f"networks:\n  dev:\n{defined}  dev-local:\n{defined}"
    made = loaded(tmp_path, top + LEAST.replace("network: ethereum", "network: {profile: dev}"))
    assert list(made.networks) == ["dev", "dev-local", "dev-local-2"]
    assert made.nodes[0].network == "dev-local-2"


def test_load_nodes_share_a_defined_network(tmp_path: Path) -> None:
    """Two nodes may name the same network, by shorthand of the profile or not."""
    top = "networks:\n  main:\n    profile: {profile: ethereum}\n" + REFERENCES
    nodes = "".join(
        f"  - {{name: n{i}, network: main, url: 'http://127.0.0.1:{i}'}}\n" for i in (1, 2)
    )
    made = loaded(tmp_path, f"{top}nodes:\n{nodes}")
    assert list(made.networks) == ["main"]
    assert [node.network for node in made.nodes] == ["main", "main"]


def test_load_merge_key_fills_what_is_not_given(tmp_path: Path) -> None:
    """`<<: *anchor` is how YAML repeats itself; what stands beside it wins."""
    text = LEAST.replace("- name: local", "- &first\n    name: local") + (
        "  - <<: *first\n    name: second\n    url: http://127.0.0.1:8645\n"
    )
    made = loaded(tmp_path, text)
    assert [(n.name, n.network, n.url.origin) for n in made.nodes] == [
        ("local", "ethereum", "127.0.0.1:8545"),
        ("second", "ethereum", "127.0.0.1:8645"),
    ]


def test_load_mistake_behind_a_merge_names_its_own_line(tmp_path: Path) -> None:
    """The line is where the value is written, not where it is used."""
    top = "http: &http\n  reload: 1\n"
    assert mistakes(tmp_path, top + LEAST) == (
        "headwatch.yaml:2: http.reload: expected true or false, found 1"
    )
    assert "headwatch.yaml:2: rpc.reload: unknown" in mistakes(
        tmp_path, f"{top}rpc: {{<<: *http}}\n{LEAST}"
    )


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("127.0.0.1:0", ("127.0.0.1", 0)),
        ("'[::1]:9845'", ("::1", 9845)),
        ("localhost:65535", ("localhost", 65535)),
    ],
)
def test_load_listen_is_host_and_port(
    tmp_path: Path, written: str, address: tuple[str, int]
) -> None:
    """Port 0 is kept, and the brackets of IPv6 are no part of the host."""
    assert loaded(tmp_path, f"http: {{listen: {written}}}\n{LEAST}").http.address == address


@pytest.mark.parametrize(
    ("setting", "least", "most"),
    [
        ("deadline_seconds", "0.1", "120"),
        ("body_bytes_max", "65536", "1073741824"),
        ("batch_calls_max", "1", "1000"),
    ],
)
def test_load_limits_accept_their_bounds(
    tmp_path: Path, setting: str, least: str, most: str
) -> None:
    """Least and most are allowed themselves; twice the most, 0 and infinity are not."""
    for value in (least, most):
        made = loaded(tmp_path, f"rpc: {{{setting}: {value}}}\n{LEAST}")
        assert getattr(made.rpc, setting) == float(value)
    for value in (f"{int(most) * 2}", "0", "-1", ".inf", "null", "'1'"):
        assert f"rpc.{setting}: expected a" in mistakes(
            tmp_path, f"rpc: {{{setting}: {value}}}\n{LEAST}"
        )


def test_load_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    """Where the command is run makes no difference; `~` is the home directory."""
    made = loaded(tmp_path, "data_dir: data\nhttp: {token_file: ~/token}\n" + LEAST)
    assert made.data_dir == tmp_path / "data"
    assert made.http.token_file == Path("~/token").expanduser()


def test_settings_are_frozen(tmp_path: Path) -> None:
    """Nothing changes a setting once it was checked."""
    made = loaded(tmp_path, LEAST)
    with pytest.raises(ValidationError):
        made.nodes[0].name = "other"


# Values from elsewhere --------------------------------------------------------------------------


def test_load_variable_fills_part_of_a_text(tmp_path: Path) -> None:
    """`${env:NAME}` may stand anywhere in a text, and what it holds is taken as it is."""
    text = LEAST.replace("/v3/SECRETKEY123\n", "/${env:A}/${env:B}\n")
    made = loaded(tmp_path, text, {"A": "x", "B": "${env:A}"})
    assert made.nodes[0].url.reveal() == "http://127.0.0.1:8545/x/${env:A}"


def test_load_file_gives_a_whole_text_without_its_newline(tmp_path: Path) -> None:
    """`file:PATH` is relative to the configuration, and a variable may be part of the path."""
    (tmp_path / "url").write_text("http://10.0.0.1:8545/KEY\r\n")
    text = LEAST.replace("http://127.0.0.1:8545/v3/SECRETKEY123", "file:${env:WHERE}url")
    for where in ("./", f"{tmp_path}/"):
        made = loaded(tmp_path, text, {"WHERE": where})
        assert made.nodes[0].url.reveal() == "http://10.0.0.1:8545/KEY"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\n", "the file it names is empty"),
        (b"\xff", "the file it names is not UTF-8 text"),
        (b"http://" + b"a" * 65_536, "the file it names is larger than 64 KiB"),
        (b"SECRETKEY123", "expected a URL that begins with http:// or https://"),
    ],
)
def test_load_file_of_odd_content_is_an_error_without_it(
    tmp_path: Path, content: bytes, expected: str
) -> None:
    """What a secret file holds is never said, not even when it is of no use."""
    (tmp_path / "url").write_bytes(content)
    text = LEAST.replace("http://127.0.0.1:8545/v3/SECRETKEY123", "file:url")
    assert mistakes(tmp_path, text) == f"headwatch.yaml:4: nodes[0].url: {expected}"


@pytest.mark.parametrize("where", ["name: ${env:KEY}", "name: local\n    client: ${env:KEY}"])
def test_load_variable_of_odd_content_is_an_error_without_it(tmp_path: Path, where: str) -> None:
    """A value that came from the environment is not shown, whichever setting it was for."""
    said = mistakes(tmp_path, LEAST.replace("name: local", where), {"KEY": "S3CR3T!"})
    assert "S3CR3T" not in said


def test_load_variables_override_settings(tmp_path: Path) -> None:
    """A variable wins over the file; a relative directory is relative to where we are."""
    env = {"HEADWATCH_HTTP_LISTEN": "0.0.0.0:1", "HEADWATCH_DATA_DIR": "data"}
    made = loaded(tmp_path, "http: {listen: '127.0.0.1:2', reload: true}\n" + LEAST, env)
    assert (made.http.listen, made.http.reload) == ("0.0.0.0:1", True)
    assert made.data_dir == Path.cwd() / "data"
    assert loaded(tmp_path, LEAST, env).http.listen == "0.0.0.0:1"


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        (
            {"HEADWATCH_HTTP_LISEN": "x"},
            (
                "HEADWATCH_HTTP_LISEN: this variable means nothing to headwatch; "
                "did you mean 'HEADWATCH_HTTP_LISTEN'?"
            ),
        ),
        (
            {"HEADWATCH_PORT": "9000"},
            "HEADWATCH_PORT: this variable means nothing to headwatch; unset it",
        ),
        (
            {"HEADWATCH_DATA_DIR": ""},
            "HEADWATCH_DATA_DIR: is set, but empty; give it a value, or unset it",
        ),
        (
            {"HEADWATCH_HTTP_LISTEN": "9845"},
            "HEADWATCH_HTTP_LISTEN: expected HOST:PORT or [IPV6]:PORT, found '9845'",
        ),
    ],
)
def test_load_odd_variable_is_named_as_a_variable(
    tmp_path: Path, env: dict[str, str], expected: str
) -> None:
    """A misspelt variable is told, not passed over; a bad override is not blamed on the file."""
    assert mistakes(tmp_path, LEAST, env).startswith(f"environment: {expected}")


def test_load_variables_of_others_are_passed_over(tmp_path: Path) -> None:
    """Kubernetes sets these in every pod beside a service called headwatch."""
    env = {
        "HEADWATCH_SERVICE_HOST": "10.0.0.1",
        "HEADWATCH_SERVICE_PORT": "9845",
        "HEADWATCH_SERVICE_PORT_METRICS": "9845",
        "HEADWATCH_PORT": "tcp://10.0.0.1:9845",
        "HEADWATCH_PORT_9845_TCP": "tcp://10.0.0.1:9845",
        "HEADWATCH_PORT_9845_TCP_ADDR": "10.0.0.1",
        "HEADWATCH_METRICS_SERVICE_HOST": "10.0.0.1",
        "HEADWATCH_ANVIL": "/usr/bin/anvil",
        "headwatch_x": "",
        "PATH": "",
    }
    assert loaded(tmp_path, LEAST, env) == loaded(tmp_path, LEAST)


def test_variables_that_our_own_texts_name_are_known() -> None:
    """What an error recommends is refused by nothing, and no gate by what another wrote down."""
    written = [
        node.value
        for path in Path(config.__file__).parents[1].rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    named = {name for text in written for name in re.findall(r"\bHEADWATCH_[A-Z_]*[A-Z]\b", text)}
    assert {"HEADWATCH_POCO", "HEADWATCH_VERDICT"} <= named
    told = {line.partition("=")[0] for line in dotenv(troubled()).splitlines()}
    assert named | told == set(config.ENVIRONMENT)


# Flags ------------------------------------------------------------------------------------------


def test_from_flags_names_node_and_references() -> None:
    """Node `local`, references a, b, …; the profile is ethereum where none is named."""
    made = config.from_flags("http://127.0.0.1:8545", ["https://a", "https://b"])
    assert [node.name for node in made.nodes] == ["local"]
    assert [r.name for r in made.networks["ethereum"].references] == ["a", "b"]


def test_from_flags_many_references_all_get_names() -> None:
    """The alphabet is no limit."""
    made = config.from_flags("http://n", [f"http://r{i}" for i in range(28)], "dev")
    assert [r.name for r in made.networks["dev"].references][25:] == ["z", "r27", "r28"]


def test_from_flags_variable_keeps_the_key_out_of_the_process_list() -> None:
    """`${env:NAME}` works in flags too."""
    made = config.from_flags("${env:NODE}", ["http://r"], "dev", env={"NODE": "http://n/key"})
    assert made.nodes[0].url.reveal() == "http://n/key"


@pytest.mark.parametrize(
    ("node", "references", "network", "expected"),
    [
        ("ws://n/KEY", ["http://a"], "dev", "--node: expected http:// or https://, found ws://"),
        (
            "KEY",
            ["http://a"],
            "dev",
            "--node: expected a URL that begins with http:// or https://",
        ),
        (
            "http://n",
            [],
            "dev",
            (
                "--reference: missing; there is nothing to compare with; add references: "
                "endpoints of other operators"
            ),
        ),
        (
            "http://n",
            ["http://a", "http://a/"],
            None,
            "--reference 2: is also the URL of --reference 1; a witness counts once",
        ),
        (
            "http://n/KEY",
            ["http://n/KEY"],
            None,
            (
                "--reference: is the URL of --node, which cannot be its own witness; "
                "name an endpoint of another operator"
            ),
        ),
        (
            "http://n",
            ["http://a"],
            "devv",
            "--network: unknown chain profile, found 'devv'; did you mean 'dev'?",
        ),
        (
            "${env:NONE}",
            ["http://a"],
            None,
            "--node: the environment variable NONE is not set",
        ),
    ],
)
def test_from_flags_mistake_is_named_by_flag(
    node: str, references: list[str], network: str | None, expected: str
) -> None:
    """The command line has no line numbers: the flag is the place. No URL is repeated."""
    with pytest.raises(ConfigError) as caught:
        config.from_flags(node, references, network)
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    ("urls", "flag"),
    [
        (("ws://n", "http://a", "http://b"), "--candidate"),
        (("http://n", "ws://a", "http://b"), "--baseline"),
        (("http://n", "http://a", "ws://b"), "--reference"),
    ],
)
def test_from_flags_of_another_command_are_named_as_they_are(
    urls: tuple[str, str, str], flag: str
) -> None:
    """A mistake is told under the flag that was written."""
    with pytest.raises(ConfigError, match=f"^{flag}: expected http"):
        config.from_flags(urls[0], urls[1:], "dev", flags=("--candidate", "--baseline"))


def test_read_flags_of_a_short_address_says_nothing_of_quotes() -> None:
    """They are YAML's, and a shell takes them away."""
    given = {"rpc": "http://n", "hub": "0x12", "protocol": "poco-v1"}
    with pytest.raises(ConfigError) as caught:
        read_flags(LedgerFlags, given, {})
    assert str(caught.value) == "--hub: expected 0x and 40 hexadecimal digits, found '0x12'"


def test_from_flags_interval_of_zero_is_refused() -> None:
    """An explicit 0 is judged, not taken for absent."""
    with pytest.raises(ConfigError, match=r"--interval-seconds: expected .* found 0"):
        config.from_flags("http://n", ["http://r"], "dev", interval_seconds=0)


# Text: show, schema, example, page --------------------------------------------------------------


def test_show_masks_urls_and_fills_in_defaults(tmp_path: Path) -> None:
    """Nothing of a URL but scheme, host and port; every default is printed."""
    made = loaded(tmp_path, LEAST)
    text = config.show(made)
    assert SECRET not in text + repr(made) + made.model_dump_json()
    assert "url: http://127.0.0.1:8545/***" in text
    assert "deadline_seconds: 5.0" in text


def test_show_masks_who_is_told(tmp_path: Path) -> None:
    """The URL of a channel is a key from end to end; those of others show host and port."""
    told = f"""alerting:
  channels: [{{name: people, url: "json://127.0.0.1/{SECRET}"}}]
  alertmanagers: [{{name: am, url: "http://127.0.0.1:9093/{SECRET}"}}]
  heartbeats: [{{name: alive, url: "https://beat.example.org/{SECRET}"}}]
"""
    made = loaded(tmp_path, LEAST + told)
    text = config.show(made)
    assert SECRET not in text + repr(made) + made.model_dump_json()
    assert "url: '***'" in text
    assert "url: http://127.0.0.1:9093/***" in text


def test_show_without_secrets_loads_as_the_same_settings(tmp_path: Path) -> None:
    """The output is a configuration, as long as nothing had to be masked."""
    made = loaded(tmp_path, LEAST.replace("/v3/SECRETKEY123", ""))
    again = loaded(tmp_path, config.show(made))
    assert config.show(again) == config.show(made)


def test_example_active_settings_are_the_defaults() -> None:
    """Copying the example changes nothing but nodes and networks."""
    made = config.load(EXAMPLE, {})
    assert (made.http, made.rpc) == (config.Http(), config.Rpc())
    assert (made.alerting, made.history) == (config.Alerting(), config.History())
    assert made.maintenance == ()
    assert made.transactions == config.Transactions()
    assert [node.network for node in made.nodes] == ["ethereum", "devnet", "dev"]


def test_example_without_its_comment_marks_is_a_configuration(tmp_path: Path) -> None:
    """What is shown in comments can be used as it stands, lists of who is told among it."""
    shown = re.compile(r"^( *)# ((?: *- |  +|[a-z_]+:).*)$", re.MULTILINE)
    head, _, tail = EXAMPLE.read_text().partition("\nalerting:")
    made = loaded(tmp_path, head + "\nalerting:" + shown.sub(r"\1\2", tail))
    assert [one.name for one in made.alerting.alertmanagers] == ["alertmanager"]
    assert [one.name for one in made.alerting.channels] == ["oncall"]
    assert [one.name for one in made.alerting.heartbeats] == ["deadman"]
    assert made.maintenance[0].nodes == ("main",)
    transactions = made.transactions
    assert [account.signer for account in transactions.accounts] == ["hot"]
    assert transactions.tap is not None
    assert transactions.tap.hosts == ("headwatch.example.org",)
    assert set(transactions.signers) == {"hot", "cold", "own"}
    assert [(ledger.name, ledger.node) for ledger in made.ledgers] == [("workerdrop", "main")]
    assert [one.rule for one in made.gate["deploy"].rules][1] == "rpc.latency_seconds.p95 < 500ms"


ACCOUNT = 'transactions: {accounts: [{alias: one, address: "0x%s"}]}'
CHECKSUMS = (
    "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "fB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "52908400098527886E0F7030069857D2E4169EE7",
    "de709f2102306220921060314715629080e2fb77",
)
"""The examples of EIP-55."""


@pytest.mark.parametrize("digits", CHECKSUMS)
def test_account_address_with_its_checksum_is_taken_in_lower_case(
    tmp_path: Path, digits: str
) -> None:
    """However it is written, it is one address; its network and node are filled in."""
    for written in (digits, digits.lower()):
        (account,) = loaded(tmp_path, f"{ACCOUNT % written}\n{LEAST}").transactions.accounts
        assert account.address == "0x" + digits.lower()
        assert (account.network, account.node) == ("ethereum", "local")


@pytest.mark.parametrize("digits", CHECKSUMS)
def test_ledger_least_that_works_has_its_place_filled_in(tmp_path: Path, digits: str) -> None:
    """Name and address suffice: rules of 2018, the only network, its first node, lower case."""
    text = f'ledgers: [{{name: drop, address: "0x{digits}"}}]\n{LEAST}'
    (ledger,) = loaded(tmp_path, text).ledgers
    assert ledger == config.Ledger(
        name="drop",
        network="ethereum",
        node="local",
        protocol="poco-v1",
        address=Address("0x" + digits.lower()),
    )
    assert ledger.from_block is None


def test_ledger_from_block_of_zero_is_kept(tmp_path: Path) -> None:
    """An explicit 0 is a block, and not "look for it"."""
    text = f'ledgers: [{{name: drop, address: "0x{CHECKSUMS[0]}", from_block: 0}}]\n{LEAST}'
    assert loaded(tmp_path, text).ledgers[0].from_block == 0


def test_gate_rule_as_text_is_a_rule_with_the_defaults(tmp_path: Path) -> None:
    """A rule is a text, or a mapping that begins with one; both are the same rule."""
    rules = 'rules: ["rpc.error_ratio < 1%", {rule: "rpc.error_ratio < 1%"}]'
    gate = loaded(tmp_path, f"gate: {{deploy: {{{rules}}}}}\n{LEAST}").gate["deploy"]
    assert gate.rules[0] == gate.rules[1] == config.GateRule(rule="rpc.error_ratio < 1%")
    assert (gate.preset, gate.rules[0].severity) == (None, "error")
    made = loaded(tmp_path, LEAST)
    assert made.gate == {}


def test_lines_of_a_configuration_are_those_of_its_subjects_and_rules(tmp_path: Path) -> None:
    """What a report points to: entries at their lines, rules of a preset at their gate's."""
    path = tmp_path / "headwatch.yaml"
    path.write_text(
        """\
networks:
  ethereum:
    profile: ethereum
    references:
      - {name: a, url: "https://a.example.org", operator: one}
nodes:
  - {name: local, network: ethereum, url: "http://127.0.0.1:8545"}
gate:
  deploy:
    preset: quick
    rules:
      - head.lag_blocks.max < 3
      - rpc.error_ratio < 1%
ledgers:
  - {name: drop, address: "0x52908400098527886E0F7030069857D2E4169EE7", node: local}
"""
    )
    found = lines_of(path, "deploy", 4)
    assert found["node:local"] == 7
    assert found["reference:ethereum/quorum"] == 2
    assert found["reference:ethereum/a"] == 5
    assert found["ledger:drop"] == 15
    assert [found[f"rule:{index}"] for index in range(4)] == [9, 9, 12, 13]
    assert not any(key.startswith("rule:") for key in lines_of(path))
    assert lines_of(path, "other", 0).keys() == lines_of(path).keys()


def test_account_address_with_one_digit_of_another_case_is_refused(tmp_path: Path) -> None:
    """A checksum that is wrong tells of a digit that is wrong."""
    wrong = CHECKSUMS[0].swapcase()
    assert "checksum says (EIP-55)" in mistakes(tmp_path, f"{ACCOUNT % wrong}\n{LEAST}")


def test_policy_without_being_written_is_built_in(tmp_path: Path) -> None:
    """`default` flags and rebroadcasts, `flag` only flags; neither signs; `default` may change."""
    made = loaded(tmp_path, LEAST).transactions
    default, flag = made.policy("default"), made.policy("flag")
    assert (default.rebroadcast, default.resend) == (True, True)
    assert (flag.rebroadcast, flag.resend, flag.propose) == (False,) * 3
    for built_in in (default, flag):
        assert (built_in.replace, built_in.cancel, built_in.fill) == (False,) * 3
    text = f"transactions: {{policies: {{default: {{resend: false}}}}}}\n{LEAST}"
    assert not loaded(tmp_path, text).transactions.policy("default").resend


def test_data_directory_is_the_settings_else_the_systems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written wins, then systemd's word, then what the XDG specification says."""
    settings = loaded(tmp_path, LEAST)
    named = settings.model_copy(update={"data_dir": tmp_path / "named"})
    assert config.data_directory(named, {"STATE_DIRECTORY": "/x"}) == tmp_path / "named"
    both = {"STATE_DIRECTORY": "/var/lib/one:/var/lib/two", "XDG_STATE_HOME": "/state"}
    assert config.data_directory(settings, both) == Path("/var/lib/one")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert config.data_directory(settings, {}) == Path("/var/lib/headwatch")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setenv("HOME", "/home-of-somebody")
    assert config.data_directory(settings, {"XDG_STATE_HOME": "/state"}) == Path("/state/headwatch")
    for env in ({}, {"XDG_STATE_HOME": "relative"}):
        found = config.data_directory(settings, env)
        assert found == Path("/home-of-somebody/.local/state/headwatch")


def rows(part: dict[str, Any], whole: dict[str, Any], path: str = "") -> list[tuple[str, Any]]:
    """Every setting of the schema: its path, and its part of the schema."""
    found: list[tuple[str, Any]] = []
    for key, setting in part["properties"].items():
        found.append((path + key, setting | {"required": key in part.get("required", ())}))
        items = setting.get("items", {})
        named: dict[str, Any] = next(iter(setting.get("patternProperties", {}).values()), {})
        choices = [setting, *setting.get("anyOf", ()), *setting.get("oneOf", ())]
        listed = [(item, "[].") for item in (items, *items.get("anyOf", ()))]
        for inner, suffix in [*((c, ".") for c in choices), *listed, (named, ".NAME.")]:
            if "$ref" in inner:
                model = whole["$defs"][inner["$ref"].rpartition("/")[2]]
                found += rows(model, whole, path + key + suffix)
    return found


def test_example_holds_every_setting() -> None:
    """A setting that the example does not show would not be found by anyone."""
    text = EXAMPLE.read_text()
    for path, _ in rows(config.schema(), config.schema()):
        assert re.search(rf"\b{path.rpartition('.')[2]}:", text), path


def test_example_shows_each_default() -> None:
    """The default written in the example is the default."""
    text = EXAMPLE.read_text()
    for path, setting in rows(config.schema(), config.schema()):
        if "default" in setting:
            key = path.rpartition(".")[2]
            assert f"{key}: {json.dumps(setting['default']).strip(chr(34))}\n" in text, path


def test_schema_is_valid_and_accepts_the_example() -> None:
    """A schema of draft 2020-12, which agrees with what is read."""
    schema = config.schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(YAML(typ="safe").load(EXAMPLE), schema)


def test_schema_describes_every_setting() -> None:
    """Each has a text, which editors show."""
    for path, setting in rows(config.schema(), config.schema()):
        assert setting["description"].endswith((".", "…")), path


def test_schema_committed_is_the_schema() -> None:
    """`python tests/test_config.py` writes it anew."""
    assert SCHEMA.read_text() == schema_text()


def test_schema_refuses_what_load_refuses_of_a_single_setting(tmp_path: Path) -> None:
    """An editor marks the same settings as the load does."""
    validator = jsonschema.Draft202012Validator(config.schema())
    for wrong in ("rpc: {batch_calls_max: 0}", "http: {reload: 1}", "zebra: 1", "http: null"):
        mistakes(tmp_path, f"{wrong}\n{LEAST}")
        assert not validator.is_valid(YAML(typ="safe").load(f"{wrong}\n{LEAST}")), wrong
    for right in (LEAST, "data_dir: null\n" + LEAST, "http: {}\n" + LEAST):
        loaded(tmp_path, right)
        assert validator.is_valid(YAML(typ="safe").load(right))


def test_schema_accepts_values_from_elsewhere() -> None:
    """`${env:NAME}` and `file:PATH` are no URL and no name, and may stand where one is asked."""
    validator = jsonschema.Draft202012Validator(config.schema())
    value = YAML(typ="safe").load(LEAST)
    for text, valid in (("${env:A}", True), ("file:x", True), ("http://${env:A}/", True), ("x", 0)):
        value["nodes"][0]["url"] = text
        assert validator.is_valid(value) == bool(valid), text


def test_page_tables_are_those_of_the_settings() -> None:
    """`python tests/test_config.py` writes them anew."""
    assert PAGE.read_text() == page_text()


def schema_text() -> str:
    return json.dumps(config.schema(), indent=2, ensure_ascii=False) + "\n"


def limits(setting: dict[str, Any]) -> str:
    """`1 to 1000`, for a number."""
    for part in (setting, *setting.get("anyOf", ())):
        if "maximum" in part:
            least = part.get("minimum", f"above {part.get('exclusiveMinimum')},")
            return f"{least} to {part['maximum']}"
    return ""


def page_text() -> str:
    """docs/configuration.md with its tables made from the settings."""
    schema = config.schema()
    lines = ["| Setting | Default | Limits | Meaning |", "|---|---|---|---|"]
    for path, setting in rows(schema, schema):
        default = f"`{json.dumps(setting['default'])}`" if "default" in setting else ""
        default = "required" if setting["required"] else default
        lines.append(f"| `{path}` | {default} | {limits(setting)} | {setting['description']} |")
    variables = ["| Variable | Meaning |", "|---|---|"]
    variables += [f"| `{name}` | {text} |" for name, text in config.ENVIRONMENT.items()]
    text = PAGE.read_text()
    for name, table in (("settings", lines), ("variables", variables)):
        start, end = f"<!-- {name}: written by tests/test_config.py -->", f"<!-- /{name} -->"
        before, _, rest = text.partition(start)
        text = "\n".join([before + start, *table, end]) + rest.partition(end)[2]
    return text


def test_page_mistakes_are_said_so(tmp_path: Path) -> None:
    """The mistakes on the page are told in the words of the page."""
    network = "networks:\n  main:\n    profile: dev\n    references: [{name: a, url: 'http://a'}]\n"
    node = "{{name: n{0}, network: main, url: 'http://127.0.0.1:{0}'{1}}}"
    nodes = f"nodes:\n - {node.format(1, '')}\n - {node.format(2, ', websockt: x')}\n"
    text = f"{network}{nodes}rpc:\n  deadline_seconds: 0\n"
    said = mistakes(tmp_path, text, {"HEADWATCH_LISTEN": "x"})
    assert set(said.splitlines()) <= set(PAGE.read_text().splitlines())


def test_load_reads_where_releases_are_and_how_checks_are_made(tmp_path: Path) -> None:
    """A feed is a URL or a file beside the configuration; settings of checks are kept."""
    text = (
        "releases:\n"
        '  - {client: geth, feed: "https://a.example.org/v3/SECRETKEY123", supported: ">=1.16"}\n'
        "  - {client: reth, feed: feeds/reth.json, advisories: known.json, releases_max: 0}\n"
        "checks: {version: {every_seconds: 7}}\n"
    )
    made = loaded(tmp_path, f"{text}{LEAST}")
    geth, reth = made.releases
    assert (str(geth.feed), geth.advisories) == ("https://a.example.org:443/***", None)
    assert (reth.feed, reth.advisories) == (tmp_path / "feeds/reth.json", tmp_path / "known.json")
    assert (geth.releases_max, reth.releases_max, geth.days_max) == (3, 0, 60.0)
    assert made.checks["version"].every_seconds == 7
    assert "SECRETKEY123" not in config.show(made)


def test_page_examples_load(tmp_path: Path) -> None:
    """What the page shows as a configuration is one."""
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    files = [block for block in blocks if "nodes:" in block]
    assert len(files) >= 2
    for block in files:
        assert loaded(tmp_path, block).nodes


# Anything at all --------------------------------------------------------------------------------

KEYS = st.sampled_from(
    sorted({path.rpartition(".")[2] for path, _ in rows(config.schema(), config.schema())})
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(
        [
            "ethereum",
            "dev",
            "local",
            "main",
            "quorum",
            "http://127.0.0.1:8545/v3/SECRETKEY123",
            "wss://a.example.org/v3/SECRETKEY123",
            "${env:KEY}",
            "${env:NONE}",
            "file:.",
            "${",
        ]
    )
)
SHAPES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=20,
)
NODES = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("name", "network", "url", "websocket", "beacon", "references"), SHAPES),
)
ACCOUNTS = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("alias", "address", "network", "node", "policy", "signer"), SHAPES),
)
LEDGERS = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("name", "address", "network", "node", "protocol"), SHAPES)
)
RULE_TEXTS = st.sampled_from(
    ["head.lag_blocks.max < 3", "head.lag_blocks.p95 < 3", "rpc.error_ratio<1%", "2m", "a == 1"]
)
GATES = st.fixed_dictionaries(
    {},
    optional={
        "preset": SHAPES,
        "rules": st.lists(
            RULE_TEXTS
            | SHAPES
            | st.fixed_dictionaries(
                {},
                optional=dict.fromkeys(
                    ("rule", "over", "severity", "min_samples", "consecutive", "network"),
                    RULE_TEXTS | SHAPES,
                ),
            ),
            max_size=3,
        ),
    },
)
SECTIONS = ("http", "rpc", "networks", "data_dir", "transactions", "ledgers", "gate", "releases")
FILES = st.fixed_dictionaries({}, optional=dict.fromkeys(SECTIONS, SHAPES)) | st.fixed_dictionaries(
    {"nodes": st.lists(NODES, max_size=3)},
    optional={
        "networks": st.dictionaries(st.sampled_from(["main", "ethereum"]), SHAPES),
        "transactions": st.fixed_dictionaries(
            {},
            optional={
                "accounts": st.lists(ACCOUNTS, max_size=3),
                **dict.fromkeys(("policies", "signers", "signer", "tap"), SHAPES),
            },
        ),
        "ledgers": st.lists(LEDGERS, max_size=3),
        "gate": st.dictionaries(st.sampled_from(["deploy", "a/b"]), GATES, max_size=2),
    },
)


@given(value=SHAPES | FILES)
@settings(max_examples=400, deadline=None)
def test_load_any_value_raises_nothing_but_config_errors(value: object) -> None:
    """Whatever its shape, a file is read or its mistakes are told; no key is in what is said."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "headwatch.yaml"
        path.write_text(json.dumps(value))
        try:
            config.load(path, ENV)
        except ConfigError as error:
            assert error.problems  # noqa: PT017
            assert "/v3/" not in str(error)  # noqa: PT017
            assert len(str(error).splitlines()) == len(error.problems)  # noqa: PT017


PIECES = st.sampled_from(
    [
        "a",
        "b:",
        " ",
        "\n",
        "- ",
        "[",
        "]",
        "{",
        "}",
        ": ",
        "&a ",
        "*a",
        "<<: ",
        "!!int ",
        "!t ",
        "'",
        '"',
        "|\n",
        ">-\n",
        "%YAML 1.1\n",
        "---\n",
        "? ",
        "#",
        "\t",
        "0x1",
        "1e400",
        ".nan",
        "\\x",
        "\u2028",
        "\x85",
        "~",
        "2020-01-01",
        "1_0",
        ",",
        "\r\n",
        "!!set ",
        "=",
        "@",
        "`",
        "\x00",
    ]
)


@given(text=st.lists(PIECES, max_size=16).map("".join))
@settings(max_examples=400, deadline=None)
def test_parse_any_text_raises_nothing_but_config_errors(text: str) -> None:
    """The parser's own exceptions and warnings stay inside."""
    try:
        parse(text, "headwatch.yaml")
    except ConfigError as error:
        assert error.problems  # noqa: PT017


# Cost -------------------------------------------------------------------------------------------


def test_import_loads_no_yaml_no_schema_and_no_profiles() -> None:
    """What only a load needs is imported by the load: a container's health check does not pay."""
    code = "import sys, monitor.config; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    names = set(done.stdout.split())
    assert "pydantic" in names
    assert not names & {"ruamel.yaml", "difflib", "monitor.judge.profiles", "aiohttp", "asyncio"}


if __name__ == "__main__":
    SCHEMA.write_text(schema_text())
    PAGE.write_text(page_text())
