"""Everyday words of a note, and those that say that a name follows: relatives, titles, places, verbs of people.

Here: lists, written with accents, compared without. Not here: clinical terms (``clinical_words.py``), names
(``names.py``), and what follows from a word's being here (``walk.py``).
"""

from __future__ import annotations

from typing import Final

from fisio_ayida.insights.privacy.plain_text import words

#: Words between words, and the commonest of the rest: never anybody's name, wherever they stand.
EVERYDAY: Final = words("""
    a à às ao aos o os as um uma uns umas de do da dos das dele dela deles delas em no na nos nas num numa nele
    nela por pelo pela pelos pelas para pra pro pras pros com sem sob sobre entre até desde contra ante após
    antes depois durante perante conforme segundo mediante e ou nem mas porém contudo todavia entretanto porque
    pois que se quando enquanto como embora caso logo portanto assim então também inclusive exceto salvo apenas
    somente só ainda já não sim nunca jamais sempre vezes hoje ontem anteontem amanhã agora cedo tarde noite
    manhã madrugada meio-dia dia dias semana semanas mês meses ano anos hora horas minuto minutos aqui ali lá aí
    acima abaixo dentro fora perto longe atrás frente lado lados eu tu ele ela nós vós eles elas você vocês vc me
    mim comigo te ti lhe lhes si consigo meu minha meus minhas teu tua seu sua seus suas nosso nossa nossos
    nossas este esta estes estas isto esse essa esses essas isso aquele aquela aqueles aquelas aquilo mesmo mesma
    mesmos mesmas outro outra outros outras algum alguma alguns algumas nenhum nenhuma todo toda todos todas tudo
    nada cada qualquer quaisquer quem qual quais cujo onde quanto quantos ambos ambas mais menos muito muita
    muitos muitas pouco pouca poucos poucas bem mal melhor pior maior menor tão tanto tanta bastante quase demais
    meio meia metade dobro primeiro primeira segunda terceiro terceira terço quarto quarta quinto quinta sexto
    sexta sétimo sétima oitavo nono décimo último última últimos próximo próxima próximos anterior dois duas três
    quatro cinco seis sete oito nove dez onze doze treze quatorze catorze quinze dezesseis dezessete dezoito
    dezenove vinte trinta quarenta cinquenta sessenta setenta oitenta noventa cem cento mil zero vez é são foi
    foram era eram ser sido sendo será serão seria está estão estava estavam esteve estar estado estando tem têm
    tinha tinham teve ter tido tendo terá há havia houve haver vai vão ia ir indo ido fez faz fazem fazer fazendo
    feito feita feitos feitas pode podem podia poder deve devem dever quer querem queria fica ficou ficar ficando
    deixa deixou deixar passa passou passar dá deu dar dado dando vem veio vir vindo volta voltou voltar começa
    começou começar continua continuou continuar continuando permanece permaneceu usa usou usar usando precisa
    precisou tenta tentou tomar toma tomou tomando evita evitar evitou pega pegou pegar pegando fala falou dorme
    dormiu dormir dormindo acorda acordou acordar anda andou andar andando corre correu correr correndo caminha
    caminhou caminhar caminhando senta sentou levanta levantou sobe subiu subir desce desceu descer dirige
    dirigir dirigindo carrega carregou carregar carregando trabalha trabalhou trabalhar trabalhando estuda mora
    gosta gostou cai caiu cair melhorou piorou aumentar diminuir reduzir reduziu treinar treinou jogar jogou
    jogando nadar nadou pedalar pedalou trocar trocou mudar mudou virar vira virou bom boa bons boas ruim ruins
    novo nova novos novas jovem idoso idosa grande grandes pequeno pequena alto alta baixo baixa longo longa
    curto curta rápido rápida lento lenta difícil fácil possível importante igual diferente certo certa velho
    inteiro inteira livre próprio própria feminino masculino gêmeo gêmea gêmeos casal casa trabalho emprego
    escritório computador celular notebook mesa carro ônibus metrô moto bicicleta táxi viagem férias apartamento
    sobrado elevador rua praia parque academia piscina quadra campo escola hospital clínica sofá travesseiro
    colchão sapato tênis salto chinelo bolsa mochila compras faxina roupa louça limpeza cozinha banheiro banho
    vaso jardim água comida café almoço jantar peso objeto objetos futebol vôlei basquete handebol ciclismo surfe
    surf skate dança ballet balé judô jiu-jitsu muay thai karatê capoeira beach musculação natação corrida
    maratona esporte esportes esportivo treino jogo partida filho filha filhos filhas marido esposo esposa mulher
    mãe pai irmão irmã avó avô neto neta tio tia primo prima sobrinho sobrinha família familiar familiares amigo
    amiga namorado namorada bebê criança crianças senhor senhora sr sra médico médica doutor doutora dr dra fisio
    ft pessoa pessoas homem segunda-feira segunda-f terça sábado domingo feira manhãs tardes noites fim final
    início começo etapa fase nível tipo forma modo maneira causa motivo relação conduta queixa evolução objetivo
    obs observação observações nota geral total parcial parcialmente totalmente principalmente atualmente
    anteriormente novamente diariamente semanalmente problema problemas ajuda auxílio cuidado cuidados rotina
    hábito hábitos atenção vida saúde conversa dúvida dúvidas informação informações proposta explicado explicada
    combinado aguardo aguardar horário falta faltas presença atraso ok aprox cerca ex ref tb tbm pq qdo qto qnd
    td tds mto mta hj etc p c q s/ p/ c/ nome data telefone tel cel endereço número documento cpf rg cns cnpj cep
    crm crefito coren email e-mail mail link serviço serviços educação setor unidade turma grupo
""")

