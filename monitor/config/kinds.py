"""The kinds of values a setting can have, and what is said when a value is not of its kind."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NoReturn

from annotated_types import Ge, GroupedMetadata, Le
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    SecretStr,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

from monitor.maintenance import cron_problem
from monitor.model import QUORUM, Address, Hash32
from monitor.notices import template_problem
from monitor.url import Url

QUOTED = ", in quotes"
"""The end of a message about a text that YAML would read as a number."""
EXPECTED = "expected"
"""The type of an error whose message says what was expected, to be followed by what was found."""
SAID = "said"
"""The type of an error whose message is whole."""
_A_PATH = "expected a path"
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_LISTEN = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})")
_PORT_MAX = 65_535


class Model(BaseModel):
    """Frozen, and strict: nothing unknown is accepted and nothing is converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


def expects(words: str) -> WrapValidator:
    """One message for all that can be wrong with a value."""

    def check(value: object, handler: ValidatorFunctionWrapHandler) -> object:
        try:
            return handler(value)
        except ValidationError:
            raise PydanticCustomError(EXPECTED, words) from None

    return WrapValidator(check)


def _url(*schemes: str) -> Callable[[object], Url]:
    """A validator of URLs, none of whose messages repeats a part of the URL."""
    wanted = " or ".join(f"{scheme}://" for scheme in schemes)

    def check(value: object) -> Url:
        if isinstance(value, Url):
            url = value
        elif not isinstance(value, str) or (match := _SCHEME.match(value)) is None:
            _refuse(f"expected a URL that begins with {wanted}")
        elif match[1].lower() not in {"http", "https", "ws", "wss"}:
            _refuse(f"expected {wanted}, found another scheme")
        elif any(c.isspace() or not c.isprintable() for c in value):
            _refuse("expected a URL, found a space or a control character in it")
        else:
            try:
                url = Url(value)
            except ValueError as error:
                _refuse(str(error))
        if url.scheme not in schemes:
            _refuse(f"expected {wanted}, found {url.scheme}://")
        return url

    return check


def _refuse(words: str) -> NoReturn:
    raise PydanticCustomError(SAID, words)


def _path(value: object, info: ValidationInfo) -> Path:
    """A path; `~` is the home directory, and a relative one is relative to the file's folder."""
    if not isinstance(value, str | Path) or not str(value) or not str(value).isprintable():
        raise PydanticCustomError(EXPECTED, _A_PATH)
    try:
        path = Path(value).expanduser()
    except RuntimeError:
        _refuse("expected a path; the home directory behind ~ is unknown")
    return Path((info.context or {}).get("folder", "")) / path


def _listen(value: str) -> str:
    match = _LISTEN.fullmatch(value)
    if match is None or int(match[2]) > _PORT_MAX:
        _refuse("expected HOST:PORT or [IPV6]:PORT")
    return value


def _channel_url(value: object) -> SecretStr:
    """An apprise URL, checked by apprise itself; no message repeats a part of it."""
    if isinstance(value, SecretStr):
        return value
    if not isinstance(value, str) or "://" not in value or not value.isprintable():
        _refuse("expected an apprise URL, such as slack://… or mailto://…")
    try:
        # Imported here because only a channel needs it, and because it is an extra.
        from apprise import Apprise
    except ImportError:
        _refuse("channels need apprise: pip install 'headwatch[notify]'")
    # It says whole URLs when it is asked to say much.
    logging.getLogger("apprise").propagate = False
    logging.getLogger("apprise").setLevel(logging.WARNING)
    if Apprise.instantiate(value, suppress_exceptions=True) is None:
        _refuse("apprise does not understand this URL; its documentation lists every service")
    return SecretStr(value)


def _accepted(problem: Callable[[str], str]) -> Callable[[str], str]:
    """A validator of texts for which `problem` answers with nothing."""

    def check(value: str) -> str:
        words = problem(value)
        if words:
            _refuse(words)
        return value

    return check


