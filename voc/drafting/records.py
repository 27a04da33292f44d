"""JSON records -> their format and the mapping of their keys."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from voc.drafting.answers import guess_speakers
from voc.drafting.columns import describe
from voc.drafting.guess import Doubt, Guess, refused
from voc.drafting.spellings import plain
from voc.drafting.tables import guess_table, mapping
from voc.parsing.records import cell, speaker

_TURNS = "turns messages utterances conversation conversations dialog dialogue dialogs transcript transcripts items log logs 発話 発話一覧 会話 会話履歴 メッセージ 発言 やりとり".split()
_TEXT = "text transcript utterance content message body 発話内容 発話 発言 本文 テキスト 内容 メッセージ words".split()
_SPEAKER = "speaker author role sender from participant participantrole speakerlabel name user 話者 発話者 発言者 役割 送信者".split()
_AT = "at timestamp time createdat sentat datetime 日時 送信日時 発言日時 時刻".split()
_SECONDS = "startseconds start starttime begin offset startsec 開始秒 開始 開始秒数".split()
_CONTACT = ("contact_id", "customer_id", "started_at", "queue", "handle_seconds", "n_transfers", "is_resolved", "csat", "nps", "rating",
            "subject", "note", "wrapup")  # fmt: skip
_CHAT = ("chat", "チャット", "line", "messages")
_CALL = ("call", "通話", "電話", "voice", "音声", "録音")


def record_kind(records: Sequence[dict]) -> str:
    """What the keys of `records` are: a format, `conversation`, `table` for flat records, or empty."""
    keys = {key for record in records[:100] for key in record}
    items = [item for record in records[:100] for item in _items(record.get("Transcript"))]
    if items and any("Content" in item for item in items):
        if {"JobName", "JobStatus"} & keys:
            return "transcribe"
        is_lens = {"Participants", "CustomerMetadata", "ContentMetadata"} & keys or any("ParticipantId" in item for item in items)
        return "contact_lens" if is_lens else "transcribe"
    if any("text" in segment for record in records[:100] for segment in _items(record.get("segments"))):
        return "whisper"
    if _is_ticket(keys):
        return "ticket"
    if _turns_key(records):
        return "conversation"
    return "table" if keys else ""


def guess_records(records: Sequence[dict], frame: pd.DataFrame | None, *, kind: str, hint: str) -> Guess:
    """What [[sources]] may say of JSON `records` of `kind`; `frame` where they are flat. `hint`: path of the files."""
    if kind in ("contact_lens", "transcribe", "whisper"):
        return _recording(records, kind)
    if kind == "ticket":
        return _ticket(records)
    if kind == "conversation":
        return _conversation(records, hint=hint.lower())
    if kind == "table" and frame is not None:
        return guess_table(frame, hint=hint)
    keys = sorted({str(key) for record in records[:100] for key in record})
    if {"results", "jobName"} <= set(keys):
        return refused("Amazon Transcribe の通常の出力で、だれが話したか分かりません。Call Analytics の出力を置いてください。")
    listed = "、".join(f"「{key[:30]}」" for key in keys[:12]) + ("…" if len(keys) > 12 else "")
    return refused(f"どの形式にも当てはまらない JSON です。ある項目: {listed}")


def _items(value: object) -> list[dict]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _is_ticket(keys: set[str]) -> bool:
    if "comments" in keys and {"id", "created_at"} & keys:
        return True
    return "created_at" in keys and len({"requester_id", "description", "status", "subject", "via", "requester"} & keys) >= 3


def _pick(keys: Sequence[str], words: Sequence[str]) -> str | None:
    found = [(words.index(plain(key)), position, key) for position, key in enumerate(keys) if plain(key) in words]
    return min(found)[2] if found else None


def _turns_key(records: Sequence[dict]) -> str | None:
    """The key of a list of objects with words in them."""
    lists: dict[str, set[str]] = {}
    for record in records[:100]:
        for key, value in record.items():
            for item in _items(value)[:20]:
                lists.setdefault(key, set()).update(item)
    talking = [key for key, inside in lists.items() if _pick(sorted(inside), _TEXT)]
    return _pick(talking, _TURNS) or next((key for key in talking if _pick(sorted(lists[key]), _SPEAKER)), None)


def _recording(records: Sequence[dict], kind: str) -> Guess:
    guess = Guess(kind)
    voices = {cell(segment.get("speaker")) for record in records for segment in _items(record.get("segments"))} - {""}
    if kind == "whisper" and not voices:
        return replace(guess, doubts=(Doubt("format", "話者の情報がないため、お客様と担当者を分けられません"),))
    if kind == "whisper" and len(voices) <= 6:
        said = [(cell(segment.get("speaker")), cell(segment.get("text"))) for record in records for segment in _items(record.get("segments"))]
        return guess_speakers(guess, said)
    return guess


def _ticket(records: Sequence[dict]) -> Guess:
    scalars = _scalars(records)
    has_users = any(record.get("users") or isinstance(record.get("requester"), dict) for record in records)
    columns, doubts = {}, []
    for ours, theirs in mapping(("customer_id", "queue", "csat", "rating"), describe(scalars)).items():
        if theirs.score == 3 and theirs.theirs not in ("id", "group_id"):
            columns[ours] = theirs.theirs
    if "customer_id" not in columns and not has_users:
        doubts.append(Doubt("columns", "顧客番号の項目が見つからないため、依頼者（requester）の番号かメールアドレスで顧客と結び付けます"))
    comments = [comment for record in records for comment in _items(record.get("comments"))]
    has_roles = any(comment.get("role") or comment.get("author_role") or isinstance(comment.get("author"), dict) for comment in comments)
    if comments and not has_roles and not has_users:
        doubts.append(Doubt("format", "だれが書いたコメントかは依頼者の番号だけで見分けます。自社のドメインを own_domains に書くと確かになります"))
    return Guess("ticket", columns=columns, doubts=tuple(doubts))


def _scalars(records: Sequence[dict]) -> pd.DataFrame:
    """The values of records that are neither lists nor objects, as text cells."""
    keys = list(dict.fromkeys(key for record in records for key, value in record.items() if not isinstance(value, (dict, list))))
    return pd.DataFrame([[cell(record.get(key)) for key in keys] for record in records], columns=keys, dtype="object")


def _conversation(records: Sequence[dict], *, hint: str) -> Guess:
    turns = _turns_key(records)
    items = [item for record in records for item in _items(record.get(turns))]
    inside = list(dict.fromkeys(key for item in items[:2000] for key in item))
    text, who = _pick(inside, _TEXT), _pick(inside, _SPEAKER)
    at, seconds = _pick(inside, _AT), _pick(inside, _SECONDS)
    found = mapping(_CONTACT, describe(_scalars(records)))
    if "started_at" not in found:
        return refused(f"会話らしい一覧（「{turns}」）はありますが、開始日時の項目が見つかりません。started_at を足してください。")
    if who is None:
        return refused(f"会話らしい一覧（「{turns}」）はありますが、話者の項目が見つかりません。ある項目: {'、'.join(inside[:10])}")
    words = {speaker(cell(item.get(who))) for item in items}
    said = f"{hint} {turns}".lower()
    is_chat = "bot" in words or (any(word in said for word in _CHAT) and not any(word in said for word in _CALL))
    is_sure = is_chat or any(word in said for word in _CALL) or seconds is not None
    doubts = [] if is_sure else [Doubt("format", "通話とみました。チャットなら \"chat\" にしてください")]
    names = {"turns": "messages" if is_chat else "turns", "speaker": "author" if is_chat else "speaker", "text": "text", "at": "at",
             "start_seconds": "start_seconds"}  # fmt: skip
    columns = {ours: match.theirs for ours, match in found.items() if ours != match.theirs}
    scalars = describe(_scalars(records))
    doubts += [Doubt(f"columns.{ours}", "項目名だけでは決められません") for ours, match in found.items()
               if match.score < 3 and ours in columns and scalars[match.theirs].n_different < scalars[match.theirs].n]  # fmt: skip
    for ours, theirs in (("turns", turns), ("speaker", who), ("text", text), ("at", at), ("start_seconds", seconds)):
        if theirs and names[ours] != theirs:
            columns[names[ours] if ours in ("turns", "speaker") else ours] = theirs
    if "customer_id" not in found:
        doubts.append(Doubt("columns", "顧客番号の項目が見つかりません。ないと解約との関係は調べられません"))
    guess = Guess("chat" if is_chat else "transcript", columns=columns, doubts=tuple(doubts))
    return guess_speakers(guess, [(cell(item.get(who)), cell(item.get(text))) for item in items])
