"""Names of people and places that a Portuguese dictionary takes for words; folded (lower case, no accents).

Here: only names that the dictionary knows, because a word that it does not know never leaves the house: given
names that at least 60 people bear (IBGE, census of 2010), frequent surnames, towns, clubs, insurers, churches.
Not here: which of them is removed where (``walk.py``).
"""

from __future__ import annotations

from typing import Final

from fisio_ayida.insights.privacy.plain_text import words

#: Nobody needs these in a clinical note: removed wherever they stand.
NAMES: Final = words("""
    abadia abadias abadio abia abias abio abram abramo abreu acacia acari acaua acelio acila acilia acione
    aclimacao acre acucena ada adail adais adam adamar adamares adamastor adames adamo adao adas adegar adejar
    adelfa adelfo adelha adema adenia adenias ades adi adia adidas adil adila adilar adile adilei adiles adilo
    adio adir adira adis adival ado adonia adonias adonis adua adventista afia afife afonsina agar agata agida
    agina agma agostinha agostinho agricola agrimar agrinaldo agripina aguiar aguila aguita aiara aias aido ailo
    aimar aimara aimore aira airam aire aires airi airis airo alacir alagoas alai alais alam alamo alana alano
    alao alasse alba albana albanes albano albertinho albina albino alcantara alce alcea alcei alceia alceno
    alcida alcidea alcino alcione alciones alcita aldeota aldina aldino ale alea alef alei aleia alerte ales
    aleta alexander alexandra alexandrina alexandrino alexia alexina alfenas alfim alga alia alica alicia alicie
    alicio alie aliene alime alinda alindo alinea alineia alis alisa alise aliseu alisia alisio aliso almedina
    almeida almirante almita almo aloina aloisa aloise aloiso alonso alor alter altivo aluir aluis alune alva
    alvara alvares alvina alvino amalha amando amanso amara amarai amaral amaranto amaria amarilis amarina
    amarinho amaro amazonas ambrosia ambrosina ambrosino ambrosio americanas amerita ametista amilia amina amora
    amorim amos ana anaia anaias anais analina analiza analize anandra anastacio anazita ancila andara andes
    andrio andrios andromeda anedia anela anele anelito anelo anesia anete angelia angelica angelico angelim
    angelina angelino angelita angeliza angla anglica angola angra anica aniela aniele anielo anila anile anilo
    anina aninha anisa anise anisete anito anja anterina anterino antino antoniana antonina antonino anunciacao
    anunciada anunciado apaulo aquilina aquilino ara aragones arai aram aramita arao araras arcadio arcanjo argel
    argelina argelino argentina argentino argos ariana ariano arias arica arieta ariete arilo arima aristarco
    armando armelina armelino armenia armenio armim armino arruda arsenia arsenio artemisia asarias assai assiria
    assumpta assuncao asta aster asteria asterio atais atanasia atico atilho atina augusta augustinho augusto
    aulo aulos aurea aurelia aureo aurita aurito aurora auxiliadora avania avela avelar avila azeredo babara
    bacelar baia baldo bambina baptista barbara bartolomeu bastiao bastos batista beata beato bel belem belisaria
    belisario beltrao benedito benigna benigno benjamim benta bento berilo berlinda bernarda bernardo bertoldo
    bete betel betinha betinho beto betty bezerra bibi bile bina bino bispo blas blenda bolivar bores boris
    borralho bosco boto braga brandao brando brasiliana brasiliano brasilina breda brida brisa brito bruna brune
    bruni bruno bulhoes cacau caie caim caio caios caique caira caires cairo caliandra calina calista calisto
    calos camelia camila campina campinas candelaria candida candido cardim caricia caricio carie carina cario
    carita caritas carlota carme carmelina carmelita carmes carmim carmina carmine carmino carneiro carnem carola
    carolina carolino carrasco carrilho carvalhal carvalho casimira cassia cassina castanhal castanheira
    castorina catao catarina catarino catiana catiano catulo caua caula cavaco cavalheiro ceara celestina
    celestino celha celica celsa celso ceres cerina cerqueira cesar cesaria cesio chale chales chara charla
    charle charlei charles charlie charlote chena chiara chico chile chiu ciara cica cicero cila cilas cilio
    cinde cindi cindia cinira cireneu cirio cisa cisara ciso ciumara clarete clarinha clarissa clarita clarito
    clemencia clemencio clemente clementina clores coelho coimbra colaco colares colmar colombo conceicao
    conchita concilia concita consolacao constancia cora coralina cordeiro cordovil cori corina corinto corolina
    correa correios cosmo coutada couto creci crecia creia cris crisalida crisanto crismar crismara crisolita
    crisostomo crista cristalino custodia custodio dacio dais dala dalas dalia dalina damar damares damaria
    damasceno damasco damaso dana danara dao dara dardania daria dativa dativo davis dea decimar deia deis delfim
    deli delia delicia delicio delires delis desterro dete detinha deva diamantina diamantino diana diandria
    dicelia didima didimo diese dina dinar dine dines dino dira diva divo dolina domar domicilia dominas dominga
    domingas donato dora dori doria dorial dorica dorico dorio doris doroteia doura drica duce ducina dulce
    dulcineia dulia eanes ebano eclesia eden edil edipo edis edito efesio egeu egide eider einstein eito elan
    eleusina eleuteria eleuterio elfa elicia elicio elida elide elides elidi elidia elido elisia elisio elmo
    elzevir ema emano eme emele emerita emerito emir ena encarnacao endro ene enea eneas eneo enes engraca enoque
    enoques enrico enrique eolina eolo erbio eremita erica erice erico eris erma ermando erme ermelinda ermes
    ermida ermita erodi erodias eros erval escarlate escolastica escolastico esmar esmeralda esmeraldina
    esmeraldino estefania estela estele estelo estenia ester esterlina esterlino esteva estevam estevao esteves
    estevo estivem eter eufemia eufrasia eugenia eugenio eulalia eutimia evangelho evangelista excelsa exodo
    expedido expedita expedito fabiana fabiano fabulo facundo fagundes faina falcao fane fara fares farias fausta
    fausto felicia felicissima felicissimo felicita felina felino felizarda felizardo fenando fenicia fenix feres
    fernandina fernandino ferrao ferreira filadelfo fileto filipina firmo fiuza flamengo flaminio flausina
    flausino flavo florenca florencia florentina florentino flori floria florida florindo florinha floris florita
    floro florzinha fluminense fogaca fraga fragoso franca frances francia francica francico francisca francisco
    franklin frei freire frontino frutuosa frutuoso gabia gadelha gael gaia gaio gal galeno galhardo galileu
    galvao gane gani garces gardenia gari garibalde garibaldi garrido gastao gaudino geiser gemi gemina geminiana
    geminiano genese geneses genesis genio genita genito georgiana georgina geraldina geraldino geri geris
    germana germanio germano germina germinal germino gero gertrudes gerusia gesse gilbert gilia ginete girao
    gitana giza glace gladia glauca glaucia glauco glaucos gliceria goes goias gois gomes google gordiano
    gorgulho goro gosme gouveia gracinha graciola graciolina graciosa gracita greco gremio greta grete guarani
    guerreiro guilda guilherme guilhermes guimel guita guto havana hebron helena heleniza helenize heleno helice
    helio helios helis helmut helvecio henry herculana herculano hercules heris herma herman hermas hermes
    herminia herminio heroina hester hilare hilaria hilario hilo holanda honor hortensia hosana iago ianque
    iberia icara icaro ico idalia idalio ides idilio ienes igara ilheus ilho ilia ilias ilidia iliria ilirio
    imaculada imperatriz inani india indiana indio ineri ingles inocencia inubia iole ion irai iram irde irdes
    ire ires iriam irias iridio irio iris iriz irlanda irmo iro isabel isabela isidio isla islas ismaelita israel
    itala italo iuca iva iza izais izar jacinto jade jades janda jandaia jandaira jandia janira januario japao
    jaque jaques jara jarda jardina jares jaro jasmim jaspe jau jave jazi jeep jeova jeremia jeremias jerica
    jeronima jeronimo jesuita jesus joanete joanico joanina joaninha joanino joao jobes joelha joina jonia jonias
    jonica jonio jordan jordana jordano josefina josefino juazeiro juca jucara judas juliana juliano junia
    junqueira jupiter jurai jure jurema jutai juvenilia kaiser keith kelvin lacio lady lai laia lais lala lameira
    lamia lana landa lande landes landim landina lando landra landro lapa larica lauda laude laura laurea
    laurencio laurentina laurentino laurina laurino lazara lazarina lazaro lazinha lealdo leao lecione lede ledes
    ledice ledo leia leita leitao leiva lela lele leles lelo lemes lemos lena lene lenes leni lenia lenida lenir
    lenira leniria lenis lenisse leone leones leonesa leonica leonina leonino leria lerio leticia levitico liam
    liana liara liberia liberio libero libertina libertino liberto libia libio libra lica lice licia licio lico
    lida lide lides lidia lidimar lidimara lidio lie lies ligia ligio lila limar limara lina linaria lindara
    lindaria lindava linea lineo linhares lino lio liones lira liria lirio liro lis lisboa lise lisia lisias
    lisio lismar lismara lissa lita litania litia lito livia livrada liza lize lobato lobo loia loire loisa
    londrina lora lordes lorena loreno lotar loura loureci loureiro loures loyola luca lucano lucas lucide
    lucides lucila lucile lucilei lucilo lucina lucio ludio luis lula lulu luna lurdes luria luza luze luzi luzia
    luzio luzita luzo macal macarena macedonio macela machado maciara maculada madai madalena madona magal
    magazine magnete magno magnolia magnos maia maiana maises malta malva manara manasseis manasses mani maninho
    manir manira manola manuelina manuelino maques mara maranhao marani marcalina marcela marcelina marcelino
    marcia marcial marciana marciano marcio marco marcos mare marea marga margara margaria margarida margarita
    margo mari maria marial marialva mariana mariano marias marida maride marides marina marinara marinava marine
    marinei marineis marines marinho marino marionete maris marna maro maronita marques marquesa marquise marrara
    marta martim martinho martini martins martires marto martos mary marzinho matias matina matos matoso mauba
    maura mauriana maurina maurino mauritania mauro maxi maxis maxwell meda medeiros medianeira meiga melania
    melca melena melia meliana melica melicia melida melissa melito melo merce merces mercia mercias meridiana
    mesquita messias mia miara michela migue milanes milano milde mildes milita milvio minerva minerval minoro
    mirai miram mirando mires miri mirim miris miro mirra mirto mirza misa misia mitico miura mocambique moinhos
    moira mona monaria monica monice monteiro morais morato moreira morenita morgado mosa moshe mosqueira mota
    moura mourao muna munira munis muria murta nadir nadiva naiade naida naire naires naja nana nane napoleao
    napoles nara narcisa narciso narda nardina nardino nardo narina nata natalicia natividade nato navarro
    navegante naves nazarena nazareno nazi nazir nedia nedio negrao nemesia nena nene nereida nereide nerio
    nerval nestor netinha netinho neuma neura newton nica nico nicol nil nimia nina ninfa ninha nini nino niquele
    nirvana nivea niveo niza noa noema nogueira nonata nonato nora norico normanda normando novais noval nozinho
    nubia nubiana nubio nuncio nunes octaviano odar odeia odisseia olaia olaria oleandro oleia olga olheiro
    olimpia olimpio oliva olival olivar olivea oliveira olivina olvide olvides oniro orando orcina ordalio orelia
    orelina orlando orlei ornei orquidea osca oscar ose ouga ovideo pabula pacifica pacifico padro palmares
    palmeiras palo paloma pandora parreira parreiras pascal pascoa pascoal pasquina pastora patricia patricio
    patrocina patrocinio paul paulista pavao pedrinha pedrita pedro pedrosa pelotas penedo penelope penha penina
    penteado pepita percida perdigao peregrina peregrino pereira peres perla perola perolina perpetua perpetuo
    persia persio pestana petala petrina petronio picanco pina pinhao pinheiros pinho pinto pires pitanga placida
    placido placito podalirio pola polaco policarpo polonia pompeia porcina porcino porfiro portela portilho
    portugal possidonia possidonio poulo presbiteriana prisco profiro propicio prospero prudencia queiros quele
    quelma querubim quintiliana quintiliano rabelo rabi rafa rai raia raiam raiana raiara raida raide raido raja
    ralei rama ramalha ramalho ramaria ramela raminho randes rane ranes rangeu raposo rebeca rebelo reges regi
    regia regina regio rego reina reinam reinara reli relva relvas remi remigio remir rena renete reneto renio
    renita renito reus riam riba ribamar ribas ribeiro ricado ricardo riza robe rober roberta roberto robes robin
    robledo robles rocio rodes rodete rodriga rodrigo rodrigue rodrigues rogue rolando roldao roli rolim romani
    romania romao romaria romas romeiro romena roque ros rosal rosalia rosaria rosario rose roseara rosei roselha
    rosete rosicler rosinha rosita rosnei roso ruam ruana rubi rubim rubina rubis ruda rufo rui runa rutenio
    rutila sa saba sabela sabina sabino sabio sacarias sacha sacramento sadra safia safira saimo sale sales
    salesia saline salita salmo salomao salvado salvadora salvia sama samara samario samaritana samaritano samia
    samio sanai sanara sanaria sancao sandalo sande sandes sandia sandio sane sanja sansao santalina santana
    santelmo santiago santinha santinho santolina santoro santos sapucaia sara sarai saraiva sari sariana
    sarmento satira satiro saturnina saturnino saturno savana seara sebastiao secundina seixas seixo selem
    selenita seles selete selha selito selva sena senaria senhorinha senhorinho senio senra sequeira serafim
    serafina serenita serino serrano servio servita setembrina setembrino severino siara siberia sibila sidonia
    sidonio silano sileno silo silva silvado silvam silvana silvando silvandra silvano silvar silveira silveiro
    silvestre silviana silviano silvina silvo sima simao simas simiana simoes simonia sindi sinete sinha sira
    sirena sirene sirenio siria siriaco sirio siro sisa siva soares sobral sobreira socorra sodre solagem
    soledade solita somaria sonete sorai soriana soriano souto sudario sue suecia suede suedes suei sula sulina
    sulino sumico sumira tabajara tacita tacito tael taia taina tainam tainar tainara tainaria taine taines taira
    tales talhes talio talisma tamara tamares tamina tamis tamisa tamise tancredo tani tanis tapajos tara
    tarsiana tarsio taumaturgo taurino teca tecia teles telson tercia tercina tercio teres tereso tersa tessalia
    tijuca tila tilara tilda tilde tilia tina tino tirso tita tocantins toinha tomais tomas tones tonia toninho
    toribio torreao trigueiro trindade tuliana tulio tunai tupa tupinamba uda udo ugo uiara ulisseia urania
    uranio ursina ursino ursulina valda valdeira valdo valeira valencia valentim valera valeria valeriana
    valquiria vaqueiro varejao varela vargas vargem varonil vasco vassalo veiga velocino veloso veneranda
    venerando veneza veneziano venia venus vera veras verbena verdiana verdiano vergara verne vernei verno vero
    veronica vianes vicentina vicentino vieira vigando vilania vilar vilas vilta vilto vina vinicos violeta
    virginea virginia virte vitoriana vitoriano vitorio viveiros viviam weber xisto zaida zaina zaira zaire
    zefirino zeida zela zelha zena zenas zene zeni zenia zenida zenir zenira zenite zeno zica zico zima zina
    zingara zinha zinho zoe zoilo zola zuca zumba zunira
""")

