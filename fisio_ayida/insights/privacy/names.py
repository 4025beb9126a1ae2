"""Names that a Portuguese dictionary takes for words; folded (lower case, no accents).

Here: given names and their short forms, surnames, saints, places, clubs, insurers, shops and churches that
people in Brazil know, written down by hand from common knowledge, and complete in nothing. Only what the
dictionary knows, because a word that it does not know never leaves the house. Not here: which of them is
removed where (``walk.py``).
"""

from __future__ import annotations

from typing import Final

from fisio_ayida.insights.privacy.plain_text import fold, words

#: Nobody needs these in a clinical note: removed wherever they stand.
NAMES: Final = words("""
    abreu adao adidas africa agata agostinho aguiar alagoas alana alba alcantara aldeota alexandra alexia alicia
    almeida almirante alvarenga amaral amaro amazonas americanas amoedo amorim ana angelica angelina angola aninha
    aninhas apolo aragones argentina ariana armando arruda assuncao augusta augusto aurea aurelia aurora
    auxiliadora avila azambuja azeredo bacelar baltar baptista barbara barreiro bartolomeu bastos batista bel belem
    belisario benedito benjamim benta bento bernarda bernardo bessa bete betinha betinho beto bezerra bibi bina
    borralho braga brandao brasil brito bruna bruno bulhoes caca caio caique camila camoes campinas candelaria
    candida candido carina carlota carmelita carmona carolina carrara carrilho carvalhal carvalho cassia castanhal
    castelhano catarina catete caua ceara celso cerqueira cesar charles chica chico chile china cicero clarinha
    clarissa clemente clementina coimbra colombia colombo conceicao consolacao copel cora corina correa correios
    cotia couto cris cuba custodia custodio damasceno deia delfim delia dete diana dina domingas donato dora doris
    doroteia drica dulce dulcineia edite einstein eneas enrico erica erico ermelinda eros estefania estela ester
    estevao esteves eugenia eugenio eulalia europa evangelista expedito fabiana fabiano fagundes falcao farias
    fausto felicia fernandina ferrao ferreira fialho fidalgo figueirense flamengo fluminense fogaca fontana fraga
    fragoso francisca francisco franklin freire gael galeno galvao gastao gavea georgina geraldina germana germano
    gertrudes glaucia glauco goes goias gomes google gouveia gremio greta guarani guerreiro guilherme guta guto
    helena helio henry herculano hermes herminia herminio hilario holanda hortensia iago icaro ilheus imaculada
    imperatriz india iris isabel isabela israel italo jacinto jade januario japao jaque jeremias jeronimo jesus
    joao jordan jordana josefina juazeiro juca jujuba juliana juliano junqueira jurema lais lala lamego lameira
    lana landim lapa latam laura lazaro leda leia leitao lemes lemos lena leni leticia liam lica lidia ligia lina
    linhares lino lis lisboa lita livia lobato lomba londrina lorena loureiro luca lucas lucila lucio luis lulinha
    lulu luna luterana luzia machado madalena maga magazine magno maia malheiros mane mara maracana maranhao
    marcela marcelina marcelino marcia marcial marcio marco marcos margarida mari maria mariana mariano marina
    marinho marques marta martim martinho martins mary matias matos matoso mauro medeiros medianeira melania
    melissa melo mercia mesquita messias metodista mimi monica monteiro morais moreira morgado mota moura mourao
    murta nadir nana napoleao narcisa narciso natura navarro naves nazareno negrao negreiros nena nestor newton
    nica nico nina ninha nino nogueira nonato nora normando novais nubia nunes olga olimpia olimpio olivares
    oliveira orlando oscar paes palacios palmeiras paloma pandora paris parreira parreiras pascoal patricia
    patricio patrocinio paulista pavao pedro pedrosa pelotas penedo penelope penha penteado perdigao pereira peres
    pestana petronio picanco pina pinhais pinhao pinheiros pinho pinto pires pitanga placido porciuncula portela
    portilho portugal presbiteriana queiros quico quintana rabelo rafa ramalho raposo realengo rebeca rebelo regina
    rego regueira ribas ribeiro ricardo roberta roberto rodrigo rodrigues rolando roldao rolim romao romeiro roque
    rosalia rosario rosinha rosita rubim rui sa sabina sabino saboia sacramento sales salomao samara sansao santana
    santiago santos sara saraiva sarmento saturnino sebastiao seixas sena sequeira serafim serafina serrano
    severino sibila siciliano sidonia sidonio silva silvana silvano silveira silvestre silviano simao simas simoes
    sinha siria soares sobral sodre souto taina tainara tales tamara tancredo teles tico tijuca tina titi tocantins
    tomas tonico toninho torreao toto trigueiro trindade tulio urca valda valentim valeria varela vargas vasco
    veiga veloso veneranda veneziano vera veras veronica vieira vilar vilas vilela vinhedo violeta virginia
    vitoriano vitorio viveiros vivi xisto zaira zeno zinha zoe zuca
""")

#: Names that notes have for something else: "EVA 7/10".
CLINICAL_NAMES: Final = words("eva")

