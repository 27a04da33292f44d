"""Calls as a whole: how the customer's mood moved, how the call ended, and what became of a cancellation.

Closing phrases of both speakers decide, from a readable table; where none was said the outcome is `unknown`.
"""

import re

import numpy as np
import pandas as pd

from voc.tables import CALLS, check, empty

CHANNELS = ("call", "chat")
_CLOSING = 0.5  # closing phrases count in the second half of the conversation
_IS_CANCEL = 0.5

# outcome, who says it, the words; later rows do not outweigh earlier ones, see `_outcomes`
_PHRASES = {
    ("unresolved", "customer"): r"もう(?:いい|結構)です(?!か)|話にな(?:ら|りませ)|納得(?:でき|が?いき|いか)|結局(?:何|なに|どう|でき|分か|わか|直|解決|無理|駄目|だめ)|解決(?:し(?:て(?:い?な|い?ませ)|な|ませ))"
    r"|(?:それ|これ)(?:で|じゃ)(?:は)?(?:困|話|仕方|意味)|まだ(?:直|つなが|繋が|でき|出来|同じ|駄目|だめ|表示され|届)[^。]{0,6}(?:ない|ませ|です)|(?:変わ|直|つなが|繋が)(?:ら|り)(?:な|ませ)[いん]?(?:です)?(?:ね|よ|けど)?$"
    r"|(?:じゃあ|では)?(?:仕方|しょうが)(?:ない|ありませ)|諦め|待てませ|待てない",
    ("callback", "operator"): r"折り?返(?:し(?!の?ご?(?:連絡先|番号|電話番号))|す|させ)|(?:改めて|あらためて|後ほど|のちほど|後日|追って|確認(?:し|の上|でき|が取れ)[^。]{0,10})[^。]{0,14}(?:お電話|ご連絡|連絡|お知らせ|ご報告)(?!先)(?:いた|致|差し|さし|を|させ|申し)"
    r"|(?:担当|技術|専門|部署|店舗)[^。]{0,12}(?:から|より)[^。]{0,10}(?:お電話|ご連絡|連絡)|(?:かけ|掛け)直(?:し|さ)|分かり次第[^。]{0,8}(?:連絡|電話)",
    ("callback", "customer"): r"折り?返し[^。]{0,10}(?:待|お願い|ください|で)|(?:連絡|電話|お返事|返事)(?:を)?(?:お)?待(?:って|ち)|(?:では|じゃあ)(?:連絡|電話)(?:ください|お願い)",
    ("resolved", "customer"): r"(?:直り|治り|解決し|解消し|つながり|繋がり|出|入り|(?:でき|出来|表示され|見られ|見え|入れ|開け|動き|届き|映り|戻り|ログインでき|つなが|繋が)(?:る?ようになり)?)ました(?!か|が、|けど)"
    r"|(?:見え|開き|つなが|繋が|動い|出)(?:て|た|てき)(?:ました)?(?:です)?(?:ね|。|$)|見つかりました|(?:大丈夫|行け|いけ)そう(?:です)?|解決です|助かりました(?!けど|が)|よく(?:分|わ)かりました|(?:それ|これ)で(?:大丈夫|結構|問題な|安心|お願いし)|安心しました|やってみます|そうします|うまくいき(?:まし|そう)",
    ("resolved", "operator"): r"(?:手続き?|変更|登録|再発行|返金|設定|解約|交換|予約|手配|発送|修正|復元|復旧|ご注文)[^。]{0,10}(?:完了(?:いた|し|で)|終わりました|いたしました|致しました|承りました|できました)|復旧(?:いた|し)(?:しまし|て(?:い|おり)ま|まし)|解消(?:いた|し)(?:しまし|まし)",
    ("unresolved", "operator"): r"(?:でき|いたし|致し|お答えし|ご案内し|対応し|分かり|わかり|ご用意し|応じ)かね(?:ます|る)|(?:原因|復旧|時期|見込み|目処|めど)[^。]{0,12}(?:不明|調査中|未定|分かって|わかって|立って(?:い|お)|お答えでき|申し上げ)|調査中|対応(?:して|を行って)(?:い|おり)ません|でき(?:ない|ません)(?:仕様|こと|状況|ため)",
}  # fmt: skip
_CANCEL = re.compile(r"(?:解約|退会)(?!金|料|済)|(?:契約|利用|会員|定期)[^。]{0,6}(?:やめ|止め|辞め|終了|終わ)(?:たい|ます|よう|させ|にし)")
_ASKS_WHY = re.compile(r"理由|きっかけ|差し支え|差支え|ご不満|何か[^。]{0,10}(?:ございました|ありました)")
_BECAUSE = re.compile(r"(?:ので|から(?!の)|ため|んで|もので|して|くて|なくて|すぎ|過ぎ|しか|ない|ません|なって|使わ|高い|高く|引っ越|転居|閉|廃業|他社|移)")
_MONTHS = r"(?:[0-9０-９一二三四五六七八九十]+(?:か|ヶ|カ|ヵ|ケ|箇)?月(?:間|分)?|半年間?|[0-9０-９一二三四五六七八九十]+年間?)"
_RATE = r"(?:半額|無料|タダ|[0-9０-９一二三四五六七八九十]+(?:%|％|パーセント|割|円)(?:引き?|オフ|OFF|off|値引き|割引)?|割引|値引き)"
_OFFER = re.compile(
    rf"(?:{_MONTHS}[^。、]{{0,8}}?{_RATE}|{_RATE}[^。、]{{0,6}}?{_MONTHS}|(?:[^\s。、はをがに]{{0,10}})プラン(?:へ|に|への)?の?(?:ご)?(?:変更|切り?替え|見直し|お得|移行)"
    rf"|(?:ご利用の?)?(?:休会|休止|一時(?:停止|休止))|(?:月額|料金|基本料|利用料)[^。、]{{0,6}}{_RATE}|(?:[0-9０-９]+)?(?:円分の?)?(?:ポイント|クーポン)(?:の|を)?(?:進呈|付与|プレゼント|差し上げ)?|半額|割引|値引き)"
)  # fmt: skip
_OFFERS = re.compile(r"いかが|提案|可能です|できます|ご用意|ご案内|させていただ|ございます|差し上げ|適用|よろしければ|という(?:の|方法)|もあり|なります|でしたら|お使いいただ")
_KEPT = re.compile(
    r"(?:それ|そう|半額|無料)(?:なら|でしたら|だったら|いうこと(?:なら|でしたら))[^。]{0,14}(?:続け|お願い|使|残|いい|考え|助か)|続け(?:ます|よう|てみ|ること|させ)|(?:解約|退会)(?:は|を)?[^。]{0,4}(?:やめ(?!たい)|しない|見送|取り消|取り下げ|保留|待)"
    r"|継続(?:し|で|を)|(?:その|この|そちら|そっち|安い)(?:の)?プラン(?:で|に)(?:お願い|し|変え)|考え直|もう少し(?:使|続|様子)|(?:それ|そっち|そちら)(?:で|に)(?:お願い|し(?:ます|て))"
)  # fmt: skip
_LOST = re.compile(
    r"(?:やっぱり?|やはり|それでも|もう|予定通り|とにかく|いえ|いいえ|このまま)[^。]{0,10}(?:解約|退会|やめ|辞め|結構|決め)|(?:解約|退会)(?:で|を|の(?:方|ほう|手続き?)を?)[^。]{0,6}(?:お願い|進め|ください|下さい)"
    r"|(?:解約|退会)してください|もう決め|他社(?:に|と)[^。]{0,8}(?:決|契約|申し込)|(?:解約|退会)[^。]{0,8}(?:承りました|完了|受け付けました|手続き?を(?:進め|いたし|させ))|(?:必要|いら)(?:ない|ありませ)(?:です|ん)"
)  # fmt: skip


