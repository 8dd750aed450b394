"""A key in a file, encrypted with a password in another (Web3 Secret Storage, version 3)."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitor.model import Address
from monitor.transactions.signers.library import load_account
from monitor.transactions.signers.verified import SignerError, refuse_unsignable, verified
from monitor.transactions.unsigned import LEGACY, Unsigned

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

FILE_BYTES_MAX = 65_536
OPEN_TO_OTHERS = stat.S_IWGRP | stat.S_IROTH | stat.S_IWOTH
"""What nobody but the owner may do; the group may read, as Kubernetes mounts secrets."""
KEYSTORE_VERSION = 3
KEY_BYTES = 32
UNREADABLE = (
    *(ValueError, TypeError, KeyError, AttributeError, OverflowError),
    *(NotImplementedError, RecursionError, MemoryError),
)
"""What eth_keyfile raises for files that are not what it expects, or ask for too much memory."""


class KeystoreSigner:
    """Signs with the key of a file, which it decrypts at the first signature.

    The key stays in this object, and in nothing that is shown, until `close`.
    """

    def __init__(self, file: Path, password_file: Path) -> None:
        """`password_file` holds the password in its first line, as geth reads it."""
        self._file = file
        self._password_file = password_file
        self._account: LocalAccount | None = None
        self._opening = asyncio.Lock()

    async def sign(self, unsigned: Unsigned, sender: Address) -> bytes:
        """The signed bytes, verified; raises SignerError."""
        refuse_unsignable(unsigned)
        async with self._opening:
            if self._account is None:
                # scrypt is made to take a second, and eth_account takes half of one to import.
                opening = asyncio.to_thread(_open, self._file, self._password_file)
                self._account = await opening
            account = self._account
        address = account.address.lower()
        if address != sender:
            message = f"{self._file}: its key is of {address}, not of {sender}"
            raise SignerError(message)
        return verified(_sign(account, unsigned), unsigned, sender)

    async def close(self) -> None:
        """Forget the key."""
        self._account = None


def _open(file: Path, password_file: Path) -> LocalAccount:
    library = load_account()
    written = _read(file, "key")
    # The first line, without what Windows ends it with: geth, utils.MakePasswordList.
    password = _read(password_file, "password").split("\n", 1)[0].rstrip("\r")
    try:
        keystore = json.loads(written)
        if not isinstance(keystore, dict) or keystore.get("version") != KEYSTORE_VERSION:
            message = f"{file}: not a Web3 Secret Storage file of version {KEYSTORE_VERSION}"
            raise SignerError(message)
        key = bytes(library.decrypt(keystore, password))
    except UNREADABLE as error:
        is_password = "MAC mismatch" in str(error)
        reason = "the password does not open it" if is_password else "it cannot be read as a key"
        message = f"{file}: {reason}"
        raise SignerError(message) from None
    if len(key) != KEY_BYTES:
        message = f"{file}: it holds {len(key)} bytes, and a key has {KEY_BYTES}"
        raise SignerError(message)
    account: LocalAccount = library.from_key(key)
    return account


def _sign(account: LocalAccount, unsigned: Unsigned) -> bytes:
    fields: dict[str, Any] = unsigned.as_json()
    if unsigned.type == LEGACY:
        # eth_account knows it by the lack of a type.
        del fields["type"]
    try:
        return bytes(account.sign_transaction(fields).raw_transaction)
    except (TypeError, ValueError) as error:
        message = f"eth_account does not sign it ({type(error).__name__})"
        raise SignerError(message) from None


def _read(path: Path, what: str) -> str:
    """A file that is nobody else's, whole; a pipe is not waited for."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as opened:
            status = os.fstat(descriptor)
            _check_place(path, status, what)
            content = opened.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        message = f"{path}: {(error.strerror or type(error).__name__).lower()}"
        raise SignerError(message) from None
    if len(content) > FILE_BYTES_MAX:
        message = f"{path}: larger than {FILE_BYTES_MAX} bytes, which no {what} file is"
        raise SignerError(message)
    try:
        return content.decode()
    except UnicodeDecodeError:
        message = f"{path}: not a text in UTF-8"
        raise SignerError(message) from None


def _check_place(path: Path, status: os.stat_result, what: str) -> None:
    if not stat.S_ISREG(status.st_mode):
        message = f"{path}: not a file"
        raise SignerError(message)
    if status.st_mode & OPEN_TO_OTHERS:
        mode = stat.S_IMODE(status.st_mode)
        message = f"{path}: its mode {mode:04o} leaves the {what} to others; chmod 600 it"
        raise SignerError(message)
