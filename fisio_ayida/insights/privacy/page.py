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
   digits alone; what stands before the @ of an address. Of a clinic's name only the whole and the words that
   notes do not need go: of `Corpo em Movimento`, `movimento` alone stays.
3. **What has a shape.** Addresses of e-mail and pages, user names, file names, documents (CPF, RG, CNS, CNPJ,
   CREFITO, CRM, COREN, card and record numbers), telephones, CEP, IP addresses, plates, amounts of money,
   absolute dates and years, digits in a row from five on.
4. **Every other word must be known.** It must be in a Portuguese dictionary or in our list of clinical terms,
   and look like no name: a word of the list of names goes; inside a sentence a capital letter makes everything
   a name that is neither a clinical nor an everyday word; so does standing behind a relative, a title, a
   street, `trabalha na`, `conversei com`, beside a name, or before what only people do (`rosa relatou dor`).
   Lines in capitals are judged as if they were in small letters, more strictly. Tests and diseases keep their
   names (`teste de Thomas`).

Weekdays, times of day, ages, doses, repetitions, angles, pressures and scales stay. A note is cut to
{LONGEST:,} characters.

Then a second detector, written apart from the first, reads what leaves, and the answer when it comes: if it
finds a name, a number, an address, a date or eight digits in a row, the request is not sent, or the answer is
not used. It says which kind it found, never what.

### What scrubbing cannot do

- A word that is also a name (`clara`, `costa`, `rocha`) and stands in small letters where nothing says that it
  is a name stays: `atendimento de clara`. If the patient, the clinic or its staff has that name, it goes
  everywhere.
- A place, an employer or a school that is told in everyday words in small letters goes only behind words that
  announce it.
- What identifies by its content (a rare disease, an accident that was in the news) stays: no rule sees it.
- Misspelled words and terms that the lists lack go, too: of notes with words that were not in the lists when
  they were written, about one word in fourteen.
"""
