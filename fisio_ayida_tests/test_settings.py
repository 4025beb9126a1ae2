"""Settings: defaults, what is refused and how, and that secrets stay secret."""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
from datetime import timedelta
from pathlib import Path

import pytest

from fisio_ayida import settings as module
from fisio_ayida.settings import Settings, SettingsError

REPOSITORY = Path(__file__).parent.parent


def test_nothing_set_gives_the_defaults() -> None:
    settings = Settings.load({})
    assert settings.database() is None
    assert settings.home == REPOSITORY / ".fisio_ayida"
    assert settings.bdns_base_url == "https://www.infosubvenciones.es/bdnstrans/api"
    assert settings.bdns_request_spacing == timedelta(milliseconds=105)
    assert settings.executor == "in_process"


def test_the_process_environment_is_read_only_by_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BDNS_PAGE_SIZE", "77")
    assert Settings.load().bdns_page_size == 77
    assert Settings.load({}).bdns_page_size == 10_000
    assert Settings().bdns_page_size == 10_000


def test_an_empty_variable_counts_as_unset() -> None:
    assert Settings.load({"DATABASE_URL": "", "STATSD_PORT": "  "}) == Settings.load({})


def test_a_rate_of_zero_lifts_the_spacing() -> None:
    assert Settings.load({"BDNS_REQUESTS_PER_SECOND": "0"}).bdns_request_spacing == timedelta(0)


def test_a_home_is_made_absolute() -> None:
    assert Settings.load({"FISIO_AYIDA_HOME": "relative/place"}).home == Path.cwd() / "relative/place"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("BDNS_BASE_URL", "ftp://example.org"),
        ("BDNS_BASE_URL", "https://example.org/api?x=1"),
        ("BDNS_REQUESTS_PER_SECOND", "-1"),
        ("BDNS_REQUESTS_PER_SECOND", "nan"),
        ("BDNS_REQUESTS_PER_SECOND", "ten"),
        ("BDNS_MAX_IN_FLIGHT", "0"),
        ("BDNS_PAGE_SIZE", "10001"),
        ("BDNS_PAGE_SIZE", "0"),
        ("BDNS_CONTACT", "Agencia\nX-Evil: 1"),
        ("BDNS_REMOVAL_GUARD_SHARE", "1.5"),
        ("BDNS_PAGE_TIMEOUT_SECONDS", "0"),
        ("LOCK_WAIT_SECONDS", "inf"),
        ("DOCUMENTS_URL", "documents"),
        ("DOCUMENTS_URL", "zip::s3://bucket/x"),
        ("DOCUMENTS_MAX_BYTES", "0"),
        ("DOCUMENTS_TEXT_MEMORY_MB", "127"),
        ("FISIO_AYIDA_EXECUTOR", "dask"),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
        ("STATSD_PORT", "65536"),
        ("STATSD_PREFIX", "a b"),
    ],
)
def test_a_wrong_value_is_one_line_with_name_value_and_what_is_allowed(variable: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.load({variable: value})
    line = str(caught.value)
    assert line.startswith(f"{variable}: ")
    assert repr(value) in line
    assert "allowed: " in line
    assert "\n" not in line


def test_several_wrong_values_are_one_line_each() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.load({"STATSD_PORT": "x", "BDNS_PAGE_SIZE": "y", "DATABASE_URL": "mysql://u:s3cret@h/d"})
    lines = str(caught.value).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["DATABASE_URL", "BDNS_PAGE_SIZE", "STATSD_PORT"]


@pytest.mark.parametrize(
    "url",
    [
        "mysql://user:s3cret@host/db",
        "postgresql://user:s3cret@host:port/db",
        "postgresql://user:s3cret@host/db?nonsense=1",
        "user:s3cret@host",
        "postgresql://user:s3cret",
    ],
)
def test_a_secret_is_in_no_message_and_no_traceback(url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.load({"DATABASE_URL": url})
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert "DATABASE_URL" in shown
    assert "s3cret" not in shown


@pytest.mark.parametrize("url", ["nonsense", "mysql://user:s3cret@host/db", "user:s3cret@host"])
def test_the_clinics_database_is_named_as_such_without_its_password(url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.load({"CLINIC_DATABASE_URL": url})
    [line] = str(caught.value).splitlines()
    assert line.startswith("CLINIC_DATABASE_URL: ")
    assert "s3cret" not in line


def test_a_secret_is_in_no_representation() -> None:
    settings = Settings.load({"DATABASE_URL": "postgresql://user:s3cret@host/db"})
    shown = f"{settings!r} {settings} {settings.model_dump()} {settings.database()!r} {settings.database()}"
    assert "s3cret" not in shown


def test_an_uncaught_error_prints_no_secret() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", "from fisio_ayida.settings import Settings; Settings.load()"],
        env={"PATH": os.defpath, "DATABASE_URL": "mysql://user:s3cret@host/db"},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode != 0
    assert "DATABASE_URL: scheme 'mysql'" in ran.stderr
    assert "s3cret" not in ran.stderr


def test_credentials_in_the_api_address_are_refused_without_being_shown() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.load({"BDNS_BASE_URL": "https://user:s3cret@example.org/api"})
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ({}, "/home/x/documents"),
        ({"DOCUMENTS_URL": "s3://bucket/documentos"}, "s3://bucket/documentos"),
        ({"DOCUMENTS_URL": "/srv/documentos"}, "/srv/documentos"),
    ],
)
def test_documents_are_below_the_home_unless_told_otherwise(given: dict[str, str], address: str) -> None:
    assert Settings.load({"FISIO_AYIDA_HOME": "/home/x", **given}).documents_address == address


def test_credentials_in_the_address_of_documents_are_refused_without_being_shown() -> None:
    with pytest.raises(SettingsError, match="DOCUMENTS_URL") as caught:
        Settings.load({"DOCUMENTS_URL": "s3://key:s3cret@bucket/x"})
    assert "s3cret" not in str(caught.value)


def test_the_settings_page_is_up_to_date() -> None:
    page = (REPOSITORY / "docs" / "settings.md").read_text(encoding="utf-8")
    assert page == module.markdown(), "run: python -m fisio_ayida.settings > docs/settings.md"


def test_every_variable_is_described() -> None:
    for field in Settings.model_fields.values():
        assert field.description, field
        assert isinstance(field.json_schema_extra, dict), field
        assert field.json_schema_extra["allowed"], field