def summarise_calls(
    contacts: pd.DataFrame, turns: pd.DataFrame, sentences: pd.DataFrame, opinions: pd.DataFrame
) -> pd.DataFrame:
    """Table CALLS, one row a call or chat in which the customer spoke.

    `strength_first`, `strength_last`: mean opinion strength (-1..1) of the first and last third of the customer's
    sentences, empty where no sentence carries a voice. `outcome`: resolved (解決), callback (折り返し), unresolved
    (未解決) or unknown where no closing phrase was said. For a call in which the customer wants to leave:
    `cancel_reason` (their sentence), `offer` (the operator's words, 3か月半額) and `is_kept` (whether they stayed),
    each empty where it was not said.
    """
    kept = contacts.loc[contacts["channel"].isin(CHANNELS), ["contact_id"]]
    talk = turns.merge(kept, on="contact_id").sort_values(["contact_id", "position"], ignore_index=True)
    spoken = talk.loc[talk["speaker"] == "customer", "contact_id"].unique()
    if not len(spoken):
        return empty(CALLS)
    calls = pd.DataFrame({"contact_id": np.sort(spoken)})
    said = _voices(talk, sentences, opinions)
    calls = calls.merge(_moods(said), on="contact_id", how="left")
    calls = calls.merge(_outcomes(talk), on="contact_id", how="left").fillna({"outcome": "unknown"})
    return check(calls.merge(_cancellations(talk, said), on="contact_id", how="left"), CALLS)


