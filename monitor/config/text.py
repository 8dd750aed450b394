"""Settings as text: the JSON schema of the file, the effective settings, a file to start from."""

from __future__ import annotations

import ast
import inspect
import io
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from monitor.config import checks, gates, ledgers, releases, transactions
from monitor.config import settings as fields
from monitor.config.settings import File, Settings

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FROM_ELSEWHERE = r"^file:.|\$\{env:[A-Za-z_][A-Za-z0-9_]*\}"
"""What any text of the file may be in place of its value."""

INITIAL = """\
# The configuration of headwatch. `headwatch config check` finds mistakes in it,
# `headwatch config show` prints all settings with their defaults.

nodes:
  - name: local
    network: ethereum            # a chain profile
    url: http://127.0.0.1:8545   # may be ${env:NAME}, or file:PATH to keep it out of this file
    # websocket: ws://127.0.0.1:8546
    references:                  # replace them: endpoints of others, on the same chain
      - {name: a, url: "https://a.example.org", operator: one}
      - {name: b, url: "https://b.example.org", operator: two}
      - {name: c, url: "https://c.example.org", operator: three}
"""
"""What `headwatch config init` writes."""


class _Untitled(GenerateJsonSchema):
    """A title that only repeats the name of the field helps nobody."""

    def field_title_should_be_set(self, schema: object) -> bool:
        del schema
        return False


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the file as it may be written, shorthand included.

    Descriptions are the texts under the fields of `settings`; units are the last word of a name.
    """
    made = File.model_json_schema(schema_generator=_Untitled)
    described = _descriptions()
    models = made["$defs"] | {"File": made}
    for name, model in models.items():
        for key, setting in model["properties"].items():
            setting["description"] = described[name, key]
            _defaulted(setting)
            _readable_from_elsewhere(setting)
        model.pop("title", None)
    networks = made["properties"]["networks"]
    networks["additionalProperties"] = False
    made["properties"]["nodes"]["minItems"] = 1
    made["$defs"]["Network"]["properties"]["references"]["minItems"] = 1
    made["$defs"]["Network"]["required"] = ["profile", "references"]
    models = made.pop("$defs")
    return {"$schema": DIALECT, "title": "headwatch.yaml", **made, "$defs": models}


def _defaulted(setting: dict[str, Any]) -> None:
    """No `default: null` or `[]`: such a setting is absent, and its text says what that means."""
    if setting.get("default", 0) in (None, []):
        del setting["default"]


def _readable_from_elsewhere(setting: dict[str, Any]) -> None:
    """Let patterns also accept `${env:NAME}` and `file:PATH`, which are filled in before."""
    for part in (setting, *setting.get("anyOf", ()), *setting.get("oneOf", ())):
        if "pattern" in part:
            part["pattern"] = f"{part['pattern']}|{FROM_ELSEWHERE}"


def _descriptions() -> dict[tuple[str, str], str]:
    """(model, field) -> the text under the field, with those of the models it is made from."""
    found: dict[tuple[str, str], str] = {}
    modules = (transactions, ledgers, gates, checks, releases, fields)
    sources = (inspect.getsource(module) for module in modules)
    for part in (part for text in sources for part in ast.parse(text).body):
        if not isinstance(part, ast.ClassDef):
            continue
        for parent in part.bases:
            inherited = {k: text for (m, k), text in found.items() if m == ast.unparse(parent)}
            found |= {(part.name, key): text for key, text in inherited.items()}
        for line, after in zip(part.body, part.body[1:], strict=False):
            if isinstance(line, ast.AnnAssign) and isinstance(after, ast.Expr):
                found[part.name, ast.unparse(line.target)] = ast.literal_eval(after.value)
    return found


def show(settings: Settings) -> str:
    """The effective settings as YAML: defaults filled in, of URLs only scheme, host and port."""
    # Imported here because only reading and printing YAML needs it.
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 4096
    text = io.StringIO()
    yaml.dump(settings.model_dump(mode="json"), text)
    return text.getvalue()
