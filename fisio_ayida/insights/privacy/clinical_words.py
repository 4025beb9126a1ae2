"""What physiotherapists write: terms, abbreviations, units and drugs, and who gave tests and diseases their names.

Here: words that may leave the house even where a dictionary does not know them, or where a capital letter makes
them look like a name. Written with accents, compared without. Not here: everyday words (``everyday_words.py``) and
names (``names.py``).
"""

from __future__ import annotations

from typing import Final

from fisio_ayida.insights.privacy.field_words import FIELDS
from fisio_ayida.insights.privacy.plain_text import words

ABBREVIATIONS: Final = words("""
    ac adm aines alt aps atm avc ave avd avds avp aivd bcf bpm bs ca cc cca ccf cif cm cms co2 cpap crossfit cvf
    dd dda ddd dde dl dle dld dm dp dpoc dtm ecg eeg eias eips emg ems endo eva evn ews ext exs fa fc fcmax fes
    fisio flex fm fr ft gh gu hal has hba hz iam iap igg imc inf ira irc ita itu iv ivas khz kg kgf km kpa lat
    lca lcl lcm lcp led les lmc ln lr ma mcg md mds me med mes mg mhz mie mid mi mmhg mmii mmiis mmss mrc ms msd
    mse msj mtp mu mv mw nac neuro nmes nm npo nr obs ofa oms op ort ox pa pad pas pc pcr pcte pcts pct pe pep
    pfe pgi pim pimax pemax po poi pos pot pq prn prp psf pte qd qdn qe qp rag rcp rep reps rl rle rli rm rmn rnm
    rom rpe rpg rt rx sat semi set sets seg sc si sn snc snp spo2 ss st std sup tc tce tcc tens tep tfd tfcc tm
    tmm tnf to tot tto ttt tta tug tv um us usg uti vas vc vef1 vlt vm vmo vni vo2 voldyn vs ii iii vi vii viii
    ix xi xii pcie cva cvb dn drx hd hda hma hmf hpp pnf fnp psfs dash wb wod bfr iastm mat mwm snag snags nag
    nags slr aslr sij sii asi psi qlq spadi koos womac bbs tc6 tc6m tsl sls sts cx cxs hx fx rxs ap perfil pré
    pós aas kcal min mins sem hs hr ph mpa mf if ifs ifd ifp mcf mtf cot ctps pcf acl pcl ulnt tlm tmj itb faai
    fai oa ar ea lco ntd d e x n h a o m s g j
""")

BODY: Final = words("""
    abdome abdômen abdominal abdominais abdutor abdutores acetábulo acromial acrômio acromioclavicular adutor
    adutores anca antebraço antebraços antepé anterior anteriores ânus aponeurose aquileu aquiles articulação
    articulações articular articulares artelho artelhos artéria axila axilar axis bacia bexiga bíceps boca braço
    braços bursa cabeça calcâneo calcanhar calcanhares canela capsular cápsula carpo cartilagem cefálica cérebro
    cervical cervicais cintura ciático ciática clavícula coccígea cóccix coluna condral côndilo corpo costal
    costas costela costelas cotovelo cotovelos coxa coxas coxofemoral crânio cravical crural cubital cuboide
    cuneiforme dedo dedos deltoide dente diafragma disco discal discos dorsal dorso eretores escafoide escápula
    escapular escapulotorácica escaleno escalenos escroto esfíncter espinha espinhal esqueleto esterno
    esternocleidomastoideo extensores face facetária facetárias falange fáscia fascial femoral femoropatelar
    fêmur fíbula fibular fibulares flexores fossa gastrocnêmio gastrocnêmios glenoumeral gleno umeral glúteo
    glúteos glútea grácil hálux hemicorpo hemiface iliopsoas ílio ilíaco ilíaca iliotibial inguinal inferior
    inferiores infraespinal infraespinhal infrapatelar intercostal intercostais interescapular intervertebral
    isquio isquios isquiotibial isquiotibiais ísquio joelho joelhos lábio labrum labral lateral laterais
    ligamento ligamentos ligamentar lombar lombares lombopélvica lombossacra lombossacral lumbricais mandíbula
    mão mãos maléolo masseter mastoide maxilar medial mediais medula medular membro membros menisco meniscal
    meniscos metacarpo metatarso metatarsal multífido multífidos multífidus muscular musculares músculo músculos
    musculatura mucosa nádega nádegas nariz navicular nervo nervos nuca oblíquo oblíquos olho olhos olécrano
    ombro ombros oposição orelha osso ossos ósseo óssea panturrilha panturrilhas parede patela patelar
    patelofemoral pata paravertebral paravertebrais pé peito peitoral peitorais pele pélvico pélvica pelve pelves
    períneo perineal perna pernas pescoço piriforme planta plantar platô pododáctilo polegar polegares poplítea
    poplíteo porção posterior posteriores processo prono próstata psoas pubis púbis pulmão pulmonar punho punhos
    quadrado quadríceps quadril quadris radial rádio raiz raízes reto reto-abdominal retropé rim rins romboide
    romboides rotador rotadores rótula sacral sacro sacroilíaca sartório semimembranoso semitendinoso semilunar
    serrátil sinovial sóleo subescapular subacromial superior superiores suprapatelar supraespinal supraespinhal
    sural talo talocrural tarso temporal tendão tendões tendíneo tensor têmporomandibular temporomandibular tenar
    hipotenar testa tíbia tibial tibiotársica tíbio tornozelo tornozelos torácica torácico toracolombar tórax
    transverso trapézio trato tríceps trocanter trocantérica troncular tronco tuberosidade ulna ulnar umbigo
    úmero unha útero uterino vagina vaginal vasto vastos veia vértebra vértebras vertebral via vulva olhar
    peroneal fibrocartilagem capsuloligamentar rotulas
""")

