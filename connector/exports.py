"""Files for people and regulators: leads as CSV, pushes as consent records."""

import json
import uuid
from pathlib import Path

from connector.consent.reasons import Code
from connector.consent.record import record_of
from connector.destinations.local import LocalCrm
from connector.model import Outcome
from connector.policy_file import PolicyFile
from connector.store.rows import Decided
from connector.wiring import settings, state_only


def write_leads(given: str | None, path: Path) -> int:
    """Writes the leads of every local CRM; returns how many."""
    config = settings(given).config
    local = config.tables.destination
    total = 0
    for place, table in enumerate(local):
        target = path if place == 0 else path.with_name(f"{table.name}-{path.name}")
        total += LocalCrm(table.name, config.beside(table.path)).export_csv(target)
    return total


def write_records(given: str | None, path: Path) -> int:
    """Writes one JSON-LD consent record a line for the latest push of every lead that is out."""
    policy: PolicyFile = settings(given).policy
    count = 0
    with state_only(given) as (store, _, _config), path.open("w", encoding="utf-8") as file:
        for person in store.pushed():
            pushes = [d for d in store.decisions(person.id) if d.outcome == Outcome.PUSH]
            for decided in pushes[:1]:
                crm = "; ".join(f"{lead.destination}/{lead.record_id}" for lead in person.leads)
                record = _record(decided, crm, policy)
                file.write(json.dumps(record, ensure_ascii=False) + "\n")
                count += 1
    return count


def _record(decided: Decided, crm: str, policy: PolicyFile) -> dict[str, object]:
    controller = policy.tables.controller
    due = decided.look_again_at
    return record_of(
        record_id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"{decided.person}/{decided.run}")),
        person=decided.person,
        code=Code(decided.code),
        channels=decided.channels,
        proof=decided.proof or {},
        decision={
            "run": decided.run,
            "at": decided.at.isoformat(),
            "also": decided.also,
            "profile": (decided.evidence or {}).get("profile"),
            "policy_version": decided.policy_version,
            "policy_hash": decided.policy_hash,
            "crm_record": crm,
            "recheck_due": "" if due is None else due.isoformat(),
        },
        controller={
            "name": controller.name,
            "contact": controller.contact,
            "preferences_url": controller.preferences_url,
        },
    )
