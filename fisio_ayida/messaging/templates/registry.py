"""Every message that the project words itself: one row each.

Here: name, channels, category, variables, and what else the outbox and the channels need to know of it.
Not here: the words themselves (``texts/``, ``mail/``), and who sends what when.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from fisio_ayida.messaging.model import Category, Channel, MessagingError
from fisio_ayida.messaging.templates import variables as v
from fisio_ayida.messaging.templates.sheets import Column, Sheet
from fisio_ayida.messaging.templates.variables import Variable, optional


class TemplateError(MessagingError):
    """A template does not exist, is malformed, or was given the wrong variables."""


@dataclass(frozen=True, slots=True)
class Meta:
    """The template that Meta approved for a message, and what fills its body, in order (CONTRACT clinic §6.6).

    Args:
        known: the approval is stated by FisioFlow; else the operator has to look it up at Meta.
    """

    name: str
    variables: tuple[str, ...]
    known: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One kind of message.

    Args:
        subject: of the e-mail, with variables in double braces.
        to_patient: a patient reads it: it names the clinic and offers a way out. Else the staff does.
        asks: what a bare "1" in an answer means: yes to a visit, or a score; None: the message asks nothing.
        fallback: the channel that takes its place when WhatsApp failed, or nobody knows.
        sheet: a CSV file that goes with the e-mail.
    """

    name: str
    description: str
    category: Category
    channels: tuple[Channel, ...]
    variables: tuple[Variable, ...]
    subject: str = ""
    to_patient: bool = True
    asks: Literal["confirmation", "score"] | None = None
    fallback: Channel | None = None
    meta: Meta | None = None
    sheet: Sheet | None = None

    @property
    def example(self) -> dict[str, Any]:
        """Made-up variables, optional ones included."""
        return {variable.name: variable.example for variable in self.variables if variable.example is not None}


_VISIT = (
    v.NOME, v.CLINICA, v.DATA, v.HORA, optional(v.PROFISSIONAL), optional(v.ENDERECO), optional(v.TELEFONE),
)  # fmt: skip
_VISITS = (v.NOME, v.CLINICA, v.DATA, v.VISITAS, optional(v.ENDERECO), optional(v.TELEFONE))
_REMINDER = Meta("lembrete_consulta_v1", ("nome", "data", "hora"))
_REMINDERS = Meta("lembrete_consulta_v1", ("nome", "data", "horas"))
# An answer follows from a patient's reply, and not every reply is to a visit that we know.
_ANSWER = tuple(optional(variable) for variable in (v.NOME, v.CLINICA, v.DATA, v.HORA))
_PAYMENT = (v.NOME, v.CLINICA, v.VALOR)
_COLUMNS = (
    Column("Profissional", "profissional", otherwise="Total da clínica"), Column("Agendadas", "agendadas"),
    Column("Realizadas", "realizadas"), Column("Faltas", "faltas"), Column("Canceladas", "canceladas"),
    Column("A remarcar", "a_remarcar"), Column("Sem desfecho", "sem_desfecho"),
    Column("Novos pacientes", "novos_pacientes"),
)  # fmt: skip