FINDINGS: Final = words("""
    acalculia acidente aderência aderências aguda agudas agudo agudização alívio alinhamento alodinia alongado
    alteração alterações amplitude amplitudes analgesia analgésico anormal ansiedade ansioso ansiosa antálgica
    antálgico apoio apneia apraxia ardência arritmia artralgia artrite artrodese artrose artroplastia
    artroscopia assimetria assimétrico assimetrias assintomático assintomática ataxia atonia atrofia aumento
    ausência ausente avulsão balance bilateral bilateralmente bloqueio bursite bradicardia bruxismo câimbra
    câimbras calcificação calor cansaço cansado cansada capsulite cardiopatia carga cefaleia cervicalgia
    cervicobraquialgia cianose cicatriz cicatrização cifose cinesiofobia cirurgia cirúrgica cirúrgico
    claudicação claudicante clínico clínica clônus colapso comorbidade comorbidades compensação compensações
    compensatório complicação compressão comprometimento condromalácia condropatia congelado constipação
    contralateral contratura contraturas contusão coordenação crepitação crepitações crise crises crônica
    crônico curativo deambulação debilidade déficit déficits defesa deformidade degeneração degenerativa
    degenerativo dermátomo derrame desalinhamento desconforto desconfortos descompressão desequilíbrio
    desequilíbrios desgaste desidratação desnível desuso desvio desvios diabetes diagnóstico diástase
    dificuldade dificuldades diminuição diminuído diminuída diplegia dinâmica dinâmico direita direito direitos
    discinesia discopatia discreta discreto disestesia disfagia disfunção disfunções dislipidemia dismetria
    dispareunia dispneia displasia distal distensão distonia distrofia diurese doença doenças dolorido dolorida
    dolorosa doloroso dor dores dorsalgia edema edemaciado edemas efusão encurtado encurtamento encurtamentos
    enfisema enjoo enrijecimento entorse enxaqueca epicondilalgia epicondilite equilíbrio equimose equino
    eritema escara esclerose escoliose esforço espasmo espasmos espasticidade esporão espondilolistese
    espondilólise espondilose esquerda esquerdo estabilidade estável estenose estiramento estresse estalido
    estalo evolução exame exames excesso fadiga fadigado fasciculação fasciíte fascite febre ferida
    fibromialgia fibrose fisgada fisgadas fissura fístula flacidez força forças formigamento formigamentos
    fraqueza fratura fraturas frouxidão função funcional funcionalidade ganho ganhos genu geno gestação
    gestante glicemia gonalgia gonartrose grau graus hálux hanseníase hematoma hemiparesia hemiplegia
    hemorragia hérnia hérnias hidratação hidratado hidrocefalia hiperalgesia hipercifose hipercinesia hiperemia
    hiperextensão hiperlordose hipermobilidade hiperreflexia hipersensibilidade hipertensão hipertensa
    hipertenso hipertonia hipertrofia hipoestesia hipomobilidade hiporreflexia hipotensão hipotireoidismo
    hipotonia hipotrofia histórico história hipoxemia hiponatremia imobilização impacto impotência incapacidade
    incisão incontinência indolor inchaço inchado inchada infecção inflamação inflamatória inflamatório
    inibição instabilidade instável insônia insuficiência intensidade intensa intenso internação intolerância
    ipsilateral irradiação irradiada irradiado irritabilidade isquemia labirintite latejante laceração lesão
    lesões leve leves limitação limitações limitada limitado linfedema locomoção lombalgia lombociatalgia
    lordose luxação marcha medicação melhora melhoras meniscectomia menopausa metatarsalgia mialgia mielopatia
    miopatia moderada moderado mobilidade monoparesia movimento movimentos náusea nauseas neuralgia neurapraxia
    neurite neuropatia nódulo nódulos normal normais normalidade obesidade obeso obesa oclusão osteoartrite
    osteoartrose osteófito osteófitos osteopenia osteoporose paralisia paraparesia paraplegia parestesia
    parestesias parestesico patologia patologias perda perimetria peso pinçamento piora pioras plegia pneumonia
    podagra polineuropatia ponto pontos gatilho gatilhos postura posturas postural posturais prejuízo prótese
    prótesis protrusão protrusões protusão prurido pseudoartrose quadro queda quedas queimação queixa queixas
    rabdomiólise radiculopatia reabsorção recidiva recidivas recrutamento redução reduzido reduzida reflexo
    reflexos refluxo remissão repouso resistência restrição restrições retração retificação rigidez rotura
    ruptura rubor sedentária sedentário sedentarismo sensibilidade sensação sequela sequelas sinal sinais
    síndrome sinovite sintoma sintomas sintomático sintomática síncope sobrecarga sobrepeso sono subaguda
    subluxação tálus taquicardia tendinite tendinopatia tendinopatias tendinose tenossinovite tensão tensões
    tetraparesia tetraplegia tônus torção torcicolo torpor tosse traumatismo trauma tremor trofismo trombose
    tumor úlcera unilateral unipodal valgo valga valgismo valvopatia varismo varizes varo vertigem vertigens
    vigil lúcido lúcida orientado orientada acordado acordada corado corada afebril eupneico eupneica
    normocárdico normotenso consciente colaborativo colaborativa dismenorreia constante intermitente pontada
    pontadas agulhada queimor choque choques pressão positiva positivo negativa negativo presente presentes
    ulceração osteocondrite osteomielite espondilite artropatia entesopatia pubalgia canelite coxalgia talalgia
    metástase hipossensibilidade prolapso endometriose mastectomia laminectomia microdiscectomia osteossíntese
    tenorrafia discectomia foraminotomia histerectomia cesárea cesariana fasceíte tendinosis lipedema seroma
    deiscência queloide covid covid19 dengue chikungunya parkinsonismo mielomeningocele encefalopatia
    microcefalia autismo tea tdah
""")

