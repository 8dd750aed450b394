"""A key file: opened once, for its own sender, by nobody who may not, and never shown."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_hash.auto import keccak

from monitor.lab.anvil import Anvil
from monitor.transactions.raw import decode, unsigned_of
from monitor.transactions.signers import SignerError
from monitor.transactions.signers.keystore import FILE_BYTES_MAX, KeystoreSigner
from tests.transactions import signing
from tests.transactions.signers.fakes import OTHER, SELF, asked, priced
from tests.transactions.signing import KINDS, SENDER, STRANGER, sign

PASSWORD = "correct horse"  # noqa: S105 - invented
KEY = bytes(SENDER.key).hex()


def encrypted(kdf: Any = "pbkdf2", iterations: int = 2, key: Any = SENDER.key) -> dict[str, Any]:
    """A key file, made with as little work as the formats allow."""
    made: dict[str, Any] = Account.encrypt(key, PASSWORD, kdf=kdf, iterations=iterations)
    return made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """An encrypted key of the sender's."""
    return written(tmp_path / "key.json", json.dumps(encrypted()))


@pytest.fixture
def password(tmp_path: Path) -> Path:
    """The file with its password."""
    return written(tmp_path / "password", PASSWORD + "\n")


def written(path: Path, text: str | bytes, mode: int = 0o600) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


def away(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "unprotected"])
async def test_keystore_signs_every_kind(file: Path, password: Path, kind: str) -> None:
    """With other fees, and nothing else changed."""
    wanted = priced(asked(kind))
    raw = await KeystoreSigner(file, password).sign(wanted, SELF)
    assert unsigned_of(raw) == wanted
    assert decode(raw).sender == SELF


async def test_keystore_signs_as_the_sender_has(file: Path, password: Path) -> None:
    """The same fields give the same bytes (RFC 6979)."""
    raw = await KeystoreSigner(file, password).sign(asked(), SELF)
    assert raw == sign(signing.dynamic(nonce=7)).raw


async def test_keystore_replacement_is_taken_by_a_real_node(
    anvil: Anvil, file: Path, password: Path
) -> None:
    """The first one is replaced, and the second one is mined at its nonce."""
    first = sign(signing.dynamic(nonce=0))
    await anvil.rpc("eth_sendRawTransaction", "0x" + first.raw.hex())
    raw = await KeystoreSigner(file, password).sign(priced(unsigned_of(first.raw)), SELF)
    name = await anvil.rpc("eth_sendRawTransaction", "0x" + raw.hex())
    assert name == decode(raw).hash
    await anvil.rpc("anvil_mine", "0x1")
    assert (await anvil.rpc("eth_getTransactionReceipt", name))["status"] == "0x1"
    assert await anvil.rpc("eth_getTransactionByHash", first.hash) is None


@pytest.mark.parametrize("text", [PASSWORD, f"{PASSWORD}\r\n", f"{PASSWORD}\nanother line\n"])
async def test_keystore_password_is_the_first_line(file: Path, tmp_path: Path, text: str) -> None:
    """With or without its end, of either kind, and whatever follows."""
    password = written(tmp_path / "other", text)
    assert await KeystoreSigner(file, password).sign(asked(), SELF)


async def test_keystore_of_geth_is_opened(tmp_path: Path, password: Path) -> None:
    """With scrypt, which geth uses."""
    file = written(tmp_path / "scrypt.json", json.dumps(encrypted("scrypt", 1024)))
    assert await KeystoreSigner(file, password).sign(asked(), SELF)


async def test_keystore_is_opened_once_until_it_is_closed(file: Path, password: Path) -> None:
    """Two at once wait for the same key; later ones need no file; closed, it has forgotten."""
    signer = KeystoreSigner(file, password)
    pair = await asyncio.gather(signer.sign(asked(), SELF), signer.sign(asked("legacy"), SELF))
    assert [decode(raw).type for raw in pair] == [2, 0]
    away(file)
    assert await signer.sign(asked(), SELF) == pair[0]
    await signer.close()
    with pytest.raises(SignerError, match=r"key.json: no such file or directory"):
        await signer.sign(asked(), SELF)


async def test_keystore_of_another_sender_signs_nothing(tmp_path: Path, password: Path) -> None:
    """Both addresses are named."""
    file = written(tmp_path / "other.json", json.dumps(encrypted(key=STRANGER.key)))
    with pytest.raises(SignerError, match=f"its key is of {OTHER}, not of {SELF}"):
        await KeystoreSigner(file, password).sign(asked(), SELF)


