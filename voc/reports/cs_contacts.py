"""What the contacts of a service desk say: FAQ in yen, stumbling points, repeats and transfers, answers that helped."""

import pandas as pd

from voc.impact.cost import repeats
from voc.impact.records import LIKELY, link
from voc.reports.formats import SMALL_GROUP, is_missing
from voc.reports.sheets import Column, Sheet, hidden, table
from voc.reports.wording import FAQ_STATES

FAQ_KINDS = ("使い方", "手続き")
PAIRS = 3
_PLACES_SHOWN = 60
_SCREEN = r"([一-龥々ァ-ヶーA-Za-z0-9]{1,12}(?:画面|ページ|メニュー|フォーム|タブ|ボタン|一覧|入力欄|アプリ))"
_NAMELESS = r"^(?:この|その|同|別|次|前|全|各|元|何|上|下)?(?:画面|ページ|メニュー|フォーム|タブ|ボタン|一覧|入力欄|アプリ)$"
_STEP = (
    r"(?:ログイン|ログアウト|認証|登録|連携|設定|再設定|入力|出力|取込|取り込み|インポート|エクスポート|ダウンロード|アップロード|検索|表示|印刷|保存|更新|同期|申請|承認"
    r"|送信|受信|発行|変更|削除|追加|支払い?|決済|請求|注文|予約|配送|返品|返金|キャンセル|解約|退会|読み取り|撮影|通知|招待|インストール)$"
)
_HOLDS = (
    r"お待ち|少々|確認(?:いたし|し)ます|お調べ|調べますの|担当(?:の|に|者)|よろしくお願い|お電話ありがとう|おっしゃる|申し訳|恐れ入ります|失礼|承知|かしこまり|引き継ぎ|おつなぎ|ご不便"
    r"|ありがとうございま|いかがされ|どうされ|ご用件|転送|改めて|折り?返|後ほど|なるほど|お気軽に|何かございまし"
)
_SHOWS = r"ください|下さい|いただけ|できます|可能です|選ん|選択|押し|クリック|タップ|開い|画面|メニュー|ボタン|設定|手順|から|まで|届き|なります|ございます"


def faq_sheet(tables: dict[str, pd.DataFrame], issues: pd.DataFrame) -> Sheet:
    """FAQ triage in yen where the table `faq_triage` is given; else the issues that an article could take over, and what to give.

    `issues`: issue_id, 課題, 種類 in the order of the report.
    """
    kept = issues[issues["種類"].isin(FAQ_KINDS)].merge(tables["impact"], on="issue_id")
    triage = tables.get("faq_triage")
    has_triage = triage is not None and not triage.empty
    own, unit = ("faq_triage|yen_", "") if has_triage else ("impact|deflectable_", "_yen")
    columns = [Column("課題", "text", 38), Column("種類", "text", 9, choices=True), Column("削減の下限／月", "yen", 14, source=f"{own}low{unit}"), Column("削減の上限／月", "yen", 14, bar=True, source=f"{own}high{unit}"),
               Column("問い合わせコスト／月", "yen", 15, source="impact|contact_cost_yen"), Column("件数／月", "contacts", 11, source="impact|n_contacts"), Column("課題番号", "id", 11)]  # fmt: skip
    frame = kept.assign(**{"課題番号": kept["issue_id"], "削減の下限／月": kept["deflectable_low_yen"], "削減の上限／月": kept["deflectable_high_yen"],
                           "問い合わせコスト／月": kept["contact_cost_yen"], "件数／月": kept["n_contacts"]})  # fmt: skip
    lines = ["FAQやチャットボットで顧客が自分で解決できるようになった場合の見込みです。幅は自己解決できる割合の想定によるもので、統計の区間ではありません。"]
    if not has_triage:
        lines.append("FAQの記事（format = \"faq\"）と検索ログ（format = \"faq_logs\"）を設定に加えると、記事がない・見つからない・伝わらないの別も分かります。" if tables["faq"].empty else
                     f"FAQの記事{len(tables['faq']):,}本との照合結果がないため、記事がない・見つからない・伝わらないの別は示していません。")
    else:
        columns[2:2] = [Column("状態", "text", 20, choices=True), Column("記事", "text", 30), Column("根拠", "long", 46),
                         Column("記事の近さ（1が同じ）", "probability", 12, on_page=False, source="faq_triage|similarity")]
        frame = _with_triage(frame, triage, tables["faq"])
        lines.append("「記事がない」は新しく書く、「見つけられていない」は題名や検索語を直す、「伝わっていない」は本文を直す、の順に効きます。")
    frame = frame.sort_values(["削減の上限／月", "issue_id"], ascending=[False, True], kind="stable")
    return Sheet("FAQ", "FAQで減らせる問い合わせ", tuple(lines), tuple(columns), table(frame, columns),
                 when_empty="使い方・手続きに当たる課題は、今回は見つかりませんでした。", keys=(("課題番号", "issue_id"),))