TREATMENT: Final = words("""
    abdução aceleração acessório acupuntura adaptação adaptado adução aeróbico aeróbica aferição afundo
    agachamento agachamentos agachar agilidade agulhamento ajuda alcance along alonga alongar alongamento
    alongamentos aparelho aplicação aplicado aplicada aquecimento aquática aquático arco ativação ativo ativa
    ativos ativas ativo-assistido assistida assistido atendimento atividade atividades auriculoterapia auxílio
    avaliação avaliações avanço bandagem bandagens banho barra barras bastão bengala bicicleta bike bicama
    biofeedback bipodal bird birddog dog bola bolas bolinha bosu box burpee burpees cadeia cadeira cama camadas
    caminhada caminhadas caneleira caneleiras carrinho cervicotorácica cicloergômetro cinesioterapia cinética
    cinético cinta circuito cinesioterapêutico cinesioterapêutica clam clamshell clam-shell colchão colchonete
    colete conduta condutas concêntrica concêntrico contração contrações contraste controle cooper core corda
    corrente correntes corrida corridas criança crioterapia cross cunha curl deadlift decúbito decoaptação
    descanso descarga dessensibilização dieta diatermia dinamômetro dinamometria dissociação dorsiflexão
    domiciliar domiciliares drenagem drop dry needling elástico elásticos elastico eletroestimulação
    eletroterapia eletroterapêutico elevação endurance escada escadas escala escalas espaldar espirometria
    espirômetro esteira estabilização estação estimulação estímulo estática estático estáticos excêntrica
    excêntrico exercício exercícios execução expansão exteroceptivo extensão extensora facilitação faixa faixas
    fascia fisiológica fisioterapia fisioterapêutico fisioterapêutica fisioterapeuta flexão flexões flexo flexora
    flexor flexiona foam roller fonoforese fortalecer fortalecimento frequência galvânica gelo gesso ginástica
    ginecológica goniometria goniômetro graston halter halteres hidroginástica hidroterapia higiene hiit hip
    thrust home idem infiltração infravermelho instabilidade interferencial intervalo inversão eversão invertida
    iontoforese isocinético isometria isométrica isométrico isométricos isostretching isotônico isotônica jump
    kabat kettlebell kettlebells kinesio kinesiotape kinesiotaping kine tape taping laser laserterapia led leg
    press legpress levantamento liberação ligadura linfática lunge lunges maca manipulação manobra manobras
    manual manuais massagem massoterapia matrix mecanoterapia medida medidas medicine ball meta metas metodologia
    microcorrentes microagulhamento minibands mini band miniband minitramp mobilização mobilizações modificado
    modificada muletas muleta musculação método natação neural neuromodulação neuromuscular neurodinâmica
    objetivo objetivos ondas órtese órteses orientação orientações osteopatia overball pacote padrão palmilha
    palmilhas palpação paralela paralelas parafina passada passadas passiva passivo passivas passivos passe passo
    passos pedal pedalada peso pesos pilates planejamento plano pliometria pliométrico polia polias pompage
    pompagem ponte pontes prancha pranchas posicionamento preparo prescrição prescrições procedimento
    procedimentos prognóstico programa progressão progressões progressivo pronação prona propriocepção
    proprioceptivo proprioceptivos proprioceptiva prova protocolo quatro apoios quiropraxia radiofrequência
    reabilitação reavaliação reavaliar reeducação reequilíbrio relaxamento remada remadas repetição repetições
    resistido resistida resistidos resistidas respiração respiratória respiratório respiratórios retorno reteste
    ritmo rolinho rolo rosca rotação rotações rotina russa salto saltos serrote série séries sessão sessões
    shockwave simetria sling side plank skip slide sprint squat squats stand step steps step-up step-down stiff
    stretching subir descer suíça supervisão supinação supino supina sustentação tábua tapete tapping tarefas
    técnica técnicas teraband theraband thera-band thera terapêutica terapêutico terapêuticos terapia terapias
    termoterapia teste testes toalha toalhas trações tração tradicional trampolim transferência transferências
    transição tratamento tratamentos treino treinos treinamento trekking treadmill turbilhão ultrassom
    ultrassônico uroginecológica uroginecologia vácuo ventosa ventosas ventosaterapia vestibular vestibulares
    vibração volante voador vibratória warm up wall woodpecker yoga ioga kegel hipopressivo hipopressiva
    hipopressivos perineais perturbação perturbações pegada puxada puxador rebote recuperação carregamento hands
    off hundred roll reformer cadillac barrel chair mat swan teaser tower footwork short foot monster walk
    walking dead bug superman glute bridge farmer wall-slide pendular pendulares pêndulo escapulares retrógrada
    tandem apnéia cpap bipap epap threshold respiron flutter shaker huff aspiração inalação nebulização imagem
    motora espelho dupla tarefa marcha estacionária agachado rolfing shiatsu reiki cupping moxabustão galope
    jumping jack deslocamento sentar levantar sentado sentada deitado deitada ortostatismo ortostase bipedestação
    miofascial miofasciais autoliberação assoalho tensional dermátomos miótomo miótomos esfincteriana
    esfincteriano miccional isometrias suboccipital suboccipitais neurológico ortopédico esportiva geriátrica
    pediátrica cardiorrespiratória reexpansão anteriorização retroversão anteversão lateralização medialização
    horizontal sagital frontal coronal congênito congênita espástica espástico gmfcs sedestação bimanual
    isquêmico isquêmica hemorrágico subluxado subluxada afe perfect eletromiográfico suprapúbica beighton rir lsi
    hop dn4 down spine stretch circles kick tummy time cicatricial aderida intervertebrais osteomioarticular
    osteomuscular musculoesquelética musculoesquelético neuropática nociceptiva nociplástica neuroplasticidade
    sensório-motor sensório sensoriomotor psicomotricidade neuromotor vasopneumático endermologia pressoterapia
    peeling ultracavitação criolipólise estrias celulite biomecânica ergonomia ergonômica ergonômico ergonômicas
    telefisioterapia telessaúde supervisionado supervisionada semiagachamento mini-agachamento miniagachamento
    semi-agachamento crawl
""")

