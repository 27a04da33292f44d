"""Whether a sentence names a matter at all, or only how the speaker feels (「正直がっかりです」)."""

from collections.abc import Iterable

from voc.set_aside import CONVERSATION

_FEELING = frozenset(
    "困る 仕方無い 仕方ない 期待 違う 印象 評判 変わる 細かい 積み重なる 疲れる 迷う 続ける 続く 満足 満足感 不満 不満足 感じ 無理 早い 出来るだけ 正直 "
    "人間 社内 報告 残念 がっかり 酷い ひどい 最悪 最高 素晴らしい 凄い 良い 悪い 嫌 好き 嬉しい 楽しい 安心 不安 心配 迷惑 いらいら 苛々 怒る "
    "腹 呆れる 驚く 感動 普通 特別 問題 出る 言う 思う 行う 付く 出す 入る 取る 持つ 置く 始める 使い辛い 使いづらい 微妙 我慢 限界 信用 信頼 "
    "状況 状態 部分 内容 程度 全体 全然 全部 色々 沢山 一番 本当 結局 結果 理由 意味 必要 可能 不可能 今年 去年 来年 今月 先月 来月 今週 先週 来週 "
    "毎日 毎月 毎年 毎回 何度 何回 回 度 円 分 秒 時間 朝 昼 夜 夕方 最近 以降 途中 最中 同じ 別 他 次 初め 終わり "
    # 「一点確認させてください」「ついでにもう一つ」「一度お聞きしたこと」「すいません今ちょっと」: openings, and no matter yet
    "点 一度 序で ついで すむ".split()
)


def names_a_matter(terms: Iterable[str]) -> bool:
    """True where one of the normalised content words is neither of courtesy nor of feeling, time or degree."""
    return any(term not in CONVERSATION and term not in _FEELING for term in terms)
