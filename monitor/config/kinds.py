"""The kinds of values a setting can have, and what is said when a value is not of its kind."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NoReturn

from pydantic import (
    AfterValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

from monitor.model import QUORUM, Hash32, Url

EXPECTED = "expected"
"""The type of an error whose message says what was expected, to be followed by what was found."""
SAID = "said"
"""The type of an error whose message is whole."""
_A_PATH = "expected a path"
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_LISTEN = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})")
_PORT_MAX = 65_535


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


def _not_reserved(name: str) -> str:
    if name == QUORUM:
        _refuse(f"'{QUORUM}' is reserved: it stands for all references of a network together")
    return name


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
    expects("expected 0x and 64 hexadecimal digits, in quotes"),
]
Listen = Annotated[
    str, AfterValidator(_listen), expects("expected HOST:PORT or [IPV6]:PORT, in quotes")
]
Flag = Annotated[bool, expects("expected true or false")]
