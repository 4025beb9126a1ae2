"""Who is told of what goes wrong in a clinic: the active staff with a role of its administration and an address.

Not here: what they are told, and in which words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from fisio_ayida.clinic.model import Connection
from fisio_ayida.messaging.cause_queries import IS_ADMINISTRATOR

_QUERY: Final = f"""
select distinct organization_id, user_id from clinic.staff s
where organization_id = any(%(ids)s) and is_active and nullif(btrim(email), '') is not null and {IS_ADMINISTRATOR}
order by organization_id, user_id
"""


def administrators(there: Connection, ids: Sequence[str]) -> dict[str, list[str]]:
    """The logins of each organisation's administrators; one that has none is missing."""
    found: dict[str, list[str]] = defaultdict(list)
    for organization, user in there.execute(_QUERY, {"ids": list(ids)}):
        found[organization].append(user)
    return dict(found)
