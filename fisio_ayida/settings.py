"""Every setting of the project, read once from the environment and checked.

Here: names, units, defaults, what is allowed, and the page docs/settings.md that follows from them.
Not here: opening anything that a setting names. `Settings.load` is the only reader of the environment.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from fisio_ayida.warehouse.urls import DatabaseUrl, DatabaseUrlError

# The official guide allows 10 calls a second; 5 % of air keeps scheduling jitter below it (CONTRACT §1.3).
SPACING_MARGIN = 1.05


class SettingsError(ValueError):
    """One line for each wrong variable: its name, the value (a secret's is masked) and what is allowed."""


def _database_url(variable: str) -> AfterValidator:
    def check(value: SecretStr) -> SecretStr:
        DatabaseUrl.parse(value.get_secret_value(), variable=variable)
        return value

    return AfterValidator(check)


def _http_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("not an http(s) address")
    if parts.username or parts.password:
        raise ValueError("credentials do not belong here")
    return value.rstrip("/")


def _absolute(value: Path) -> Path:
    return value.expanduser().absolute()


def _one_line(value: str) -> str:
    if not value.isascii() or not value.isprintable():
        raise ValueError("not plain ASCII text on one line")
    return value


def _address(value: str) -> str:
    if not re.fullmatch(r"[^@\s<>,]{1,64}@[^@\s<>,]+\.[^@\s<>,]+", value):
        raise ValueError("not an e-mail address")
    return value


def _sender(value: str) -> str:
    named = re.fullmatch(r"(?:[^<>\r\n\"]+ )?<(.+)>", value)
    _address(named[1] if named else value)
    return value


def _setting_name(value: str) -> str:
    if not re.fullmatch(r"[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*", value):
        raise ValueError("not a setting of PostgreSQL's that programs may define")
    return value


def _store_url(value: str) -> str:
    scheme, separator, rest = value.partition("://")
    if separator:
        if not re.fullmatch(r"[a-z][a-z0-9+.\-]*", scheme) or "::" in value:
            raise ValueError("not an fsspec address")
        if "@" in rest.partition("/")[0]:
            raise ValueError("credentials do not belong here")
    elif not Path(value).expanduser().is_absolute():
        raise ValueError("a relative path means another folder for each process")
    return value if separator else str(Path(value).expanduser())


def _setting(name: str, default: Any, meaning: str, allowed: str, unit: str = "", **limits: Any) -> Any:
    """A field that carries what docs/settings.md and the error lines say about it."""
    extra: dict[str, Any] = {"allowed": allowed, "unit": unit}
    return Field(default, validation_alias=name, description=meaning, json_schema_extra=extra, **limits)


class Settings(BaseSettings):
    """All settings. Build it with `Settings.load()`; a constructor call takes the variables' names as keys."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    database_url: Annotated[SecretStr, _database_url("DATABASE_URL")] | None = _setting(
        "DATABASE_URL",
        None,
        "The PostgreSQL that holds everything. Without it an embedded server is started and shared by all "
        "processes of the machine.",
        "a postgresql:// URL, as pasted from Supabase, Neon or your own server",
    )
    clinic_database_url: Annotated[SecretStr, _database_url("CLINIC_DATABASE_URL")] | None = _setting(
        "CLINIC_DATABASE_URL",
        None,
        "The PostgreSQL with FisioFlow's tables and the views of schema `clinic`; unset: they are beside ours.",
        "a postgresql:// URL",
    )
    clinic_tenant_setting: Annotated[str, AfterValidator(_setting_name)] = _setting(
        "CLINIC_TENANT_SETTING",
        "app.org_id",
        "The PostgreSQL setting by which FisioFlow's row security knows the organisation.",
        "two words joined by a dot",
    )
    clinic_shadow: str = _setting(
        "CLINIC_SHADOW",
        "",
        "Jobs of the clinic that plan and compare but send nothing, beside the old crons: `birthday_messages`, "
        "or `all`.",
        "names of jobs with commas between",
        pattern=r"^[a-z_]+(,\s*[a-z_]+)*$|^$",
    )
    home: Annotated[Path, AfterValidator(_absolute)] = _setting(
        "FISIO_AYIDA_HOME",
        Path(__file__).resolve().parent.parent / ".fisio_ayida",
        "Folder for the embedded server's data and other local state.",
        "a folder that may be created",
    )
    bdns_base_url: Annotated[str, AfterValidator(_http_url)] = _setting(
        "BDNS_BASE_URL",
        "https://www.infosubvenciones.es/bdnstrans/api",
        "The BDNS API, or a stand-in for it.",
        "an http(s) URL without query or credentials",
    )
    bdns_requests_per_second: float = _setting(
        "BDNS_REQUESTS_PER_SECOND",
        10.0,
        "Request starts, counted over all processes and hosts on the same database; spaced, never in bursts. "
        "0 lifts the limit, for a server of your own.",
        "0 or more",
        "requests/s",
        ge=0,
        allow_inf_nan=False,
    )
    bdns_max_in_flight: int = _setting(
        "BDNS_MAX_IN_FLIGHT",
        1,
        "Calls under way at the same time, over all processes and hosts. The official guide asks for one.",
        "1 or more",
        "calls",
        ge=1,
    )
    bdns_page_size: int = _setting(
        "BDNS_PAGE_SIZE", 10_000, "Rows asked for in one page.", "1 to 10000", "rows", ge=1, le=10_000
    )
    bdns_contact: Annotated[str, AfterValidator(_one_line)] = _setting(
        "BDNS_CONTACT",
        "fisio-ayida BDNS mirror",
        "Who runs this mirror; sent in the User-Agent so that the source can reach you.",
        "plain ASCII text on one line, 1 to 200 characters",
        min_length=1,
        max_length=200,
    )
    bdns_max_retries: int = _setting(
        "BDNS_MAX_RETRIES", 5, "Repeats of one call after a transient failure.", "0 or more", "tries", ge=0
    )
    bdns_retry_base_seconds: float = _setting(
        "BDNS_RETRY_BASE_SECONDS",
        10.0,
        "Pause before the first repeat; it doubles with each one.",
        "0 or more",
        "s",
        ge=0,
        allow_inf_nan=False,
    )
    bdns_retry_max_seconds: float = _setting(
        "BDNS_RETRY_MAX_SECONDS",
        60.0,
        "The longest pause between repeats.",
        "0 or more",
        "s",
        ge=0,
        allow_inf_nan=False,
    )
    bdns_page_timeout_seconds: float = _setting(
        "BDNS_PAGE_TIMEOUT_SECONDS",
        300.0,
        "The longest wait for one page of a listing.",
        "more than 0",
        "s",
        gt=0,
        allow_inf_nan=False,
    )
    bdns_detail_timeout_seconds: float = _setting(
        "BDNS_DETAIL_TIMEOUT_SECONDS",
        60.0,
        "The longest wait for one detail record or catalogue.",
        "more than 0",
        "s",
        gt=0,
        allow_inf_nan=False,
    )
    bdns_removal_guard_share: float = _setting(
        "BDNS_REMOVAL_GUARD_SHARE",
        0.05,
        "A load that would remove more than this share of a window is held for a person; "
        "BDNS_REMOVAL_GUARD_ROWS must be passed too.",
        "0 to 1",
        "share",
        ge=0,
        le=1,
    )
    bdns_removal_guard_rows: int = _setting(
        "BDNS_REMOVAL_GUARD_ROWS",
        100,
        "A load that removes no more rows than this is never held.",
        "0 or more",
        "rows",
        ge=0,
    )
    documents_url: Annotated[str, AfterValidator(_store_url)] | None = _setting(
        "DOCUMENTS_URL",
        None,
        "Where the documents of calls and plans are kept: an fsspec address (s3://, gs://, …; their package must "
        "be installed) or a folder. Unset: `documents` below FISIO_AYIDA_HOME.",
        "an fsspec URL without credentials, or an absolute path",
    )
    documents_max_bytes: int = _setting(
        "DOCUMENTS_MAX_BYTES",
        100_000_000,
        "A larger document is not fetched; it is when this is raised.",
        "1 or more",
        "bytes",
        ge=1,
    )
    documents_text_seconds: float = _setting(
        "DOCUMENTS_TEXT_SECONDS",
        60.0,
        "The longest time for reading the text of one document; what was read by then is kept.",
        "more than 0",
        "s",
        gt=0,
        allow_inf_nan=False,
    )
    documents_text_memory_mb: int = _setting(
        "DOCUMENTS_TEXT_MEMORY_MB",
        1024,
        "Address space of the process that reads texts.",
        "128 or more",
        "MiB",
        ge=128,
    )
    documents_text_pages: int = _setting(
        "DOCUMENTS_TEXT_PAGES", 500, "Pages of a PDF that are read.", "1 or more", "pages", ge=1
    )
    lock_wait_seconds: float = _setting(
        "LOCK_WAIT_SECONDS",
        1800.0,
        "How long a load waits for another load of the same window.",
        "0 or more",
        "s",
        ge=0,
        allow_inf_nan=False,
    )
    executor: Literal["in_process", "multiprocess", "celery", "k8s"] = _setting(
        "FISIO_AYIDA_EXECUTOR",
        "in_process",
        "How Dagster runs the steps of one run. The last two need their Dagster library installed.",
        "in_process, multiprocess, celery or k8s",
    )
    inngest_event_key: SecretStr | None = _setting(
        "INNGEST_EVENT_KEY",
        None,
        "What a sender of events to the gateway must know. Unset: the gateway takes no events.",
        "a text; 32 random characters or more are advised",
    )
    inngest_event_key_previous: SecretStr | None = _setting(
        "INNGEST_EVENT_KEY_PREVIOUS",
        None,
        "A second event key that is accepted too, while the senders change to a new one.",
        "a text",
    )
    cron_secret: SecretStr | None = _setting(
        "CRON_SECRET",
        None,
        "The bearer token of the batch routes and of asking for an event's state. Unset: they are closed.",
        "a text; 32 random characters or more are advised",
    )
    cron_secret_previous: SecretStr | None = _setting(
        "CRON_SECRET_PREVIOUS",
        None,
        "A second bearer token that is accepted too, while the callers change to a new one.",
        "a text",
    )
    messaging_key: SecretStr | None = _setting(
        "MESSAGING_KEY",
        None,
        "Encrypts what messages say and where they go. Several, separated by commas: the first one encrypts, all "
        "decrypt. Unset: bodies are not stored and are made again when they are sent.",
        "one or more keys of 32 bytes as base64 (`fisio-ayida messages key` makes one)",
    )
    messaging_hash_key: SecretStr | None = _setting(
        "MESSAGING_HASH_KEY",
        None,
        "Part of the key of address hashes, by which opt-outs are found again: set it before the first message, "
        "and never change it. Unset: the database's own salt alone.",
        "a text; 32 random characters or more are advised",
    )
    messaging_email: Literal["auto", "file", "resend"] = _setting(
        "MESSAGING_EMAIL",
        "auto",
        "How e-mail goes out; auto: Resend if RESEND_API_KEY is set, else files.",
        "auto, file or resend",
    )
    messaging_whatsapp: Literal["auto", "file", "evolution", "meta"] = _setting(
        "MESSAGING_WHATSAPP",
        "auto",
        "How WhatsApp goes out; auto: Evolution if EVOLUTION_API_KEY is set, Meta if WHATSAPP_ACCESS_TOKEN is, "
        "else files.",
        "auto, file, evolution or meta",
    )
    messaging_push: Literal["auto", "file", "expo"] = _setting(
        "MESSAGING_PUSH",
        "auto",
        "How push messages go out; auto: Expo if EXPO_ACCESS_TOKEN is set, else files.",
        "auto, file or expo",
    )
    messaging_from: Annotated[str, AfterValidator(_sender)] = _setting(
        "RESEND_FROM_EMAIL",
        "FisioFlow <noreply@example.com>",
        "The sender of e-mails whose caller names none.",
        "an address, or a name with an address in angle brackets",
    )
    messaging_alerts_to: Annotated[str, AfterValidator(_address)] | None = _setting(
        "MESSAGING_ALERTS_TO",
        None,
        "Who is told by e-mail of channels that are down and of data that no clinic can mend. Unset: nobody.",
        "an e-mail address",
    )
    gateway_public_url: Annotated[str, AfterValidator(_http_url)] = _setting(
        "GATEWAY_PUBLIC_URL",
        "http://127.0.0.1:8288",
        "Where patients' mail programs reach the gateway: the address in unsubscribe links.",
        "an http(s) URL without query or credentials",
    )
    resend_api_key: SecretStr | None = _setting("RESEND_API_KEY", None, "Resend's key.", "a text")
    resend_base_url: Annotated[str, AfterValidator(_http_url)] = _setting(
        "RESEND_BASE_URL",
        "https://api.resend.com",
        "The Resend API, or a stand-in for it.",
        "an http(s) URL without query or credentials",
    )
    resend_requests_per_second: float = _setting(
        "RESEND_REQUESTS_PER_SECOND",
        2.0,
        "Request starts, over all processes; spaced. The limit belongs to the account. 0 lifts it.",
        "0 or more",
        "requests/s",
        ge=0,
        allow_inf_nan=False,
    )
    resend_webhook_secret: SecretStr | None = _setting(
        "RESEND_WEBHOOK_SECRET",
        None,
        "Proves Resend's webhooks. Several, separated by commas, while it is changed. Unset: they are refused.",
        "`whsec_` and base64, or several",
    )
    evolution_base_url: Annotated[str, AfterValidator(_http_url)] = _setting(
        "EVOLUTION_BASE_URL",
        "http://127.0.0.1:8080",
        "Your Evolution API, or a stand-in for it.",
        "an http(s) URL without query or credentials",
    )
    evolution_api_key: SecretStr | None = _setting(
        "EVOLUTION_API_KEY", None, "Evolution's key: the installation's, or the instance's.", "a text"
    )
    evolution_instance: Annotated[str, AfterValidator(_one_line)] = _setting(
        "EVOLUTION_INSTANCE",
        "fisioflow",
        "The instance of clinics that have none of their own.",
        "plain ASCII text on one line",
        min_length=1,
    )
    evolution_is_cloud: bool = _setting(
        "EVOLUTION_IS_CLOUD",
        False,
        "The instances are Meta's Cloud API and not telephones: approved templates go first, as Meta demands.",
        "true or false",
    )
    evolution_requests_per_second: float = _setting(
        "EVOLUTION_REQUESTS_PER_SECOND",
        1.0,
        "Messages of one instance, over all processes; spaced. More risks a ban of the number. 0 lifts it.",
        "0 or more",
        "messages/s",
        ge=0,
        allow_inf_nan=False,
    )
    evolution_probe_number: str | None = _setting(
        "EVOLUTION_PROBE_NUMBER",
        None,
        "A number known to be on WhatsApp (the clinic's own): looked up before messages are sent, because an "
        "instance may only say that it is connected. Unset: what it says is believed.",
        "digits with country code",
        pattern=r"^55\d{10,11}$",
    )
    evolution_webhook_token: SecretStr | None = _setting(
        "EVOLUTION_WEBHOOK_TOKEN",
        None,
        "Proves Evolution's webhooks: the value of the header `x-webhook-token`, or its `jwt_key`. Unset: they "
        "are refused.",
        "a text",
    )
    whatsapp_base_url: Annotated[str, AfterValidator(_http_url)] = _setting(
        "WHATSAPP_BASE_URL",
        "https://graph.facebook.com/v25.0",
        "Meta's Cloud API with its version, or a stand-in for it.",
        "an http(s) URL without query or credentials",
    )
    whatsapp_access_token: SecretStr | None = _setting(
        "WHATSAPP_ACCESS_TOKEN", None, "The token of Meta's Cloud API.", "a text"
    )
    whatsapp_phone_number_id: str | None = _setting(
        "WHATSAPP_PHONE_NUMBER_ID", None, "Meta's id of the number that sends.", "digits", pattern=r"^\d{1,32}$"
    )
    whatsapp_requests_per_second: float = _setting(
        "WHATSAPP_REQUESTS_PER_SECOND",
        20.0,
        "Messages of one number through Meta, over all processes; spaced. 0 lifts it.",
        "0 or more",
        "messages/s",
        ge=0,
        allow_inf_nan=False,
    )
    whatsapp_app_secret: SecretStr | None = _setting(
        "WHATSAPP_APP_SECRET", None, "Proves Meta's webhooks. Unset: they are refused.", "a text"
    )
    whatsapp_verify_token: SecretStr | None = _setting(
        "WHATSAPP_VERIFY_TOKEN", None, "What Meta repeats when a webhook is set up. Unset: refused.", "a text"
    )
    expo_base_url: Annotated[str, AfterValidator(_http_url)] = _setting(
        "EXPO_BASE_URL",
        "https://exp.host",
        "Expo's push service, or a stand-in for it.",
        "an http(s) URL without query or credentials",
    )
    expo_access_token: SecretStr | None = _setting("EXPO_ACCESS_TOKEN", None, "Expo's access token.", "a text")
    messaging_timeout_seconds: float = _setting(
        "MESSAGING_TIMEOUT_SECONDS",
        30.0,
        "The longest wait for a provider's answer; after it the outcome is unknown.",
        "more than 0",
        "s",
        gt=0,
        allow_inf_nan=False,
    )
    messaging_in_flight: int = _setting(
        "MESSAGING_IN_FLIGHT",
        128,
        "Messages of one channel under way at once in one process, where no pace holds them back.",
        "1 or more",
        "messages",
        ge=1,
    )
    openai_base_url: Annotated[str, AfterValidator(_http_url)] = _setting(
        "OPENAI_BASE_URL",
        "https://api.openai.com/v1",
        "Any server that speaks OpenAI's protocol, with its version; one of your own keeps the data at home.",
        "an http(s) URL without query or credentials",
    )
    openai_api_key: SecretStr | None = _setting(
        "OPENAI_API_KEY", None, "The model server's key; a server of your own may want none.", "a text"
    )
    insights_model: Annotated[str, AfterValidator(_one_line)] = _setting(
        "INSIGHTS_MODEL",
        "",
        "The model that puts the facts into words. Unset: facts alone, and no patient's data leaves.",
        "plain ASCII text on one line",
        max_length=100,
    )
    insights_timeout_seconds: float = _setting(
        "INSIGHTS_TIMEOUT_SECONDS",
        60.0,
        "The longest wait for one answer of the model.",
        "more than 0",
        "s",
        gt=0,
        allow_inf_nan=False,
    )
    insights_in_flight: int = _setting(
        "INSIGHTS_IN_FLIGHT", 3, "Calls of the model under way at once in one process.", "1 or more", "calls", ge=1
    )
    insights_answer_tokens: int = _setting(
        "INSIGHTS_ANSWER_TOKENS",
        1200,
        "The longest answer that is asked for; what a call reserves of the budget, beside its question.",
        "200 to 16000",
        "tokens",
        ge=200,
        le=16_000,
    )
    insights_tokens_per_day: int = _setting(
        "INSIGHTS_TOKENS_PER_DAY",
        500_000,
        "What each organisation may use on a civil day; `clinic policy` gives one more or less.",
        "0 or more",
        "tokens",
        ge=0,
    )
    insights_cost_per_day: float | None = _setting(
        "INSIGHTS_COST_PER_DAY",
        None,
        "The same in the price table's currency. Unset: no limit in money.",
        "0 or more",
        "",
        ge=0,
        allow_inf_nan=False,
    )
    insights_prices: str = _setting(
        "INSIGHTS_PRICES",
        "",
        "What models cost from which day on, per million tokens: "
        '`[{"model": "m", "from": "2026-01-01", "input": 0.5, "cached": 0.25, "output": 2, "currency": "USD"}]`.',
        "a JSON list of prices",
    )
    dagster_ui_url: Annotated[str, AfterValidator(_http_url)] | None = _setting(
        "DAGSTER_UI_URL",
        None,
        "Where people see Dagster's pages; the gateway links to runs there. Unset: no links.",
        "an http(s) URL without query or credentials",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = _setting(
        "LOG_LEVEL", "INFO", "The least important line that is written.", "DEBUG, INFO, WARNING or ERROR"
    )
    log_format: Literal["json", "console"] = _setting(
        "LOG_FORMAT", "json", "JSON objects, one a line, or plain text for people.", "json or console"
    )
    statsd_host: str | None = _setting(
        "STATSD_HOST", None, "Where counters and durations go (UDP). Unset: nowhere.", "a host name"
    )
    statsd_port: int = _setting("STATSD_PORT", 8125, "StatsD's port.", "1 to 65535", "", ge=1, le=65_535)
    statsd_prefix: str = _setting(
        "STATSD_PREFIX",
        "",
        "Put before every metric's name, with a dot.",
        "letters, digits, '_', '-' and '.'",
        pattern=r"^[A-Za-z0-9_.\-]*$",
    )

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the settings; an empty variable counts as unset.

        Args:
            environ: names and values; the process environment when left out.

        Raises:
            SettingsError: one line for each wrong variable; secrets are masked.
        """
        given = os.environ if environ is None else environ
        values = {name: given[name].strip() for name in variables() if given.get(name, "").strip()}
        try:
            return cls(**values)  # type: ignore[arg-type]  # keys are the variables' names
        except ValidationError as error:
            lines = [_line(str(problem["loc"][0]), problem, values) for problem in error.errors()]
        # Raised outside the handler, so that no chained traceback shows what pydantic was given.
        raise SettingsError("\n".join(dict.fromkeys(lines))) from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load` hands over: a constructor never looks at the environment by itself."""
        return (init_settings,)

    def database(self) -> DatabaseUrl | None:
        """The database that was named, or None for the embedded server."""
        return None if self.database_url is None else DatabaseUrl.parse(self.database_url.get_secret_value())

    def clinic_database(self) -> DatabaseUrl | None:
        """FisioFlow's database, or None where it is the same as ours."""
        given = self.clinic_database_url
        return None if given is None else DatabaseUrl.parse(given.get_secret_value())

    @property
    def bdns_request_spacing(self) -> timedelta:
        """Least time between two request starts: 105 ms at 10 requests/s; zero when the limit is lifted."""
        rate = self.bdns_requests_per_second
        return timedelta(seconds=SPACING_MARGIN / rate) if rate else timedelta(0)

    @property
    def documents_address(self) -> str:
        """`documents_url`, or the local folder that stands for it."""
        return self.documents_url or str(self.home / "documents")

    @property
    def lock_wait(self) -> timedelta:
        """`lock_wait_seconds` as a duration."""
        return timedelta(seconds=self.lock_wait_seconds)


def variables() -> tuple[str, ...]:
    """The names of all environment variables, in the order of the documentation."""
    return tuple(str(field.validation_alias) for field in Settings.model_fields.values())


def markdown() -> str:
    """The page docs/settings.md."""
    rows = [
        "# Settings",
        "",
        "Environment variables; an empty one counts as unset. A wrong value stops the program with one line",
        "that names the variable. Generated by `python -m fisio_ayida.settings`.",
        "",
        "| Variable | Default | Unit | Allowed | Meaning |",
        "| --- | --- | --- | --- | --- |",
    ]
    for field in Settings.model_fields.values():
        extra = field.json_schema_extra
        assert isinstance(extra, dict)  # noqa: S101  every field is made by _setting
        name, default = str(field.validation_alias), field.default
        if name == "FISIO_AYIDA_HOME":
            default = ".fisio_ayida beside the package"
        shown = "–" if default in (None, "") else f"`{default}`"
        cells = (f"`{name}`", shown, extra["unit"] or "–", extra["allowed"], field.description)
        rows.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return "\n".join(rows) + "\n"


def _line(name: str, problem: Any, values: Mapping[str, str]) -> str:
    field = next(field for field in Settings.model_fields.values() if field.validation_alias == name)
    reason = problem.get("ctx", {}).get("error")
    if isinstance(reason, DatabaseUrlError):
        return _flat(str(reason))
    assert isinstance(field.json_schema_extra, dict)  # noqa: S101  every field is made by _setting
    # Credentials are refused in some URLs; the line that says so must not repeat them.
    value = re.sub(r"//[^/@]*@", "//***@", values.get(name, ""))
    return _flat(f"{name}: {value!r} is not allowed; allowed: {field.json_schema_extra['allowed']}")


def _flat(text: str) -> str:
    return " ".join(text.split())


if __name__ == "__main__":
    print(markdown(), end="")
