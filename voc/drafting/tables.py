"""A table -> its format and the mapping of its columns."""

import re
from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from voc.drafting.answers import guess_scale, guess_speakers
from voc.drafting.columns import Column, describe
from voc.drafting.guess import OURS, WHAT, Doubt, Guess, refused
from voc.drafting.spellings import Match, matches, unit

_CONTACT = ("started_at", "contact_id", "customer_id", "csat", "nps", "rating")
_COLUMNS = {
    "counts": ("hour_at", "date_on", "hour", "n_offered", "n_answered", "n_abandoned", "queue"),
    "turns": ("contact_id", "customer_id", "started_at", "speaker", "text", "start_seconds", "handle_seconds", "queue",
              "n_transfers", "is_resolved", "csat", "nps", "subject", "note", "wrapup"),
    "faq_logs": ("at", "query", "article_id", "is_found"),
    "usage": ("customer_id", "month_on", "n_logins"),
    "customers": ("customer_id", "plan", "segment", "monthly_price_yen", "started_on", "ended_on", "email", "phone"),
    "catalogue": ("option_id", "name", "description", "plans", "price_yen"),
    "faq": ("article_id", "title", "body", "url"),
    "survey": _CONTACT,
    "review": ("started_at", "text", "contact_id", "customer_id", "subject", "rating"),
}  # fmt: skip
_DATES = {"started_at", "at", "started_on", "ended_on", "month_on", "hour_at", "date_on"}
_NUMBERS = {"n_offered", "n_answered", "n_abandoned", "n_logins", "handle_seconds", "start_seconds", "n_transfers",
            "monthly_price_yen", "price_yen"}  # fmt: skip
_SCORES = {"csat", "nps", "rating"}
_IDS = {"contact_id", "customer_id", "article_id", "option_id"}
_OTHER_DATES = re.compile(r"生年|誕生|birth|更新|update|modified|期限|予定|契約|解約|入会|退会", re.IGNORECASE)
_ARTICLE = re.compile(r"faq|記事|質問|ナレッジ|article|question|knowledge", re.IGNORECASE)
_VOICES = ("レビュー", "口コミ", "クチコミ", "投稿", "review", "post")


def guess_table(frame: pd.DataFrame, *, hint: str) -> Guess:
    """The format and columns of a sample (text cells under the file's own headers). `hint`: path of its files."""
    columns = describe(frame)
    mapped = {name: mapping(wanted, columns) for name, wanted in _COLUMNS.items()}
    name = _format(mapped, columns, frame, hint=hint.lower())
    if name is None:
        return refused(_why_none(mapped, columns))
    found = mapped[name]
    guess = Guess(name, columns={ours: match.theirs for ours, match in found.items()})
    guess = replace(guess, doubts=tuple(_column_doubts(name, found, columns)))
    if name in ("survey", "review"):
        guess = _with_voices(guess, columns, hint=hint.lower())
    if name in ("survey", "review", "turns"):
        guess = _with_scales(guess, columns)
    if name == "turns":
        guess = guess_speakers(guess, zip(frame[guess.columns["speaker"]], frame[guess.columns["text"]], strict=True))
    used = {*guess.columns.values(), *guess.texts, *guess.maybe_texts}
    return replace(guess, unused=tuple(column for column in columns if column not in used))


def mapping(wanted: tuple[str, ...], columns: Mapping[str, Column]) -> dict[str, Match]:
    """Our column -> its header, of those in `wanted` that are found; each header serves once, the surest first."""
    offers = [
        (-match.score, match.rank, wanted.index(ours), ours, match)
        for ours in wanted
        for match in matches(ours, list(columns))
        if _agrees(ours, columns[match.theirs], match)
    ]
    found: dict[str, Match] = {}
    for *_, ours, match in sorted(offers, key=lambda offer: offer[:3]):
        if ours not in found and match.theirs not in {taken.theirs for taken in found.values()}:
            found[ours] = match
    if "started_at" in wanted and "started_at" not in found:
        taken = {match.theirs for match in found.values()}
        dated = [name for name, column in columns.items() if name not in taken and column.n and column.date_share >= 0.9
                 and column.number_share < 0.5 and not _OTHER_DATES.search(name)]  # fmt: skip
        found |= {"started_at": Match(dated[0], 1, 0)} if dated else {}
    return {ours: found[ours] for ours in wanted if ours in found}


