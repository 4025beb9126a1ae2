"""Words that say that a place's name follows, and everyday words that do not make one.

Here: lists, written with accents, compared without. Not here: addresses and other everyday words
(``everyday_words.py``), names of places (``names.py``), and what follows from a word's being here (``places.py``).
"""

from __future__ import annotations

from typing import Final

from fisio_ayida.insights.privacy.plain_text import fold, words

#: Of :data:`~fisio_ayida.insights.privacy.everyday_words.PLACES`, those whose name may be of any words.
NAMED: Final = words("""
    escola colégio creche cursinho faculdade universidade igreja paróquia templo santuário academia clínica
    hospital maternidade bar padaria mercado supermercado restaurante lanchonete pizzaria sorveteria hotel
    pousada loja fábrica farmácia laboratório shopping clube convênio seguradora empresa
""")
#: They stand between the kind of a place and its name, or are no name at all.
KINDS: Final = words("""
    público pública públicas particular privado privada municipal estadual federal regional distrital médico
    médica médicas geral odontológica veterinária ortopédica escolar universitário universitária popular
    infantil especial especializada técnica integral evangélica central local cheio cheia lotado lotada vazia
    conveniado credenciado pequena grande nova mesma antiga tradicional funcional completa
""")
#: Whoever works there: "ator da Globo", "caixa do Extra".
PROFESSIONS: Final = words("""
    atendente comissária comissário consultor consultora vendedor vendedora revendedor revendedora
    representante caixa gerente funcionário funcionária motorista cobrador aluno aluna estudante professor
    professora jogador jogadora repórter piloto porteiro zelador zeladora frentista balconista operador
    operadora dono dona sócio sócia empregado empregada assistente aprendiz estagiário estagiária engenheiro
    engenheira advogado advogada policial soldado militar bombeiro garçom garçonete cozinheiro cozinheira
    enfermeiro enfermeira secretária analista diretor diretora supervisor supervisora entregador entregadora
    corretor corretora aposentado aposentada bancário bancária
""")
#: The name follows at once: "consultora natura".
SELLERS: Final = words("consultor consultora revende revendedor revendedora")
#: There are so few of them that the office tells who it is.
OFFICES: Final = words("""
    vereador vereadora prefeito prefeita vice-prefeito deputado deputada senador senadora governador
    governadora juiz juíza desembargador desembargadora promotor promotora procurador procuradora delegado
    delegada embaixador embaixadora cônsul consulesa ministro ministra bispo arcebispo cardeal tabelião cantor
    cantora ator atriz apresentador apresentadora jornalista famoso famosa celebridade influencer
    influenciadora youtuber astronauta novela
""")
LIVING: Final = words("mora moram morava moravam morou morar reside residem residia residente")
WORKING: Final = words("""
    trabalha trabalhava trabalhou trabalhar trabalhando estuda estudava estudou estudar estudando leciona
    lecionava joga jogava jogou cursinho internado internada operado operada
""")
VISITING: Final = words("fez faz fazia procurou frequenta frequentou visitou abriu")
GOING: Final = words("""
    foi vai ir fui viajou viaja viajar viajando viagem férias mudou mudar veio vem vir voltou volta chegou
    passeio passear passeou caminha caminhou caiu férias perto próximo próxima
""")
GOING_JOINTS: Final = words("a ao à para pra pro de do da em na no nas nos")
#: Stations and plans: a capital letter, or a word that is also a name, tells theirs.
NAMED_BY_CAPITAL: Final = words("metrô estação plano")
#: Behind what announces a place, these are no name of it.
GENERAL: Final = words("""
    número casa apartamento sobrado prédio andar térreo escada escadas elevador sítio fazenda chácara roça
    interior cidade bairro zona rural norte sul leste oeste asilo abrigo república sozinho sozinha praia rua
    trabalho serviço área setor ramo caixa computador celular notebook mesa sofá cadeira cama chão escritório
    quarto sala cozinha banheiro limpeza balcão obra obras construção campo roupa roupas sapatos calçados
    gasolina combustível idiomas inglês música arte artes dança teatro futebol vôlei basquete natação luta
    lutas judô beleza família idoso idosos condomínio esquina ensino médio fundamental superior pé manhã tarde
    noite turno trânsito estrada piscina quadra areia grama parque shopping mercado feira bola videogame xadrez
    vídeo celulares fim semana férias ônibus carro moto táxi bicicleta cinema banco consulta dentista exame
    trocas frente lado centro
""")
#: Clinical words that schools, gyms and insurers are named by.
NAMED_AFTER: Final = words("""
    saúde objetivo positivo corpo movimento equilíbrio passo passos ativo ativa escada ponte postura evolução
    impacto energia força vital olhar coração vida livre forma bem estar alto cristo união
""")
#: They end a place's name, and stay.
FUNCTION: Final = words("""
    a à às ao aos o os as um uma uns umas de do da dos das e em no na nos nas num numa por pelo pela pelos
    pelas para pra pro pras pros com sem sob sobre entre até desde contra após antes depois durante perante
    conforme segundo ou nem mas porém contudo todavia entretanto porque pois que se quando enquanto como embora
    caso logo portanto assim então também inclusive exceto salvo apenas somente só ainda já não sim nunca
    jamais sempre vezes hoje ontem anteontem amanhã agora cedo tarde noite manhã madrugada dia dias semana
    semanas mês meses ano anos hora horas aqui ali lá aí dentro fora perto longe atrás frente lado mesmo mesma
    outro outra outros outras todo toda todos todas tudo cada muito muita mais menos é são foi foram era eram
    está estava tem tinha há houve vai vem veio me mim ele ela eles elas seu sua seus suas meu minha onde qual
    quem dele dela segunda terça quarta quinta sexta sábado domingo vez x próximo próxima
""")

_PHRASES: Final = """
    santa casa de misericórdia; beneficência; sociedade beneficente; hospital das clínicas; polícia civil;
    polícia federal; polícia rodoviária; guarda municipal; porto seguro saúde; bem viver saúde;
    magazine luiza
"""
#: Hospitals, insurers and employers of everyday words, as folded words.
ORGANISATIONS: Final = frozenset(tuple(fold(phrase).split()) for phrase in _PHRASES.split(";"))
