"""Where leads go: one module per CRM behind one protocol.

Terminology. A *record* is what a CRM holds about one person; *flags* are its native do-not-contact
marks, which a destination only ever sets; the *permission* fields are ours, set and cleared.
"""

from collections.abc import Sequence
from typing import Protocol

from connector.model import Asked, CrmState, Lead, OptOut, Recall, Receipt


class Destination(Protocol):
    """A CRM. Row faults are returned in receipts, in the order of the rows; batch faults raised.

    A receipt without a fault means that the write was read back.
    """

    @property
    def name(self) -> str:
        """The name under which the configuration knows it."""

    def check(self) -> str:
        """Says in one sentence what was found; raises DestinationError if it cannot be used."""

    def read(self, asked: Sequence[Asked], /) -> list[CrmState]:
        """Returns what is held about each person, in order; finds by external id, then address."""

    def upsert(self, leads: Sequence[Lead], /) -> list[Receipt]:
        """Creates or updates; an existing record with the address is adopted, never doubled."""

    def recall(self, recalls: Sequence[Recall], /) -> list[Receipt]:
        """Takes permission back on every record of the person; never creates one."""

    def opt_out(self, outs: Sequence[OptOut], /) -> list[Receipt]:
        """Sets native flags for an act of the person."""

    def erase(self, external_ids: Sequence[str], /) -> list[Receipt]:
        """Deletes or anonymises the records with these ids (GDPR Art. 17)."""