ROWS: Final = (
    Template(
        name="appointment_confirmation", description="A visit was booked.",
        category="transactional", channels=("whatsapp", "email"), variables=_VISIT,
        subject="Sessão agendada: {{ data }} às {{ hora }}", fallback="email",
        meta=Meta("consulta_confirmada", ("nome", "data", "hora"), known=False),
    ),
    Template(
        name="appointment_reminder", description="A visit is tomorrow.",
        category="transactional", channels=("whatsapp", "email", "push"), variables=_VISIT,
        subject="Lembrete: sessão amanhã às {{ hora }}", asks="confirmation", fallback="email", meta=_REMINDER,
    ),
    Template(
        name="appointment_reminder_today", description="A visit is today.",
        category="transactional", channels=("whatsapp", "email", "push"), variables=_VISIT,
        subject="Lembrete: sessão hoje às {{ hora }}", asks="confirmation", fallback="email", meta=_REMINDER,
    ),
    Template(
        name="appointment_reminder_multi", description="Several visits of one patient are tomorrow.",
        category="transactional", channels=("whatsapp", "email", "push"), variables=_VISITS,
        subject="Suas sessões de amanhã, {{ data }}", asks="confirmation", fallback="email", meta=_REMINDERS,
    ),
    Template(
        name="appointment_reminder_today_multi", description="Several visits of one patient are soon, today.",
        category="transactional", channels=("whatsapp", "email", "push"), variables=_VISITS,
        subject="Suas sessões de hoje, {{ data }}", asks="confirmation", fallback="email", meta=_REMINDERS,
    ),
    Template(
        name="reply_confirmed", description="Answer: the visit is confirmed.",
        category="direct", channels=("whatsapp",), variables=_ANSWER,
    ),
    Template(
        name="reply_reschedule", description="Answer: the reception will find another hour.",
        category="direct", channels=("whatsapp",), variables=_ANSWER,
    ),
    Template(
        name="reply_ambiguous", description="Answer: it is not clear what was meant.",
        category="direct", channels=("whatsapp",), variables=_ANSWER,
    ),
    Template(
        name="reply_which", description="Answer: several visits are open; which one was meant?",
        category="direct", channels=("whatsapp",), variables=_ANSWER,
    ),
    Template(
        name="reply_opt_out", description="Answer: nothing automatic comes here any more.",
        category="direct", channels=("whatsapp",), variables=_ANSWER,
    ),
    Template(
        name="reply_opt_in", description="Answer: automatic messages come again.",
        category="direct", channels=("whatsapp",), variables=_ANSWER,
    ),
    Template(
        name="birthday", description="A patient's birthday.",
        category="marketing", channels=("whatsapp", "email"),
        variables=(v.NOME, v.CLINICA, optional(v.PROFISSIONAL)), subject="Feliz aniversário, {{ nome }}!",
        meta=Meta("parabens_paciente", ("nome",), known=False),
    ),
    Template(
        name="voucher_expiring", description="A package or voucher expires with sessions left.",
        category="marketing", channels=("whatsapp", "email"),
        variables=(v.NOME, v.CLINICA, v.PACOTE, v.DATA, v.SALDO, optional(v.TELEFONE)),
        subject="Seu pacote vence em {{ data }}",
    ),
    Template(
        name="feedback_request", description="How was the visit? Without a date, today's.",
        category="care", channels=("whatsapp",), variables=(v.NOME, v.CLINICA, optional(v.DATA)), asks="score",
        meta=Meta("feedback_atendimento", ("nome",)),
    ),
    Template(
        name="reactivation", description="A patient has not come for a month.",
        category="marketing", channels=("whatsapp", "email"),
        variables=(v.NOME, v.CLINICA, optional(v.TELEFONE)), subject="Vamos retomar seu acompanhamento?",
        meta=Meta("recuperacao_inativo", ("nome",)),
    ),
    Template(
        name="payment_received", description="A payment arrived.",
        category="transactional", channels=("whatsapp", "email"), variables=_PAYMENT,
        subject="Pagamento confirmado: {{ valor }}",
    ),
    Template(
        name="payment_failed", description="A payment did not go through.",
        category="transactional", channels=("whatsapp", "email"), variables=_PAYMENT,
        subject="Pagamento não concluído",
    ),
    Template(
        name="payment_refunded", description="A payment is given back.",
        category="transactional", channels=("whatsapp", "email"), variables=_PAYMENT, subject="Estorno registrado",
    ),
    Template(
        name="daily_report", description="A clinic's day in numbers, for its staff.",
        category="transactional", channels=("email",), to_patient=False,
        variables=(v.CLINICA, v.DATA, *v.NUMEROS, v.GRAFICO, v.PROFISSIONAIS, v.SEUS_NUMEROS, v.MENSAGENS,
                   v.FALHAS),
        subject="Relatório de {{ data }} – {{ clinica }}",
        sheet=Sheet(
            "relatorio", "data", (Column("Data", "data", is_common=True), *_COLUMNS),
            ("profissionais", "seus_numeros", None),
        ),
    ),
    Template(
        name="weekly_summary", description="A clinic's week in numbers, for its staff.",
        category="transactional", channels=("email",), to_patient=False,
        variables=(v.CLINICA, v.INICIO, v.FIM, *v.NUMEROS, v.GRAFICO, v.SEMANAS, v.TENDENCIA, v.PROFISSIONAIS,
                   v.SEUS_NUMEROS),
        subject="Resumo da semana {{ inicio }} a {{ fim }} – {{ clinica }}",
        sheet=Sheet(
            "semana", "inicio",
            (Column("Início", "inicio", is_common=True), Column("Fim", "fim", is_common=True), *_COLUMNS),
            ("profissionais", "seus_numeros", "semanas"),
        ),
    ),
    Template(
        name="integrity_alert", description="Rows of a clinic contradict each other, for its administrators.",
        category="transactional", channels=("email",), to_patient=False,
        variables=(v.CLINICA, v.PROBLEMAS, v.VERIFICACOES, v.RESOLVIDAS, v.IMPEDIDAS),
        subject="Alerta de integridade: {{ quantidade }}",
    ),
    Template(
        name="unfinished_sessions", description="Sessions that their author has not finished for a week.",
        category="transactional", channels=("email",), to_patient=False,
        variables=(v.CLINICA, v.ABERTAS, v.SESSOES), subject="{{ abertas }} na {{ clinica }}",
    ),
    Template(
        name="channel_alert", description="A way out is closed, for the operators.",
        category="direct", channels=("email",), to_patient=False,
        variables=(v.CANAL, v.MOTIVO, v.DESDE, v.ORGANIZACAO), subject="Canal parado: {{ canal }}",
    ),
)  # fmt: skip

#: By name.
TEMPLATES: Final[Mapping[str, Template]] = {row.name: row for row in ROWS}