def _with_triage(frame: pd.DataFrame, triage: pd.DataFrame, faq: pd.DataFrame) -> pd.DataFrame:
    """`frame` with the state of each issue; its yen where given are those of the triage."""
    found = frame.merge(triage.drop_duplicates("issue_id"), on="issue_id", how="left", suffixes=("", "_faq"))
    for name, own in (("削減の下限／月", "yen_low"), ("削減の上限／月", "yen_high")):
        if own in found:
            found[name] = found[own].astype("float64").fillna(found[name])
    blank = pd.Series("", index=found.index)
    titles = faq.set_index("article_id")["title"]
    state, article = found.get("state", blank), found.get("article_id", blank)
    return found.assign(状態=state.map(lambda one: FAQ_STATES.get(one, "未判定" if is_missing(one) else one)), 記事=article.map(titles),
                        根拠=found.get("evidence", blank), **{"記事の近さ（1が同じ）": found.get("similarity", pd.Series(float("nan"), index=found.index))})


def places_sheet(tables: dict[str, pd.DataFrame], issues: pd.DataFrame) -> Sheet:
    """Screens and steps at which customers complain or ask, most contacts first.

    A place is what REQUESTS names, a screen in the words of a complaint or question, or a step among its terms.
    """
    columns = [Column("画面・操作", "text", 24), Column("分類", "text", 8, choices=True), Column("問い合わせ", "count", 11, bar=True, source="不満または質問の文でこの画面・操作に触れた問い合わせ（contact_id）の数"),
               Column("顧客数", "customers", 10, source="その問い合わせの顧客（customer_id）の数"), Column("不満の文", "sentences", 10, bar=True, source="表 opinions の p_complaint が 0.5 以上の文の数"), Column("質問の文", "sentences", 10, bar=True, source="表 opinions の p_question が 0.5 以上の文の数"),
               Column("最も多い課題", "text", 36), Column("声の例", "long", 70)]  # fmt: skip
    said = tables["sentences"].merge(tables["opinions"][["sentence_id", "p_complaint", "p_question"]], on="sentence_id")
    said = said[said["set_aside"].isna() & ((said["p_complaint"] >= LIKELY) | (said["p_question"] >= LIKELY))]
    screens = said["text"].str.extractall(_SCREEN)[0].str.normalize("NFKC").reset_index(level="match", drop=True)
    screens = screens[~screens.str.match(_NAMELESS)]
    steps = said["terms"].explode().dropna().astype("str")
    steps = steps[steps.str.contains(_STEP) & (steps.str.len() >= 2)]
    named = said.merge(tables["requests"][["sentence_id", "place"]].dropna(), on="sentence_id", how="inner")
    parts = [said.loc[screens.index].assign(place=screens.to_numpy(), 分類="画面"), said.loc[steps.index].assign(place=steps.to_numpy(), 分類="操作"),
             named.assign(分類="画面")]
    found = pd.concat(parts, ignore_index=True).drop_duplicates(["sentence_id", "place"])
    found = found.merge(tables["contacts"][["contact_id", "customer_id"]], on="contact_id", how="left")
    own = tables["mentions"].merge(issues, on="issue_id").sort_values(["probability", "issue_id"], ascending=[False, True], kind="stable")
    found = found.merge(own.drop_duplicates("sentence_id")[["sentence_id", "課題"]], on="sentence_id", how="left")
    groups = found.groupby("place")
    frame = pd.DataFrame({
        "分類": groups["分類"].first(), "問い合わせ": groups["contact_id"].nunique(), "n": groups["customer_id"].nunique(),
        "不満の文": (found["p_complaint"] >= LIKELY).groupby(found["place"]).sum(), "質問の文": (found["p_question"] >= LIKELY).groupby(found["place"]).sum(),
        "声の例": found.sort_values(["p_complaint", "sentence_id"], ascending=[False, True]).groupby("place")["text"].first(),
    }).rename_axis("画面・操作").reset_index()  # fmt: skip
    tops = found.dropna(subset=["課題"]).groupby(["place", "課題"]).size().reset_index(name="k").sort_values(["k", "課題"], ascending=[False, True], kind="stable")
    frame["最も多い課題"] = frame["画面・操作"].map(tops.drop_duplicates("place").set_index("place")["課題"])
    frame = frame.assign(顧客数=hidden(frame["n"])).where(frame["問い合わせ"] >= SMALL_GROUP).dropna(subset=["問い合わせ"])
    frame = frame.sort_values(["問い合わせ", "画面・操作"], ascending=[False, True], kind="stable").head(_PLACES_SHOWN)
    lines = ("不満または質問の文に現れた画面と操作を、全期間について数えました。1件の問い合わせが複数の画面・操作に触れることがあります。",
             f"問い合わせが{SMALL_GROUP}件に満たない画面・操作は載せていません。")
    return Sheet("つまずき", "つまずきやすい画面・操作", lines, tuple(columns), table(frame, columns),
                 when_empty="画面や操作を名指しした不満・質問は、まだ十分にありません。")