CARE: Final = words("""
    paciente pacientes pcte aluno aluna atleta cliente alta acompanhamento admissão anamnese ambulatório atendida
    atendido agendamento consulta consultas convênio encaminhamento retorno relatório prontuário plano saúde
    ressonância radiografia tomografia ultrassonografia densitometria eletroneuromiografia hemograma laudo laudos
    internado internada hospital ortopedista médico médica neurologista reumatologista cardiologista fisiatra
    nutricionista psicóloga psicólogo educador personal cuidador cuidadora acompanhante cirurgião equipe
    enfermagem objetivo subjetivo soap inspeção ausculta expiratório inspiratório expiração inspiração murmúrio
    roncos sibilos crepitantes secreção oxigênio saturação ventilação aferida aferidos vitais sinais glicose dpp
    gesta parto puerpério puérpera pós pré pós-operatório pré-operatório pós-operatória operatório operatória
    pós-parto pós-cirúrgico pós-treino pós-atendimento pré-treino relatou relata refere referiu queixa-se nega
    negou apresenta apresentou mantém manteve realizou realizado realizada realizados realizadas realizei
    orientado orientada orientei evolui evoluiu evoluindo melhorou melhorando melhorar piorou piorando piorar
    tolerou tolera tolerada executou executado aumentou diminuiu progrediu progredir manter mantido mantida
    iniciado iniciada iniciou sente sentiu consegue conseguiu segue seguiu compareceu eva dor sem melhora
    esquerda direita evn borg tug
""")

