"""Words that carry nothing: fillers of speech, and words that only open a sentence."""

import re

# Only sounds that carry no meaning, and only where a pause or the start of a sentence shows it: 「あの画面」 and
# 「その件」 are words.
_FILLER = re.compile(
    r"(?:(?<=[、。？！?!\s])|^)"
    r"(?:え[ーぇえ]*っ?と[ーぉ]*(?!こ)|まああの[ーう]*|うー*んとー*|んー+と|えー+|あのー+|あのう|あの(?=[、…])|そのー+|その(?=、)|うー+んと?|んー+|あー+|まあ?ー?(?=、)|"
    r"なんか(?=、)|あっ?(?=、)|はい(?=、はい))"
    r"[、,…\s]*"
    # sounds that are nothing else wherever they stand: 「部署ごとにええと見られる」; ええとこ and あのーさ are left
    r"|(?:(?<![一-龥々])(?:え[ーえぇ]+っ?と[ーぉ]*|えっとー*)(?!こ)|[うん]ー+んと|んーと|うーんと?|な(?:ん|に)(?:て|と)(?:い|言)う(?:か|んですか|んでしょうか|の?かな)"
    r"|何(?:て|と)(?:い|言)うか)[、,…\s]*"
)


_OPENING = re.compile(
    r"^((すみません|すいません|もしもし|こんにちは|こんばんは|もう一点|一点|ところで|それから|それとは別の話で|別件ですが|もう一回言いますと|また説明するんですね|手順が分からなくて|見つからなくて|"
    r"ちょっとお聞きしたいんですけど|お聞きしたいんですけど|確認なんですが|率直に申し上げて|あの|あと|また|差し支えなければ|もし?よろしければ|よければ|可能であれば|できましたら|恐れ入りますが|お手数ですが|申し訳ありませんが|お世話になって(い|おり)?ます|(率直な)?感想として|今後の改善として|併せて)[、。，\s]*)+"
)


def without_fillers(text: str) -> str:
    """Speech without 「えーと、」「あのー、」. Offsets of the text change: `bare_places` leads back from `bare_text`."""
    return _FILLER.sub("", text)


def bare_text(text: str) -> str:
    """A sentence without fillers and without the words that only open it."""
    return _OPENING.sub("", without_fillers(text))


def bare_places(text: str) -> list[int]:
    """For each character of `bare_text(text)` its place in `text`."""
    left_out = {place for found in _FILLER.finditer(text) for place in range(*found.span())}
    kept = [place for place in range(len(text)) if place not in left_out]
    return kept[len(kept) - len(bare_text(text)) :]