#: Everyday words that are also names: removed where they look like a name.
AMBIGUOUS: Final = words("""
    adventista aldeia alvorada amada amado americana amparo anjo anjos aparecida aparecido aranha assembleia
    bandeira barata barra barreiras barros barroso bela belo bispo branca branco bravo cachoeira caldas caldeira
    camara campo campos canoas canto capela cardeal carneiro caro carrasco casa casado cascavel castanheira
    castanho castelo castro celeste chagas chaves clara claro coelho colares conde contagem coral cordeiro coroa
    correia corte cortes costa costela cravo crespo cristo cruz cruzeiro cunha delgado diadema dias divina divino
    dom domingos dores dourado dourados duque esperanca espinheiro espirito estrada estrela faria feio feira
    felicidade ferro figueira firma flor flora flores fogo fontes fortaleza forte fortes fortuna franca franco
    freguesia frias frota furtado gama generoso globo gloria graca gracas grande granja guerra horizonte horta
    infante inocente jota junior justa justo lago lagos laranjeira laranjeiras lavras leal leao leite leme
    liberdade lima limeira linda lira livramento lobo loura louro lua luz madeira magna mangueira manso marinha
    marinheiro marte mata mel mercado mina minas mineiro modesta modesto montanha monte montes morena moreno
    nascimento natal neves nobre norma olaria oliva padre paixao palacio palma palmas palmeira paraiso parente
    passos pastor pato patriota paz pedra pedreira peixe perdizes perola perpetua perpetuo pessoa piedade pilar
    pimenta pinheiro pio poeta polo ponte pontes porto prado prata preciosa prudente pureza quaresma rainha ramos
    real recife record recreio rei reis remo rica rico rio rios rocha roma rosa rosado rosas russo salgado salvador
    santa santo sardinha seco seguro serena sereno serra sertao severo sincero socorro terra torres touro trevo
    universal vale valente vaqueiro velho ventura verde vila viola vitoria vivo
""")

_PHRASES: Final = """
    abreu e lima; água branca; águas claras; águas lindas; albert einstein; alta floresta; alto alegre; alto da boa
    vista; alto da lapa; angra dos reis; banco do brasil; barra bonita; barra da tijuca; barra do garças; barra do
    piraí; barra funda; barra mansa; bela vista; belo horizonte; beneficência portuguesa; bento gonçalves; boa
    esperança; boa saúde; boa viagem; boa vista; bom despacho; bom jardim; bom jesus; bom preço; bom retiro; buenos
    aires; cabo de santo agostinho; cabo frio; cachoeiro de itapemirim; caixa econômica; caldas novas; campo belo;
    campo grande; campo limpo; campo mourão; campos do jordão; campos gerais; capão da canoa; capão redondo; casa
    amarela; casa branca; casa forte; casa verde; casas bahia; caxias do sul; chapada dos guimarães; cidade baixa;
    cidade de deus; cidade nova; conselheiro lafaiete; coração de jesus; coronel fabriciano; corpo de bombeiros;
    cruz alta; cruz das almas; deus é amor; distrito federal; dom bosco; duas barras; engenho de dentro; engenho
    novo; engenho velho; entre rios; espírito santo; estados unidos; estrela do sul; feira de santana; feira nova;
    flores da cunha; foz do iguaçu; governador valadares; ilha solteira; jaboatão dos guararapes; jaraguá do sul;
    jardim américa; jardim botânico; jardim europa; ji paraná; juiz de fora; lagoa da prata; lagoa santa; lauro de
    freitas; lucas do rio verde; mão santa; mata de são joão; mato grosso; minas gerais; mogi das cruzes; monte
    alegre; monte alto; monte mor; monte verde; montes claros; morro agudo; mundo novo; nova friburgo; nova iguaçu;
    nova lima; nova odessa; nova york; novo hamburgo; novo horizonte; ouro branco; ouro fino; ouro preto; paço do
    lumiar; pão de açúcar; passa quatro; passo fundo; patos de minas; pau dos ferros; paulo afonso; pedra azul;
    pedra branca; poços de caldas; polícia militar; ponta grossa; ponta negra; ponta porã; ponte preta; porto
    alegre; porto feliz; porto real; porto seguro; porto velho; pouso alegre; praia grande; presidente prudente;
    primavera do leste; quatro barras; ribeirão pires; ribeirão preto; rio bonito; rio branco; rio claro; rio das
    ostras; rio de janeiro; rio grande; rio negro; rio preto; rio verde; sagrado coração; santa bárbara; santa
    casa; santa catarina; santa cruz; santa fé; santa luzia; santa maria; santa rita; santa rosa; santa teresa;
    santo amaro; santo andré; santo ângelo; santo antônio; são bento; são bernardo; são caetano; são camilo; são
    carlos; são cristóvão; são francisco; são gonçalo; são joão; são jorge; são josé; são judas; são leopoldo; são
    lourenço; são luís; são luiz; são mateus; são miguel; são paulo; são pedro; são rafael; são roque; são
    sebastião; são vicente; serra negra; serra talhada; sete lagoas; sul américa; telêmaco borba; teófilo otoni;
    terra boa; terra nova; terra roxa; três corações; três lagoas; três pontas; três rios; vargem grande; venda
    nova; vida nova; vila isabel; vila madalena; vila maria; vila mariana; vila nova; vila prudente; vila rica;
    vila velha; vitória da conquista; volta redonda
"""
#: Places, saints, shops and employers of several words, most of which are everyday words alone.
PHRASES: Final = frozenset(tuple(fold(phrase).split()) for phrase in _PHRASES.split(";"))
