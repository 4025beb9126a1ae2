"""The bearer token of the routes that are ours: ``Authorization: Bearer <CRON_SECRET>``.

Not here: comparing (``keys.py``), and the event API, whose key is in its path.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from fisio_ayida.gateway.answers import Refused
from fisio_ayida.gateway.door import Door

_SCHEME = HTTPBearer(auto_error=False, scheme_name="CRON_SECRET", description="The setting CRON_SECRET")
Bearer = Annotated[HTTPAuthorizationCredentials | None, Security(_SCHEME)]


def admit(door: Door, bearer: Bearer) -> None:
    """Let the caller in.

    Raises:
        Refused: 401 for a wrong token, for none, and for any as long as no secret is configured.
    """
    given = b"" if bearer is None else bearer.credentials.encode("latin-1")
    if problem := door.cron_keys.problem(given):
        raise Refused(401, problem, {"www-authenticate": "Bearer"})
