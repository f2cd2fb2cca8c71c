"""An Act-On account that is not there: an HTTP server on loopback for demo and tests.

It behaves as Act-On's published API does, limits and traps included, and it shares no code with
the connector, so it cannot share its mistakes.
"""

from connector.sandbox.files import config_files
from connector.sandbox.limits import Limits
from connector.sandbox.server import Server, run_forever, serve

__all__ = ["Limits", "Server", "config_files", "run_forever", "serve"]