def repeats_sheet(tables: dict[str, pd.DataFrame], issues: pd.DataFrame, *, repeat_days: int) -> Sheet:
    """Per issue the contacts that came again within `repeat_days`, the transfers, and what both cost a month (COST_PARTS)."""
    columns = [Column("課題", "text", 38), Column("種類", "text", 9, choices=True), Column("再問い合わせのコスト／月", "yen", 15, bar=True, source="cost_parts|repeat_cost_yen"),
               Column("再問い合わせの割合", "percent", 13, source="再問い合わせ ÷ 全件数"), Column("再問い合わせ", "count", 11, source="同じ顧客から同じ課題で決まった日数以内に再び寄せられた問い合わせの数（表 contacts、mentions）"), Column("転送のコスト／月", "yen", 14, bar=True, source="cost_parts|transfer_yen"),
               Column("転送された割合", "percent", 13, source="転送された問い合わせ ÷ 転送の回数が分かる問い合わせ"), Column("転送された問い合わせ", "count", 13, source="表 contacts の n_transfers が 1 以上の問い合わせの数"), Column("全件数", "count", 10, source="表 mentions で確からしさが 0.5 以上の問い合わせの数"), Column("課題番号", "id", 11, on_page=False)]  # fmt: skip
    contacts = tables["contacts"][tables["contacts"]["duplicate_of"].isna()].reset_index(drop=True)
    ids = issues["issue_id"].tolist()
    links, _ = link(tables["mentions"], contacts, ids)
    again = repeats(contacts, links, repeat_days=repeat_days)
    n_transfers = contacts["n_transfers"].to_numpy()[links.contact]
    likely = links.probability >= LIKELY
    counted = pd.DataFrame({"issue": links.issue, "全件数": 1, "再問い合わせ": again, "is_known": n_transfers >= 0, "転送された問い合わせ": n_transfers > 0})
    counted = counted[likely].groupby("issue").sum().reindex(range(len(ids)), fill_value=0).reset_index(drop=True)
    costs = tables["cost_parts"][tables["cost_parts"]["scope"] == "issue"].drop_duplicates("issue_id")
    frame = pd.concat([issues.reset_index(drop=True), counted], axis=1).merge(costs, on="issue_id", how="left")
    has_transfers = frame["is_known"] > 0
    frame = frame.assign(**{
        "課題番号": frame["issue_id"], "再問い合わせのコスト／月": frame["repeat_cost_yen"], "転送のコスト／月": frame["transfer_yen"].where(has_transfers),
        "再問い合わせの割合": frame["再問い合わせ"] / frame["全件数"].where(frame["全件数"] > 0),
        "転送された割合": frame["転送された問い合わせ"] / frame["is_known"].where(has_transfers),
        "転送された問い合わせ": frame["転送された問い合わせ"].where(has_transfers),
    })[frame["全件数"] > 0]
    frame = frame.sort_values(["再問い合わせのコスト／月", "再問い合わせ", "issue_id"], ascending=[False, False, True], kind="stable")
    lines = (f"再問い合わせは、同じ顧客から同じ課題で{repeat_days}日以内に再び寄せられた問い合わせです。一度で解決できていれば要らなかった費用と考えられます。",
             "コストは分析期間の月平均、件数と割合は全期間です。転送の割合は、転送回数の記録がある問い合わせについての値です。")
    return Sheet("再問い合わせと転送", "再問い合わせと転送", lines, tuple(columns), table(frame, columns), keys=(("課題番号", "issue_id"),))


