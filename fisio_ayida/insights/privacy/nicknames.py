"""What people in Brazil call somebody who has a given name; folded (lower case, no accents).

Here: short names and diminutives that are no part of the name with an ending ("Aninha" is: ``known.py``), written
down by hand from common knowledge. Not here: names of whom nobody knew (``names.py``).
"""

from __future__ import annotations

from typing import Final

from fisio_ayida.insights.privacy.plain_text import fold

_TABLE: Final = """
adriana adriano: dri drica
alexandra alexandre: ale xande xandao xandinho
alberto humberto norberto roberto gilberto: beto betinho betao
amanda: mandinha
ana: naninha nana
andre andreia andrea: deia deco
antonio antonia: toninho toninha toni tony tonho tonico toinho tonha
aparecida: cida cidinha
augusto gustavo: guto guga
barbara: babi
beatriz: bia biazinha
benedito benedita: dito ditinho bene
bernardete bernadete elisabete elizabete odete: dete bete betinha
bernardo: be bernadinho
bruna bruno: bru
camila: mila
carla carlos: carlinhos carlao caca
carolina caroline: carol
catarina: cata
cecilia: ceci
cicero cicera: cico
claudia claudio: cacau dinho
cristiane cristina cristiano cristian christian: cris chris tina
daniel daniela daniele danielle: dani
debora: deb debinha
diego diogo rodrigo: digo diguinho
domingos domingas: mingo minguinho
eduardo eduarda: edu dudu duda
eliana eliane: lili
elisabeth elizabeth: beth bete liza
emanuel emanuela manuel manuela manoel manoela: manu maneco manezinho
fabiana fabiano fabiola fabio fabricio: fabi binho
felipe filipe: lipe
fernanda fernando: nanda nando nandinha nandinho fer
flavia flavio: fla
francisca francisco: chico chica chiquinho chiquinha kiko chicao
frederico: fred
gabriel gabriela: gabi biel
gilberto gilmar gilson gilvan: gil
giovana giovanna giovani: gio vana
guilherme guilhermina: gui
heitor helena heloisa: lena leninha helo
henrique: rique ique kike
ines inacia inacio: nena nacio
isabel isabela isabella izabel: isa bel bela belinha
jessica: jess
joao: joca juca janjao
joaquim: quim quinca quincas joca
jose josefa josefina: ze zeca zezinho zezinha zeze zequinha zefa zefinha juca pepe
juliana juliano julia julio: ju juju
larissa: lari
leandro leandra leonardo leonor leopoldo: leo
leticia: leti lele
lourdes lurdes: lurdinha
lucas lucia luciana luciano lucinda luciene: lu luca lulu
luis luiz luisa luiza: lu lula luizinho luisinho
madalena: madu lena
marcela marcelo: celo
marcos marcio marco: marquinhos marquinho
margarida margarete: marga guida
maria mariana mariane marina: mari mariazinha mariinha maricota maroca
mateus matheus: teteu
mauricio: mau
natalia nathalia natanael: nati nat
osvaldo oswaldo: vado vadinho
otavio: tavinho
patricia: pati paty
paula paulo: paulinha paulinho
pedro: pedrinho pepe
priscila: pri
rafael rafaela: rafa rafinha
raimundo raimunda: mundinho rai
raquel: quel
rebeca: beca
regina: gina
reginaldo ronaldo: naldo naldinho
renata renato: re tato
ricardo: rick
rita: ritinha
rodolfo: dodo
rosa rosana rosangela rosemary: rosinha rose
samuel samara: samu
sebastiao: tiao bastiao
severino severina: biu
silvana silvia silvio: sil silvinha vana
sofia sophia: sofi
suzana susana: su suzi
tatiana tatiane: tati
teresa tereza teresinha terezinha: tete teca
thiago tiago: tiaguinho
valdemar valdomiro valmir valeria vanessa vania: val
veronica: vero
victor vitor vitoria victoria: vivi vitinho
virginia: gina
vivian viviane viviana: vivi
wagner vagner: waguinho
william: will
zelia zilda: zezé
"""


def _read(table: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for line in fold(table).strip().splitlines():
        named, _, called = line.partition(":")
        for name in named.split():
            found[name] = (*found.get(name, ()), *called.split())
    return found


#: What people call somebody, for each given name.
SHORT_NAMES: Final = _read(_TABLE)
