"""The way to the clinic's relations (schema ``clinic``): beside our tables, or in FisioFlow's own database.

Here: on which connection they are read and written, and FisioFlow's row security: whether it binds us, and naming
the organisation inside the transaction. Not here: what the relations are (``clinic/contract.py``), and any query.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import psycopg

from fisio_ayida.settings import Settings
from fisio_ayida.warehouse.engine import Warehouse, connect

T = TypeVar("T")
Connection = psycopg.Connection[Any]

#: Reading these tells of nobody's health; FisioFlow lets every role see its organisations.
_LIST: Final = "organizations"
# Which tables stand behind the relations, and as whom they are read: a view's owner, unless it says otherwise. Of
# each: whether any policy lets that reader see rows, and whether one may do so by the setting that we name.
_ROW_SECURITY = """
with recursive parts (oid, reader) as (
  select c.oid, (select oid from pg_roles where rolname = current_user) from pg_class c
  where c.relnamespace = to_regnamespace('clinic') and c.relkind in ('r', 'p', 'v', 'm') and c.relname <> %(list)s
  union
  select d.refobjid, case when exists (select from unnest(v.reloptions) o
      where o in ('security_invoker=true', 'security_invoker=on', 'security_invoker=1', 'security_invoker=yes'))
    then p.reader else v.relowner end
  from parts p join pg_class v on v.oid = p.oid and v.relkind = 'v'
  join pg_rewrite r on r.ev_class = v.oid
  join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
    and d.refclassid = 'pg_class'::regclass and d.refobjid <> v.oid)
select t.oid::regclass::text, role.rolname, bool_or(rule.text is not null),
       bool_or(rule.text !~ 'current_setting\\(' or position(quote_literal(%(setting)s) in rule.text) > 0)
from parts p join pg_class t on t.oid = p.oid and t.relkind in ('r', 'p') and t.relrowsecurity
join pg_roles role on role.oid = p.reader
left join lateral (
  select coalesce(pg_get_expr(y.polqual, y.polrelid), 'true') as text from pg_policy y
  where y.polrelid = t.oid and y.polpermissive and y.polcmd in ('r', '*')
    and (0 = any (y.polroles) or exists (select from unnest(y.polroles) r where pg_has_role(role.oid, r, 'usage')))
  ) rule on true
where not role.rolsuper and not role.rolbypassrls
  and (t.relforcerowsecurity or not pg_has_role(role.oid, t.relowner, 'usage'))
group by 1, 2 order by 1, 2
"""
# Names an organisation for the rest of the transaction, and gives what was named before.
_NAME = """
with before as materialized (select current_setting(%(setting)s, true) as value)
select value, set_config(%(setting)s, %(organization)s, true) from before
"""
#: An organisation that there is not. Policies may cast the setting to a uuid, which fails for an empty text: where
#: there is none, this one is named.
NOBODY: Final = "00000000-0000-0000-0000-000000000000"
_SEES = "select exists (select from clinic.organizations where id = %s)"


class ClinicError(RuntimeError):
    """The clinic's relations cannot be used: not there, not as agreed, or hidden by row security."""


