"""The page's own words in Portuguese: titles of items, and why there is no narrative.

Not here: facts, flags and items in words (``wording/``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fisio_ayida.insights.model import InsightType

#: Of items, by their type.
TITLES: Final[Mapping[InsightType, str]] = {
    "progress_summary": "Resumo",
    "trend_alert": "Tendência",
    "comparison": "Comparação",
    "milestone_achieved": "Marco",
    "risk_detected": "Risco",
    "recommendation": "Sugestão",
}
#: Where items stand on the page.
ORDER: Final = tuple(TITLES)

#: Why there are facts and no narrative, by the words of ``model.REASONS``.
WHY_NOT: Final[Mapping[str, str]] = {
    "inactive_clinic": "a clínica está inativa ou não existe",
    "ai_off_clinic": "a clínica desligou a análise",
    "ai_off_patient": "o paciente desligou a análise por IA no FisioFlow",
    "no_consent": "o paciente não consente com o uso dos dados",
    "unknown_patient": "o paciente não é desta clínica ou foi excluído",
    "no_session": "nenhuma sessão foi finalizada",
    "too_old": "as sessões finalizadas são antigas demais",
    "facts_only": "a clínica quer apenas os números",
    "not_yet": "o modelo ainda não foi consultado",
    "no_model": "nenhum modelo está configurado",
    "insufficient_data": "menos de duas sessões finalizadas têm anotação",
    "over_budget": "o orçamento do dia da clínica acabou",
    "no_price": "há um orçamento em dinheiro, mas o preço do modelo não é conhecido",
    "identifier_found": "mesmo depois de limpos, os textos poderiam dizer quem é o paciente, e nada foi enviado",
    "unreachable": "o servidor do modelo não respondeu a tempo",
    "rate_limited": "o servidor do modelo pediu para esperar",
    "server_error": "o servidor do modelo falhou",
    "rejected": "o servidor do modelo recusou o pedido",
    "refused": "o modelo se recusou a escrever",
    "truncated": "a resposta do modelo veio cortada",
    "bad_json": "a resposta do modelo não tinha a forma pedida",
    "bad_citation": "a resposta do modelo citava o que não existe, ou nada",
    "bad_number": "a resposta do modelo trazia um número que os registros não trazem, ou não disso",
    "bad_direction": "a resposta do modelo contava uma direção que os registros não mostram",
    "bad_language": "a resposta do modelo não estava em português",
    "leaked_identifier": "a resposta do modelo continha algo que identifica uma pessoa",
    "diagnosis": "a resposta do modelo trazia um diagnóstico, um prognóstico, uma ordem ou uma nota",
}

NOTICE: Final = (
    "Escrito por um modelo de linguagem ({model}) a partir dos números desta página e de trechos dos registros "
    "das sessões: um rascunho. Nomes e outras identificações foram retirados antes por regras, que podem falhar. "
    "Números, citações e direções foram comparados com o prontuário, também por regras; o sentido das frases cabe "
    "ao profissional conferir. Não é um diagnóstico."
)
NOT_WRITTEN: Final = "Não há texto de um modelo: {why}. Os números e os sinais desta página não dependem disso."
NOT_YET: Final = "Ainda não há texto de um modelo: {why}. Será tentado de novo."
