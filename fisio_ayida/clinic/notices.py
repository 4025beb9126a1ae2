"""What e-mails to a clinic's staff say, kept beside the outbox: their address is read when they are sent.

Here: planning such e-mails with their notices, in one transaction. Not here: to whom and why (the jobs).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from fisio_ayida.clinic.model import Desk, Need, Order, Outcome, Proposal
from fisio_ayida.clinic.planning import keep
from fisio_ayida.messaging.letters import plain
from fisio_ayida.messaging.model import Cause, Draft

#: A draft's cause of this kind is the notice whose id is its key.
KIND: Final = "notice"

# A message that was stale and is planned after all says what it would say now.
_INSERT: Final = """
insert into messaging.notices (id, organization_id, user_id, template, variables, needs, created_at)
select n.id, n.organization_id, n.user_id, n.template, n.variables, n.needs, %(now)s
from json_to_recordset(convert_from(%(rows)b, 'UTF8')::json)
  as n (id text, organization_id text, user_id text, template text, variables jsonb, needs text[])
on conflict (id) do update set
  variables = excluded.variables, needs = excluded.needs, created_at = excluded.created_at
"""


def cause(key: str) -> Cause:
    """The cause of a draft with this key to somebody of the staff."""
    return Cause(KIND, key)


def keep_with_notices(desk: Desk, order: Order, proposal: Proposal, outcome: Outcome) -> None:
    """As :func:`planning.keep`, for drafts to the staff whose causes are :func:`cause`'s."""
    new = keep(desk, order, proposal, outcome)
    if new:
        rows = [_row(draft, proposal.needs.get(draft.key, ())) for draft in new]
        desk.conn.execute(_INSERT, {"rows": msgspec.json.encode(rows), "now": order.now})


def _row(draft: Draft, needs: Sequence[Need]) -> dict[str, object]:
    return {
        "id": draft.key, "organization_id": draft.organization_id, "user_id": draft.user_id,
        "template": draft.template, "variables": plain(draft.variables), "needs": list(needs),
    }  # fmt: skip
