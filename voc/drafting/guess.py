"""What a group of like files is taken for, and what is unsure about it."""

from dataclasses import dataclass, field

from voc.source_config import Format

WHAT = {
    "transcript": "通話の書き起こし（JSON）", "contact_lens": "Amazon Connect Contact Lens の通話", "transcribe": "Transcribe Call Analytics の通話",
    "vtt": "通話の字幕（WebVTT）", "whisper": "Whisper の書き起こし", "turns": "通話の発話の表", "email": "メール", "chat": "チャットの履歴",
    "ticket": "ヘルプデスクのチケット", "review": "レビュー・投稿", "survey": "アンケート", "customers": "顧客の一覧", "usage": "月ごとの利用",
    "faq": "FAQ の記事", "faq_logs": "FAQ の検索・閲覧の記録", "catalogue": "オプションの一覧", "counts": "時間帯ごとの着信数",
    "orders": "注文の一覧", "price_changes": "月額の変更の記録",
}  # fmt: skip
OURS = {
    "contact_id": "1 件ごとの番号", "customer_id": "顧客番号", "started_at": "日時", "speaker": "話者", "text": "本文", "handle_seconds": "対応時間（秒）",
    "csat": "満足度", "nps": "NPS", "rating": "評価", "queue": "窓口", "is_resolved": "解決したか", "n_transfers": "転送回数", "subject": "件名",
    "note": "応対メモ", "wrapup": "応対区分", "start_seconds": "発話の開始（秒）", "plan": "プラン", "segment": "顧客の区分",
    "monthly_price_yen": "月額（円）", "started_on": "契約開始日", "ended_on": "解約日", "email": "メールアドレス", "phone": "電話番号",
    "month_on": "対象月", "n_logins": "利用回数", "article_id": "記事番号", "title": "質問", "body": "回答", "url": "URL", "at": "日時",
    "query": "検索語", "is_found": "見つかったか", "option_id": "オプション番号", "name": "名称", "description": "説明", "plans": "対象プラン",
    "price_yen": "価格（円）", "hour_at": "日時", "date_on": "日付", "hour": "時間帯", "n_offered": "着信数", "n_answered": "応答数",
    "n_abandoned": "放棄数", "turns": "発話の一覧", "messages": "発言の一覧", "author": "話者", "at_": "発言の日時",
}  # fmt: skip


@dataclass(frozen=True)
class Doubt:
    """Something unsure. `place` is the option it stands beside (`format`, `columns.started_at`, `texts.ご意見`, …)."""

    place: str
    text: str


@dataclass(frozen=True)
class Guess:
    """What [[sources]] may say of some files; `format` is None where they are nothing that voc reads (`reason`)."""

    format: Format | None
    reason: str = ""
    channel: str | None = None
    columns: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    scales: dict[str, dict[str, float]] = field(default_factory=dict)
    speakers: dict[str, str] = field(default_factory=dict)
    own_domains: tuple[str, ...] = ()
    name_pattern: str | None = None
    doubts: tuple[Doubt, ...] = ()
    maybe_texts: tuple[str, ...] = ()
    """Columns that may hold free text: drafted as comments."""
    unused: tuple[str, ...] = ()


def refused(reason: str) -> Guess:
    return Guess(None, reason)