DRUGS: Final = words("""
    aas aceclofenaco adrenalina alendronato alprazolam amitriptilina amoxicilina analgésicos anlodipino
    antibiótico antibióticos anticoagulante antidepressivo anti-inflamatório anti-inflamatórios antiinflamatório
    antiinflamatórios anti aspirina atenolol atorvastatina baclofeno betametasona botox toxina botulínica
    captopril carbamazepina carisoprodol cefalexina celecoxibe cetoprofeno ciclobenzaprina citalopram clonazepam
    clonidina codeína colágeno colchicina corticoide corticoides cortisona creatina dexametasona diazepam
    diclofenaco dipirona donepezila dorflex duloxetina enalapril escitalopram etodolaco etoricoxibe fentanil
    fluoxetina furosemida gabapentina glicosamina condroitina hialurônico hidroclorotiazida hidrocortisona
    ibuprofeno indometacina insulina ketoprofeno lamotrigina levodopa levotiroxina lidocaína lisador losartana
    meloxicam metformina metilprednisolona metotrexato metoprolol metronidazol miosan morfina naproxeno
    nimesulida nortriptilina omeprazol ondansetrona oxicodona pantoprazol paracetamol paroxetina piroxicam
    prednisolona prednisona pregabalina propranolol quetiapina relaxante relaxantes rivaroxabana rosuvastatina
    sertralina sinvastatina suplemento tandrilax tapentadol tenoxicam tizanidina topiramato torsilax tramadol
    trazodona triancinolona varfarina venlafaxina vitamina vitaminas zolpidem cálcio magnésio ômega whey
""")

