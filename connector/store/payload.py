"""What a write carries, as canonical JSON and back, and the two names by which it is known."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from connector.audit import canonical
from connector.model import (
    Action,
    Channel,
    Kind,
    Lead,
    OptOut,
    Payload,
    Permission,
    PersonId,
    Recall,
    Tag,
)

RANK: Final[Mapping[Kind, int]] = {kind: rank for rank, kind in enumerate(Kind)}
"""Order of delivery: protect first, sell last."""


def outbox_key(action: Action) -> str:
    """Returns the name of a write, the same in every process: it can be intended only once.

    Opt-outs of two categories are two writes.
    """
    key = f"{action.destination}|{action.person}|{action.kind}|{action.episode}"
    match action.payload:
        case OptOut(category=category) if category:
            return f"{key}|{category}"
        case _:
            return key


def content_hash(payload: Payload) -> str:
    """Returns SHA-256 of the canonical payload, in hex: equal when the content is equal."""
    return hashlib.sha256(encode(payload).encode()).hexdigest()


def act_at(payload: Payload) -> datetime | None:
    """Returns the instant of the person's act behind a recall, from which its clock runs."""
    return payload.acted_at if isinstance(payload, Recall) else None


def encode(payload: Payload) -> str:
    """Returns the payload as canonical JSON that names its type."""
    return canonical({"is": type(payload).__name__, **_fields(payload)})


def _fields(payload: Payload) -> dict[str, object]:
    whom: dict[str, object] = {"person": payload.person, "email": payload.email}
    match payload:
        case Lead():
            return whom | {
                "external_id": payload.external_id,
                "permission": _permission(payload.permission),
                "fields": payload.fields,
                "proof": payload.proof,
            }
        case Recall():
            return whom | {
                "external_id": payload.external_id,
                "permission": _permission(payload.permission),
                "acted_at": _iso(payload.acted_at),
            }
        case OptOut():
            return whom | {
                "external_id": payload.external_id,
                "flags": payload.flags,
                "category": payload.category,
            }
        case Tag():
            return whom | {
                "contact_id": payload.contact_id,
                "checked_at": _iso(payload.checked_at),
                **tag_texts(payload),
            }


def tag_texts(tag: Tag) -> dict[str, str]:
    """Returns what a tag says, without when it was said and of whom."""
    return {
        "decision": tag.decision,
        "code": tag.code,
        "route": tag.route,
        "reperm_state": tag.reperm_state,
    }


def decode(text: str) -> Payload:
    """Returns the payload that :func:`encode` wrote; raises ValueError for anything else."""
    stored: dict[str, Any] = json.loads(text)
    try:
        kind = stored.pop("is")
        stored["person"] = PersonId(stored["person"])
        match kind:
            case "Lead":
                return Lead(**stored | {"permission": _read(stored["permission"])})
            case "Recall":
                stored["acted_at"] = _instant(stored["acted_at"])
                return Recall(**stored | {"permission": _read(stored["permission"])})
            case "OptOut":
                return OptOut(**stored | {"flags": tuple(stored["flags"])})
            case "Tag":
                checked_at = datetime.fromisoformat(stored.pop("checked_at"))
                return Tag(**stored, checked_at=checked_at)
            case _:
                raise ValueError(f"a stored payload is a {kind}, which is not written here")
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError("a stored payload has other fields than this version writes") from error


def _permission(permission: Permission) -> dict[str, object]:
    return permission._asdict() | {"recheck_due": _iso(permission.recheck_due)}


def _read(stored: dict[str, Any]) -> Permission:
    stored["channels"] = tuple(map(Channel, stored["channels"]))
    stored["recheck_due"] = _instant(stored["recheck_due"])
    return Permission(**stored)


def _iso(instant: datetime | None) -> str | None:
    return None if instant is None else instant.astimezone(UTC).isoformat()


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
