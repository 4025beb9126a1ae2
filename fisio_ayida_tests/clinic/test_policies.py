"""A clinic's rules: shown with their defaults, set as text, and refused where they cannot be."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from fisio_ayida.clinic.organizations import load
from fisio_ayida.clinic.policies import ROWS, UNSET, BadPolicy, change, policy
from fisio_ayida_tests.clinic.lab import CLINIC, ClinicLab

_COLUMNS = """
select table_schema, column_name from information_schema.columns
where table_name = 'policies' and table_schema in ('messaging', 'jobs')
  and column_name not in ('organization_id', 'changed_at')
"""
REMINDERS = '[{"at": "18:00", "id": "eve", "kind": "day_before"}]'


def set_rules(lab: ClinicLab, **words: str) -> dict[str, str]:
    """All rules after these were set."""
    change(lab.conn, lab.desk.clinic, CLINIC, words, now=lab.moment)
    return {each.name: each.value for each in policy(lab.conn, lab.desk.clinic, CLINIC)}


def test_every_column_of_the_policies_is_a_rule(lab: ClinicLab) -> None:
    columns = {(row["table_schema"], row["column_name"]) for row in lab.rows(_COLUMNS)}

    assert {(rule.table, rule.name) for rule in ROWS} == columns


def test_the_defaults_are_the_databases(lab: ClinicLab) -> None:
    lab.add("organizations", id="new")
    for table in ("messaging", "jobs"):
        lab.conn.execute(f"insert into {table}.policies (organization_id) values ('new')")

    assert [each.name for each in policy(lab.conn, lab.desk.clinic, "new") if not each.is_default] == []


def test_a_clinic_without_rows_has_the_defaults(lab: ClinicLab) -> None:
    lab.add("organizations", id="new")

    held = {each.name: each.value for each in policy(lab.conn, lab.desk.clinic, "new")}

    names = ("zone", "quiet_from", "voucher_days", "feedback_after", "reminder_rules")
    assert [held[name] for name in names] == ["America/Sao_Paulo", "21:00", "7", "2 hours", ""]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("zone", "America/Manaus", "America/Manaus"),
        ("quiet_from", "22:30", "22:30"),
        ("quiet_weekends", "Yes", "true"),
        ("marketing_basis", "consent", "consent"),
        ("reply_to", "Recepcao@Example.com", "recepcao@example.com"),
        ("address", " Rua das Acácias, 120 ", "Rua das Acácias, 120"),
        ("fallback_after", "1 hour 30 minutes", "1 hour 30 minutes"),
        ("reminder_lead", "90 minutes", "1 hour 30 minutes"),
        ("confirmation_lead", "0 minutes", "0 minutes"),
        ("feedback_every", "2days", "2 days"),
        ("confirms_bookings", "off", "false"),
        ("birthday_channels", "both", "both"),
        ("leap_birthday", "03-01", "03-01"),
        ("voucher_days", "5", "5"),
        ("reactivation_to", "44", "44"),
        ("reminder_rules", REMINDERS, REMINDERS),
        ("insights", "facts", "facts"),
        ("insights_tokens_per_day", "2000000", "2000000"),
        ("insights_tokens_per_day", "0", "0"),
        ("insights_cost_per_day", "2.50", "2.5"),
        ("insights_cost_per_day", "100", "100"),
    ],
)
def test_a_rule_is_set(lab: ClinicLab, name: str, text: str, value: str) -> None:
    assert set_rules(lab, **{name: text})[name] == value


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("zone", "Manaus", "zone='Manaus' is not an IANA time zone"),
        ("zone", "BRT", "zone='BRT' is not an IANA"),
        ("quiet_from", "24:00", "quiet_from='24:00' is not a time of the day"),
        ("quiet_to", "8", "quiet_to='8' is not a time of the day"),
        ("asks_feedback", "perhaps", "asks_feedback='perhaps' is not true or false"),
        ("marketing_basis", "none", "marketing_basis='none' is not one of consent, legitimate_interest"),
        ("leap_birthday", "02-29", "leap_birthday='02-29' is not one of 02-28, 03-01"),
        ("voucher_days", "0", "voucher_days='0' is not a whole number from 1 to 60"),
        ("voucher_days", "7.5", "voucher_days='7.5' is not a whole number"),
        ("reminder_lead", "2", "reminder_lead='2' is not a length of time"),
        ("reminder_lead", "-2 hours", "reminder_lead='-2 hours' is not a length"),
        ("feedback_every", "400 days", "feedback_every='400 days' is not a length of time up to 366 days"),
        ("reply_to", "reception", "reply_to='reception' is not an e-mail address"),
        ("phone", "1\n2", "is not one line of at most 60"),
        ("reminder_rules", "[", "reminder_rules='[' is not a list of rules in JSON"),
        ("reminder_rules", '["\\ud800"]', "is not a list of rules in JSON"),
        ("reminder_rules", '[{"id": "a", "kind": "day_before", "at": "25:00"}]', "reminder_rules[0].at='25:00'"),
        ("reactivation_to", "30", "reactivation_to=30 must be after reactivation_from=30"),
        ("reactivation_from", "37", "reactivation_to=37 must be after reactivation_from=37"),
        ("insights", "on", "insights='on' is not one of off, facts, narrative"),
        ("insights_tokens_per_day", "-1", "insights_tokens_per_day='-1' is not a whole number"),
        ("insights_cost_per_day", "2,50", "insights_cost_per_day='2,50' is not an amount of money"),
        ("colour", "red", "'colour' is no rule; the rules: zone, "),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named(lab: ClinicLab, name: str, text: str, said: str) -> None:
    with pytest.raises(BadPolicy) as caught:
        set_rules(lab, **{name: text})

    assert said in str(caught.value)


def test_an_address_is_not_repeated_in_an_error(lab: ClinicLab) -> None:
    with pytest.raises(BadPolicy) as caught:
        set_rules(lab, voucher_days="ana@example.com")

    assert "ana@" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("voucher_days", "9" * 9000), ("reminder_rules", "x" * 9000), ("z" * 9000, "1"),
        ("reminder_rules", json.dumps([{"id": "a" * 9000, "kind": "day_before", "at": "18:00"}] * 2)),
    ],
)  # fmt: skip
def test_a_long_wrong_value_is_not_repeated_whole(lab: ClinicLab, name: str, text: str) -> None:
    with pytest.raises(BadPolicy) as caught:
        set_rules(lab, **{name: text})

    assert len(str(caught.value)) < 1000


def test_one_wrong_value_leaves_all_as_it_was(lab: ClinicLab) -> None:
    with pytest.raises(BadPolicy):
        set_rules(lab, zone="America/Manaus", voucher_days="x")

    assert set_rules(lab)["zone"] == "America/Sao_Paulo"


def test_two_rules_that_belong_together_are_set_together(lab: ClinicLab) -> None:
    held = set_rules(lab, reactivation_from="60", reactivation_to="67")

    assert (held["reactivation_from"], held["reactivation_to"]) == ("60", "67")


def test_a_rule_is_given_back_to_its_default(lab: ClinicLab) -> None:
    set_rules(lab, voucher_days="5", reminder_rules=REMINDERS)

    held = set_rules(lab, voucher_days=UNSET, reminder_rules=UNSET)

    assert (held["voucher_days"], held["reminder_rules"]) == ("7", "")


def test_setting_a_rule_leaves_the_others(lab: ClinicLab) -> None:
    set_rules(lab, voucher_days="5")
    later = lab.moment = lab.moment + dt.timedelta(hours=1)

    assert set_rules(lab, asks_feedback="no")["voucher_days"] == "5"
    assert lab.rows("select changed_at from jobs.policies") == [{"changed_at": later}]


def test_the_jobs_read_what_was_set(lab: ClinicLab) -> None:
    set_rules(lab, zone="America/Noronha", feedback_after="3 hours", reminder_rules=REMINDERS)

    [clinic] = load(lab.conn, lab.desk.clinic).clinics

    assert (clinic.zone.key, clinic.rules.feedback_after, clinic.rules.reminder_rules) == (
        "America/Noronha", dt.timedelta(hours=3), json.loads(REMINDERS),
    )  # fmt: skip


def test_a_clinic_that_there_is_not_has_no_rules(lab: ClinicLab) -> None:
    with pytest.raises(BadPolicy, match="organization='nowhere' does not exist"):
        policy(lab.conn, lab.desk.clinic, "nowhere")


def test_a_clinic_that_there_is_not_is_given_none(lab: ClinicLab) -> None:
    with pytest.raises(BadPolicy, match="organization='nowhere' does not exist"):
        change(lab.conn, lab.desk.clinic, "nowhere", {"voucher_days": "5"}, now=lab.moment)
