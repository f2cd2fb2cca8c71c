"""Pseudonyms: keyed hashes of addresses, and the secret key that makes them.

HMAC-SHA-256 with a key outside the database (rule 4.2): a plain hash of an address can be
guessed. Losing the key would let erased people return, so a missing key beside existing state
stops the run.
"""

import hashlib
import hmac
import os
from pathlib import Path
from typing import Final

from connector.errors import StateError
from connector.model import BroadKey, KinId, NarrowKey, PersonId

KEY_FILE: Final = "identity.key"
KEY_BYTES: Final = 32
DIGITS: Final = 32


class Pseudonyms:
    """Makes the pseudonyms of one account."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def person(self, key: NarrowKey) -> PersonId:
        """Returns the pseudonym of a person."""
        return PersonId(self._hash("person", key))

    def kin(self, key: BroadKey) -> KinId:
        """Returns the pseudonym under which suppressions and tombstones are matched."""
        return KinId(self._hash("kin", key))

    def nameless(self, source: str, contact_id: str) -> PersonId:
        """Returns a pseudonym for a row without a valid address; it matches nobody."""
        return PersonId(self._hash("row", f"{source}/{contact_id}"))

    def check_value(self) -> str:
        """Returns a text by which the state recognises its key; it does not give it away."""
        return self._hash("check", "identity key")

    def _hash(self, kind: str, text: str) -> str:
        return hmac.new(self._key, f"{kind}:{text}".encode(), hashlib.sha256).hexdigest()[:DIGITS]


def load_key(folder: Path) -> bytes | None:
    """Returns the key beside the state, None if there is none; raises StateError if unreadable."""
    path = folder / KEY_FILE
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise StateError(
            f"the identity key {path} cannot be read", hint="restore it from a backup"
        ) from error
    if len(key) != KEY_BYTES:
        raise StateError(f"the identity key {path} is damaged", hint="restore it from a backup")
    return key


def keep_key(folder: Path, key: bytes) -> None:
    """Writes a new key, mode 0600, never over an existing one."""
    path = folder / KEY_FILE
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(key.hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StateError(f"the identity key {path} cannot be saved: {error}") from error