UNITS: Final = words("""
    kg kgs g mg mcg ml l lb lbs cm mm m km mts mt mets s seg segs segundo segundos min mins minuto minutos h hs
    hr hrs hora horas x rep reps repetições série séries sets graus grau º ° hz khz mhz ma mw j joules w watts v
    volts n newtons bpm mmhg irpm ipm rpm kcal cal passos vezes dias dia semana semanas mês meses ano anos vez
    mes sem kmh ui ug pontos pts
""")

#: Who gave a test, a scale, a disease or a method its name, and is nobody whom one meets in Brazil: always kept.
METHODS: Final = words("""
    achilles aims alfredson alzheimer apley ashworth babinski bankart barlow barré barthel bayley bobat bobath
    borg boston bosu bouchard bozu brackmann braden bragard broca brunnstrom buerger bunnell calvé cawthorne
    chaitow charcot charlson cobb codman colles constant cooksey cozen credé crohn cyriax danlos daroff dejour
    delorme denver dgi dix duchenne dupuytren ehlers epley epworth erb faber fadir fadire finkelstein forestier
    frenkel fried friedreich froment fugl gaenslen galant gartland glasgow godet gowers guillain gustilo guyon
    haglund halliwick hallpike harris hawkins heberden hill hillsachs hoehn hoffa homans house huntington ikdc
    insall jamar jendrassik jewett jobe kabat kehr kellgren kernig kibler kienbock klapp lachman lachmann
    laguerre lasegue lasègue lawton ledderhose legg lequesne lhermitte ling lippman ludington lysholm mackenzie
    maisonneuve maitland marfan mcburney mcconnell mcgill mckenzie mcmurray meniere mennell milgram milwaukee
    mingazzini modic morris mulligan murley nachlas neer nottingham nylen ober ortolani osgood oswestry
    outerbridge oxford paget parkinson patte pediasuit perthes pfirrmann phalen phallen pittsburgh pivot
    ponseti pott pusher quervain ragaz ranchos rankin raynaud risser rockwood roland romberg roos rovsing sachs
    salter schatzker scheuermann schlatter schmorl schober schroth segond semont silfverskiold sjogren slocum
    slump sorensen spurling stemmer stinchfield sudeck tampa tardieu tegner therasuit thessaly tinel tinetti
    tredelemburg trendelemburg trendelenburg unterberger valsalva vojta volkmann wartenberg wunda yahr yeoman
    yergason yocum zohlen
""")

#: They gave a test or a disease its name, and people are named so: kept only where that is said.
EPONYMS: Final = words("""
    adams adson alberta allen baker barre baxter beck becker bell bennett berg brandt brown clarke cooper denis
    ely feiss fowler fukuda galeazzi gehrig gerber gillet godfrey golfer gordon graves hammer harris hashimoto
    hoffmann hoover hughston jackson jacobson james katz kemp kendall kirschner knapp kohler lambert landau
    lawrence lou meyer mill mills moro morton mulder murphy neri noble norris norton obrien padovan patrick
    reiter rendu rinne robert rowe ruffini salvati sarmiento sever simmonds sims smith steinman steinmann
    stewart sweeney thomas thompson thomsen todd tyrell vladimir walker watson weber wells williams wilson
    wright young zanca
""")

#: Behind one of these and "de", with an adjective between at most, a name of :data:`EPONYMS` is no person.
CUES: Final = words("""
    cisto classificação conceito contratura critério critérios deformidade distrofia doença escala escalas
    esclerose fenômeno hérnia mal manobra manobras método métodos neuroma nódulo nódulos paralisia princípio
    questionário questionários reação reações reflexo sinais sinal síndrome tenossinovite teste testes
    tireoidite técnica técnicas ângulo índice
""")

#: Tests and scales are told with a result, people are not: "Thomas +", "Berg 46/56".
SCALES: Final = words("berg katz norton beck lawrence rowe meyer")

CLINICAL: Final = ABBREVIATIONS | BODY | FINDINGS | TREATMENT | CARE | DRUGS | UNITS | FIELDS | METHODS
