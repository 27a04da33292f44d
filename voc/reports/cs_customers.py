"""Customers in the pack of the service desk: why they cancel and what kept them, who is at risk, what the desk protected."""

import pandas as pd

from voc.customers.health import DANGER
from voc.impact.lifetime import TIER_NAMES
from voc.intervals import wilson
from voc.reports.cs_contacts import solved
from voc.reports.formats import NONE, SMALL_GROUP, count, customers, is_missing, percent, plain, yen
from voc.reports.sheets import Column, Sheet, hidden, table
from voc.reports.wording import channel_name

THANKS_SHOWN = 60
_PRAISE, _NOT_NEGATIVE = 0.6, 0.3
_PEOPLE = (
    r"応対|対応|担当|窓口|サポート|オペレータ|スタッフ|係の|お電話|電話に|チャット(?:の|で)|返信|返答|回答|折り返|ご案内|案内して|説明(?!なし|無し|書|不要|会)|相談|親身|丁寧|親切"
    r"|(?:教え|調べ|直し|進め|聞い|助け)て(?:くれ|くださ|下さ|いただ|頂)"
)
_PEOPLE_KIND = "対応"
NO_OFFER = "（提案の記録なし）"


def reasons_sheet(tables: dict[str, pd.DataFrame], issues: pd.DataFrame) -> Sheet:
    """Reasons that customers gave for leaving, by the issue that the sentence belongs to. `issues`: issue_id, 課題, 種類."""
    columns = [Column("理由（課題）", "text", 38), Column("種類", "text", 9, choices=True), Column("申し出", "count", 10, bar=True, source="表 calls の cancel_reason がある問い合わせの数"), Column("割合", "percent", 9, source="申し出 ÷ 理由を述べた申し出の合計"),
               Column("顧客数", "customers", 10, source="その申し出の顧客（customer_id）の数"), Column("留まった", "count", 10, source="そのうち表 calls の is_kept が真のもの"), Column("申し出の例", "long", 80)]  # fmt: skip
    told = tables["calls"].dropna(subset=["cancel_reason"]).merge(tables["contacts"][["contact_id", "customer_id"]], on="contact_id")
    sentences = tables["sentences"][["contact_id", "sentence_id", "text"]].rename(columns={"text": "cancel_reason"})
    own = tables["mentions"].merge(issues, on="issue_id").sort_values(["probability", "issue_id"], ascending=[False, True], kind="stable")
    found = told.merge(sentences.drop_duplicates(["contact_id", "cancel_reason"]), on=["contact_id", "cancel_reason"], how="left")
    found = found.merge(own.drop_duplicates("sentence_id")[["sentence_id", "課題", "種類"]], on="sentence_id", how="left")
    found = found.assign(**{"理由（課題）": found["課題"].fillna("（どの課題にも入らない理由）"), "種類": found["種類"].fillna(""), "is_kept": found["is_kept"].fillna(False).astype(int)})
    groups = found.groupby(["理由（課題）", "種類"])
    frame = groups.agg(申し出=("contact_id", "nunique"), n=("customer_id", "nunique"), 留まった=("is_kept", "sum"), 申し出の例=("cancel_reason", "first")).reset_index()
    frame = frame.assign(割合=frame["申し出"] / max(len(found), 1), 顧客数=hidden(frame["n"]), 留まった=frame["留まった"].where(frame["n"] >= SMALL_GROUP))
    frame = frame.sort_values(["申し出", "理由（課題）"], ascending=[False, True], kind="stable")
    lines = ("通話・チャットで解約を申し出た顧客が述べた理由です。理由を述べなかった申し出は含みません。",)
    return Sheet("解約理由", "解約の理由", lines, tuple(columns), table(frame, columns), when_empty="解約の理由を述べた通話・チャットは、まだありません。")


