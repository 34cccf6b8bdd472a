"""The home's key: 32 random bytes that never leave the home, for keyed hashes (HMAC-SHA256; RFC 2104, 1997).

A plain hash of an identifier, or of a small file, can be guessed by trying them all; a keyed one needs the key.
Whoever reads the key can guess again, so the file is readable by its owner alone (mode 600), and a backup of the home
that contains it deserves the same protection as the data.
"""

from __future__ import annotations

import hmac
import os
import secrets
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

KEY_FILE = "home.key"
KEY_BYTES = 32
# Says that the home has pseudonyms (``stegvis/storage/stored_identifiers.py``).
PSEUDONYMS = "pseudonyms.json"
# What is worthless with another key: none is made while there is one of these.
MADE_WITH_IT = ("withdrawals/list.jsonl", PSEUDONYMS)


class HomeKeyError(RuntimeError):
    """The home's key is gone or damaged; the message says what to do."""


def home_key(root: Path) -> bytes:
    """The key of a home, 32 bytes; made at the first use.

    Args:
        root: the home's folder.

    Raises:
        HomeKeyError: the file is not a key, or it is gone although hashes made with it exist.
    """
    file = root / KEY_FILE
    try:
        state = file.stat()
    except FileNotFoundError:
        _create(root)
        state = file.stat()
    return _read(file, state.st_mtime_ns, state.st_ino)


def keyed_hash(root: Path, purpose: str, content: str | bytes) -> str:
    """HMAC-SHA256 with the home's key, in 64 hexadecimal digits.

    Args:
        root: the home's folder.
        purpose: what the hash is for; hashes of the same content for two purposes differ.
        content: text (as UTF-8) or bytes.

    Raises:
        HomeKeyError: see ``home_key``.
    """
    return hash_with(home_key(root), purpose, content)


def hash_with(key: bytes, purpose: str, content: str | bytes) -> str:
    """``keyed_hash`` with a key that was read before, for many contents."""
    # Delivered text may hold half a surrogate pair, which UTF-8 alone refuses.
    raw = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    return hmac.digest(key, purpose.encode() + b"\0" + raw, "sha256").hex()


@lru_cache(maxsize=8)
def _read(file: Path, modified: int, inode: int) -> bytes:
    key = file.read_bytes()
    if len(key) != KEY_BYTES:
        raise HomeKeyError(f"{KEY_FILE} in the home is not a key of {KEY_BYTES} bytes: restore it from a backup")
    if file.stat().st_mode & 0o077:
        with suppress(OSError):  # on a read-only disk
            file.chmod(0o600)
    return key


def _create(root: Path) -> None:
    """Write a new key; of two processes that do so at once, both get the same."""
    for name in MADE_WITH_IT:
        if (root / name).exists():
            raise HomeKeyError(
                f"{KEY_FILE} is gone from the home, and {name} cannot be used without it: restore it from a backup"
            )
    root.mkdir(parents=True, exist_ok=True)
    unfinished = root / f".{KEY_FILE}.{os.getpid()}"
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secrets.token_bytes(KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):
        os.link(unfinished, root / KEY_FILE)
    unfinished.unlink()
