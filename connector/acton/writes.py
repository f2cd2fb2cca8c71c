"""The writes to Act-On: tags into a list of ours, and opt-outs that people made elsewhere.

There is no way in here to opt anybody in: no such call is made. Tags never carry a consent column
back, because an old yes would overwrite a no that was entered meanwhile; a list that holds
anything but tags is refused.
"""

import csv
import io
import json
import re
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from connector.acton.answers import ask
from connector.acton.lists import headings_of_list
from connector.errors import ActOnError, SourceError
from connector.model import OptOut, Receipt, Tag
from connector.transport import Call, Transport

EMAIL: Final = "E-mail Address"
TAG_HEADINGS: Final = (
    EMAIL, "Consent_Gate_Decision", "Consent_Gate_Code", "Reperm_Route",
    "Reperm_State", "Consent_Checked_At",
)  # fmt: skip
PAUSES_S: Final = (0.5, 1, 2, 5, 10, 20, 30, 60, 60, 60, 60)
"""How long to wait between looks at a job; Act-On merges uploads later."""
REJECTS: Final = re.compile(r"reject.*(url|file)", re.IGNORECASE)
"""The key that names the file of rejected rows; which one it is in a list job is not documented."""


def upload_tags(transport: Transport, list_id: str, tags: Sequence[Tag]) -> list[Receipt]:
    """Merges tags into a list by address, in one upload, and waits for the job's end.

    Empty texts overwrite (``putEmptyValues``), because in our own list they take a tag off.
    Columns go in the order of the list: Act-On asks for a one-to-one column index.
    """
    headings = _own_headings(headings_of_list(transport, list_id), list_id)
    uploads = [
        {"columnHeading": heading, "columnIndex": place, "ignoreColumn": "N"}
        | ({"columnType": "EMAIL"} if heading == EMAIL else {})
        for place, heading in enumerate(headings)
    ]
    merge = {
        "dstListId": list_id, "mergeMode": "UPSERT", "columnMap": [], "mergeKeyHeading": EMAIL,
    }  # fmt: skip
    call = Call(
        "PUT",
        f"/api/1/list/{quote(list_id)}",
        data={
            "headings": "Y", "fieldseparator": "COMMA", "quotecharacter": "DOUBLE_QUOTE",
            "putEmptyValues": "Y", "uploadspecs": json.dumps(uploads),
            "mergespecs": json.dumps([merge]),
        },
        files={"file": ("tags.csv", _csv(headings, tags), "text/csv")},
        # a merge by key that runs twice ends as one that ran once
        repeatable=True,
    )  # fmt: skip
    details = _finished(transport, _job_of(ask(transport, call)))
    lost = _count(details, "failedCount") + _count(details, "rejectedCount")
    bad = _rejected(transport, details) if lost else set()
    all_named = len(bad) >= lost
    said = f"Act-On rejected {lost} of {len(tags)} tags of this upload"
    return [
        Receipt(tag.person, tag.contact_id, said if lost and _is_bad(tag, bad, all_named) else "")
        for tag in tags
    ]


def _is_bad(tag: Tag, bad: set[str], all_named: bool) -> bool:
    return not all_named or tag.email.strip().casefold() in bad


def _own_headings(headings: Sequence[str], list_id: str) -> Sequence[str]:
    """Checks that a list holds the tags and nothing else; raises SourceError."""
    missing = [h for h in TAG_HEADINGS if h not in headings]
    foreign = [h for h in headings if h not in TAG_HEADINGS]
    if missing or foreign or len(headings) != len(TAG_HEADINGS):
        raise SourceError(
            f"{list_id} cannot take tags: missing {missing}, not ours {foreign}",
            hint="name a list that holds these columns and no other: " + ", ".join(TAG_HEADINGS),
        )
    return headings