def _voices(talk: pd.DataFrame, sentences: pd.DataFrame, opinions: pd.DataFrame) -> pd.DataFrame:
    """The customers' sentences that carry a voice, with the turn's position and the opinion, in the order said."""
    own = sentences.loc[sentences["set_aside"].isna(), ["sentence_id", "turn_id", "position", "text"]]
    own = own.merge(opinions[["sentence_id", "strength", "p_cancel", "p_complaint"]], on="sentence_id")
    places = talk[["turn_id", "contact_id", "position"]].rename(columns={"position": "turn"})
    return own.merge(places, on="turn_id").sort_values(["contact_id", "turn", "position"], ignore_index=True)


def _moods(said: pd.DataFrame) -> pd.DataFrame:
    groups = said.groupby("contact_id")
    place, size = groups.cumcount(), groups["text"].transform("size")
    third = np.maximum(size // 3, 1)
    first = said[place < third].groupby("contact_id")["strength"].mean()
    last = said[place >= size - third].groupby("contact_id")["strength"].mean()
    return pd.DataFrame({"strength_first": first.round(4), "strength_last": last.round(4)}).rename_axis("contact_id").reset_index()


def _outcomes(talk: pd.DataFrame) -> pd.DataFrame:
    """The outcome whose phrase was said last; a customer who is not content at the end outweighs what was promised."""
    size = talk.groupby("contact_id")["turn_id"].transform("size")
    place = talk.groupby("contact_id").cumcount()
    closing = talk[place >= (size * _CLOSING).astype(int).clip(upper=size - 1)]
    hits = []
    for weight, ((outcome, speaker), phrase) in enumerate(_PHRASES.items()):
        own = closing[(closing["speaker"] == speaker) & closing["text"].str.contains(f"(?:{phrase})", regex=True)]
        hits.append(own[["contact_id", "position"]].assign(outcome=outcome, speaker=speaker, weight=weight))
    found = pd.concat(hits, ignore_index=True)
    if found.empty:
        return pd.DataFrame({"contact_id": [], "outcome": []}, dtype="str")
    customers = found[found["speaker"] == "customer"].groupby(["contact_id", "outcome"])["position"].max().unstack()
    customers = customers.reindex(columns=["unresolved", "callback", "resolved"])
    last = found.sort_values(["contact_id", "weight", "position"]).groupby("contact_id")
    outcome = last["outcome"].agg(lambda told: _decide(set(told)))
    better = customers["resolved"].gt(customers["unresolved"].fillna(-1)) & ~outcome.reindex(customers.index).eq("callback")
    outcome = outcome.mask(outcome.index.isin(customers.index[better.fillna(False)]), "resolved")
    return outcome.rename("outcome").reset_index()


def _decide(told: set[str]) -> str:
    return next(name for name in ("callback", "unresolved", "resolved") if name in told)


def _cancellations(talk: pd.DataFrame, said: pd.DataFrame) -> pd.DataFrame:
    """contact_id, cancel_reason, offer, is_kept of the conversations in which the customer speaks of leaving."""
    wants = talk[(talk["speaker"] == "customer") & talk["text"].str.contains(_CANCEL)]
    since = pd.concat([
        wants[["contact_id", "position"]],
        said.loc[said["p_cancel"] >= _IS_CANCEL, ["contact_id", "turn"]].rename(columns={"turn": "position"}),
    ]).groupby("contact_id")["position"].min().rename("since")  # fmt: skip
    if since.empty:
        return pd.DataFrame({name: pd.Series([], dtype="str") for name in ("contact_id", "cancel_reason", "offer")})
    later = talk.merge(since.reset_index(), on="contact_id")
    operator = later[(later["speaker"] == "operator") & (later["position"] > later["since"])]
    offers = operator[operator["text"].str.contains(_OFFERS)].assign(offer=lambda rows: rows["text"].map(_offer)).dropna(subset=["offer"])
    offers = offers.groupby("contact_id").agg(offer=("offer", "first"), offered=("position", "first"))
    table = pd.DataFrame({"since": since}).join(_reasons(later, said, since)).join(offers)
    table["is_kept"] = _kept(later, table["offered"].astype("float64")).reindex(table.index)
    return table.rename_axis("contact_id").reset_index()[["contact_id", "cancel_reason", "offer", "is_kept"]]


def _offer(text: str) -> str | None:
    found = _OFFER.search(text)
    return re.sub(r"\s", "", found[0]) if found else None


def _reasons(later: pd.DataFrame, said: pd.DataFrame, since: pd.Series) -> pd.Series:
    """The answer to the operator's why, else the sentence that asks to leave and says because, else the complaint."""
    asked = later[(later["speaker"] == "operator") & later["text"].str.contains(_ASKS_WHY)].groupby("contact_id")["position"].min()
    rows = said.merge(since.reset_index(), on="contact_id")
    rows["asked"] = rows["contact_id"].map(asked).astype("float64")
    is_answer = (rows["turn"] > rows["asked"]) & (rows["turn"] <= rows["asked"] + 2)
    is_because = rows["text"].str.contains(_BECAUSE) & ~rows["text"].str.fullmatch(_CANCEL.pattern + r".{0,8}")
    names_leaving = rows["text"].str.contains(_CANCEL)
    complains = (rows["p_complaint"] >= 0.5) & ~names_leaving & (rows["turn"] <= rows["since"] + 4)
    rows["rank"] = np.select(
        [is_answer & (is_because | complains), names_leaving & rows["text"].str.contains(r"(?:ので|から|ため|んで|もので|くて|なって)[、,]?[^。]{0,12}(?:解約|退会|やめ|辞め)"), complains],
        [0, 1, 2], default=9,
    )  # fmt: skip
    best = rows[rows["rank"] < 9].sort_values(["contact_id", "rank", "turn", "position"]).groupby("contact_id")
    return best["text"].first().rename("cancel_reason")


def _kept(later: pd.DataFrame, offered: pd.Series) -> pd.Series:
    """Whether the last word on leaving was to stay; empty where neither was said."""
    after = later.assign(offered=later["contact_id"].map(offered).astype("float64"))
    after = after[after["position"] > after["offered"].fillna(after["since"])]
    stays = after[(after["speaker"] == "customer") & after["text"].str.contains(_KEPT)].groupby("contact_id")["position"].max()
    leaves = after[after["text"].str.contains(_LOST)].groupby("contact_id")["position"].max()
    both = pd.DataFrame({"stays": stays, "leaves": leaves})
    kept = both["stays"].fillna(-1) > both["leaves"].fillna(-1)
    return kept.astype("boolean")
