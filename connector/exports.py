"""Files for people and regulators: leads as CSV, pushes as consent records."""

import json
import uuid
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from connector.consent.record import Controller, RecordContext, consent_record
from connector.destinations.local import LocalCrm
from connector.explain import decision_in
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


def _record(decided: Decided, crm: str, policy: PolicyFile) -> dict[str, Any]:
    tables = policy.tables.controller
    name = uuid.uuid5(uuid.NAMESPACE_URL, f"{decided.person}/{decided.run}")
    context = RecordContext(
        record_id=str(name),
        created=decided.at,
        subject=decided.person,
        controller=Controller(tables.name, tables.contact, tables.preferences_url),
        policy=policy.policy,
        run=decided.run,
        crm_record=crm,
        lists_fetched_at=datetime.fromisoformat((decided.evidence or {})["read_at"]),
        version=version("acton-consent-connector"),
    )
    return consent_record(decision_in(decided), context)