#: A name follows, or what they do: "filha Joana", "Dr. Fulano", "acompanhante: Rosa".
PERSONS: Final = words("""
    filho filha filhos filhas filhinho filhinha esposo esposa marido mulher mãe mamãe pai papai irmão irmã irmãos
    irmãs avó avô avós vó vô vovó vovô neto neta netos netas tio tia tios tias primo prima primos primas sobrinho
    sobrinha cunhado cunhada sogro sogra genro nora namorado namorada noivo noiva companheiro companheira vizinho
    vizinha amigo amiga colega chefe patrão patroa cuidador cuidadora acompanhante responsável padrasto madrasta
    enteado enteada padrinho madrinha afilhado afilhada comadre compadre babá bisavó bisavô bisneto bisneta
    caçula dr dra drs dras doutor doutora prof profa professor professora sr sra srs sras srta senhor senhora
    senhorita dona padre pastor pastora frei freira fisio fisioterapeuta ft enf enfermeiro enfermeira médico
    médica ortopedista neurologista reumatologista cardiologista cirurgião cirurgiã psicólogo psicóloga
    nutricionista dentista personal treinador treinadora coach estagiário estagiária secretária secretário
    recepcionista instrutor instrutora terapeuta massagista cabeleireira advogado advogada diretor diretora
    gerente supervisor supervisora chamado chamada chama chamava apelido apelidado apelidada conhecido conhecida
    cognome nome sobrenome assinado assinatura ass att atenciosamente familiar parente testemunha tutor tutora
""")

#: Behind these, everyday words that are also names are names: "paciente Rosa", "seu Reis".
LIKELY_PERSONS: Final = words("""
    paciente pacientes pcte pct pac aluno aluna cliente atleta seu sua idosa idoso criança menina menino bebê
    jovem gestante moça moço rapaz garoto garota
""")

#: An address follows, with its numbers.
STREETS: Final = words("""
    rua r av avenida travessa alameda praça rodovia estrada ladeira viela largo bairro vila jardim jd condomínio
    condominio residencial conjunto edifício ed bloco bl apto apt ap apartamento lote quadra cidade município
    logradouro cep endereço
""")

#: A place, an employer, a school, an insurer or a congregation follows.
PLACES: Final = words("""
    escola colégio creche faculdade universidade igreja paróquia templo empresa firma loja fábrica padaria
    restaurante salão supermercado mercado shopping clube time hospital maternidade clínica ubs upa posto bar
    hotel academia cursinho santuário lanchonete pizzaria sorveteria pousada farmácia laboratório convênio
    seguradora seguro carteirinha instagram insta facebook face twitter tiktok telegram skype whatsapp whats
    zap site perfil usuário login placa empregador
""")