def _agrees(ours: str, column: Column, match: Match) -> bool:
    """Whether the cells can be what the header says; a header that says it plainly is believed where cells are odd."""
    if not column.n:
        return match.score >= 2
    if ours == "month_on":
        return column.date_share >= 0.5
    if ours in _DATES:
        return column.date_share >= 0.5 or (match.score == 3 and ours in ("started_at", "at") and column.text == "no")
    if ours in _NUMBERS:
        share = column.duration_share if ours.endswith("_seconds") else column.number_share
        return share >= 0.8 and not _is_minutes(ours, column)
    if ours in _SCORES:
        return column.text == "no" and (column.number_share >= 0.8 or len(column.answers) > 0)
    if ours == "email":
        return column.mail_share >= 0.5
    if ours == "phone":
        return column.phone_share >= 0.5
    if ours in _IDS:
        return column.id_share >= 0.5 and column.date_share < 0.9 and not (
            ours == "contact_id" and match.score < 3 and column.n_different == 1 < column.n)
    if ours in ("text", "body"):
        return column.text != "no" or (match.score == 3 and column.number_share < 0.5 and column.date_share < 0.5)
    if ours in ("query", "title", "name", "speaker"):
        return column.date_share < 0.5
    if ours in ("plan", "segment", "queue", "wrapup"):
        return column.text != "yes" and column.date_share < 0.5
    return True


def _is_minutes(ours: str, column: Column) -> bool:
    return ours.endswith("_seconds") and unit(column.name) in ("分", "min", "minutes", "時間")


def _format(mapped: Mapping[str, dict[str, Match]], columns: Mapping[str, Column], frame: pd.DataFrame, *, hint: str) -> str | None:
    def has(name: str, *ours: str) -> bool:
        return all(column in mapped[name] for column in ours)

    def sure(name: str, *ours: str) -> bool:
        return has(name, *ours) and all(mapped[name][column].score >= 2 for column in ours)

    def one_row_each(name: str, ours: str) -> bool:
        column = columns[mapped[name][ours].theirs]
        return column.n_different >= 0.95 * column.n

    texts = [column for column in columns.values() if column.text == "yes"]
    if sure("counts", "n_offered", "n_answered") and (has("counts", "hour_at") or has("counts", "date_on", "hour")):
        return "counts"
    if has("turns", "contact_id", "started_at", "speaker", "text") and _are_turns(mapped["turns"], columns, frame):
        return "turns"
    is_log = has("faq_logs", "at") and not texts
    if is_log and (sure("faq_logs", "query") or (sure("faq_logs", "article_id") and mapped["faq_logs"]["article_id"].score == 3)):
        return "faq_logs"
    if sure("usage", "customer_id", "month_on") and not texts:
        return "usage"
    contract = [ours for ours in ("started_on", "ended_on", "plan", "monthly_price_yen", "email", "phone") if sure("customers", ours)]
    dates = [ours for ours in ("started_on", "ended_on") if ours in contract]
    is_asked = any(sure("survey", score) for score in ("csat", "nps"))
    is_list = dates if texts else contract  # remarks stand in lists of customers too
    is_named = any(word in hint for word in ("customer", "顧客", "会員", "契約"))
    if has("customers", "customer_id") and one_row_each("customers", "customer_id") and not is_asked and (
        is_list and (len(contract) >= 2 or dates or is_named)
    ):
        return "customers"
    if sure("catalogue", "option_id", "name") and has("catalogue", "price_yen") and not has("survey", "customer_id"):
        return "catalogue"
    if sure("faq", "title", "body") and has("faq", "article_id") and not has("survey", "customer_id"):
        is_named = any(_ARTICLE.search(mapped["faq"][ours].theirs) for ours in ("article_id", "title"))
        if is_named or not has("survey", "started_at"):  # articles are dated too
            return "faq"
    if has("survey", "started_at") and (texts or any(has("survey", score) for score in _SCORES)):
        return _survey_or_review(mapped, columns, texts, hint=hint)
    return None


