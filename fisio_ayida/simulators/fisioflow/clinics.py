"""Three made-up clinics in three zones, and their Monday: each case that a job decides by itself has its person.

Here: who is there and what happens. Not here: what must come of it (``truth.py``).
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Final

from fisio_ayida.simulators.fisioflow.builder import Builder
from fisio_ayida.simulators.fisioflow.people import People
from fisio_ayida.simulators.fisioflow.world import DAY, LOGS, Log, Payment, World

#: The same people every time.
SEED: Final = 28
#: Patients of each clinic with nothing particular about them.
_CROWD: Final = 30
_DAY: Final = dt.timedelta(days=1)
_LEAP: Final = dt.date(1992, 2, 29)
_STATUSES: Final = ("atendido", "atendido", "completed", "faltou", "cancelado", "remarcar")
#: A visit with this much of an age was the last one of somebody who is invited back.
_LAST_VISITS: Final = (("trinta-dias", 30), ("trinta-e-seis", 36), ("vinte-e-nove", 29), ("trinta-e-sete", 37))


def world(mark: str, day: dt.date = DAY, seed: int = SEED) -> World:
    """The three clinics.

    Args:
        mark: at the end of every id, so that worlds can be beside each other in one database.
    """
    people = People(seed)
    clinics = [_ipe(people, mark, day), _rio_branco(people, mark, day), _noronha(people, mark, day)]
    return World(
        day=day, mark=mark, rows=[row for clinic in clinics for row in clinic.rows],
        manners={clinic.id: clinic.manners for clinic in clinics},
        words=[word for clinic in clinics for word in clinic.words],
        script=sorted((event for clinic in clinics for event in clinic.script), key=lambda event: event.at),
    )  # fmt: skip


def _ipe(people: People, mark: str, day: dt.date) -> Builder:
    """The large one, in Vitória; it has documented why it may write to all of its patients."""
    clinic = Builder(
        people, "ipe", mark, day, "27", "Clínica Ipê & Movimento", zone="America/Sao_Paulo",
        marketing_basis="legitimate_interest",
    )  # fmt: skip
    clinic.staff("direcao", "admin", wants_daily_report=True, wants_weekly_summary=True)
    clinic.staff("fisio-1", "fisioterapeuta", wants_daily_report=True)
    clinic.staff("fisio-2", "fisioterapeuta")
    clinic.staff("saiu", "fisioterapeuta", is_active=False, wants_daily_report=True)
    clinic.therapists.pop()
    _birthdays(clinic)
    _packages(clinic)
    _last_visits(clinic)
    _crowd(clinic)
    _visits_of_the_day(clinic)
    _faults(clinic)
    _old_crons(clinic)
    return clinic


def _rio_branco(people: People, mark: str, day: dt.date) -> Builder:
    """Two hours behind São Paulo, closed on Sundays; it writes only to who has said yes."""
    clinic = Builder(
        people, "rio-branco", mark, day, "68", "Fisio Rio Branco", zone="America/Rio_Branco",
        marketing_basis="consent", settings={"crm_whatsapp": {"reminders": {"enabled": True}}},
    )  # fmt: skip
    clinic.staff("direcao", "owner", wants_daily_report=True, wants_weekly_summary=True)
    clinic.staff("fisio-1", "fisioterapeuta")
    born = dt.date(1985, day.month, day.day)
    clinic.patient("aniversario-sim", date_of_birth=born)
    clinic.says("aniversario-sim", "whatsapp", "marketing", allowed=True)
    clinic.patient("aniversario-calado", date_of_birth=born)
    clinic.patient("pacote-sim")
    clinic.says("pacote-sim", "whatsapp", "marketing", allowed=True)
    clinic.package("pacote-sim", "pacote-sim", 4, expires_on=day + dt.timedelta(days=7))
    clinic.patient("pacote-calado")
    clinic.package("pacote-calado", "pacote-calado", 2, expires_on=day + dt.timedelta(days=7))
    _last_visits(clinic)
    clinic.says("trinta-dias", "whatsapp", "marketing", allowed=True)
    _crowd(clinic, days=(1,))
    clinic.patient("hoje")
    clinic.visit("hoje", "hoje", 0, "15:00")
    clinic.patient("amanha-cedo")
    clinic.visit("amanha-cedo", "amanha-cedo", 1, "08:00")
    clinic.patient("so-email", phone=None)
    clinic.books("09:00", "marcada-email", "so-email", 3, "16:00", "books a visit; has only an e-mail address")
    return clinic


def _noronha(people: People, mark: str, day: dt.date) -> Builder:
    """An hour ahead of São Paulo; greets on every channel, and leap days on the first of March."""
    clinic = Builder(
        people, "noronha", mark, day, "27", "Espaço Maré Noronha", zone="America/Noronha",
        marketing_basis="legitimate_interest", birthday_channels="both", leap_birthday="03-01",
        reminder_rules=[
            {"kind": "day_before", "id": "day-before", "at": "10:00"},
            {"kind": "hours_before", "id": "three-hours", "hours": 3, "types": ["evaluation"]},
        ],
    )  # fmt: skip
    clinic.staff("direcao", "admin", "fisioterapeuta", wants_daily_report=True)
    clinic.patient("aniversario", date_of_birth=dt.date(1979, day.month, day.day))
    clinic.patient("bissexto", date_of_birth=_LEAP)
    clinic.patient("meia-noite")
    clinic.package(
        "quase-meia-noite", "meia-noite", 1, kind="voucher", name="Voucher de praia",
        expires_at=clinic.at("23:30", 7),
    )  # fmt: skip
    clinic.patient("muda")
    clinic.visit("hoje-muda", "muda", 0, "15:00", type="evaluation")
    clinic.changes("12:40", "hoje-muda", "moves today's visit from 15:00 to 19:00",
                   start_time=dt.time(19), end_time=dt.time(20))  # fmt: skip
    _last_visits(clinic)
    _crowd(clinic)
    return clinic


def _birthdays(clinic: Builder) -> None:
    born = dt.date(1990, clinic.day.month, clinic.day.day)
    clinic.patient("aniversario", date_of_birth=born)
    clinic.patient("bissexto", date_of_birth=_LEAP)
    clinic.patient("nome-social", date_of_birth=born, social_name="Luana", preferred_channel="email")
    clinic.patient("responsavel", date_of_birth=dt.date(1984, 5, 12))
    phone = clinic.phone_of("responsavel")
    clinic.patient("menor", date_of_birth=born.replace(year=2014), phone=phone, email=None)
    clinic.patient("sem-telefone", date_of_birth=born, phone=None)
    clinic.patient("sem-nada", date_of_birth=born, phone=None, email=None)
    clinic.patient("numero-errado", date_of_birth=born, phone="3265-43", email=None)
    clinic.patient("sem-propaganda", date_of_birth=born)
    clinic.says("sem-propaganda", "whatsapp", "marketing", allowed=False)
    clinic.patient("parou", date_of_birth=born)
    clinic.says("parou", "whatsapp", "all", allowed=False)
    clinic.patient("apagado", date_of_birth=born, deleted_at=clinic.at("12:00", -40))
    clinic.patient("de-alta", date_of_birth=born, is_active=False)
    clinic.patient("seculo", date_of_birth=born.replace(year=1890))


def _packages(clinic: Builder) -> None:
    week = clinic.day + dt.timedelta(days=7)
    for role in ("pacote", "meia-noite", "atrasado", "oito-dias", "esgotado", "vencido", "sem-prazo", "inativo"):
        clinic.patient(f"cliente-{role}")
    clinic.package("pacote", "cliente-pacote", 3, expires_on=week)
    # Half an hour before midnight here is the next day in UTC.
    clinic.package(
        "meia-noite", "cliente-meia-noite", 1, kind="voucher", name=None, expires_at=clinic.at("23:30", 7)
    )
    clinic.package("atrasado", "cliente-atrasado", 5, expires_on=clinic.day + dt.timedelta(days=3))
    clinic.package("oito-dias", "cliente-oito-dias", 5, expires_on=week + dt.timedelta(days=1))
    clinic.package("esgotado", "cliente-esgotado", 0, expires_on=week)
    clinic.package("vencido", "cliente-vencido", 2, expires_on=clinic.day)
    clinic.package("sem-prazo", "cliente-sem-prazo", 8)
    clinic.package("inativo", "cliente-inativo", 8, expires_on=week, is_active=False)


def _last_visits(clinic: Builder) -> None:
    for role, days in _LAST_VISITS:
        clinic.patient(role)
        visit = clinic.visit(f"ultima-{role}", role, -days, "10:00", status="atendido")
        clinic.session(f"registro-{role}", visit)
    clinic.patient("volta-marcada")
    visit = clinic.visit("ultima-volta-marcada", "volta-marcada", -32, "10:00", status="atendido")
    clinic.session("registro-volta-marcada", visit)
    clinic.visit("volta-marcada", "volta-marcada", 9, "10:00")


def _crowd(clinic: Builder, days: tuple[int, ...] = (-1, 1)) -> None:
    """Ordinary patients: some were here yesterday, some come tomorrow."""
    chance = clinic.people.chance
    for number in range(_CROWD):
        role = f"paciente-{number}"
        created = clinic.at("10:00", -chance.randrange(60, 600))
        if number == 0 and -1 in days:
            # The last quarter of an hour of yesterday is yesterday.
            created = clinic.at("23:50", -1)
        clinic.patient(role, preferred_channel=("whatsapp", "email", None)[number % 3], created_at=created)
        day = days[number % len(days)]
        clock = f"{chance.randrange(8, 19):02}:{chance.choice((0, 30)):02}"
        if number >= _CROWD // 2:
            continue
        if day > 0:
            clinic.visit(f"amanha-{number}", role, day, clock, therapist_id=chance.choice(clinic.therapists))
            continue
        status = _STATUSES[number // len(days) % len(_STATUSES)]
        changed = clinic.at(clock, day) + dt.timedelta(hours=1)
        visit = clinic.visit(
            f"ontem-{number}", role, day, clock, status=status, updated_at=changed,
            therapist_id=chance.choice(clinic.therapists),
        )  # fmt: skip
        if status in ("atendido", "completed"):
            clinic.session(f"registro-ontem-{number}", visit)


def _visits_of_the_day(clinic: Builder) -> None:
    """What happens between the jobs."""
    for role in ("cedo", "tarde", "noite", "confirma", "muda", "desmarca", "duas", "duas-vezes", "nova", "logo"):
        clinic.patient(role)
    clinic.visit("hoje-cedo", "cedo", 0, "08:00")
    clinic.changes("09:10", "hoje-cedo", "was treated", status="atendido")
    clinic.visit("hoje-duas-vezes-1", "duas-vezes", 0, "09:00", status="presenca_confirmada")
    clinic.visit("hoje-duas-vezes-2", "duas-vezes", 0, "10:00", status="presenca_confirmada")
    clinic.changes("10:05", "hoje-duas-vezes-1", "was treated", status="atendido")
    clinic.changes("11:05", "hoje-duas-vezes-2", "was treated a second time", status="atendido")
    clinic.visit("hoje-tarde", "tarde", 0, "13:30")
    clinic.visit("amanha-tarde", "tarde", 1, "13:30")
    clinic.changes("14:45", "hoje-tarde", "was treated", status="atendido")
    clinic.answers("15:00", "tarde", "Parar", "answers PARAR")
    clinic.visit("hoje-noite", "noite", 0, "18:00")
    clinic.changes("19:05", "hoje-noite", "was treated in the evening", status="atendido")
    clinic.visit("amanha-confirma", "confirma", 1, "15:00")
    clinic.answers("12:05", "confirma", "1", "answers 1")
    clinic.visit("amanha-muda", "muda", 1, "10:00")
    clinic.changes("09:40", "amanha-muda", "moves tomorrow's visit to the day after", date=clinic.day + 2 * _DAY)
    clinic.visit("amanha-desmarca", "desmarca", 1, "11:00")
    clinic.changes("07:40", "amanha-desmarca", "cancels tomorrow's visit", status="cancelado")
    clinic.visit("amanha-duas-1", "duas", 1, "08:00")
    clinic.visit("amanha-duas-2", "duas", 1, "10:00")
    clinic.books("10:20", "marcada", "nova", 2, "15:00", "books a visit for Wednesday")
    clinic.books("10:40", "marcada-logo", "logo", 0, "11:10", "books a visit that begins in half an hour")
    clinic.books("22:30", "marcada-noite", "cedo", 3, "09:00", "books a visit at night")


def _faults(clinic: Builder) -> None:
    """Rows that contradict each other, records that nobody closed, and logs of an age to be deleted."""
    clinic.patient("registro-solto")
    visit = clinic.visit("antiga", "registro-solto", -20, "10:00", status="atendido")
    clinic.session("sessao-trocada", visit, patient_id=clinic.called("aniversario"))
    other = clinic.visit("apagada", "registro-solto", -21, "10:00", status="cancelado")
    clinic.rows.remove(other)
    clinic.session("sessao-solta", other)
    clinic.package("impossivel", "registro-solto", -2)
    clinic.rows.append(Payment(
        id=clinic.called("pagamento-solto"), organization_id=clinic.id, appointment_id=clinic.called("nunca"),
        patient_id=clinic.called("registro-solto"), amount=Decimal("180.00"), status="paid", paid_at=clinic.day,
    ))  # fmt: skip
    clinic.visit("palavra-nova", "registro-solto", 20, "10:00", status="talvez")
    draft = clinic.visit("rascunho", "registro-solto", -10, "10:00", status="atendido")
    clinic.session("sessao-aberta", draft, "draft")
    for days in (1, 200):
        for name in LOGS:
            id = clinic.called(f"{name}-{days}")
            clinic.rows.append(Log(name=name, id=id, created_at=clinic.at("10:00", -days)))


def _old_crons(clinic: Builder) -> None:
    """What FisioFlow's own crons sent that day: birthdays at six, on both channels, none of a leap day."""
    for role in ("aniversario", "nome-social", "sem-propaganda", "parou", "menor"):
        clinic.old_message("birthday_messages", role, "whatsapp", "06:00")
    for role in ("aniversario", "nome-social", "sem-telefone"):
        clinic.old_message("birthday_messages", role, "email", "06:00")