#: Names that notes have for something else: "EVA 7/10".
CLINICAL_NAMES: Final = words("eva")

#: Everyday words that are also names: removed where they look like a name.
AMBIGUOUS: Final = words("""
    aldeia alfa alvorada amada amado amparo anjo aparecida aparecido atos aura bandeira barata barra barreiras
    barros barroso bela belo bendito beta bicudo branca branco bravo cachoeira calado caldas caldeira camara
    campo campos canoas canto capela cardeal caro casa casado cascavel castanho castelo castor castro celeste
    chagas chaves clara claro conde contagem coroa correia corrente corte cortes costa costela cristal cristo
    cruz cruzeiro cunha delgado delta deusa diadema dias divina divino dom domingos dores dourado duque esperanca
    espirito estrada estrela euro faria feio feira ferro ferrugem figueira firma flor flora flores fogo folha
    fontes fortaleza forte fortes fortuna franco frias frota furtado galo gama gema generosa generoso globo
    gloria graca gracas grande grilo guerra horizonte horta ida ide infante inocente iria jardim jota junior
    justa justo ladeira lago lagos laranjeira lavoura lavras leal leite leme lia libera liberdade liberta lima
    limeira linda lindo lisa livramento loira louro lua luz madeira magna mangueira manso marinha marinheiro
    marte mata mel mercado minas mira modesta modesto montanha monte montes morena moreno nascimento natal neves
    nobre norma padre paixao palacio palma palmas palmeira paraiso parente passos pastor pato patriota paz pedra
    pedreira peixe perdizes pessoa piedade pilar pimenta pinheiro pio poeta polo ponte pontes porto posse prado
    prata preciosa profeta prudente pureza quadros quaresma rainha ramos real recife recreio rei reis remo rica
    rico rio rios rocha roma rosa rosado rosas rude salgado salvador santa santo sardinha seco seguro serena
    sereno serra sertao severa severo sincero socorro solene tais tarso terra tigre tome torres touro trevo
    universal valente velho ventura verde vila viola vitoria vivo
""")
