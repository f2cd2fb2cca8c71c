"""The connection side of the configuration: ``connector.toml``, without secrets.

All faults of the file are reported at once, each with its key, its line where possible, and what
is allowed. Nothing is guessed by name: every field is mapped to a heading by the user.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Self
from zoneinfo import available_timezones

from platformdirs import user_config_path, user_state_path
from pydantic import Field, field_validator, model_validator

from connector.model import Channel
from connector.toml_file import Table, checked, read_toml

HOSTS: Final = {
    "us": "https://api.actonsoftware.com",
    "eu": "https://api-eu.actonsoftware.com",
}
"""Act-On's API hosts by region (developer.act-on.com)."""
ACTON_PER_SECOND: Final = 5
CONSENT_FIELDS: Final = frozenset({"consent_email", "consent_phone"})
FIELDS: Final = (
    CONSENT_FIELDS
    | {"email", "score", "first_name", "last_name", "company", "job_title", "phone", "country"}
    | {"subscriber_type", "consent_ts", "consent_source", "consent_method", "evidence_ref"}
    | {"notice_version", "form_id", "doi_ts", "phone_verified_ts", "tracking_consent"}
    | {"first_visit_ts", "controller", "request_form", "request_ts", "request_channels"}
    | {"optout_ts", "do_not_contact", "objected_ts", "birth_date", "basis"}
    | {"last_purchase_ts", "last_inquiry_ts", "last_activity_ts"}
    | {"reperm_invited_at", "reperm_count"}
)
"""What a column can mean."""


class ColumnTable(Table):
    """How one column is read."""

    column: str = Field(min_length=1)
    covers: list[str] = Field(default_factory=list)
    channels: list[Channel] = Field(default_factory=list)
    polarity: Literal["positive", "negative"] = "positive"
    date_format: str | None = None
    time_zone: str | None = None
    unticked_means: Literal["nothing", "refused"] = "nothing"

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str | None) -> str | None:
        if value is not None and value not in available_timezones():
            raise ValueError("must be an IANA time zone such as 'Europe/London'")
        return value


class SourceTable(Table):
    """One list, or Act-On Contacts, and what its columns mean."""

    kind: Literal["marketing_list", "contacts"] = "marketing_list"
    id: str = "l-unified-contacts"
    origin: str = ""
    requests_only: bool = False
    columns: dict[str, str | ColumnTable]

    @field_validator("columns", mode="after")
    @classmethod
    def _columns(cls, value: dict[str, str | ColumnTable]) -> dict[str, str | ColumnTable]:
        unknown = [f for f in value if f not in FIELDS and not f.startswith("score.")]
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no field; known: {', '.join(sorted(FIELDS))}")
        if "email" not in value:
            raise ValueError("map 'email': without it nobody can be matched")
        headings: dict[str, str] = {}
        for field, column in value.items():
            heading = column if isinstance(column, str) else column.column
            if heading in headings:
                raise ValueError(
                    f"column {heading!r} is mapped twice, to {headings[heading]} and {field};"
                    " where one label names both channels, give it channels = ['email', 'phone']"
                )
            headings[heading] = field
        return value

    def column_tables(self) -> dict[str, ColumnTable]:
        """Returns every mapping in its long form."""
        return {
            field: ColumnTable(column=column) if isinstance(column, str) else column
            for field, column in self.columns.items()
        }


class AccountTable(Table):
    """Which Act-On account, and where its API is."""

    id: str = Field(min_length=1)
    region: Literal["us", "eu"] | None = None
    base_url: str = ""
    credentials_file: str = ""

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if not self.base_url and self.region is None:
            raise ValueError("give region = 'us' or 'eu', or a base_url")
        if self.base_url and not self.base_url.startswith(
            ("https://", "http://127.", "http://[::1]", "http://localhost")
        ):
            raise ValueError("base_url must be https, or http on this machine")
        return self

    @property
    def url(self) -> str:
        """The base URL of Act-On's API."""
        return self.base_url.rstrip("/") or HOSTS[self.region or "us"]


