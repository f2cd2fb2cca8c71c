"""Who is meant by an e-mail address: narrowly for consent, broadly for suppression.

Source: rule 1.4 "Identity". Consent never travels between addresses; an opt-out does.
"""

import unicodedata
from functools import lru_cache
from typing import Final

import idna

from connector.consent.values import text_of, without_invisible, word
from connector.model import BroadKey, Cell, NarrowKey

_FORBIDDEN: Final = frozenset(",;<>")
_GMAIL: Final = frozenset({"gmail.com", "googlemail.com"})


@lru_cache(maxsize=8_192)
def _domain(text: str) -> str:
    """Returns the domain in ASCII form, ``""`` if it is none."""
    text = text.rstrip(".")
    if "." not in text or text.startswith(".") or ".." in text:
        return ""
    if text.isascii():
        return text
    try:
        return idna.encode(text, uts46=True).decode("ascii")
    except idna.IDNAError:
        return ""


def narrow_key(cell: Cell) -> NarrowKey | None:
    """Returns the key of a bare, valid address, or None: nobody can be matched by it."""
    text = text_of(cell)
    if not text.isascii():
        text = without_invisible(unicodedata.normalize("NFKC", text))
    local, at, domain = text.strip().lower().partition("@")
    if not at or not local or "@" in domain:
        return None
    if not local.isprintable() or " " in local or not _FORBIDDEN.isdisjoint(local):
        return None
    if not domain.isprintable() or " " in domain or not _FORBIDDEN.isdisjoint(domain):
        return None
    domain = _domain(domain)
    return NarrowKey(f"{local}@{domain}") if domain else None


def broad_key(key: NarrowKey) -> BroadKey:
    """Returns the key shared by all spellings of one mailbox."""
    local, _, domain = key.partition("@")
    local = local.partition("+")[0] or local
    if domain in _GMAIL:
        local, domain = local.replace(".", "") or local, "gmail.com"
    return BroadKey(f"{local}@{domain}")


def local_part(key: NarrowKey) -> str:
    """Returns what stands before the at sign and before any plus-tag."""
    return key.partition("@")[0].partition("+")[0]


def domain_part(key: NarrowKey) -> str:
    """Returns the ASCII domain."""
    return key.partition("@")[2]


def is_blank(cell: Cell) -> bool:
    """Says whether an e-mail cell is EMPTY."""
    return word(cell) == ""