def _timezone_problem(name: str) -> str:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "expected a zone of the tz database, such as UTC or Europe/Paris"
    return ""


@dataclass(frozen=True, slots=True)
class Seconds(GroupedMetadata):
    """A length of time in seconds, of at least and at most so much."""

    least: float
    most: float

    def __iter__(self) -> Iterator[object]:
        yield Ge(self.least)
        yield Le(self.most)
        yield expects(f"expected a number of seconds from {self.least:g} to {self.most:g}")


def _not_reserved(name: str) -> str:
    if name == QUORUM:
        _refuse(f"'{QUORUM}' is reserved: it stands for all references of a network together")
    return name


def _address(text: str) -> str:
    """An address in lower case. Mixed case is a checksum (EIP-55), and must be the right one."""
    digits = text[2:]
    if digits not in (digits.lower(), digits.upper()):
        # Imported here because only an address with a checksum needs it.
        from eth_hash.auto import keccak

        mask = keccak(digits.lower().encode()).hex()
        pairs = zip(digits.lower(), mask, strict=False)
        right = "".join(c.upper() if m in "89abcdef" else c for c, m in pairs)
        if right != digits:
            _refuse("is not the address its checksum says (EIP-55): a digit is wrong")
    return text.lower()


def _url_pattern(*schemes: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^({'|'.join(schemes)})://"})


_MASKED = PlainSerializer(str, return_type=str)
HttpUrl = Annotated[
    Url, PlainValidator(_url("http", "https")), _MASKED, _url_pattern("http", "https")
]
WebsocketUrl = Annotated[Url, PlainValidator(_url("ws", "wss")), _MASKED, _url_pattern("ws", "wss")]
FilePath = Annotated[Path, PlainValidator(_path), WithJsonSchema({"type": "string"})]
Name = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"),
    expects("expected a name of 1 to 63 letters, digits, '.', '_' and '-'"),
]
ReferenceName = Annotated[Name, AfterValidator(_not_reserved)]
Word = Annotated[
    str,
    Field(pattern=r"^[a-z][a-z0-9-]{0,31}$"),
    expects("expected one lower-case word, such as geth or nethermind"),
]
Operator = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9\[][A-Za-z0-9 ._:\]-]{0,99}$"),
    expects("expected the operator's name, of 1 to 100 letters, digits, spaces and ._:-"),
]
Hash = Annotated[
    Hash32,
    Field(pattern=r"^0x[0-9A-Fa-f]{64}$"),
    AfterValidator(lambda text: text.lower()),
    expects(f"expected 0x and 64 hexadecimal digits{QUOTED}"),
]
Listen = Annotated[
    str, AfterValidator(_listen), expects(f"expected HOST:PORT or [IPV6]:PORT{QUOTED}")
]
Flag = Annotated[bool, expects("expected true or false")]
ChannelUrl = Annotated[
    SecretStr,
    PlainValidator(_channel_url),
    PlainSerializer(lambda secret: "***", return_type=str),
    WithJsonSchema({"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9+.-]*://"}),
]
LabelName = Annotated[
    str,
    Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]{0,62}$"),
    expects("expected the name of a label: letters, digits and '_', no digit first"),
]
Sentence = Annotated[
    str,
    Field(pattern=r"^[^\x00-\x1f\x7f]{1,200}$"),
    expects("expected one line of 1 to 200 characters"),
]
Cron = Annotated[str, AfterValidator(_accepted(cron_problem))]
Template = Annotated[str, AfterValidator(_accepted(template_problem))]
Timezone = Annotated[str, AfterValidator(_accepted(_timezone_problem))]
Words = Annotated[
    tuple[Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]{1,4096}$")], ...],
    expects("expected a list of words, in brackets"),
]

EthereumAddress = Annotated[
    Annotated[
        Address,
        Field(pattern=r"^0x[0-9A-Fa-f]{40}$"),
        expects(f"expected 0x and 40 hexadecimal digits{QUOTED}"),
    ],
    AfterValidator(_address),
]
