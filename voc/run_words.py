"""The Japanese words for what a run did: its stages, its counts and the tables. The one place; reports and terminal share it."""

STAGES = {
    "read": "読み込み", "renumbered": "番号の振り直し", "parse": "読み取り", "clean": "整形", "mask": "個人情報の伏せ字",
    "link": "顧客・重複・やり取りの照合", "sentences": "文への分割", "embeddings": "ベクトル化", "opinions": "意見の判定",
    "requests": "要望の抽出", "calls": "通話の要約", "issues": "課題の台帳", "impact": "影響額の推定", "costs": "費用と継続の内訳",
    "health": "顧客の健康度", "ranking": "順位付け", "decisions": "判断の表", "store": "保存", "reports": "レポート作成",
    "alerts": "注意のお知らせ",
}  # fmt: skip
"""Stages of runs.seconds, and those of rejects.stage, in the order of a run."""

# 「今回」 stands where a count is of this run alone; the others are of all that is stored
COUNTS = {
    "read": "今回読み込んだファイル（メールは通数）", "new": "今回新しく取り込んだ問い合わせ・回答", "replaced": "今回更新した問い合わせ・回答",
    "mask": "今回伏せ字にした箇所", "expired": "今回、保存期間を過ぎたため消した行",
    "parse": "取り込み済みの問い合わせ・回答", "contacts_by_channel": "窓口別の問い合わせ・回答", "turns": "発言", "duplicates": "重複していた問い合わせ",
    "episodes": "一連のやり取り", "rejects": "使えなかった行", "customers": "顧客",
    "contacts_without_customer": "顧客が分からない問い合わせ・回答", "unmatched_customers": "うち、顧客の表と照合できなかったもの",
    "orders_left_out": "使えなかった注文", "customers_without_order": "注文のない顧客",
    "new_turns": "今回新しく文に分けた発言", "sentences": "文", "set_aside": "分析から外した文（あいさつなど）", "without_content": "内容を表す語のない文",
    "voices": "分析した文", "new_texts": "今回新しく意見を判定した文", "decided_quickly": "簡易な判定だけで意見が決まった文", "opinions": "意見の種類別の文",
    "new_wishes": "今回新しく要望を調べた文", "requests": "要望", "calls": "通話の終わり方", "issues": "課題", "unassigned": "どの課題にも入らなかった文",
    "decisions": "判断の表の行", "alerts": "注意のお知らせ",
}  # fmt: skip
"""Counts of a run (runs.counts) that its readers are told, in the order of a run."""

NEW_VECTORS = "new_vectors_"
"""A count of this start is of the vectors of the embedder that it ends with."""

NOT_TOLD = ("rows_by_source", "unassigned_share")
"""Counts for the next run alone, or the share of another count."""

TABLES = {
    "contacts": "問い合わせ", "turns": "発言", "sentences": "文", "opinions": "意見の判定", "wishes": "要望の文", "requests": "要望",
    "calls": "通話の要約", "embeddings": "文のベクトル", "unfinished": "計算途中のベクトル", "mentions": "課題への言及",
    "customers": "顧客の表", "customer_keys": "メールアドレス・電話番号の照合", "usage": "利用状況", "orders": "注文",
    "price_changes": "月額の変更", "faq": "FAQ の記事", "faq_logs": "FAQ の利用記録", "catalogue": "オプションの一覧",
    "counts_by_hour": "時間帯別の着信数", "issues": "課題の代表例", "issue_events": "課題の履歴", "actions": "対応の記録",
    "issue_quality": "課題の品質", "issue_calibration": "課題の確率の補正", "issue_labels": "課題の確認結果", "issue_trends": "課題の増減",
    "issue_months": "課題の月別件数", "issue_segments": "課題の属性別の割合", "impact": "課題の影響額", "impact_totals": "影響額の合計",
    "impact_sensitivity": "影響額の感度", "impact_controls": "影響額の対照課題", "impact_reverse": "解約の意思に伴う課題",
    "silent": "声を上げない顧客の推定", "company_months": "会社全体の月別の値", "ltv_factors": "LTV の内訳", "retention": "継続率",
    "cost_parts": "対応費用の内訳", "cost_channels": "窓口別の費用", "customer_health": "顧客の健康度", "health_test": "健康度の検証",
    "drivers": "満足度への影響", "faq_triage": "FAQ の判定", "option_matches": "オプションとの照合", "fix_effects": "対応の効果",
    "recommendations": "提案", "contrasts": "顧客層の比較", "ranking": "課題の順位", "alerts": "注意のお知らせ", "rejects": "使えなかった行",
    "erased": "消した印", "watermarks": "読み込み済みの位置", "made_by": "計算の方法の記録", "runs": "実行の記録",
}  # fmt: skip
"""Every table of voc.tables."""

PARTS = {
    "set_aside": {"backchannel": "あいづち", "greeting": "あいさつ", "identity": "本人確認", "hold": "お待たせの応答", "courtesy": "お礼・定型の言葉",
                  "non_answer": "回答なし"},
    "opinions": {"complaint": "不満", "request": "要望", "question": "質問", "praise": "称賛", "cancel": "解約", "other": "その他"},
    "calls": {"resolved": "解決", "callback": "折り返し", "unresolved": "未解決", "unknown": "不明"},
    "alerts": {"open": "続いているもの", "new": "新しいもの", "sent": "送信（送り先ごとの延べ）", "failed_channels": "送れなかった送り先"},
    "decisions": TABLES, "expired": TABLES,
}  # fmt: skip
"""Count -> the words for its parts."""


def vectors_word(of: str) -> str:
    """The vectors of an embedder, or those `of` a stage by its word."""
    return f"ベクトル（{of}）"
