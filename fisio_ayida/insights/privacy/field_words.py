"""What notes have of each field of physiotherapy: joints, nerves, breathing, pelvic floor, children, sport, age.

Here: terms, abbreviations, equipment and scales beyond the common ones of ``clinical_words.py``. All of them are
part of its list. Written with accents, compared without. Not here: names of who invented something.
"""

from __future__ import annotations

from typing import Final

from fisio_ayida.insights.privacy.plain_text import words

FIELDS: Final = words("""
    10mwt 1rm 2mwt aap abaulamento abaulamentos abdominoplastia abvd acapella acinesia acquatube acwr aducto af
    afasia afo afos afásico agachou agnosia aimt airex akps algias aloenxerto along andador andadores anestesia
    anismo anorgasmia anosognosia anquilosante anserina anserino anserinos antepulsão anterolistese
    anteroposterior aofas apogeotrópico aquatubo arrasta arrastar arremesso arremessos artrogripose atelectasia
    ativo atj atlanto ato atq atáxica atáxico aussie autoalongamento automassagem automatismo automobilização
    autopassivo aval avaliado axilares axonotmese back bad balance baqueteamento batiestesia batimento
    batimentos bdi bestest bilat bilaterais bimaleolar bloqueios bota boutonniere bradicinesia bradicinético
    braquial braquiorradial broncodilatador broncoespasmo bronquiectasia bronquiolite brônquica brônquicas
    brônquico brônquios budesonida bulbar burst bífida búlgaro cadeirante cait calcaneofibular calcaneovaro
    calcificada cam canadense canadenses canalitíase capitato capnografia carinatum catastrofização cateter
    cauda causalgia cdl cdta cefalgia cefalocaudal cefálico ceifante cervicalgias cervicodorsal cervicogênica
    cervicogênico chute chutes cicatrizada cif cifoescoliose cinesio cinestesia cinetose circundução cistocele
    cj claudica claudicando clono cmj cnaf colchonetes concussão concêntricas concêntricos cond cones
    congelamento contrarresistido contrarresistência contrastes copenhagen copenhague copm coracobraquial
    coracoide coreia coreoatetose cornagem corno costocondral costovertebral cpm crepitante criocompressão
    crioestimulação crochetagem csi ctlso cunhas cupulolitíase cvf dash ddh ddi decerebração decorticação deep
    delirium deltoideo demencial demência desaceleração desidratado desmame desnervação dessaturação dessaturou
    dessensibilização dhs diadinâmica diadinâmicas digiflex dir disartria discartrose discinese
    disdiadococinesia dissinergia disártrico disúria dlm dnm dnpm doppler dorsalgias dorsolombar downbeat dpac
    dqd dreno drop dropjump drr dum dx ecn ecodoppler ecom eletrodo eletrodos eletrolipólise elpr eltgol emgs
    end endermo endoprótese engatinha engatinhando engatinhar enurese enxerto enxertos epi episiotomia
    epitroclear eq equina equinovaro ergoespirometria escadinha escafoides escapuloumeral escarvante espaguete
    espinal espondiloartrose esq estabilizador estalos estepagem estereognosia esternal esternocostal
    estertores estrabismo estático eudiadococinesia evacuatória evacuação evol exc excavatum excêntricos
    expectoração expectorou exsudato extrusão extubação fa faam fabq fac fbm femoroacetabular fes fesi
    festinação ffi fga fibroses fibrólise fim finger fio2 fios fiq fitball fixador flexoextensão flogístico
    flogísticos flutuador flywheel fnst foraminais foraminal formoterol fort fotobiomodulação fragilidade
    freezing frágil fss ftp gaiola ganchos gas gasometria gds geotrópico gestacional gird glittre gmfm goblet
    gold gonartroses goteira grafestesia grip guincho habituação hads hallux hamato hand haste head helicópode
    hemangioma hemianopsia hemiartroplastia hemibalismo heminegligência hemisfério hemivaro hemivértebra
    hemodiálise hemoptise hf hidro hidroanalgesia hidrocolóide hine hiperativa hipercapnia hiperpatia
    hipersecretivo hipersecreção hipertônica hipertônico hipervigilância hipocapnia hipoestésico hipofunção
    hipomimia hipomímica hipopalestesia hipotônica hipotônico hipoxia histerectomizada hkafo hoos hop hpma hsr
    huffing hvla hvlat ift ig iks ilizarov ilíaco imersão imobilizador impulse inclinação incontinência
    incremental inespecífica inespecífico infraespinoso ingurgitamento insercional interfalangeana
    interfalangeanas interfalangiana intermetatarsal intertendíneo intertrocantérica interósseo interósseos
    intramedular intraoral intubação isoinercial isom isométricas iue ium iuu joanete joanetes jump kafo kujala
    lactação lagoftalmo lanss laserpuntura lateroflexão lateropulsão ledterapia lefs lib lift limb
    lipoaspiração lipoenxertia lisfranc lmf lombalgias lombarização lombossacro loop macronebulização macs
    magnetoterapia mallet mamoplastia manip manips manovacuometria manuvacuômetro massageadora mastite mcv
    mecânica mecânico medball mediolateral meem melena mep metacarpofalangeana metatarsofalangeana metatarsus
    mfis mif minibest minibestest mioclonia miof miopática miorrelaxante miorrelaxantes mmrc mmse mobil
    monofilamento monofilamentos mos mrs mucoide multifatorial mão mímica narina narinas nasal ndi nebulizador
    negligência neurodinâmico neurogênica neurogênico neuroma neurotmese nihss nistagmo nistagmos nocturia
    nordic nprs nórdico occipital oclui ocluiu oclusal oculomotor odi ombro op oponente optocinético orient
    orofacial ortopneia ortopodologia ortostática oscilopsia osteoartrites osteofitose osteotomia palestesia
    parafusos parapodium paravert parkinsoniana parkinsoniano patelectomia pcs pectus pedi peep perineometria
    perineômetro periostite pes pessário petequial pgc pilão pincer pinos pinça pisiforme pistol pistola placa
    plagiocefalia play pleural plexopatia plica pliometrias pliométricas pliométricos pneumotórax polaciúria
    polifarmácia polimialgia polirradiculoneuropatia popq pos posicional posteroanterior powerbreathe preensão
    prematura prematuridade prematuro pronador pronossupinação propr propriocep propriocept propriocepção
    prostatectomia protração prtee pruriginosa prwe pré pse pses psicossociais psicossocial psoas psqi psr
    pterigoideo pterigoideos ptj ptose ptq pubeíte purulenta qlp quick quickdash ra radicular radiculares rafi
    rcm rdq reaval recesso reposicionamento resistido ressalto ressaltos retocele retrolistese retropulsão
    return rizartrose rmdq rml rmp rmv rnpig rnpt rnt robofoot rolar rolete romeno rope rotatório rsi rtca rtcs
    rtm rtp running sacralização salbutamol sarcopenia sarcopênico sato2 sdpf sdrc sebt sensibilização
    sensitiva sensitivo sequestro seromas sf sga shell shift sialorreia sibilância sincinesia sincinesias
    sindesmose siringomielia slamball slap sleeper slider sliders slrt spider splint spo sppb sprints squeeze
    start startback stepper subcoracoide subtrocantérica sumô superband superbands supinador supracondiliana
    supraespinoso sustento sutura suturas syndrome síncopes tala talas talofibular talonante tapotagem tarlov
    tc2m tc6min tcam td tecar tecarterapia temporada tenodese tensionamento tensioner tesoura test tfl thera
    tibiofibular tif tipoia tiragem tirante tirância tlso tonotrófico tqt transcutânea transcutâneo
    transfemoral transtibial trapezoide trapézios traqueo traqueostomia travamento trimaleolar trimestre
    trocânter trotar trote trotou trx tsk tsl5 tvt ucla ultt ultt1 ultt2 ultt3 uncoartrose uncovertebral
    unilaterais upbeat upper uretrocele urge urgeincontinência urgência vaginismo vef1 ventilatória
    ventilatório ventilómetro ventosoterapia ventroflexão vertebrais vestibulococlear vibrocompressão vif visa
    vor vppb vulvodínia watsu web whodas whoqol windlass ybalance ybt zigoapofisária zumba úmido
""")