@dataclass(slots=True)
class ClinicDoor:
    """Connections to the clinic's relations.

    Args:
        open: opens FisioFlow's own database; None: the relations are beside ours, read in our own transactions.
        tenant: the setting that names the organisation where row security binds us; None: all rows are visible.
        is_checked: who uses it has seen that the relations are as agreed.
    """

    open: Callable[[], Connection] | None = None
    tenant: str | None = None
    is_checked: bool = field(default=False, init=False)
    _own: Connection | None = field(default=None, init=False, repr=False)

    @property
    def is_beside(self) -> bool:
        """Whether what is written there belongs to our transaction."""
        return self.open is None

    def on(self, ours: Connection) -> Connection:
        """Where the list of organisations is read; nothing else is visible there under row security."""
        if self.open is None:
            return ours
        if self._own is None or self._own.closed:
            self._own = self.open()
        return self._own

    def each(
        self, ours: Connection, organizations: Sequence[str], work: Callable[[Connection, list[str]], T],
        *, must_see: bool = True,
    ) -> list[T]:  # fmt: skip
        """``work`` with a connection on which these organisations' rows are visible, and the organisations.

        Once for all of them; under row security once for each, in a transaction that names it.

        Args:
            organizations: of '', which nobody's rows have, ``work`` finds nothing under row security.
            must_see: an organisation that is not there is an error; else ``work`` finds nothing of it.

        Raises:
            ClinicError: row security hides an organisation although it was named: a job that went on would take
                that for nothing to do.
        """
        conn = self.on(ours)
        if self.tenant is None:
            return [work(conn, list(organizations))] if organizations else []
        return [self._as_tenant(conn, each, work, must_see) for each in organizations]

    def within(self, ours: Connection, organization: str, work: Callable[[Connection], T]) -> T:
        """``work`` with a connection on which this one organisation's rows are visible and may be written."""
        conn = self.on(ours)
        if self.tenant is None:
            return work(conn)
        return self._as_tenant(conn, organization, lambda c, _: work(c), must_see=False)

    def close(self) -> None:
        """Close the connection to FisioFlow's database, if there is one. Safe to call twice."""
        if self._own is not None:
            self._own.close()
            self._own = None

    def _as_tenant(
        self, conn: Connection, organization: str, work: Callable[[Connection, list[str]], T], must_see: bool
    ) -> T:
        with conn.transaction():
            values = {"setting": self.tenant, "organization": organization or NOBODY}
            before = conn.execute(_NAME, values).fetchone()
            if must_see:
                row = conn.execute(_SEES, [organization]).fetchone()
                if row is None or not row[0]:
                    raise ClinicError(
                        f"organization={organization!r} is not visible with {self.tenant} set to it: "
                        "the role's rights or the row security of clinic.organizations"
                    )
            done = work(conn, [organization])
            # Where this is only a part of a longer transaction, it goes on as what it was, never as this tenant.
            values["organization"] = (before and before[0]) or NOBODY
            conn.execute(_NAME, values)
            return done


#: The relations are beside ours and all of their rows are visible: the embedded database, the demo.
BESIDE: Final = ClinicDoor()


@contextmanager
def open_clinic(settings: Settings, warehouse: Warehouse) -> Iterator[ClinicDoor]:
    """The way to the clinic's relations of these settings, closed at the end.

    Raises:
        WarehouseError: CLINIC_DATABASE_URL does not answer.
        ClinicError: row security would show our role no row, whatever the organisation.
    """
    given = settings.clinic_database()
    if given is None:
        with warehouse.connect(autocommit=True) as conn:
            tenant = _tenant(conn, settings)
        yield ClinicDoor(None, tenant)
        return

    def opened() -> Connection:
        return connect(given, autocommit=True, application_name="fisio_ayida clinic")

    with opened() as conn:
        tenant = _tenant(conn, settings)
    door = ClinicDoor(opened, tenant)
    try:
        yield door
    finally:
        door.close()


def row_secured(conn: Connection) -> list[str]:
    """The tables behind the clinic's relations of which row security hides rows from this connection's role."""
    return sorted({table for table, *_ in _bound(conn, "")})


def row_security_faults(conn: Connection, setting: str) -> list[tuple[str, str]]:
    """The tables of which row security would never show a row when ``setting`` names an organisation, and why.

    PostgreSQL calls that no rows, not an error; a job that went on would take it for nothing to do.
    """
    unread = f"its policies do not read {setting}"
    return [
        (table, unread if applies else f"no policy lets the role {role} see rows")
        for table, role, applies, knows in _bound(conn, setting)
        if not (applies and knows)
    ]


def _bound(conn: Connection, setting: str) -> list[tuple[str, str, bool, bool]]:
    return conn.execute(_ROW_SECURITY, {"list": _LIST, "setting": setting}).fetchall()


def _tenant(conn: Connection, settings: Settings) -> str | None:
    setting = settings.clinic_tenant_setting
    faults = [f"{table}: {why}" for table, why in row_security_faults(conn, setting)]
    if faults:
        raise ClinicError(f"row security hides the clinic's rows: {'; '.join(faults)}. `fisio-ayida clinic check`")
    return setting if row_secured(conn) else None