async def test_keystore_shows_neither_key_nor_password(file: Path, password: Path) -> None:
    """Neither before it is opened nor after, nor when the password is wrong."""
    signer = KeystoreSigner(file, password)
    await signer.sign(asked(), SELF)
    written(password, "hunter2")
    with pytest.raises(SignerError) as caught:
        await KeystoreSigner(file, password).sign(asked(), SELF)
    assert str(caught.value) == f"{file}: the password does not open it"
    for text in (repr(signer), str(signer), str(caught.value), repr(caught.value)):
        assert not {KEY, PASSWORD, "hunter2"} & set(text.split())
        assert KEY not in text


@pytest.mark.parametrize(
    ("mode", "is_private"),
    [
        (0o600, True),
        (0o400, True),
        (0o640, True),
        (0o440, True),
        (0o644, False),
        (0o604, False),
        (0o602, False),
        (0o660, False),
        (0o620, False),
        (0o666, False),
    ],
)
@pytest.mark.parametrize("which", ["key", "password"])
async def test_keystore_that_others_may_read_or_change_is_refused(
    file: Path, password: Path, which: str, *, mode: int, is_private: bool
) -> None:
    """The group may read, as a mounted secret is; the remedy is said."""
    path = file if which == "key" else password
    path.chmod(mode)
    signer = KeystoreSigner(file, password)
    if is_private:
        assert await signer.sign(asked(), SELF)
        return
    words = f"its mode {mode:04o} leaves the {which} to others; chmod 600 it"
    with pytest.raises(SignerError, match=words):
        await signer.sign(asked(), SELF)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it cannot be read as a key"),
        ("{", "it cannot be read as a key"),
        ("[" * 20_000, "it cannot be read as a key"),
        ("[]", "not a Web3 Secret Storage file of version 3"),
        ("{}", "not a Web3 Secret Storage file of version 3"),
        (json.dumps(encrypted() | {"version": 4}), "not a Web3 Secret Storage file of version 3"),
        ('{"version": 3}', "it cannot be read as a key"),
        ('{"version": 3, "crypto": 5}', "it cannot be read as a key"),
        ('{"version": 3, "crypto": {"kdf": "none"}}', "it cannot be read as a key"),
        (
            json.dumps(encrypted() | {"crypto": encrypted()["crypto"] | {"ciphertext": "zz"}}),
            "it cannot be read as a key",
        ),
        (
            json.dumps(encrypted() | {"crypto": encrypted()["crypto"] | {"mac": "00" * 32}}),
            "the password does not open it",
        ),
        (b"\xff\xfe", "not a text in UTF-8"),
        ("x" * (FILE_BYTES_MAX + 1), "larger than 65536 bytes, which no key file is"),
    ],
)
async def test_keystore_that_is_none_is_an_error(
    tmp_path: Path, password: Path, text: str | bytes, words: str
) -> None:
    """Named with its file, on one line."""
    file = written(tmp_path / "bad.json", text)
    with pytest.raises(SignerError, match=f"bad.json: {words}"):
        await KeystoreSigner(file, password).sign(asked(), SELF)


async def test_keystore_that_is_no_file_is_an_error_at_once(tmp_path: Path, password: Path) -> None:
    """Absent, a folder, or a pipe that nobody writes to."""
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "folder").mkdir()
    for name, words in {
        "absent": "no such file or directory",
        "folder": "is a directory|not a file",
        "pipe": "not a file",
    }.items():
        with pytest.raises(SignerError, match=f"{name}: ({words})"):
            await KeystoreSigner(tmp_path / name, password).sign(asked(), SELF)


async def test_keystore_with_a_key_of_other_length_is_an_error(
    tmp_path: Path, password: Path
) -> None:
    """Whatever it is, it is not a key of secp256k1."""
    made = encrypted()
    crypto = made["crypto"]
    salt, turns = bytes.fromhex(crypto["kdfparams"]["salt"]), crypto["kdfparams"]["c"]
    derived = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), salt, turns, 32)
    crypto["ciphertext"] = crypto["ciphertext"][2:]
    crypto["mac"] = keccak(derived[16:] + bytes.fromhex(crypto["ciphertext"])).hex()
    file = written(tmp_path / "short.json", json.dumps(made))
    with pytest.raises(SignerError, match="it holds 31 bytes, and a key has 32"):
        await KeystoreSigner(file, password).sign(asked(), SELF)


async def test_keystore_signs_nothing_for_every_chain(file: Path, password: Path) -> None:
    """It would be valid where nobody looks."""
    with pytest.raises(SignerError, match="names no chain"):
        await KeystoreSigner(file, password).sign(replace(asked("legacy"), chain_id=None), SELF)