class DestinationTable(Table):
    """Where leads go."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    type: Literal["local"]
    path: str = "crm.db"
    fields: dict[str, str] = Field(default_factory=dict)


class TagTable(Table):
    """Where the connector writes what it thinks of a contact; a list that it owns."""

    list: str = ""
    segment: str = ""


class StateTable(Table):
    """Where decisions, outbox and log are kept."""

    url: str = ""


class PolicyTable(Table):
    """Which policy file applies."""

    file: str = "policy.toml"


class LimitsTable(Table):
    """What may be asked of Act-On, whose limits are shared with everything else."""

    per_second: float = Field(default=4, gt=0, le=1000)
    per_day: int = Field(default=30_000, ge=1)
    share: float = Field(default=0.5, gt=0, le=1)


class BreakerTable(Table):
    """When a plan stops for a person: derived changes above both limits."""

    changed_share: float = Field(default=0.2, gt=0, le=1)
    at_least: int = Field(default=25, ge=0)


class Tables(Table):
    """The whole of ``connector.toml``."""

    account: AccountTable
    source: list[SourceTable] = Field(min_length=1)
    destination: list[DestinationTable] = Field(min_length=1)
    tag: TagTable = Field(default_factory=TagTable)
    state: StateTable = Field(default_factory=StateTable)
    policy: PolicyTable = Field(default_factory=PolicyTable)
    limits: LimitsTable = Field(default_factory=LimitsTable)
    breaker: BreakerTable = Field(default_factory=BreakerTable)

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        for what, names in (
            ("source", [source.id for source in self.source]),
            ("destination", [destination.name for destination in self.destination]),
        ):
            if len(set(names)) < len(names):
                raise ValueError(f"{what}: {max(names, key=names.count)!r} is named twice")
        if self.limits.per_second > ACTON_PER_SECOND and self.account.region is not None:
            raise ValueError("limits.per_second: at most 5, which is Act-On's own limit")
        if self.limits.per_second > ACTON_PER_SECOND and "https:" in self.account.base_url:
            raise ValueError("limits.per_second: at most 5, but for a sandbox on this machine")
        if self.tag.list and self.tag.list in {source.id for source in self.source}:
            raise ValueError(
                "tag.list: must be a list of its own; a merge into a source could bring old"
                " consent values back"
            )
        return self


@dataclass(frozen=True, slots=True)
class Config:
    """Typed settings and the file they were read from; relative paths start at its folder."""

    path: Path
    tables: Tables

    def beside(self, name: str) -> Path:
        """Returns a path that is relative to the configuration file."""
        return (self.path.parent / Path(name).expanduser()).resolve()

    def headings(self) -> dict[tuple[str, str], str]:
        """Returns the column by source and field."""
        return {
            (source.id, field): column.column
            for source in self.tables.source
            for field, column in source.column_tables().items()
        }

    @property
    def policy_path(self) -> Path:
        """The policy file."""
        return self.beside(self.tables.policy.file)

    @property
    def state_url(self) -> str:
        """The state's database URL; SQLite files are made absolute."""
        url = self.tables.state.url
        if not url:
            folder = user_state_path("acton-connector") / self.tables.account.id
            return f"sqlite:///{folder / 'state.db'}"
        scheme, _, file = url.partition(":///")
        return f"sqlite:///{self.beside(file)}" if scheme == "sqlite" else url

    @property
    def state_folder(self) -> Path:
        """The folder of ledger, identity key and kept plans."""
        scheme, _, file = self.state_url.partition(":///")
        if scheme == "sqlite":
            return Path(file).parent
        return user_state_path("acton-connector") / self.tables.account.id


def find_config(given: str | None, environ: Mapping[str, str] | None = None) -> Path:
    """Returns the configuration file: given, from the environment, or the platform's folder."""
    chosen = given or (environ or os.environ).get("ACTON_CONNECTOR_CONFIG")
    return Path(chosen) if chosen else user_config_path("acton-connector") / "connector.toml"


def load_config(path: Path) -> Config:
    """Reads the file; raises UsageError with every fault at once."""
    text, tables = read_toml(path, what="the configuration")
    return Config(path.resolve(), checked(Tables, tables, text=text, name=path.name))
