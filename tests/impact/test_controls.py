import numpy as np
import pytest

from tests.impact.tables import issues
from tests.impact.test_estimate import company, run
from voc.config import Impact
from voc.impact.controls import propose_controls

KINDS = {"bug": "不具合", "howto": "使い方", "住所変更の手続き": "手続き", "解約手続き": "手続き"}
LENIENT = {"min_churns": 20, "min_contacts": 50, "draws": 100}


@pytest.mark.parametrize("label, kind, proposed", [
    ("住所変更", "手続き", True), ("領収書の発行方法", "使い方", True), ("営業時間の確認", "使い方", True),
    ("住所変更ができない", "不具合", False), ("領収書が届かない", "料金", False), ("ログイン方法", "使い方", False), ("解約手続き", "手続き", False),
])
def test_proposed_by_kind_and_words(label, kind, proposed):
    assert (propose_controls(issues(**{label: kind})) == [label]) is proposed


def test_at_most_eight_are_proposed_the_most_frequent_first():
    table = issues(**{f"住所変更{k}": "手続き" for k in range(10)}).assign(n_sentences=range(10))
    assert propose_controls(table) == [f"住所変更{k}" for k in range(9, 1, -1)]


def test_controls_are_proposed_until_a_person_confirms_them():
    people, calls, said = company()
    said["issue_id"] = said["issue_id"].replace("praise", "住所変更の手続き")
    proposed = run(people, calls, said, KINDS, impact=Impact(**LENIENT))
    row = proposed.controls.set_index("issue_id").loc["住所変更の手続き"]
    assert (bool(row["is_confirmed"]), bool(row["is_proposed"])) == (False, True) and np.isfinite(row["log_odds"])
    assert proposed.diagnostics["n_controls"] == 0
    impact = Impact(**LENIENT, controls=["住所変更の手続き", "howto", "VOC-9999"])
    confirmed = run(people, calls, said, KINDS, impact=impact)
    assert confirmed.diagnostics["n_controls"] == 2 and confirmed.diagnostics["unknown_ids"] == ["VOC-9999"]
    assert confirmed.controls["is_confirmed"].tolist() == [True, True]
    assert confirmed.controls.set_index("issue_id")["is_proposed"].to_dict() == {"howto": False, "住所変更の手続き": True}


def test_without_a_model_the_table_has_no_numbers():
    people, calls, said = company()
    result = run(people, calls, said, KINDS, impact=Impact(min_months=36))
    assert result.controls["issue_id"].tolist() == ["住所変更の手続き"] and result.controls["log_odds"].isna().all()
