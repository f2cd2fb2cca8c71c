"""Files for people and regulators: leads as CSV, pushes as consent records."""

import json
from pathlib import Path

from connector.consent.record import consent_record
from connector.destinations.local import LocalCrm
from connector.model import Outcome
from connector.policy_file import PolicyFile
from connector.wiring import settings, state_only


def write_leads(given: str | None, path: Path) -> int:
    """Writes the leads of every local CRM; returns how many."""
    config = settings(given).config
    local = [table for table in config.tables.destination if table.type == "local"]
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
        for person, crm_record in store.pushes():
            pushes = [d for d in store.decisions(person) if d.outcome is Outcome.PUSH]
            if pushes:
                record = consent_record(pushes[0], crm_record, policy.tables.controller)
                file.write(json.dumps(record, ensure_ascii=False) + "\n")
                count += 1
    return count
