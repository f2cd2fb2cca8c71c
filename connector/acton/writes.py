"""The writes to Act-On: tags into a list of ours, and opt-outs that people made elsewhere.

There is no way in here to opt anybody in: no such call is made. Tags never carry a consent column
back, because an old yes would overwrite a no that was entered meanwhile.
"""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from connector.acton.answers import json_of
from connector.errors import SourceError
from connector.model import OptOut, Receipt, Tag
from connector.transport import Call, Transport

TAG_HEADINGS: Final = (
    "E-mail Address", "Consent_Gate_Decision", "Consent_Gate_Code", "Reperm_Route",
    "Reperm_State", "Consent_Checked_At",
)  # fmt: skip
PAUSES_S: Final = (0.5, 1, 2, 5, 10, 20, 30, 60, 60, 60, 60)
"""How long to wait between looks at a job; Act-On merges uploads later."""


def upload_tags(transport: Transport, list_id: str, tags: Sequence[Tag]) -> list[Receipt]:
    """Merges tags into a list by address, in one upload, and waits for the job's end.

    Empty texts overwrite (``putEmptyValues``), because in our own list they take a tag off.
    """
    uploads = [
        {"columnHeading": heading, "columnIndex": place, "ignoreColumn": "N"}
        | ({"columnType": "EMAIL"} if place == 0 else {})
        for place, heading in enumerate(TAG_HEADINGS)
    ]
    merge = {
        "dstListId": list_id, "mergeMode": "UPSERT", "columnMap": [],
        "mergeKeyHeading": TAG_HEADINGS[0],
    }  # fmt: skip
    call = Call(
        "PUT",
        f"/api/1/list/{quote(list_id)}",
        data={
            "headings": "Y", "fieldseparator": "COMMA", "quotecharacter": "DOUBLE_QUOTE",
            "putEmptyValues": "Y", "uploadspecs": json.dumps(uploads),
            "mergespecs": json.dumps([merge]),
        },
        files={"file": ("tags.csv", _csv(tags), "text/csv")},
        repeatable=True,
    )  # fmt: skip
    body = json_of(transport, call)
    details = _finished(transport, str(body.get("jobId", "")))
    lost = int(details.get("failedCount") or 0) + int(details.get("rejectedCount") or 0)
    if lost:
        fault = f"Act-On rejected {lost} of {len(tags)} tags of this upload"
        return [Receipt(tag.person, fault=fault) for tag in tags]
    return [Receipt(tag.person, record_id=tag.contact_id) for tag in tags]


def _csv(tags: Sequence[Tag]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(TAG_HEADINGS)
    for tag in tags:
        at = tag.checked_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        writer.writerow((tag.email, tag.decision, tag.code, tag.route, tag.reperm_state, at))
    return text.getvalue()


def _finished(transport: Transport, job: str) -> dict[str, Any]:
    """Waits for a job; ``Upload completed`` does not mean merged."""
    for pause in PAUSES_S:
        call = Call("GET", f"/api/1/list/{quote(job)}/status", repeatable=True)
        body = json_of(transport, call)
        details = body.get("details")
        if body.get("status") == "success" and isinstance(details, dict):
            if details.get("status") != "ok":
                raise SourceError(f"upload job {job} ended with {details.get('status')!r}")
            return details
        if "pending" not in str(body.get("status")) and "running" not in str(body.get("status")):
            raise SourceError(f"upload job {job} ended with {body.get('status')!r}")
        transport.clock.sleep(pause)
    raise SourceError(f"upload job {job} did not end", hint="the next run looks again")


def opt_out(transport: Transport, outs: Sequence[OptOut]) -> list[Receipt]:
    """Writes each opt-out to the global list or to its category, ``action`` always spelled out."""
    everywhere = [out for out in outs if not out.category]
    fault = _globally(transport, everywhere) if everywhere else ""
    return [
        Receipt(
            out.external_id or out.person,
            fault=_from_category(transport, out) if out.category else fault,
        )
        for out in outs
    ]


def _globally(transport: Transport, outs: Sequence[OptOut]) -> str:
    text = "".join(f"{out.email}\r\n" for out in outs)
    files = {"file": ("optout.csv", text, "text/csv")}
    call = Call("PUT", "/api/1/list/optout", files=files, repeatable=True)
    body = json_of(transport, call)
    lost = int(body.get("rejectedRecords") or 0) + int(body.get("emptyRecords") or 0)
    if body.get("status") == "success" and not lost:
        return ""
    return f"Act-On rejected {lost} of {len(outs)} opt-outs"


def _from_category(transport: Transport, out: OptOut) -> str:
    form = {"email": out.email, "category": out.category, "action": "optout"}
    call = Call("PUT", "/api/1/subscription/optout", data=form, repeatable=True)
    body = json_of(transport, call)
    said = str(body.get("message", "")).strip().casefold()
    confirmed = body.get("status") == "success" and said.startswith("optout")
    return "" if confirmed else "Act-On did not confirm the opt-out"