#: With a second word, a name follows: "conversei com Rosa", "encaminhado pela dona Clara".
NAMED_BEHIND: Final = words("""
    conversei conversou conversa falei falou falar conversar mora morava vive casado casada acompanhado
    acompanhada encaminhado encaminhada indicado indicada atendido atendida avaliado avaliada operado operada
    orientado orientada trazido trazida supervisionado supervisionada assinado liguei ligou enviado enviada
    prescrito prescrita solicitado solicitada namora namorando casou separou nome
""")
NAMED_BEHIND_JOINTS: Final = words("com por pelo pela ao à para pra é de do da")
#: With a second word, a place or an employer follows: "trabalha na padaria", "mora em Campinas".
PLACE_BEHIND: Final = words("""
    trabalha trabalhava trabalhou trabalhar trabalhando estuda estudava estudou estudando leciona funcionário
    funcionária empregado empregada mora morava morou morar reside residia residente natural nasceu nascido
    nascida viajou viaja viajar mudou viagem joga jogava interior região
""")
PLACE_BEHIND_JOINTS: Final = words("na no nas nos em de do da para pra pro")
#: "plano de saúde", "convênio de saúde", and the insurer's name.
INSURANCES: Final = words("plano convênio seguro operadora")
#: Only people do these: what stands before them is a person, if it is no everyday word.
PEOPLE_DO: Final = words("""
    relatou relata relatava referiu refere disse diz dizia informou informa queixou queixa-se nega negou contou
    conta comentou comenta pediu pede compareceu comparece chegou faltou ligou trouxe autorizou pagou perguntou
    mandou enviou agradeceu reclamou reclama confirmou remarcou desmarcou cancelou sentiu gostou mora trabalha
    estuda acha achou solicitou acompanhou encaminhou indicou prescreveu operou liberou chorou chora riu sorriu
    brincou gritou falou respondeu
""")
#: People do these, and other things too: before them, everyday words that are also names are names.
PEOPLE_DO_TOO: Final = words("""
    apresenta apresentou tem teve está estava esteve foi fez faz veio vem vai realizou realiza executou executa
    evoluiu evolui melhorou piorou consegue conseguiu sente treinou caminhou caiu acordou dormiu viajou voltou
    retornou retorna iniciou segue seguiu manteve mantém tolerou gosta quer tomou toma usa usou ficou era deve
    precisa
""")
#: What only somebody does, not what is measured: before them, "Eva" is no scale.
DEEDS: Final = words("""
    sente sentiu relatou relata referiu refere disse diz informou informa queixou contou conta pediu chegou
    faltou ligou trouxe compareceu veio vem fez faz realizou realiza executou executa consegue conseguiu
    treinou caminhou caiu acordou dormiu viajou voltou retornou tolerou gosta gostou quer tomou usa nega negou
    mora trabalha chorou precisa
""")
#: Everyday words that are also names.
ALSO_NAMES: Final = words("sol ali")
#: Short names that a dictionary knows as something that notes never need.
SHORT_NAMES: Final = words("zé zezé tião")
#: Behind these and "de", words that are also names are names: "atendimento de clara".
NAMED_OF: Final = words("atendimento sessão consulta visita prontuário evolução alta agenda horário ficha")
#: Behind these and a second word, a nickname follows, which may be any word.
NICKNAMED: Final = words("""
    conhecido conhecida chamado chamada chamam chamamos chamar apelidado apelidada apelido apelidaram vulgo
""")
NICKNAMED_JOINTS: Final = words("como de por é")
#: They join the parts of a name.
JOINTS: Final = words("da de do das dos e di del la von van y")
#: Letters that stand alone in notes.
LETTERS: Final = words("a e o d x n h m s g j p c q l t v w y i r")
#: A name with one of these is an organisation's, and may be of words that notes need: "Clínica Movimento".
ORGANISATIONS: Final = words("""
    clínica clínicas centro instituto estúdio studio espaço consultório hospital policlínica academia
    fisioterapia fisio reabilitação saúde pilates ltda eireli epp associação fundação núcleo
""")
#: They are in names and are nobody's.
PARTICLES: Final = words("dos das del der van von los las")
