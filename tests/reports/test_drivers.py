import pytest

from voc.reports.drivers import contrast_lines, driver_block, points

LABELS = {f"VOC-{n:04d}": f"課題{n}" for n in range(1, 10)}


def test_five_largest_gains_of_nps_with_interval_and_the_other_number(make):
    rows = driver_block(make.decided()["drivers"], LABELS)["rows"]
    assert [row["issue_id"] for row in rows] == ["VOC-0005", "VOC-0002", "VOC-0003", "VOC-0006", "VOC-0001"]
    assert rows[0] == {"issue_id": "VOC-0005", "label": "課題5", "gain": "+5.1", "interval": "+3.1〜+7.1pt", "other": "+4.2", "customers": "45名", "is_sure": True,
                       "source": "drivers|nps/VOC-0005|"}
    assert [row["is_sure"] for row in rows] == [True, True, True, False, False]


def test_without_answers_on_nps_there_is_no_block(make):
    drivers = make.decided()["drivers"]
    assert driver_block(drivers[drivers["measure"] == "csat"], LABELS) is None
    assert driver_block(drivers.assign(gain=float("nan")), LABELS) is None
    assert driver_block(drivers, {}) is None


def test_two_contrasts_of_each_group_the_surest_first(make):
    lines = contrast_lines(make.decided()["contrasts"], LABELS)
    assert [line["issue_id"] for line in lines] == ["VOC-0003", "VOC-0002"] * 3
    assert [line["group"] for line in lines[::2]] == ["LTVの大きい顧客", "NPSの推奨者", "解約を決めた顧客"]
    assert [lines[0][name] for name in ("share", "others", "other_share", "interval")] == ["24.0%", "それ以外", "11.0%", "2.2倍（1.8〜3.1倍）"]


@pytest.mark.parametrize(("low", "high", "n_customers", "n"), [(0.8, 1.4, 48, 0), (0.3, 0.7, 48, 6), (1.2, 3.0, 4, 0)])
def test_a_contrast_over_one_or_of_few_customers_is_not_told(make, low, high, n_customers, n):
    lines = contrast_lines(make.decided()["contrasts"].assign(low=low, high=high, n_customers=n_customers), LABELS)
    assert len(lines) == n


def test_of_fewer_than_five_others_no_share_is_told(make):
    lines = contrast_lines(make.decided()["contrasts"].assign(other_share=4 / 800), LABELS)
    assert {line["other_share"] for line in lines} == {"5名未満"}


@pytest.mark.parametrize(("value", "text"), [(0.0, "0.0"), (-0.01, "0.0"), (1.25, "+1.2"), (-3.0, "−3.0"), (None, "—")])
def test_points_carry_their_sign(value, text):
    assert points(value) == text
