import numpy as np
import pandas as pd
import pytest

from voc.nps_change import nps_change

SHARES = np.array([0.35, 0.35, 0.30])


def answers(shares_by_month, *, n=100, source="s", seed=0):
    rng, parts = np.random.default_rng(seed), []
    for month, shares in enumerate(shares_by_month):
        at = pd.Timestamp("2026-01-10", tz="UTC") + pd.DateOffset(months=month)
        parts.append(pd.DataFrame({"nps": rng.choice([10.0, 8.0, 3.0], size=n, p=shares), "started_at": at}))
    frame = pd.concat(parts, ignore_index=True)
    ids = [f"{source}{i}" for i in range(len(frame))]
    return frame.assign(source=source, contact_id=ids, customer_id=pd.Series([None] * len(frame), dtype="object"), duplicate_of=None)


def change(frame, as_of="2026-10-01"):
    return nps_change(frame, as_of_on=pd.Timestamp(as_of), timezone="Asia/Tokyo")


def test_a_planted_drop_is_found_and_its_interval_holds_it():
    found = change(answers([SHARES] * 8 + [np.array([0.2, 0.3, 0.5])], n=300))
    assert found.month == "2026-09" and found.high < 0
    assert found.low < -35 < found.high  # from +5 to -30


@pytest.mark.slow
def test_false_drops_are_as_rare_as_the_interval_says():
    false = [change(answers([SHARES] * 9, n=60, seed=seed)).high < 0 for seed in range(60)]
    assert sum(false) <= 5


def test_months_that_jump_anyway_make_the_interval_wider():
    calm = change(answers([SHARES] * 9, n=400))
    jumping = [np.array([0.35 + s, 0.35, 0.30 - s]) for s in (0.1, -0.1, 0.1, -0.1, 0.1, -0.1, 0.1, -0.1, -0.1)]
    wild = change(answers(jumping, n=400))
    assert wild.high - wild.low > 2 * (calm.high - calm.low)


def test_another_mix_of_surveys_is_no_drop():
    happy, unhappy = np.array([0.8, 0.1, 0.1]), np.array([0.1, 0.1, 0.8])
    frame = pd.concat([
        answers([happy] * 9, n=100, source="a"), answers([unhappy] * 8, n=30, source="b", seed=1),
        answers([unhappy] * 9, n=400, source="c", seed=2).iloc[-400:].assign(source="b"),
    ])  # fmt: skip
    found = change(frame)
    assert found.nps < 0 and found.high > 0  # the company's plain mean fell by far


@pytest.mark.parametrize("n", [0, 19])
def test_too_few_answers_say_nothing(n):
    assert change(answers([SHARES] * 9, n=n)) is None if n else change(answers([SHARES], n=1)) is None


def test_the_running_month_is_not_judged_and_a_quarterly_survey_is():
    assert change(answers([SHARES] * 9), as_of="2026-09-20").month == "2026-08"
    quarterly = answers([SHARES] * 9)
    quarterly = quarterly[quarterly["started_at"].dt.month.isin([3, 6, 9])]
    assert change(quarterly, as_of="2026-12-15").month == "2026-09"
    assert change(quarterly, as_of="2027-01-15") is None


def test_a_customer_counts_once_a_month():
    frame = answers([SHARES] * 9, n=40)
    loud = pd.concat([frame, *[frame.iloc[[-1]].assign(nps=0.0, customer_id="K1", contact_id=f"x{i}") for i in range(200)]])
    assert change(loud).n == 41
