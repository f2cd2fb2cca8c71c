"""Act-On: every call to its REST API, rows and suppressions in, tags and opt-outs out."""

from connector.acton.auth import ActOnAuth
from connector.acton.client import Account, ActOn
from connector.acton.wire import Column, Source

__all__ = ["Account", "ActOn", "ActOnAuth", "Column", "Source"]