def _csv(headings: Sequence[str], tags: Sequence[Tag]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(headings)
    for tag in tags:
        at = tag.checked_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        cells = (tag.email, tag.decision, tag.code, tag.route, tag.reperm_state, at)
        named = dict(zip(TAG_HEADINGS, cells, strict=True))
        writer.writerow([named[heading] for heading in headings])
    return text.getvalue()


def _job_of(body: Any) -> str:
    job = str(body.get("jobId") or "") if isinstance(body, dict) else ""
    if not job or body.get("status") != "success":
        raise SourceError("the upload was answered without a job", hint="the next run tries again")
    return job


def _finished(transport: Transport, job: str) -> dict[str, Any]:
    """Waits for a job; ``Upload completed`` does not mean merged. Raises SourceError."""
    for pause in PAUSES_S:
        transport.clock.sleep(pause)
        body = ask(transport, Call("GET", f"/api/1/list/{quote(job)}/status", repeatable=True))
        said = str(body.get("status")) if isinstance(body, dict) else ""
        if "pending" in said or "running" in said:
            continue
        details = body.get("details") if isinstance(body, dict) else None
        if said == "success" and isinstance(details, dict) and details.get("status") == "ok":
            return details
        ended = details.get("status") if isinstance(details, dict) else said
        raise SourceError(f"upload job {job} ended with {ended!r}")
    raise SourceError(f"upload job {job} did not end", hint="the next run writes it again")


def _rejected(transport: Transport, answer: Any) -> set[str]:
    """Returns the addresses in the file of rejected rows; empty where none is named or readable."""
    named = [v for k, v in answer.items() if REJECTS.search(str(k)) and isinstance(v, str) and v]
    if not named:
        return set()
    path = "/api/1/list/rejectedUploadRecords"
    call = Call("GET", path, params={"filename": named[0]}, repeatable=True, accept="text/csv")
    try:
        text = transport.send(call).text
    except ActOnError:
        return set()  # without the file the whole upload counts as rejected: see the caller
    cells = (cell for row in csv.reader(io.StringIO(text)) for cell in row)
    return {cell.strip().casefold() for cell in cells if "@" in cell}


def _count(answer: Any, key: str) -> int:
    value = answer.get(key)
    return int(value) if str(value).isdecimal() else 0


def opt_out(transport: Transport, outs: Sequence[OptOut]) -> list[Receipt]:
    """Writes each opt-out to the global list or to its category; one receipt each, in order."""
    everywhere = [out for out in outs if not out.category]
    faults = iter(_globally(transport, everywhere) if everywhere else [])
    return [
        Receipt(
            out.external_id or out.person,
            fault=_from_category(transport, out) if out.category else next(faults),
        )
        for out in outs
    ]


def _globally(transport: Transport, outs: Sequence[OptOut]) -> list[str]:
    """Uploads addresses in one column without a heading; returns a fault or ``""`` for each."""
    text = "".join(f"{out.email}\r\n" for out in outs)
    files = {"file": ("optout.csv", text, "text/csv")}
    body = ask(transport, Call("PUT", "/api/1/list/optout", files=files, repeatable=True))
    if not isinstance(body, dict) or body.get("status") != "success":
        return ["Act-On did not confirm the opt-out"] * len(outs)
    lost = _count(body, "rejectedRecords") + _count(body, "emptyRecords")
    if not lost:
        return [""] * len(outs)
    bad = _rejected(transport, body)
    said = f"Act-On rejected {lost} of {len(outs)} opt-outs"
    all_named = len(bad) >= lost
    return [said if not all_named or o.email.strip().casefold() in bad else "" for o in outs]


def _from_category(transport: Transport, out: OptOut) -> str:
    """Writes one opt-out with ``action`` spelled out: without it Act-On opts the person in."""
    form = {"email": out.email, "category": out.category, "action": "optout"}
    call = Call("PUT", "/api/1/subscription/optout", data=form, repeatable=True)
    body = ask(transport, call)
    said = str(body.get("message", "")).casefold() if isinstance(body, dict) else ""
    if said.startswith("optin"):
        return "Act-On answered that it opted the person in: correct this in Act-On at once"
    if isinstance(body, dict) and body.get("status") == "success" and said.startswith("optout"):
        return ""
    return "Act-On did not confirm the opt-out"
