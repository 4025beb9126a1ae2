"""All providers' stand-ins on one side, the real dispatcher with its channels on the other, and a movable clock.

Here: planning one message for a provider, sending, letting time pass. Not here: what goes wrong.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from pydantic import SecretStr

from fisio_ayida.messaging.channels.calling import http_client
from fisio_ayida.messaging.channels.evolution import EvolutionSender
from fisio_ayida.messaging.channels.expo import ExpoSender
from fisio_ayida.messaging.channels.meta import MetaSender
from fisio_ayida.messaging.channels.resend import ResendSender
from fisio_ayida.messaging.dispatch import dispatch
from fisio_ayida.messaging.dispatcher import Tally
from fisio_ayida.messaging.model import Channel, Content, Draft, EmailContent, PushContent, Sender, WhatsappContent
from fisio_ayida.simulators.evolution import EvolutionConfig, EvolutionSimulator
from fisio_ayida.simulators.expo import ExpoSimulator
from fisio_ayida.simulators.meta import MetaConfig, MetaSimulator
from fisio_ayida.simulators.resend import ResendSimulator
from fisio_ayida_tests.messaging.lab import FROM, Lab

ProviderName = Literal["resend", "evolution", "meta", "expo"]
META: Final = MetaConfig()
#: The instances of two clinics.
INSTANCES: Final = ("fisioflow", "outra")
MAIL, NUMBER, DEVICE = "ana@example.com", "5511987654321", "ExponentPushToken[aaaaaaaaaaaaaaaaaaaaaa]"
CALMLY: Final = dt.timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class StandIns:
    """One of each."""

    resend: ResendSimulator
    evolution: EvolutionSimulator
    meta: MetaSimulator
    expo: ExpoSimulator

    def of(self, name: ProviderName) -> ResendSimulator | EvolutionSimulator | MetaSimulator | ExpoSimulator:
        found: ResendSimulator | EvolutionSimulator | MetaSimulator | ExpoSimulator = getattr(self, name)
        return found

    def forget(self) -> None:
        """As on the first day."""
        for name in ("resend", "evolution", "meta", "expo"):
            self.of(name).well()
            self.of(name).forget()
        self.meta.talking(NUMBER)


@contextmanager
def stand_ins() -> Iterator[StandIns]:
    """All of them, until the block ends."""
    with ExitStack() as stack:
        yield StandIns(
            stack.enter_context(ResendSimulator()),
            stack.enter_context(EvolutionSimulator(EvolutionConfig(instances=INSTANCES))),
            stack.enter_context(MetaSimulator()),
            stack.enter_context(ExpoSimulator()),
        )


@dataclass(slots=True)
class Street:
    """What a test works with. ``whatsapp``: who serves it; ``timeout``: of a call."""

    lab: Lab
    providers: StandIns
    whatsapp: Literal["evolution", "meta"] = "evolution"
    timeout: dt.timedelta = CALMLY
    urls: dict[ProviderName, str] = field(default_factory=dict)
    _runs: int = 0

    def __post_init__(self) -> None:
        # The stand-ins' clocks are the machine's, and what they stored is looked for by time.
        self.lab.moment = dt.datetime.now(dt.UTC)
        meta = self.providers.meta.base_url
        self.urls = {
            "resend": self.providers.resend.url, "evolution": self.providers.evolution.url, "meta": meta,
            "expo": self.providers.expo.url,
        }  # fmt: skip

    def plan(self, provider: ProviderName, key: str = "bad-day") -> int:
        """A message that an app asks for: nothing stands against it at any hour. Gives its number."""
        if provider in ("evolution", "meta"):
            self.whatsapp = provider
        asked: Mapping[ProviderName, tuple[Channel, str, Content]] = {
            "resend": ("email", MAIL, EmailContent(subject="Olá", text=key)),
            "evolution": ("whatsapp", NUMBER, WhatsappContent(text=key)),
            "meta": ("whatsapp", NUMBER, WhatsappContent(text=key)),
            "expo": ("push", DEVICE, PushContent(title="Olá", body=key)),
        }
        channel, to, content = asked[provider]
        draft = Draft(key=key, job="test", channel=channel, category="direct", to=to, content=content)
        return self.lab.plan(draft)[0].id

    def dispatch(self) -> Tally:
        """Send what is due."""
        self._runs += 1

        async def run() -> Tally:
            async with http_client(20) as client:
                made: dict[Channel, Sender] = {
                    "email": ResendSender(
                        self.urls["resend"], SecretStr("re"), sender=FROM, client=client, pacer=None,
                        timeout=self.timeout, now=self.lab.now,
                    ),
                    "whatsapp": EvolutionSender(
                        self.urls["evolution"], SecretStr("evolution-key"), client=client,
                        clock_for=lambda account: None, probe_number=None, timeout=self.timeout, now=self.lab.now,
                    ),
                    "push": ExpoSender(
                        self.urls["expo"], None, client=client, pacer=None, timeout=self.timeout
                    ),
                }  # fmt: skip
                account = INSTANCES[0]
                if self.whatsapp == "meta":
                    account = META.phone_number_ids[0]
                    made["whatsapp"] = MetaSender(
                        self.urls["meta"], SecretStr(META.access_token), client=client,
                        clock_for=lambda account: None, timeout=self.timeout,
                    )  # fmt: skip
                plain = self.lab.dispatcher(f"run-{self._runs}")
                return await dispatch(replace(plain, senders=made, accounts={"whatsapp": account}))

        return asyncio.run(run())

    def dispatch_after(self, **length: float) -> Tally:
        """The same, so much later."""
        self.lab.pass_time(**length)
        return self.dispatch()

    def sent(self, provider: ProviderName) -> int:
        """How many of our messages have really gone out; alerts to the operators do not count."""
        if provider == "resend":
            return sum(mail["to"] != ["ops@example.com"] for mail in self.providers.resend.sent)
        found = self.providers.of(provider)
        return int(found.state()["sent"]) if isinstance(found, ExpoSimulator) else found.count

    def state(self, id: int) -> str:
        """Of a message."""
        return str(self.lab.value("select state from messaging.messages where id = %s", id))