def offers_sheet(tables: dict[str, pd.DataFrame]) -> Sheet:
    """Offers made to customers who wanted to leave, and how many stayed (share with its 90 % Wilson interval)."""
    columns = [Column("提案", "text", 30), Column("申し出", "count", 11, bar=True, source="表 calls の offer ごとの、解約の話の数"), Column("留まった", "count", 11, bar=True, source="そのうち表 calls の is_kept が真のもの"), Column("解約に進んだ", "count", 12, source="そのうち表 calls の is_kept が偽のもの"),
               Column("結果の記録なし", "count", 13, source="そのうち表 calls の is_kept が空のもの"), Column("留まった割合", "percent", 12, source="留まった ÷（留まった ＋ 解約に進んだ）"), Column("90%区間の下限", "percent", 12, source="Wilson（1927）の区間"), Column("90%区間の上限", "percent", 12, source="Wilson（1927）の区間")]  # fmt: skip
    talks = cancel_talks(tables["calls"])
    offer = talks["offer"].str.normalize("NFKC").fillna(NO_OFFER)
    stayed = talks["is_kept"].astype("float64")
    counted = pd.DataFrame({"提案": offer, "申し出": 1, "留まった": stayed == 1, "解約に進んだ": stayed == 0, "結果の記録なし": stayed.isna()})
    frame = counted.groupby("提案").sum().reset_index()
    known = frame["留まった"] + frame["解約に進んだ"]
    low, high = wilson(frame["留まった"].to_numpy(dtype="float64"), known.to_numpy(dtype="float64"))
    enough = known >= SMALL_GROUP
    frame["留まった割合"] = (frame["留まった"] / known.where(known > 0)).where(enough)
    frame["90%区間の下限"], frame["90%区間の上限"] = pd.Series(low).where(enough), pd.Series(high).where(enough)
    frame = frame.assign(last=frame["提案"] == NO_OFFER).sort_values(["last", "申し出", "提案"], ascending=[True, False, True], kind="stable")
    frame[["留まった", "解約に進んだ", "結果の記録なし"]] = frame[["留まった", "解約に進んだ", "結果の記録なし"]].where(frame["申し出"] >= SMALL_GROUP)
    none = () if (frame["提案"] != NO_OFFER).any() or frame.empty else ("割引やプラン変更など、引き留めの提案の記録は見つかりませんでした。",)
    lines = ("解約を申し出た顧客に応対者が行った提案と、その通話・チャットの終わりに顧客が留まると述べたかどうかです。",
             f"記録の集計であり、提案の効果を比べたものではありません（提案する相手が異なるため）。結果の分かる申し出が{SMALL_GROUP}件未満の割合は示しません。", *none)
    return Sheet("引き留め", "引き留めの提案と結果", lines, tuple(columns), table(frame, columns), when_empty="解約の申し出を含む通話・チャットは、まだありません。")


def cancel_talks(calls: pd.DataFrame) -> pd.DataFrame:
    """Rows of CALLS in which leaving was spoken of: a reason, an offer or a result is recorded."""
    return calls[calls[["cancel_reason", "offer", "is_kept"]].notna().any(axis=1)]


def risk_sheet(tables: dict[str, pd.DataFrame], issues: pd.DataFrame, *, timezone: str) -> Sheet:
    """Customers of CUSTOMER_HEALTH that are at risk, largest loss first, with the reasons of their score. Pseudonyms only."""
    columns = [Column("仮名", "id", 20), Column("健康度", "points", 9, source="customer_health|score"), Column("LTV区分", "text", 14, on_page=False), Column("プラン", "text", 16, choices=True), Column("LTV", "yen", 14, bar=True, source="customer_health|ltv_yen"),
               Column("失うおそれのあるLTV", "yen", 16, bar=True, source="customer_health|loss_yen"), Column("最後の問い合わせ", "day", 13, source="表 contacts の started_at の最後"), Column("最も多い課題", "text", 34, choices=True),
               Column("理由", "long", 90)]  # fmt: skip
    risk = tables["customer_health"]
    risk = risk[risk["is_at_risk"].astype(bool)].merge(tables["customers"][["customer_id", "plan"]], on="customer_id", how="left")
    risk = risk.merge(issues[["issue_id", "課題"]], on="issue_id", how="left")
    last = tables["contacts"].groupby("customer_id")["started_at"].max().dt.tz_convert(timezone).dt.tz_localize(None).dt.normalize()
    frame = risk.assign(仮名=risk["customer_id"], 健康度=risk["score"], LTV区分=risk["tier"].map(TIER_NAMES), プラン=risk["plan"], LTV=risk["ltv_yen"],
                        失うおそれのあるLTV=risk["loss_yen"], 最後の問い合わせ=risk["customer_id"].map(last.to_dict()), 最も多い課題=risk["課題"],
                        理由=risk["reasons"].map("、".join))
    frame = frame.sort_values(["loss_yen", "score", "customer_id"], ascending=[False, True, True], kind="stable")
    lines = ["健康度が「危険」で、LTVが上位の顧客です（LTVが分からない会社では「危険」の顧客すべて）。失うおそれのあるLTVは、LTVに、この帯の顧客が3か月以内に解約した割合を掛けた額です。",
             "顧客番号は、仮名を付けて次の1行で調べられます： voc reveal 仮名 --config voc.toml", *_tested(tables["health_test"])]  # fmt: skip
    return Sheet("要注意の顧客", "要注意の顧客", tuple(lines), tuple(columns), table(frame, columns),
                 when_empty="要注意の顧客は、今回は見つかりませんでした（顧客・契約のデータが要ります）。", keys=(("仮名", "customer_id"),))


