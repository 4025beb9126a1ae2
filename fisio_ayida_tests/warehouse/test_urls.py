"""Database URLs: what people paste, what each driver gets, and errors without passwords."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import make_url

from fisio_ayida.warehouse.urls import SCHEMES, DatabaseUrl, DatabaseUrlError

SUPABASE_DIRECT = "postgresql://postgres:p%40ss@db.abcdefgh.supabase.co:5432/postgres"
SUPABASE_POOLER = (
    "postgres://postgres.abcdefgh:p%40ss@aws-0-eu-west-1.pooler.supabase.com:6543/postgres"
    "?pgbouncer=true&connection_limit=1"
)
NEON = (
    "psql 'postgresql://owner:npg_x@ep-cool-1-pooler.eu-central-1.aws.neon.tech/neondb"
    "?sslmode=require&channel_binding=require'"
)
NEON_OPTIONS = "postgres://owner:pw@ep.eu.aws.neon.tech/neondb?options=endpoint%3Dep-cool-1&sslmode=require"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_spelling_of_the_scheme_gives_the_same_urls(scheme: str) -> None:
    url = DatabaseUrl.parse(f"{scheme}://u:p@h:5433/d?sslmode=require")
    assert url.psycopg == "postgresql://u:p@h:5433/d?sslmode=require"
    assert url.sqlalchemy == "postgresql+psycopg://u:p@h:5433/d?sslmode=require"
    assert url.dagster == "postgresql+psycopg2://u:p@h:5433/d?sslmode=require"
    assert url.masked == "postgresql://u:***@h:5433/d"


def test_supabase_direct() -> None:
    url = DatabaseUrl.parse(SUPABASE_DIRECT)
    assert (url.user, url.password, url.port) == ("postgres", "p@ss", 5432)
    assert not url.behind_transaction_pooler


def test_supabase_pooler_with_prisma_parameters() -> None:
    url = DatabaseUrl.parse(SUPABASE_POOLER)
    assert url.behind_transaction_pooler
    assert url.parameters == ()
    assert conninfo_to_dict(url.psycopg)["user"] == "postgres.abcdefgh"


def test_neon_as_its_page_offers_it() -> None:
    url = DatabaseUrl.parse(NEON)
    assert url.behind_transaction_pooler
    assert dict(url.parameters) == {"sslmode": "require", "channel_binding": "require"}


def test_neon_options_reach_libpq() -> None:
    assert conninfo_to_dict(DatabaseUrl.parse(NEON_OPTIONS).psycopg)["options"] == "endpoint=ep-cool-1"


@pytest.mark.parametrize("text", ["postgresql:///d?host=/var/run/pg", "postgresql://%2Fvar%2Frun%2Fpg/d"])
def test_a_socket_folder_is_a_host(text: str) -> None:
    url = DatabaseUrl.parse(text)
    assert url.host == "/var/run/pg"
    assert conninfo_to_dict(url.psycopg) == {"host": "/var/run/pg", "dbname": "d"}
    assert make_url(url.sqlalchemy).query == {"host": "/var/run/pg"}


@pytest.mark.parametrize("password", ["p@ss", "p:ss", "p#ss", "p%zz", "100%", "p@s@s", "a/b", "a?b"])
def test_a_raw_password_that_is_not_encoded_is_understood_or_refused_without_being_shown(password: str) -> None:
    try:
        url = DatabaseUrl.parse(f"postgresql://u:{password}@h/d")
    except DatabaseUrlError as error:
        assert password not in str(error)
    else:
        assert (url.password, url.host, url.database) == (password, "h", "d")


def test_an_address_of_version_6() -> None:
    url = DatabaseUrl.parse("postgresql://u@[::1]:5433/d")
    assert conninfo_to_dict(url.psycopg)["host"] == "::1"
    assert make_url(url.sqlalchemy).host == "::1"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("mysql://u:s3cret@h/d", "scheme 'mysql' is not PostgreSQL"),
        ("u:s3cret@h/d", "not a URL"),
        ("postgresql://u:s3cret@h:0/d", "port"),
        ("postgresql://u:s3cret@h:99999/d", "port"),
        ("postgresql://u:s3cret", "port"),
        ("postgresql://u:s3cret@h/d?sslmode=yes", "sslmode='yes' is not one of disable"),
        ("postgresql://u:s3cret@h/d?nonsense=1", "parameter 'nonsense'"),
        ("postgresql://u:s3cret@h/d?sslmode", "no '='"),
        ("postgresql://u:s3cret@h1,h2/d", "several hosts"),
        ("postgresql://u:s3cret@h/d/e", "more than one '/'"),
        ("postgresql://u:s3cret%00@h/d", "NUL"),
    ],
)
def test_an_error_names_the_variable_and_the_problem_but_not_the_password(text: str, problem: str) -> None:
    with pytest.raises(DatabaseUrlError) as caught:
        DatabaseUrl.parse(text, variable="CLINIC_DATABASE_URL")
    message = str(caught.value)
    assert message.startswith("CLINIC_DATABASE_URL: ")
    assert problem in message
    assert "s3cret" not in message
    assert "\n" not in message


NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=12)
HOSTS = st.sampled_from(["db.example.org", "10.0.0.1", "::1", "/var/run/postgresql", "/tmp/a b+c%d"])  # noqa: S108


@given(NAMES, NAMES, HOSTS, st.none() | st.integers(1, 65535), NAMES, NAMES)
def test_every_driver_reads_back_what_was_meant(
    user: str, password: str, host: str, port: int | None, database: str, options: str
) -> None:
    meant = DatabaseUrl(host, port, user, password, database, (("options", options),))
    libpq = conninfo_to_dict(meant.psycopg)
    expected = {"user": user, "password": password, "host": host, "dbname": database, "options": options}
    assert {name: libpq[name] for name in expected} == expected
    assert libpq.get("port") == (None if port is None else str(port))

    for text in (meant.sqlalchemy, meant.dagster):
        parts = make_url(text)
        given = {**parts.translate_connect_args(username="user", database="dbname"), **parts.query}
        assert {name: given[name] for name in expected} == expected

    again = DatabaseUrl.parse(meant.psycopg)
    assert (again.user, again.password, again.host, again.port) == (user, password, host, port)
    assert (again.database, again.parameters) == (database, meant.parameters)


@given(NAMES.filter(lambda text: len(text) > 3))
def test_no_password_is_in_any_text_for_people(password: str) -> None:
    url = DatabaseUrl("example.org", 5432, "user", f"<{password}>", "database")
    assert f"<{password}>" not in f"{url} {url!r} {url.masked}"
