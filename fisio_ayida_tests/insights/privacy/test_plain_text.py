"""HTML and pasted characters to plain text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fisio_ayida.insights.privacy import plain
from fisio_ayida.insights.privacy.plain_text import fold

_CASES = {
    "blocks are lines": ("<p>Dor</p><ul><li>ponte</li><li>prancha</li></ul>", "Dor\nponte\nprancha"),
    "breaks are lines": ("dor<br>leve<br/>hoje", "dor\nleve\nhoje"),
    "inline markup joins": ("J<b>o</b><i>ã</i>o", "João"),
    "entities": ("dor &lt; 3 &amp; ADM &gt; 90&deg; jo&atilde;o&nbsp;A", "dor < 3 & ADM > 90° joão A"),
    "scripts, styles and comments go": ("a<script>Ana</script><style>Ana</style><!-- Ana --> b", "a b"),
    "attributes go": ('<a href="http://x.com/ana" title="Ana">exame</a>', "exame"),
    "conditional sections go": ("a <![if Ana]>b<![endif]> c", "a b c"),
    "quoted signs are of the attribute": ("<p title='a > Ana' id=\"b>c\">dor</p>", "dor"),
    "an odd quote": ("<p title=O'Brien>dor</p>", "dor"),
    "a tag that is cut off": ('dor <a href="http://x/ana', "dor"),
    "an open script hides the rest": ("dor <script>Ana", "dor"),
    "a smaller-than sign stays": ("EVA < 3 e ADM <90", "EVA < 3 e ADM <90"),
    "invisible characters go": ("A\u200bn\u00ada \u202eJo\ufeff", "Ana Jo"),
    "full-width digits": ("１１ ９８７６５", "11 98765"),
    "digits of other scripts": ("٣ x ١٠", "3 x 10"),
    "styled letters": ("𝐀𝐧𝐚 𝓙𝓸 Ⓜⓐ", "Ana Jo Ma"),
    "combining marks that make no letter": ("A\u0336n\u0336a\u0336", "Ana"),
    "letters written in two characters": ("Jo\u0061\u0303o", "Joaõ".replace("aõ", "ão")),
    "pictures are blanks": ("dor 🙂 leve ★", "dor leve"),
    "ordinals are degrees": ("flexão 90º, 1ª sessão", "flexão 90°, 1° sessão"),
    "blanks and lines": ("  a \t b \r\n\n\n c ", "a b\nc"),
}


@pytest.mark.parametrize("name", _CASES)
def test_a_note_becomes_plain(name: str) -> None:
    html, expected = _CASES[name]
    assert plain(html) == expected


@given(st.text(st.sampled_from("<>!&;/-[]?=\"'ab1 \n#x") | st.characters(), max_size=200))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_it_never_raises(html: str) -> None:
    plain(html)


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_folding_keeps_every_character_in_its_place(text: str) -> None:
    # Capitals whose small letter is two characters would move what follows.
    assert len(fold(plain(text))) == len(plain(text))


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "piece", ["<!--", "<a ", "<", "<![", "&#", "</", "<p>", "<a b='", "<a b=c ", "'", "<script>"]
)
def test_markup_that_never_ends_costs_little(piece: str) -> None:
    # Read by html.parser, some of these take minutes.
    assert "Ana" not in plain(piece * 50_000 + "<!-- Ana")