def answers_sheet(tables: dict[str, pd.DataFrame], issues: pd.DataFrame, *, n_pairs: int = PAIRS) -> Sheet:
    """Per issue up to `n_pairs` questions of customers with the operator's turn that answered: drafts for FAQ and bot.

    Of the operator's turns up to the customer's next question (four turns at most) the first one that tells something, not a greeting,
    an apology or a question. Pairs of solved contacts come first; equal questions and equal answers stand once.
    """
    columns = [Column("課題", "text", 34, choices=True), Column("質問（顧客）", "long", 60), Column("回答（応対者）", "long", 80), Column("解決", "text", 8, choices=True),
               Column("確からしさ", "probability", 11, on_page=False, source="質問の文の、表 mentions の probability"), Column("課題番号", "id", 11, on_page=False), Column("問い合わせ番号", "id", 20, on_page=False)]  # fmt: skip
    asked = tables["sentences"].merge(tables["opinions"].loc[tables["opinions"]["p_question"] >= LIKELY, ["sentence_id", "p_question"]], on="sentence_id")
    asked = asked[asked["set_aside"].isna()].rename(columns={"text": "質問（顧客）"})
    own = tables["mentions"].loc[tables["mentions"]["probability"] >= LIKELY, ["issue_id", "sentence_id", "customer_id", "probability"]]
    asked = asked.merge(own, on="sentence_id").merge(issues.assign(place=range(len(issues))), on="issue_id")
    turns = tables["turns"].sort_values(["contact_id", "position"], kind="stable")
    turns = turns.assign(nth=turns.groupby("contact_id").cumcount())
    asked = asked.merge(turns[["turn_id", "nth"]].rename(columns={"nth": "asked_at"}), on="turn_id")
    told = turns.loc[turns["speaker"] == "operator", ["contact_id", "nth", "text"]].rename(columns={"text": "回答（応対者）"})
    told = told[_tells(told["回答（応対者）"])]
    pairs = asked.merge(told, on="contact_id")
    pairs = pairs[(pairs["nth"] > pairs["asked_at"]) & (pairs["nth"] <= pairs["asked_at"] + 4)]
    last = asked.groupby("contact_id")["asked_at"].agg(lambda places: sorted(set(places)))
    following = [next((one for one in last[contact] if one > at), 10**9) for contact, at in zip(pairs["contact_id"], pairs["asked_at"], strict=True)]
    pairs = pairs[pairs["nth"].to_numpy() < pd.Series(following, dtype="int64").to_numpy()]
    pairs = pairs.sort_values("nth", kind="stable").drop_duplicates(["issue_id", "sentence_id"])
    ended = pairs["contact_id"].map(solved(tables)).map({True: "解決", False: "未解決"})
    pairs = pairs.assign(解決=ended, is_solved=ended == "解決")
    pairs = pairs.sort_values(["place", "is_solved", "probability", "sentence_id"], ascending=[True, False, False, True], kind="stable")
    said, told = (pairs[name].str.replace(r"[\s、。！？!?]", "", regex=True) for name in ("質問（顧客）", "回答（応対者）"))
    for key in (said, told, pairs["contact_id"]):
        pairs = pairs[~pd.DataFrame({"issue": pairs["issue_id"], "key": key.reindex(pairs.index)}).duplicated()]
    pairs = pairs.groupby("issue_id", sort=False).head(n_pairs)
    frame = pairs.assign(課題番号=pairs["issue_id"], 問い合わせ番号=pairs["contact_id"], 確からしさ=pairs["probability"])
    lines = (f"顧客の質問と、その後に応対者が答えた発言です（個人情報は伏せ字）。課題ごとに{n_pairs}組まで、解決した問い合わせを先に選びました。",
             "FAQやチャットボットの下書きに使えます。回答は当時の内容のため、公開の前に内容を確かめてください。")
    return Sheet("質問と回答", "FAQ・ボットの下書きになる質問と回答", lines, tuple(columns), table(frame, columns),
                 when_empty="質問とそれに続く応対者の回答の組は、まだありません（応対者の発言を含む通話・チャットが必要です）。", keys=(("課題番号", "issue_id"),))


def _tells(texts: pd.Series) -> pd.Series:
    """True for turns that tell something: long enough, with a step or a fact, neither a greeting nor a question back."""
    text = texts.str.strip()
    holds = text.str.contains(_HOLDS) & (text.str.len() < 60)
    return (text.str.len() >= 15) & text.str.contains(_SHOWS) & ~holds & ~text.str.contains(r"(?:か|かね|でしょうか|ね)[。？?]?$|[？?]$")


def solved(tables: dict[str, pd.DataFrame]) -> pd.Series:
    """contact_id -> True, False or empty: as recorded, else as the call or chat ended."""
    calls = tables["calls"].set_index("contact_id")["outcome"].map({"resolved": True, "unresolved": False, "callback": False})
    recorded = tables["contacts"].drop_duplicates("contact_id").set_index("contact_id")["is_resolved"].astype(object)
    return recorded.where(recorded.notna(), calls.reindex(recorded.index))
