"""One spelling for each address, and none for what is no address."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fisio_ayida.messaging.addresses import AddressError, canonical, mask
from fisio_ayida.messaging.model import CHANNELS, Channel

AREA_CODES = [
    code for code in range(11, 100) if phonenumbers.is_valid_number(phonenumbers.parse(f"+55{code}987654321"))
]

mobiles = st.builds(
    lambda area, rest: f"{area}9{rest:08d}",
    st.sampled_from(AREA_CODES),
    st.integers(60_000_000, 99_999_998).filter(lambda rest: len(set(str(rest))) > 1),
)
landlines = st.builds(
    lambda area, rest: f"{area}{rest:08d}", st.sampled_from(AREA_CODES), st.integers(20_000_000, 59_999_999)
)


def spellings(national: str) -> list[str]:
    area, subscriber = national[:2], national[2:]
    first, last = subscriber[:-4], subscriber[-4:]
    return [
        national,
        f"55{national}",
        f"+55{national}",
        f"0{national}",
        f"0055{national}",
        f"({area}) {first}-{last}",
        f"(0{area}) {first}.{last}",
        f"0xx{area} {first} {last}",
        f"+55 ({area}) {first}-{last}",
        f"+55 (0{area}) {first}-{last}",
        f" \u202a+55\u00a0{area} {first}\u2011{last}\u202c ",
    ]


@given(mobiles)
def test_all_spellings_of_a_mobile_are_one_address(national: str) -> None:
    without_ninth = national[:2] + national[3:]
    texts = [*spellings(national), *spellings(without_ninth), f"0 15 {national}"]
    every = [canonical("whatsapp", text) for text in texts]
    assert set(every) == {f"55{national}"}


@given(landlines)
def test_all_spellings_of_a_landline_are_one_address(national: str) -> None:
    texts = [*spellings(national), f"0 15 {national}"]
    assert {canonical("whatsapp", text) for text in texts} == {f"55{national}"}


@given(st.one_of(mobiles, landlines), st.one_of(mobiles, landlines))
def test_two_numbers_are_two_addresses(one: str, other: str) -> None:
    assert (canonical("whatsapp", one) == canonical("whatsapp", other)) == (one == other)


def test_there_are_67_area_codes_and_santa_maria_is_one() -> None:
    assert len(AREA_CODES) == 67
    assert 55 in AREA_CODES


@pytest.mark.parametrize("text", ["55999998888", "5599998888", "5555999998888", "+5555999998888", "555599998888"])
def test_area_code_55_is_not_taken_for_the_country(text: str) -> None:
    assert canonical("whatsapp", text) == "5555999998888"


def test_the_numbering_plan_decides_for_every_area_code_and_first_digits() -> None:
    for area in range(10, 100):
        for start in range(10, 100):
            for subscriber in (f"{start}123456", f"{start}1234567"):
                national = f"{area}{subscriber}"
                full = f"{area}9{subscriber}" if len(subscriber) == 8 and start >= 60 else national
                number = phonenumbers.PhoneNumber(country_code=55, national_number=int(full))
                kind = phonenumbers.number_type(number)
                expected = kind in (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE)
                assert is_address("whatsapp", f"+55{national}") == expected, national


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("+1 202 555 0123", "12025550123"),
        ("+34 612 345 678", "34612345678"),
        ("+351 912 345 678", "351912345678"),
        ("+5491123456789", "5491123456789"),
    ],
)
def test_a_foreign_number_needs_its_plus(text: str, address: str) -> None:
    assert canonical("whatsapp", text) == address


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("98765-4321", "9 digits, expected 10 or 11 with area code"),
        ("119876543210", "12 digits, expected 10 or 11"),
        ("0 21 98765-43210", "12 digits, expected 10 or 11"),
        ("0 11 11 98765-4321", "13 digits, expected 10 or 11"),
        ("+55 00 11 3265-4321", "no Brazilian mobile or landline"),
        ("11 1234-5678", "no Brazilian mobile or landline"),
        ("10 98765-4321", "no Brazilian mobile or landline"),
        ("11 00000-0000", "no Brazilian mobile or landline"),
        ("0800 123 4567", "no Brazilian mobile or landline"),
        ("11 99999-9999", "one digit repeated"),
        ("11 9999-9999", "one digit repeated"),
        ("11 90000-0000", "one digit repeated"),
        ("3265-4321/22", "expected one number"),
        ("11 98765-4321\n11 98765-4322", "expected one number"),
        ("11 98765-4321 ramal 2", "expected one number"),
        ("5511987654321@s.whatsapp.net", "expected one number"),
        ("não tem", "expected one number"),
        ("-", "0 digits"),
        ("+", "expected one number"),
        ("+0 11 98765 4321", "no country"),
        ("+999 1234567", "no country"),
        ("+1 202 555", "no number of country code 1"),
        ("00 1 202 555 0123", "international prefix"),
    ],
)
def test_a_bad_number_is_refused_with_what_is_wrong(text: str, wrong: str) -> None:
    with pytest.raises(AddressError, match=wrong) as refused:
        canonical("whatsapp", text)
    assert refused.value.reason == "address_invalid"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ana@clinica.com.br", "ana@clinica.com.br"),
        (" Ana.Souza+fisio@GMAIL.com ", "ana.souza+fisio@gmail.com"),
        ("ana@clínica.com.br", "ana@xn--clnica-4va.com.br"),
        ("ana@XN--CLNICA-4VA.com.br", "ana@xn--clnica-4va.com.br"),
        ("o'hara@example.com", "o'hara@example.com"),
    ],
)
def test_an_email_address_has_one_spelling(text: str, address: str) -> None:
    assert canonical("email", text) == address


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("ana@x.com\r\nBcc: eve@x.com", "line break"),
        ("ana@x.com\n", "line break"),
        ("ana\x00@x.com", "line break or control"),
        ("ana@x.com\u2028eve", "line break"),
        ("ana@x.com, eve@x.com", "a list or a display name"),
        ("ana@x.com;eve@x.com", "a list or a display name"),
        ("Ana <ana@x.com>", "a list or a display name"),
        ("ana", "not name@domain"),
        ("ana@", "not name@domain"),
        ("@x.com", "not name@domain"),
        ("ana@localhost", "not name@domain"),
        ("ana@[10.0.0.1]", "not name@domain"),
        ("ana..souza@x.com", "not name@domain"),
        ("ana souza@x.com", "not name@domain"),
        ("josé@x.com", "not name@domain"),
        (f"{'a' * 65}@x.com", "not name@domain"),
    ],
)
def test_a_bad_email_address_is_refused_with_what_is_wrong(text: str, wrong: str) -> None:
    with pytest.raises(AddressError, match=wrong) as refused:
        canonical("email", text)
    assert refused.value.reason == "address_invalid"


@pytest.mark.parametrize("token", ["ExponentPushToken[xxAyz0-_bcdefghijklmno]", "ExpoPushToken[abc]"])
def test_an_expo_token_stays_as_it_is(token: str) -> None:
    assert canonical("push", f" {token} ") == token


@pytest.mark.parametrize(
    "token",
    ["abc", "ExponentPushToken[]", "ExponentPushToken[a b]", "ExponentPushToken[a]]", "ExpoPushToken[a\n]"],
)
def test_another_token_is_refused(token: str) -> None:
    with pytest.raises(AddressError, match="push: expected"):
        canonical("push", token)


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("text", [None, "", "  ", "\n"])
def test_nothing_is_no_address(channel: Channel, text: str | None) -> None:
    with pytest.raises(AddressError) as refused:
        canonical(channel, text)
    assert refused.value.reason == "no_address"


@given(st.sampled_from(CHANNELS), st.text(max_size=40))
def test_any_text_is_an_address_or_an_error_that_does_not_show_it(channel: Channel, text: str) -> None:
    try:
        address = canonical(channel, text)
    except AddressError as refused:
        assert len(text) < 6 or text not in str(refused)
        assert refused.__suppress_context__ or refused.__context__ is None
    else:
        assert address.isascii()
        assert address == address.strip()


@given(st.emails())
def test_what_is_canonical_stays_so(text: str) -> None:
    if is_address("email", text):
        address = canonical("email", text)
        assert canonical("email", address) == address
        assert canonical("email", text.upper()) == address


@pytest.mark.parametrize(
    ("channel", "address", "masked"),
    [
        ("email", "ana.souza@gmail.com", "a…@gmail.com"),
        ("email", "nonsense", "…"),
        ("whatsapp", "5511987654321", "5511…4321"),
        ("whatsapp", "551132654321", "5511…4321"),
        ("whatsapp", "34612345678", "34…78"),
        ("push", "ExponentPushToken[xxxxxxxxxxxxxxxxxxabcd]", "ExponentPushToken[…abcd]"),
        ("push", "ExpoPushToken[abc]", "ExpoPushToken[…]"),
        ("push", "nonsense", "…"),
    ],
)
def test_a_masked_address_shows_its_ends(channel: Channel, address: str, masked: str) -> None:
    assert mask(channel, address) == masked


def is_address(channel: Channel, text: str) -> bool:
    try:
        canonical(channel, text)
    except AddressError:
        return False
    return True
