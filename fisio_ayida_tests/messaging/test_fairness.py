"""Who comes first: what is urgent; then the clinics in turn, however much each of them has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fisio_ayida.messaging import picking
from fisio_ayida.messaging.model import PRIORITIES
from fisio_ayida_tests.messaging.lab import Lab
from fisio_ayida_tests.messaging.rows import pages_read


def claim(
    lab: Lab, most: int, after: str = "", closed: Collection[str] = (), trials: Collection[str] = ()
) -> list[str]:
    """The clinics whose messages were claimed, in order."""
    found = lab.claim(most=most, after=after, closed=closed, trials=trials).envelopes
    return [each.organization_id for each in found]


def rounds(lab: Lab, most: int, times: int) -> list[str]:
    """Claims one after the other, as a lane makes them."""
    served: list[str] = []
    for _ in range(times):
        served += claim(lab, most, served[-1] if served else "")
    return served


def test_what_is_more_urgent_goes_first(lab: Lab) -> None:
    for number, priority in enumerate(PRIORITIES.values()):
        lab.crowd(f"org-{number}", 2, priority=priority)
    found = [each.key.split(":")[2] for each in lab.claim(most=8).envelopes]
    assert found == ["30", "30", "20", "20", "10", "10", "0", "0"]


def test_what_is_less_urgent_fills_what_is_left(lab: Lab) -> None:
    lab.crowd("org-a", 1, priority=30)
    lab.crowd("org-b", 9, priority=0)
    assert Counter(claim(lab, 4)) == {"org-a": 1, "org-b": 3}


def test_a_clinic_with_ten_thousand_messages_does_not_hold_up_one_with_one(lab: Lab) -> None:
    lab.crowd("org-a", 10_000)
    lab.crowd("org-b", 1)
    assert Counter(claim(lab, 8)) == {"org-a": 4, "org-b": 1}


def test_clinics_are_served_alternately(lab: Lab) -> None:
    lab.crowd("org-a", 5)
    lab.crowd("org-b", 5)
    assert claim(lab, 5) == ["org-a", "org-b", "org-a", "org-b", "org-a"]
    assert claim(lab, 2, after="org-a") == ["org-b", "org-a"]


def test_one_at_a_time_goes_around(lab: Lab) -> None:
    for organization in ("org-a", "org-b", "org-c"):
        lab.crowd(organization, 3)
    assert rounds(lab, 1, 6) == ["org-a", "org-b", "org-c"] * 2


def test_messages_of_no_clinic_have_their_turn(lab: Lab) -> None:
    lab.crowd("", 3)
    lab.crowd("org-a", 50)
    assert sorted(rounds(lab, 1, 6)) == ["", "", "", "org-a", "org-a", "org-a"]


def test_more_clinics_than_places_all_have_their_turn(lab: Lab) -> None:
    names = [f"org-{number}" for number in range(7)]
    for organization in names:
        lab.crowd(organization, 20)
    assert sorted(rounds(lab, 3, 7)) == sorted(names * 3)


def test_the_older_messages_of_a_clinic_go_first(lab: Lab) -> None:
    lab.crowd("org-a", 3)
    lab.conn.execute("update messaging.messages set due_at = due_at - interval '1 hour' where key like '%:3'")
    assert [each.key[-1] for each in lab.claim().envelopes] == ["3", "1", "2"]


@pytest.mark.parametrize("most", [1, 2, 8])
def test_a_clinic_whose_way_is_closed_takes_nobodys_place(lab: Lab, most: int) -> None:
    for organization in ("org-a", "org-b", "org-c"):
        lab.crowd(organization, 10)
    assert set(claim(lab, most, closed=["org-a", "org-b"])) == {"org-c"}


def test_a_clinic_on_trial_sends_one(lab: Lab) -> None:
    for priority in PRIORITIES.values():
        lab.crowd("org-a", 10, priority=priority)
    lab.crowd("org-b", 10)
    assert Counter(claim(lab, 8, trials=["org-a"])) == {"org-a": 1, "org-b": 7}


def test_a_clinic_on_trial_need_not_wait_for_its_turn(lab: Lab) -> None:
    for organization in ("org-a", "org-b", "org-c"):
        lab.crowd(organization, 10)
    assert claim(lab, 1, trials=["org-c"]) == ["org-c"]


def test_a_lane_has_only_its_own(lab: Lab) -> None:
    lab.crowd("org-a", 1)
    lab.conn.execute("update messaging.messages set account = 'clinic-7'")
    assert claim(lab, 8) == []


def test_nothing_is_claimed_before_it_is_due(lab: Lab) -> None:
    lab.crowd("org-a", 1)
    lab.conn.execute("update messaging.messages set due_at = due_at + interval '1 second'")
    assert claim(lab, 8) == []


@pytest.mark.parametrize(("share", "others"), [("alone", "marketing"), ("together", "care")])
def test_what_goes_another_way_is_not_even_read(lab: Lab, share: picking.Share, others: str) -> None:
    lab.crowd("org-a", 10_000)
    lab.conn.execute("update messaging.messages set category = %s", [others])
    values = {
        "channel": "whatsapp", "account": "", "priority": 10, "most": 8, "after": "", "closed": [], "trials": [],
        "now": lab.moment,
    }  # fmt: skip
    assert pages_read(lab, picking._QUERIES[share], values) < 50


@pytest.mark.parametrize(
    ("change", "share"),
    [
        ("template = null", "alone"),
        ("category = 'care'", "alone"),
        ("error_class = 'ambiguous'", "alone"),
        ("error_code = 'batch_refused'", "alone"),
        ("batch_id = gen_random_uuid()", "batch"),
        ("error_code = '429'", "together"),
    ],
)
def test_what_was_made_for_many_may_share_a_call(lab: Lab, change: str, share: str) -> None:
    lab.crowd("org-a", 1)
    lab.conn.execute("update messaging.messages set category = 'marketing'")
    lab.conn.execute(f"update messaging.messages set {change}")
    assert lab.value("select share from messaging.messages") == share


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    amounts=st.dictionaries(
        st.sampled_from(["", *(f"org-{n}" for n in range(6))]), st.integers(1, 12), min_size=1
    ),
    most=st.integers(1, 9),
)
def test_nobody_waits_while_another_is_served_often(lab: Lab, amounts: dict[str, int], most: int) -> None:
    lab.conn.execute("delete from messaging.messages")
    for organization, amount in amounts.items():
        lab.crowd(organization, amount)
    served, last = Counter[str](), ""
    while found := claim(lab, most, last):
        served.update(found)
        last = found[-1]
        hungry = [served[each] for each, amount in amounts.items() if served[each] < amount]
        fed = max(served.values())
        # In a claim a clinic gets its share of the places, and the clinics come around.
        assert not hungry or fed - min(hungry) <= 2 * most
    assert served == amounts
