"""The numeric world: same seed same world, and a truth that obeys its own definition."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from voc.demo.catalogue import load_catalogue
from voc.demo.truth import contact_cost_yen
from voc.demo.world import labels, simulate

TABLES = ("customers", "usage", "contacts", "people", "truth", "truth_months", "months")


@pytest.fixture(scope="module")
def catalogue():
    return load_catalogue()


@pytest.fixture(scope="module")
def small(catalogue):
    return simulate(catalogue, seed=3, n_customers=500)


@pytest.fixture(scope="module")
def company(catalogue):
    return simulate(catalogue, seed=42)


@pytest.mark.slow
def test_same_seed_same_world_and_another_seed_another(catalogue, small):
    again = simulate(catalogue, seed=3, n_customers=500)
    for name in TABLES:
        assert_frame_equal(getattr(small, name), getattr(again, name))
    other = simulate(catalogue, seed=4, n_customers=500)
    assert not small.customers.equals(other.customers)


def test_size_churn_and_base_of_the_default_company(company):
    assert len(company.customers) >= 3000
    assert 8500 <= len(company.contacts) <= 10_500
    assert company.customers["customer_id"].is_unique
    assert company.contacts["contact_id"].is_unique
    churn = (company.months["n_churned"] / company.months["n_customers"]).mean()
    assert 0.02 <= churn <= 0.03
    assert company.months["n_customers"].between(3700, 4400).all()


@pytest.mark.parametrize("seed", [42, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2, 3, 4, 5))])
def test_the_dearest_issues_are_not_the_loudest(catalogue, company, seed):
    truth = company.truth if seed == 42 else simulate(catalogue, seed=seed).truth
    dearest = truth.nlargest(8, "stake_yen_12")
    loudest = truth.nlargest(8, "n_contacts")
    assert dearest["is_low_volume"].sum() >= 2
    assert dearest["key"].isin(loudest["key"]).sum() <= 4


def test_truth_signs_and_bounds(company):
    truth = company.truth.set_index("role")
    for suffix in ("12", "all"):
        assert (truth.loc["harmful", f"prevented_{suffix}"] > 0).all()
        assert (truth.loc["protective", f"prevented_{suffix}"] < 0).all()
        for role in ("zero", "control", "reverse"):
            assert (truth.loc[role, f"prevented_{suffix}"] == 0).all()
        harmful = truth.loc["harmful"]
        assert (harmful[f"prevented_{suffix}"] <= harmful[f"prevented_with_silent_{suffix}"]).all()
    by_month = company.truth_months[company.truth_months["prevented"] > 0].groupby("month_on")["prevented"].sum()
    assert (by_month.to_numpy() <= company.months["churns_expected"].to_numpy()).all()


def test_expected_churns_meet_the_simulated_ones(company):
    expected, decided = company.months["churns_expected"].sum(), company.months["n_decided"].sum()
    assert abs(expected - decided) < 4 * np.sqrt(expected)


def test_contact_cost_is_split_and_sums_to_the_whole(company):
    spoken = company.contacts[company.contacts["issues"].map(len) > 0]
    assert company.truth_months["contact_cost_yen"].sum() == pytest.approx(contact_cost_yen(spoken).sum())
    call = pd.DataFrame({"channel": ["call", "chat", "survey"], "handle_seconds": [3600.0, 3600.0, 0.0],
                         "n_transfers": [1.0, 0.0, 0.0]})
    assert contact_cost_yen(call).tolist() == [4000.0, 1800.0, 0.0]


def test_reverse_contacts_stand_between_decision_and_end(company):
    people = company.people.set_index("customer_id")
    asked = company.contacts[company.contacts["issues"].map(lambda keys: "cancel_procedure" in keys)]
    on = asked["started_at"].dt.tz_convert("Asia/Tokyo").dt.tz_localize(None).dt.normalize()
    decided, ended = (people.loc[asked["customer_id"], column].to_numpy() for column in ("decided_on", "ended_on"))
    assert (on.to_numpy() >= decided).all()
    assert ((on.to_numpy() < ended) | np.isnat(ended)).all()
    leavers = people.index[people["decided_on"].notna() & people["ended_on"].notna()]
    for key in ("cancel_procedure", "data_export"):
        named = company.contacts[company.contacts["issues"].map(lambda keys, key=key: key in keys)]
        assert 0.25 <= leavers.isin(named["customer_id"]).mean() <= 0.60


def test_nobody_calls_before_the_contract_after_it_or_at_weekends(company):
    people = company.customers.set_index("customer_id").loc[company.contacts["customer_id"]]
    local = company.contacts["started_at"].dt.tz_convert("Asia/Tokyo")
    on = local.dt.tz_localize(None).dt.normalize().to_numpy()
    assert (on >= people["started_on"].to_numpy()).all()
    assert ((on < people["ended_on"].to_numpy()) | people["ended_on"].isna().to_numpy()).all()
    calls = local[company.contacts["channel"] == "call"]
    assert (calls.dt.weekday < 5).all()
    assert calls.dt.hour.between(9, 17).all()


def test_silent_customers_report_nothing_but_may_cancel(company):
    silent = company.people.loc[company.people["is_silent"], "customer_id"]
    keys = company.contacts.loc[company.contacts["customer_id"].isin(silent), "issues"].explode()
    assert set(keys) == {"cancel_procedure", "data_export"}
    assert 0.37 <= company.people["is_silent"].mean() <= 0.43


def test_repeats_come_within_a_week_of_an_unresolved_contact(company):
    contacts = company.contacts.set_index("contact_id")
    again = contacts[contacts["repeat_of"].notna()]
    first = contacts.loc[again["repeat_of"]]
    assert len(again) > 200
    assert (first["is_resolved"].to_numpy() == False).all()  # noqa: E712
    days = (again["started_at"].to_numpy() - first["started_at"].to_numpy()) / np.timedelta64(1, "D")
    assert (days > 0).all()
    assert (days < 8).all()


def test_nps_falls_with_harmful_issues(company):
    surveys = company.contacts[company.contacts["channel"] == "survey"]
    assert surveys["nps"].between(0, 10).all()
    harmful = set(company.catalogue.loc[company.catalogue["role"] == "harmful", "key"])
    hurt = surveys["issues"].map(lambda keys: bool(harmful & set(keys)))
    assert surveys.loc[hurt, "nps"].mean() + 0.5 < surveys.loc[~hurt, "nps"].mean()


@pytest.mark.slow
def test_options_make_other_worlds(catalogue, small):
    zero = simulate(catalogue, seed=3, n_customers=500, effects="zero")
    assert (zero.truth["prevented_with_silent_all"] == 0).all()
    assert zero.months["n_decided"].sum() < small.months["n_decided"].sum()
    rare = simulate(catalogue, seed=3, n_customers=1000, rare_share=0.7)
    usual = simulate(catalogue, seed=3, n_customers=1000)
    assert (rare.truth["n_customers"] < 20).sum() > (usual.truth["n_customers"] < 20).sum()
    with pytest.raises(ValueError, match="planted"):
        simulate(catalogue, seed=1, n_customers=50, effects="none")


@pytest.mark.parametrize("accuracy", [0.7, 0.85])
def test_labels_are_as_accurate_as_asked_and_calibrated(small, accuracy):
    tables = labels(small, accuracy=accuracy, seed=5)
    said = small.contacts.explode("issues").dropna(subset=["issues"])
    order = said.groupby("contact_id").cumcount().astype(str)
    true = dict(zip(said["contact_id"] + "-" + order, said["issues"], strict=True))
    mentions = tables["mentions"]
    hit = mentions["issue_id"] == mentions["sentence_id"].map(true)
    best = mentions.sort_values("probability").groupby("sentence_id").tail(1).index
    assert hit[best].mean() == pytest.approx(accuracy, abs=0.02)
    assert hit.mean() == pytest.approx(mentions["probability"].mean(), abs=0.03)


def test_certain_labels_repeat_what_was_said(small):
    tables = labels(small)
    assert (tables["mentions"]["probability"] == 1).all()
    assert len(tables["mentions"]) == small.contacts["issues"].map(len).sum()
    mails = tables["contacts"]["channel"] == "email"
    assert tables["contacts"].loc[mails, "handle_seconds"].isna().all()
    assert tables["contacts"].loc[~mails, "handle_seconds"].notna().all()
