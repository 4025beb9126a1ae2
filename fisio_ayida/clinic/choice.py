"""On which channels a patient is written to: the preferred one, or the first that can reach them.

Here: what FisioFlow knows (addresses, preference, channels switched off). Not here: who has opted out, which is
asked when a message is sent (``messaging/rules.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fisio_ayida.clinic.model import Clinic
from fisio_ayida.messaging.model import Channel
from fisio_ayida.messaging.templates.registry import TEMPLATES

#: What most patients answer on comes first.
_ORDER: Final[tuple[Channel, ...]] = ("whatsapp", "email")

#: Columns for a query over ``clinic.patients p``: what :func:`channels` needs of a patient.
REACH: Final = """
  lower(btrim(p.preferred_channel)) as preferred, nullif(btrim(p.phone), '') is not null as has_phone,
  nullif(btrim(p.email), '') is not null as has_email
"""


def channels(
    clinic: Clinic, template: str, *, preferred: str | None, has_phone: bool, has_email: bool, both: bool = False
) -> list[Channel]:
    """Where to write, best first: one channel, or with ``both`` all that can be; empty: nowhere.

    A preference counts only where it can be met.
    """
    reaches = {"whatsapp": has_phone, "email": has_email}
    usable = [
        channel for channel in _ORDER
        if reaches[channel] and channel not in clinic.channels_off and channel in TEMPLATES[template].channels
    ]  # fmt: skip
    usable.sort(key=lambda channel: channel != preferred)
    return usable if both else usable[:1]


def why_none(clinic: Clinic, usable: Sequence[Channel], *, has_phone: bool, has_email: bool) -> tuple[str, str]:
    """The reason for which none of the ``usable`` channels of a message will do, and its detail."""
    if not has_phone and not has_email:
        return "no_address", "neither a telephone nor an e-mail address"
    reaches = {"whatsapp": has_phone, "email": has_email}
    possible = [channel for channel in _ORDER if channel in usable]
    if not any(reaches[channel] for channel in possible):
        return "no_address", f"not on the channels of this message: {', '.join(possible)}"
    return "channel_disabled_org", f"off for this clinic: {', '.join(sorted(clinic.channels_off))}"