def _are_turns(found: Mapping[str, Match], columns: Mapping[str, Column], frame: pd.DataFrame) -> bool:
    ids, speakers = columns[found["contact_id"].theirs], columns[found["speaker"].theirs]
    repeats = ids.n_different < ids.n or len(frame) < 3
    return repeats and (len(speakers.answers) > 0 or speakers.n == 0)


def _survey_or_review(
    mapped: Mapping[str, dict[str, Match]], columns: Mapping[str, Column], texts: list[Column], *, hint: str
) -> str | None:
    review = mapped["review"]
    named = review.get("text")
    is_post = named is not None and (
        any(word in named.theirs.lower() or word in hint for word in _VOICES)
        or ("subject" in review and named.score >= 2)
        or (named.score == 3 and len(texts) <= 1 and not {"csat", "nps"} & set(mapped["survey"]))
    )
    if is_post and "nps" not in mapped["survey"] and len(texts) <= 2:
        return "review"
    has_words = any(column.text != "no" for column in columns.values())
    return "survey" if has_words else None


def _why_none(mapped: Mapping[str, dict[str, Match]], columns: Mapping[str, Column]) -> str:
    """What the table lacks to be the nearest format."""
    listed = "、".join(f"「{name}」" for name in list(columns)[:12]) + ("…" if len(columns) > 12 else "")
    texts = [column.name for column in columns.values() if column.text == "yes"]
    nearly = _nearest(mapped)
    if texts and "started_at" not in mapped["survey"] and not nearly[0] >= 0.6:
        return f"自由記述らしい列（「{texts[0]}」）はありますが、日時の列が見つかりません。日時の列を足してください。ある列: {listed}"
    share, name, missing = nearly
    if share >= 0.5:
        words = "、".join(f"{OURS[ours]}（{ours}）" for ours in missing)
        return f"{WHAT[name]}に近いですが、{words}の列が見つかりません。ある列: {listed}"
    return f"どの形式にも当てはまりません。ある列: {listed}"


def _nearest(mapped: Mapping[str, dict[str, Match]]) -> tuple[float, str, list[str]]:
    """(share of the needed columns that are there, format, those that are not) of the format that lacks least."""
    needed = {
        "turns": ("contact_id", "started_at", "speaker", "text"), "counts": ("n_offered", "n_answered"),
        "usage": ("customer_id", "month_on"), "faq": ("article_id", "title", "body"), "faq_logs": ("at", "query"),
        "catalogue": ("option_id", "name", "price_yen"),
    }  # fmt: skip
    near = [
        (sum(ours in mapped[name] and mapped[name][ours].score >= 2 for ours in columns) / len(columns), name, missing)
        for name, columns in needed.items()
        if (missing := [ours for ours in columns if ours not in mapped[name]])
    ]
    return max(near, key=lambda item: item[0], default=(0.0, "", []))


def _column_doubts(name: str, found: Mapping[str, Match], columns: Mapping[str, Column]) -> list[Doubt]:
    doubts = []
    for ours, match in found.items():
        column, place = columns[match.theirs], f"columns.{ours}"
        others = [other.theirs for other in matches(ours, list(columns))
                  if other.score == match.score and other.theirs not in {taken.theirs for taken in found.values()}
                  and _agrees(ours, columns[other.theirs], other)]  # fmt: skip
        if ours in _DATES and column.n and column.date_share < 0.9:
            doubts.append(Doubt(place, f"日時として読めない値があります（値の形: {column.example}）。年から始まる書き方にしてください"))
        elif others:
            doubts.append(Doubt(place, f"候補がほかにもあります: {'、'.join(f'「{other}」' for other in others[:3])}"))
        elif match.score < 3 and not _is_only(ours, column, columns):
            doubts.append(Doubt(place, _unsure(ours, column)))
        elif not column.n:
            doubts.append(Doubt(place, "見た範囲ではこの列は空です"))
    for ours in _COLUMNS[name]:
        if ours in found or ours not in _NUMBERS:
            continue
        named = [match.theirs for match in matches(ours, list(columns)) if match.score >= 2 and columns[match.theirs].n]
        if named and named[0] not in {match.theirs for match in found.values()}:
            reason = "単位が秒ではない" if _is_minutes(ours, columns[named[0]]) else f"値が数ではない（値の形: {columns[named[0]].example}）"
            doubts.append(Doubt("columns", f"列「{named[0]}」は{OURS[ours]}のようですが、{reason}ため使いません"))
    return doubts + _missing_doubts(name, found)


