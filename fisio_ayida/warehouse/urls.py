"""The one place that understands a database URL as people paste it.

Here: reading any common spelling and writing the form that each driver wants.
Not here: connecting (engine.py) or where the text comes from (settings.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

SCHEMES = ("postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2")

# Parameters that libpq itself knows (release 13 and later, so that psycopg 2 and 3 agree).
LIBPQ_PARAMETERS = frozenset(
    {
        "application_name",
        "channel_binding",
        "client_encoding",
        "connect_timeout",
        "fallback_application_name",
        "gssencmode",
        "hostaddr",
        "keepalives",
        "keepalives_count",
        "keepalives_idle",
        "keepalives_interval",
        "krbsrvname",
        "options",
        "passfile",
        "service",
        "sslcert",
        "sslcompression",
        "sslcrl",
        "sslkey",
        "ssl_max_protocol_version",
        "ssl_min_protocol_version",
        "sslmode",
        "sslpassword",
        "sslrootcert",
        "sslsni",
        "target_session_attrs",
        "tcp_user_timeout",
    }
)
# What Prisma, Supabase's and Vercel's pages add for their own clients; libpq would refuse the whole URL.
FOREIGN_PARAMETERS = frozenset(
    {
        "connection_limit",
        "max_idle_connection_lifetime",
        "pgbouncer",
        "pool_mode",
        "pool_timeout",
        "prepared_statements",
        "schema",
        "socket_timeout",
        "sslaccept",
        "sslidentity",
        "statement_cache_size",
        "supa",
        "uselibpqcompat",
        "workaround",
    }
)
ALLOWED_VALUES = {
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "channel_binding": ("disable", "prefer", "require"),
}
SUPABASE_TRANSACTION_PORT = 6543
EXAMPLE = "postgresql://user:password@host:5432/database?sslmode=require"


class DatabaseUrlError(ValueError):
    """The text is not a PostgreSQL URL we can use; the message is one line without the password."""


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """One PostgreSQL database. `host` is a name, an address or, for a unix socket, an absolute folder."""

    host: str = ""
    port: int | None = None
    user: str = ""
    password: str = field(default="", repr=False)
    database: str = ""
    parameters: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    behind_transaction_pooler: bool = False

    @classmethod
    def parse(cls, text: str, *, variable: str = "DATABASE_URL") -> DatabaseUrl:
        """Read a URL as pasted from Supabase, Neon, Prisma, SQLAlchemy or libpq's manual.

        Args:
            text: the URL; quotes around it and a leading `psql ` are ignored.
            variable: the setting's name, used in the error message only.

        Raises:
            DatabaseUrlError: names the variable and the problem, password masked.
        """
        text = _unwrap(text)
        scheme, found, rest = text.partition("://")
        if not found:
            raise _wrong(variable, "it is not a URL", text)
        if scheme.lower() not in SCHEMES:
            allowed = ", ".join(f"{name}://" for name in SCHEMES)
            raise _wrong(variable, f"scheme {scheme!r} is not PostgreSQL (allowed: {allowed})", text)

        user, password, host, port, database, query = _split(rest, variable, text)
        parameters: dict[str, str] = {}
        pooled = False
        for name, value in query:
            if name in ("user", "password", "dbname", "host", "port"):
                user, password, database = (
                    value if name == "user" else user,
                    value if name == "password" else password,
                    value if name == "dbname" else database,
                )
                host = value if name == "host" else host
                port = value if name == "port" else port
            elif name in LIBPQ_PARAMETERS:
                allowed_values = ALLOWED_VALUES.get(name)
                if allowed_values and value not in allowed_values:
                    problem = f"{name}={value!r} is not one of {', '.join(allowed_values)}"
                    raise _wrong(variable, problem, text)
                parameters[name] = value
            elif name not in FOREIGN_PARAMETERS:
                raise _wrong(variable, f"parameter {name!r} is not known to PostgreSQL's client library", text)
            pooled = pooled or (name == "pgbouncer" and value.lower() == "true")

        if "," in host or "," in port:
            raise _wrong(variable, "several hosts are not supported, name one", text)
        if "\0" in f"{user}{password}{host}{database}{''.join(parameters.values())}":
            raise _wrong(variable, "it contains a NUL character", text)
        number = _port(port, variable, text)
        pooled = pooled or number == SUPABASE_TRANSACTION_PORT or "-pooler." in host
        return cls(host, number, user, password, database, tuple(parameters.items()), pooled)

    @property
    def psycopg(self) -> str:
        """libpq URI for psycopg 3. Carries the password: hand it to the driver only."""
        return self._render("postgresql")

    @property
    def sqlalchemy(self) -> str:
        """SQLAlchemy URL with psycopg 3 named, because a bare scheme means another driver in each release."""
        return self._render("postgresql+psycopg")

    @property
    def dagster(self) -> str:
        """SQLAlchemy URL with psycopg 2 named: Dagster's own storage reads that driver's error codes."""
        return self._render("postgresql+psycopg2")

    @property
    def masked(self) -> str:
        """For people: no password and no parameters."""
        secret = ":***" if self.password else ""
        who = f"{self.user}{secret}@" if self.user or secret else ""
        port = f":{self.port}" if self.port else ""
        return f"postgresql://{who}{self.host}{port}/{self.database}"

    def with_database(self, database: str) -> DatabaseUrl:
        """The same server and user, another database."""
        return DatabaseUrl(
            self.host,
            self.port,
            self.user,
            self.password,
            database,
            self.parameters,
            self.behind_transaction_pooler,
        )

    def __str__(self) -> str:
        return self.masked

    def _render(self, scheme: str) -> str:
        secret = f":{_encode(self.password)}" if self.password else ""
        who = f"{_encode(self.user)}{secret}@" if self.user or secret else ""
        query = [(name, _encode(value)) for name, value in self.parameters]
        if self.host.startswith(("/", "@")):
            # A socket folder cannot stand in the authority part of an SQLAlchemy URL.
            where = ""
            query += [("host", quote(self.host, safe="/"))]
            query += [("port", str(self.port))] if self.port else []
        else:
            host = f"[{self.host}]" if ":" in self.host else quote(self.host, safe="")
            where = f"{host}:{self.port}" if self.port else host
        database = _encode(self.database)
        if database != self.database:
            # libpq decodes the path and SQLAlchemy does not; both decode the query.
            query, database = [*query, ("dbname", database)], ""
        tail = "?" + "&".join(f"{name}={value}" for name, value in query) if query else ""
        return f"{scheme}://{who}{where}/{database}{tail}"


def _unwrap(text: str) -> str:
    """Drop what comes along when a line is copied from a web page or an .env file."""
    text = text.strip()
    text = re.sub(r"^psql\s+", "", text)
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1].strip()
    return text


def _split(rest: str, variable: str, text: str) -> tuple[str, str, str, str, str, list[tuple[str, str]]]:
    """user, password, host, port, database, query; decoded. A raw `@`, `#` or `:` in a password survives."""
    # A raw "?" in a password would start the query too early; the "@" that ends the user part decides.
    head, _, tail = rest.partition("?")
    if "@" in head:
        who, _, head = head.rpartition("@")
    else:
        who = ""
    user, _, password = who.partition(":")
    address, _, database = head.partition("/")
    bracketed = re.fullmatch(r"\[([^\]]*)\](?::(.*))?", address)
    if bracketed:
        host, port = bracketed.group(1), bracketed.group(2) or ""
    else:
        host, _, port = address.partition(":")
    if "/" in database:
        raise _wrong(variable, "there is more than one '/' after the host", text)
    query = []
    for pair in filter(None, tail.split("&")):
        name, equals, value = pair.partition("=")
        if not equals:
            raise _wrong(variable, "a parameter after '?' has no '='", text)
        query.append((unquote(name), unquote(value)))
    return unquote(user), unquote(password), unquote(host), port, unquote(database), query


def _port(port: str, variable: str, text: str) -> int | None:
    if not port:
        return None
    if port.isascii() and port.isdigit() and 0 < int(port) < 65536:
        return int(port)
    problem = "the port is not a number from 1 to 65535 (special characters of a password must be %-encoded)"
    raise _wrong(variable, problem, text)


def _wrong(variable: str, problem: str, text: str) -> DatabaseUrlError:
    return DatabaseUrlError(f"{variable}: {problem}, in {_mask(text)!r}; expected like {EXAMPLE}")


def _mask(text: str) -> str:
    """Only what surely is no secret: a text that we could not read may hold the password anywhere."""
    scheme, found, rest = text.partition("://")
    if not found:
        return "***"
    head = rest.partition("?")[0]
    if "@" not in rest:
        return f"{scheme}://***"
    where = head.rpartition("@")[2] if "@" in head else "***"
    return f"{scheme}://***@{where}"


def _encode(text: str) -> str:
    return quote(text, safe="")
