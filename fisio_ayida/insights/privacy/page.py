"""What is removed from notes, in words for ``docs/insights.md``.

Here: the section's text. Not here: the page (``insights/page.py``).
"""

from __future__ import annotations

from fisio_ayida.insights.privacy.placeholders import PLACEHOLDERS
from fisio_ayida.insights.privacy.scrubber import LONGEST


def section() -> str:
    """The section about privacy, as Markdown of the third level."""
    placeholders = ", ".join(f"`{placeholder}`" for placeholder in PLACEHOLDERS.values())
    return f"""### How free text is scrubbed

What is taken out leaves a mark in its place: {placeholders}. An age above 89 becomes `90+`.

A text goes through these steps; a word has to pass all of them:

1. **Plain text.** HTML, comments, scripts, attributes and invisible characters go; full-width digits and styled
   letters become plain ones.
2. **What the clinic knows.** Every part longer than two letters of the names of the patient, the clinic and its
   staff, in any case, with or without accents, with its letters apart (`A.n.a`), or made small (`Aninha`); the
   digits of documents and telephones, however grouped, spelled out (`nove oito sete`), or with the last eight
   digits alone; what stands before the @ of an address; usual short names (`Zeca` of José, `Chiquinho` of
   Francisco). A part of a name that notes need as a word (`Dias`, `Costa`) stays in small letters where it reads
   as the word (`há 3 dias`, `na costa direita`), and goes with a capital, beside another name, or behind a title
   or a relative. Of a clinic's name the whole goes, the beginning of it without `Clínica` or `Fisioterapia`
   (`Vida Ativa`), and the words that notes do not need: of `Corpo em Movimento`, `movimento` alone stays.
3. **What has a shape.** Addresses of e-mail and pages, user names, file names, documents (CPF, RG, CNS, CNPJ,
   CREFITO, CRM, COREN, card and record numbers), telephones, CEP, IP addresses, plates, amounts of money,
   absolute dates and years, digits in a row from five on.
4. **Every other word must be known.** It must be in a Portuguese dictionary or in our list of clinical terms,
   and look like no name: a word of the list of names goes; inside a sentence a capital letter makes everything
   a name that is neither a clinical nor an everyday word; so does standing behind a relative, a title, a
   street, `trabalha na`, `conversei com`, beside a name, or before what only people do (`rosa relatou dor`).
   Lines in capitals are judged as if they were in small letters, more strictly. Names of tests, scales and
   diseases that people hardly have (`Lachman`, `Parkinson`) stay everywhere; those that people have, too
   (`Thomas`, `Berg`), only directly behind what says so (`teste de Thomas`) or before a result (`Thomas +`).

Weekdays, times of day, ages, doses, repetitions, angles, pressures and scales stay. A note is cut to
{LONGEST:,} characters.

Then a second detector reads what leaves, and the answer when it comes. It shares the lists of words with the
scrubber, and none of its rules. It finds:

- names of the patient, the clinic and its staff, their short names, numbers and addresses;
- inside a sentence, and before what only people do, any word with a capital that neither the dictionary nor a list
  knows; names and places of the lists with a capital; the same in words that are all capitals;
- eight digits in a row, documents with their name (`CPF`, `CREFITO`), plates, streets with a name in capitals;
- dates (`12/03`, where it is no score and no pressure; `12 de março`, `março de 2019`, `desde 2019`);
- ages above 89;
- addresses of e-mail and pages.

If it finds one, the request is not sent, or the answer is not used. It says which kind it found, never what. It
does not see names in small letters of people whom the clinic does not know: of these, only the scrubber knows.

### What scrubbing cannot do

- A word that is also a name (`clara`, `costa`, `rocha`) and stands in small letters where nothing says that it
  is a name stays: `atendimento de clara`. If the patient, the clinic or its staff has that name, it goes
  everywhere, unless it is a word that notes need (`dias`): then see step 2.
- A place, an employer or a school that is told in everyday words in small letters goes only behind words that
  announce it, or if it is one of some two hundred of several words that are listed (`volta redonda`).
- The lists of names and places were written by hand and are not complete.
- What identifies by its content (a rare disease, an accident that was in the news) stays: no rule sees it.
- Misspelled words and terms that the lists lack go, too.

Measured with the 384 given names and surnames of Faker, against which our lists were checked: with a capital
inside a sentence, or behind a relative or a title, none stays, and the second detector alone finds each one inside
a sentence. In small letters where nothing announces them, 13 stay. Of 188 short notes that were written to get
names, places, dates and numbers through, 3 succeed since the rules were mended by them (`loja no centro`): others
would. Of 191 words in 15 notes written after the lists, 2 were lost.
"""