def _tested(test: pd.DataFrame) -> list[str]:
    """How well the score did on past months, as one line; none where it could not be tested."""
    of_all = test[test["scope"] == "all"]
    danger, whole = of_all[of_all["band"] == DANGER], of_all[of_all["band"] == ""]
    if danger.empty or whole.empty or is_missing(danger.iloc[0]["churn_share"]) or is_missing(whole.iloc[0]["auc"]):
        return ["このスコアが過去の解約をどれだけ言い当てたかは、期間または解約が少なく検証できていません。"]
    danger, whole = danger.iloc[0], whole.iloc[0]
    return [f"過去の月で検証すると、「危険」の顧客のうち3か月以内に解約したのは{percent(danger['churn_share'])}（全体では{percent(whole['churn_share'])}）、"
            f"見分ける力（AUC）は{whole['auc']:.2f}（90%区間 {whole['auc_low']:.2f}〜{whole['auc_high']:.2f}、0.5は当てずっぽう）です。"]


def thanks_sheet(tables: dict[str, pd.DataFrame], issues: pd.DataFrame, *, start: pd.Timestamp, timezone: str) -> Sheet:
    """Praise for people and support in the month from `start`: each wording once, the clearest first."""
    columns = [Column("日付", "day", 12, source="表 contacts の started_at"), Column("窓口", "text", 11, choices=True), Column("お客様の言葉", "long", 100)]
    said = tables["sentences"].merge(tables["opinions"][["sentence_id", "p_praise", "p_negative"]], on="sentence_id")
    said = said[said["set_aside"].isna() & (said["p_praise"] >= _PRAISE) & (said["p_negative"] <= _NOT_NEGATIVE) & (said["text"].str.len() >= 10)]
    of_people = issues.loc[issues["種類"] == _PEOPLE_KIND, "issue_id"]
    own = tables["mentions"].loc[tables["mentions"]["issue_id"].isin(of_people) & (tables["mentions"]["probability"] >= 0.5), "sentence_id"]
    said = said[said["text"].str.contains(_PEOPLE) | said["sentence_id"].isin(own)]
    said = said.merge(in_month(tables["contacts"], start, timezone)[["contact_id", "channel", "day"]], on="contact_id")
    said = said.assign(shown=said["text"].map(plain)).sort_values(["p_praise", "sentence_id"], ascending=[False, True], kind="stable").drop_duplicates("shown")
    frame = said.assign(日付=said["day"], 窓口=said["channel"].map(channel_name), お客様の言葉=said["text"]).head(THANKS_SHOWN)
    lines = (f"{start.year}年{start.month}月に寄せられた、応対や窓口への感謝・称賛の言葉です（個人情報は伏せ字）。",)
    return Sheet("お客様の言葉", "お客様からの感謝の言葉", lines, tuple(columns), table(frame, columns),
                 when_empty="この月には、応対や窓口への感謝・称賛の言葉は見つかりませんでした。")


def in_month(contacts: pd.DataFrame, start: pd.Timestamp, timezone: str) -> pd.DataFrame:
    """Contacts of the calendar month from `start` with their local `day`; copies left out."""
    days = contacts["started_at"].dt.tz_convert(timezone).dt.tz_localize(None).dt.normalize()
    inside = (days >= start) & (days < start + pd.offsets.MonthBegin(1)) & contacts["duplicate_of"].isna()
    return contacts.assign(day=days)[inside]


def protected(tables: dict[str, pd.DataFrame], *, start: pd.Timestamp, timezone: str, n_thanks: int) -> list[dict]:
    """What the desk did in the month from `start`: tiles (name, value, note) of answered and solved contacts, kept customers, thanks."""
    contacts = in_month(tables["contacts"], start, timezone)
    answered = contacts[contacts["contact_id"].isin(tables["turns"].loc[tables["turns"]["speaker"] == "operator", "contact_id"])]
    known = solved(tables).reindex(contacts["contact_id"]).dropna().astype(bool)
    kept = tables["calls"][tables["calls"]["is_kept"].fillna(False).astype(bool)].merge(contacts[["contact_id", "customer_id"]], on="contact_id")
    n_kept = kept["customer_id"].nunique() or len(kept)
    value = tables["customer_health"].set_index("customer_id")["ltv_yen"].reindex(kept["customer_id"].dropna().unique()).sum(min_count=1)
    worth = f"LTVの合計 {yen(value)}" if n_kept >= SMALL_GROUP and not is_missing(value) else "解約の申し出の後に、続けると述べた顧客"
    return [
        {"name": "応対した問い合わせ", "value": count(len(answered)), "note": "応対者の発言が記録されているもの"},
        {"name": "解決した問い合わせ", "value": count(int(known.sum())) if len(known) else NONE,
         "note": f"結果の分かる{count(len(known))}のうち{percent(known.mean(), places=0)}" if len(known) else "解決したかどうかの記録がありません"},
        {"name": "引き留めた顧客", "value": customers(n_kept) if n_kept else "記録なし", "note": worth if n_kept else "続けると述べた解約の申し出はありません"},
        {"name": "感謝・称賛の言葉", "value": count(n_thanks), "note": "応対や窓口に向けられたもの"},
    ]  # fmt: skip
