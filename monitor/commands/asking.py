"""The running sidecar of this machine, asked over its API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from monitor.act.words import plain
from monitor.commands import UnseenError, UsageError
from monitor.config.settings import Http
from monitor.transactions.orders import OrderError, Trouble

READ_SECONDS_MAX = 15.0
ORDER_SECONDS_MAX = 120.0
"""A signer may take half a minute, and every endpoint is sent to."""
ANSWER_BYTES_MAX = 32 << 20
TROUBLES: Mapping[int, Trouble] = {404: "unknown", 409: "refused", 503: "unavailable"}
NO_ROUTE = "Not Found"
"""How a server says that it knows no such path."""


@dataclass(frozen=True, slots=True)
class Asking:
    """Asks one sidecar, and bears its token where there is one."""

    http: Http

    def get(self, path: str) -> bytes | None:
        """What is answered; None where nothing listens. Raises as `post` does."""
        return self._ask(Request(self._url(path)), READ_SECONDS_MAX)  # noqa: S310 - ours

    def post(
        self,
        path: str,
        document: Mapping[str, object],
        *,
        seconds_max: float = ORDER_SECONDS_MAX,
    ) -> bytes | None:
        """What came of an order; None where nothing listens.

        Raises OrderError with the sidecar's reason, UsageError where it does not take the request,
        and UnseenError when it does not answer.
        """
        body = json.dumps(document).encode()
        headers = {"Content-Type": "application/json"}
        request = Request(self._url(path), body, headers, method="POST")  # noqa: S310 - ours
        return self._ask(request, seconds_max)

    def _url(self, path: str) -> str:
        return f"{self.http.local_url}{path}"

    def _ask(self, request: Request, seconds_max: float) -> bytes | None:
        if self.http.token_file is not None:
            request.add_header("Authorization", f"Bearer {_token(self.http.token_file)}")
        try:
            # Past any proxy: it is on this machine.
            opener = build_opener(ProxyHandler({}))
            with opener.open(request, timeout=seconds_max) as answer:
                found: bytes = answer.read(ANSWER_BYTES_MAX + 1)
        except HTTPError as error:
            raise self._refusal(error) from None
        except (HTTPException, OSError) as error:
            reason = getattr(error, "reason", error)
            if isinstance(reason, ConnectionRefusedError):
                return None
            raise self._silence(request, reason) from None
        if len(found) > ANSWER_BYTES_MAX:
            message = f"the sidecar at {self.http.listen} answers with too much"
            raise UnseenError(message)
        return found

    def _refusal(self, error: HTTPError) -> Exception:
        said = _reason(error)
        if said is None or said == NO_ROUTE:
            return UnseenError(
                f"what listens at {self.http.listen} is no headwatch, or an older one"
            )
        if error.code in TROUBLES:
            return OrderError(said, TROUBLES[error.code])
        return UsageError(f"the sidecar refused: {said}")

    def _silence(self, request: Request, reason: object) -> Exception:
        if isinstance(reason, HTTPException):
            reason = "what it says is not HTTP"
        message = f"the sidecar at {self.http.listen} does not answer: {reason}"
        if request.get_method() != "GET":
            message += "; whether it has done it is not known: see `headwatch tx list`"
        return UnseenError(message)


def _reason(error: HTTPError) -> str | None:
    """Why it refuses, in its own words; None where it is none of ours."""
    try:
        document = json.loads(error.read(ANSWER_BYTES_MAX))
    except (HTTPException, OSError, ValueError, RecursionError):
        return None
    said = document.get("error") if isinstance(document, dict) else None
    return plain(said) if isinstance(said, str) else None


def _token(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        message = f"http.token_file cannot be read: {getattr(error, 'strerror', 'not UTF-8')}"
        raise UsageError(message) from None
