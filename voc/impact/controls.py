"""Negative controls: issues that cannot make anybody leave. Their apparent effect measures what is hidden."""

import pandas as pd

from voc.impact.effects import Effects

CONTROL_KINDS = ("手続き", "使い方")
CONTROL_WORDS = (
    "住所変更", "住所の変更", "住所を変更", "引っ越し", "引越", "領収書", "請求書の再発行", "請求書再発行", "営業時間", "受付時間", "問い合わせ先", "電話番号の変更",
    "電話番号変更", "氏名変更", "氏名の変更", "名義変更", "メールアドレスの変更", "メールアドレス変更", "担当者の変更", "担当者変更", "支払い方法の変更",
    "支払方法の変更", "登録情報の変更", "登録情報変更", "明細の発行", "証明書の発行", "資料請求",
)  # fmt: skip
MAX_PROPOSED = 8


def propose_controls(issues: pd.DataFrame) -> list[str]:
    """Ids of at most eight issues that a person may confirm as controls, the most frequent first.

    By what they are, never by what the estimate says of them: a 手続き or 使い方 whose label speaks of an address, a
    receipt, opening hours and the like. `issues`: issue_id, label, kind, and n_sentences where there is one.
    """
    label = issues["label"].fillna("").astype("object")
    speaks = label.map(lambda text: any(word in text for word in CONTROL_WORDS)).to_numpy(dtype=bool)
    found = issues[speaks & issues["kind"].isin(CONTROL_KINDS).to_numpy(dtype=bool)]
    size = found["n_sentences"] if "n_sentences" in found else pd.Series(0, index=found.index)
    order = found.assign(size=-size).sort_values(["size", "issue_id"], kind="stable")
    return order["issue_id"].head(MAX_PROPOSED).tolist()


def control_table(
    issues: pd.DataFrame, impact: pd.DataFrame, effects: Effects | None, *, confirmed: set[str]
) -> pd.DataFrame:
    """IMPACT_CONTROLS: every confirmed or proposed control with what the model says of it.

    log_odds and log_odds_se as fitted, before calibration: with controls that are none of the causes and nothing
    hidden they stand around 0. The churns, per month, are calibrated; all are empty where there is no model or the
    issue is reverse. `impact`: churns_prevented, churns_low, churns_high by issue_id, empty where not answered.
    """
    proposed = set(propose_controls(issues))
    rows = issues.loc[issues["issue_id"].isin(confirmed | proposed), ["issue_id"]]
    rows = rows.assign(
        is_confirmed=rows["issue_id"].isin(confirmed), is_proposed=rows["issue_id"].isin(proposed))
    if effects is None:
        return rows
    fitted = effects.table[["issue", "log_odds", "log_odds_se"]].assign(
        issue_id=issues["issue_id"].to_numpy()[effects.table["issue"]]).drop(columns="issue")
    churns = impact[["issue_id", "churns_prevented", "churns_low", "churns_high"]]
    return rows.merge(fitted, on="issue_id", how="left").merge(churns, on="issue_id", how="left")
