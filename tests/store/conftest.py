"""The state under test: a real SQLite file, and PostgreSQL where a server is named."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from connector.store.state import Store


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Names a state file that is not there yet."""
    return f"sqlite:///{tmp_path / 'state' / 'state.db'}"


@pytest.fixture
def postgres_url() -> str:
    """Names an emptied PostgreSQL database."""
    given = os.environ.get("TEST_POSTGRES_URL", "")
    if not given:
        pytest.skip("TEST_POSTGRES_URL names no server")
    engine = create_engine(given)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return given


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """Opens an empty state for writing."""
    named = "url" if request.param == "sqlite" else "postgres_url"
    with Store.open(request.getfixturevalue(named), read_only=False) as opened:
        yield opened