def _is_only(ours: str, column: Column, columns: Mapping[str, Column]) -> bool:
    """Whether the cells alone settle it: the one column of dates, a number that differs in every row."""
    if ours in _DATES:
        return sum(other.n > 0 and other.date_share >= 0.9 and other.number_share < 0.5 for other in columns.values()) == 1
    return ours == "contact_id" and column.n_different == column.n


def _unsure(ours: str, column: Column) -> str:
    if ours == "customer_id":
        what = "メールアドレス" if column.mail_share >= 0.5 else "電話番号" if column.phone_share >= 0.5 else ""
        return f"{what}で顧客と結び付けます" if what else "自社の顧客番号と同じ番号か確かめてください"
    return f"{OURS[ours]}とみましたが、列名だけでは決められません"


def _missing_doubts(name: str, found: Mapping[str, Match]) -> list[Doubt]:
    """Columns without which much of the report falls away."""
    told = {
        "customers": (("started_on", "契約開始日の列が見つかりません。ないと解約の推定はできません"),
                      ("ended_on", "解約日の列が見つかりません。ないと解約の推定はできません"),
                      ("monthly_price_yen", "月額の列が見つかりません。ないと金額の見積もりができません")),
        "survey": (("customer_id", "顧客番号の列が見つかりません。ないと解約との関係は調べられません"),),
        "turns": (("customer_id", "顧客番号の列が見つかりません。ないと解約との関係は調べられません"),),
        "review": (("customer_id", "顧客番号の列が見つかりません。ないと解約との関係は調べられません"),),
        "usage": (("n_logins", "利用回数の列が見つかりません"),),
    }  # fmt: skip
    return [Doubt("columns", text) for ours, text in told.get(name, ()) if ours not in found]


def _with_voices(guess: Guess, columns: Mapping[str, Column], *, hint: str) -> Guess:
    """Free texts of a survey; the channel of rows that are no reviews."""
    doubts, taken = list(guess.doubts), set(guess.columns.values())
    if guess.format == "review":
        return _with_channel(guess, columns[guess.columns["text"]], hint=hint)
    sure = [name for name, column in columns.items() if column.text == "yes" and name not in taken]
    maybe = [name for name, column in columns.items() if column.text == "maybe" and name not in taken]
    if not sure:  # a survey has to name its texts
        sure, maybe = maybe, []
        doubts += [Doubt(f"texts.{name}", "自由記述かどうか、見た範囲では決められません") for name in sure]
    return replace(guess, texts={name: name for name in sure}, maybe_texts=tuple(maybe), doubts=tuple(doubts))


def _with_channel(guess: Guess, text: Column, *, hint: str) -> Guess:
    said = f"{hint} {text.name.lower()} {' '.join(guess.columns.values()).lower()}"
    if any(word in said for word in _VOICES) or "rating" in guess.columns:
        return guess
    channels = {"email": ("メール", "mail", "差出人", "受信"), "call": ("通話", "電話", "応対", "受電", "入電", "call"),
                "chat": ("チャット", "chat"), "ticket": ("問い合わせ", "問合せ", "ticket", "チケット", "受付", "案件")}  # fmt: skip
    channel = next((name for name, words in channels.items() if any(word in said for word in words)), "ticket")
    doubt = Doubt("channel", f"1 行 1 件の問い合わせとみて、列「{text.name}」をお客様の言葉として読みます。担当者の要約なら使わないでください")
    return replace(guess, channel=channel, doubts=(*guess.doubts, doubt))


def _with_scales(guess: Guess, columns: Mapping[str, Column]) -> Guess:
    scales, doubts = {}, list(guess.doubts)
    for score in [ours for ours in guess.columns if ours in _SCORES]:
        scale, doubt = guess_scale(score, columns[guess.columns[score]], is_review=guess.format == "review")
        scales |= {score: scale} if scale else {}
        doubts += [doubt] if doubt else []
    return replace(guess, scales=scales, doubts=tuple(doubts))
