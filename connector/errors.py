"""Every way to fail, with its exit code and what to do next.

    ConnectorError
    ├── UsageError            2   wrong usage or configuration
    │   └── PolicyError       2   the policy file is faulty, unsigned or altered
    ├── SourceError           4   a source was incomplete, stale or lost a mapped column
    │   └── ActOnError        4   Act-On answered with an error (status, code, request ids)
    ├── BreakerOpen           5   the plan needs a person's approval
    ├── LockHeld              6   another run holds the lock
    ├── CredentialsError      7   credentials missing or refused
    ├── QuotaExhausted        8   no calls left; continues next run
    ├── StateError            9   state could not be read or saved
    ├── AuditError           10   the decision log does not verify
    └── DestinationError      3   a destination refused a whole batch

They live together so that one look tells what to catch. A message says what happened, to which
record (by pseudonym), and never holds an address, a name or a secret; ``hint`` says what to do.
"""

from typing import ClassVar


class ConnectorError(Exception):
    """Something that a person can mend went wrong."""

    exit_code: ClassVar[int] = 70

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(ConnectorError):
    """The command or a configuration file is wrong; ``problems`` lists every fault at once."""

    exit_code = 2

    def __init__(self, message: str, *, hint: str = "", problems: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint=hint)
        self.problems = problems


class PolicyError(UsageError):
    """The policy file is faulty, unsigned or was altered after it was signed."""


class SourceError(ConnectorError):
    """What was read cannot be decided on: nothing is pushed."""

    exit_code = 4


class ActOnError(SourceError):
    """Act-On answered with an error; ``code`` is its own, ``request_id`` the gateway's."""

    def __init__(
        self, message: str, *, status: int, code: str = "", request_id: str = "", hint: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.code = code
        self.request_id = request_id


class BreakerOpen(ConnectorError):
    """The plan was stopped for a person to look at; ``run`` names it for ``--approve``."""

    exit_code = 5

    def __init__(self, message: str, *, run: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.run = run


class LockHeld(ConnectorError):
    """Another run holds the account's lock; ``stale`` when it is older than a run should be."""

    exit_code = 6

    def __init__(self, message: str, *, stale: bool = False, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.stale = stale


class CredentialsError(ConnectorError):
    """A secret is missing, refused, or kept where others can read it."""

    exit_code = 7


class QuotaExhausted(ConnectorError):
    """No calls are left in this window; what is unfinished continues in the next run."""

    exit_code = 8


class StateError(ConnectorError):
    """State could not be read or saved; it is never taken for empty state."""

    exit_code = 9


class AuditError(ConnectorError):
    """The decision log does not verify; ``line`` is the first broken one."""

    exit_code = 10

    def __init__(self, message: str, *, line: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.line = line


class DestinationError(ConnectorError):
    """A destination refused a whole batch; its rows stay in the outbox."""

    exit_code = 3
