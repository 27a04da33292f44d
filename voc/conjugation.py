"""Plain forms of Japanese verbs and adjectives from the dictionary form and UniDic's inflection type.

Labels and requests are written in plain form (取り込めませんでした -> 取り込めない), so that the same matter said in
different politeness gets the same words.
"""

_ROWS = {
    "カ": ("か", "き", "いて"), "ガ": ("が", "ぎ", "いで"), "サ": ("さ", "し", "して"), "タ": ("た", "ち", "って"),
    "ナ": ("な", "に", "んで"), "バ": ("ば", "び", "んで"), "マ": ("ま", "み", "んで"), "ラ": ("ら", "り", "って"),
    "ワ": ("わ", "い", "って"),
}  # fmt: skip


def conjugate(lemma: str, inflection: str, form: str) -> str:
    """`lemma` in `form`: dictionary, negative (〜ない), wish (〜たい), te (〜て) or past (〜た).

    `inflection` is UniDic's type as GiNZA gives it, such as 五段-ラ行,未然形-一般. An unknown type is returned
    unchanged, because a wrong ending reads worse than a plain one.
    """
    if form == "dictionary":
        return lemma
    kind, _, _ = inflection.partition(",")
    if form == "past":
        if kind.startswith("形容詞") and lemma.endswith("い"):
            return lemma[:-1] + "かった"
        te = conjugate(lemma, inflection, "te")
        return te[:-1] + {"て": "た", "で": "だ"}[te[-1]] if te != lemma else lemma
    if lemma == "ある" and form == "negative":
        return "ない"
    if kind.startswith("サ行変格") and lemma.endswith("する"):
        return lemma[:-2] + {"negative": "しない", "wish": "したい", "te": "して"}[form]
    if kind.startswith("カ行変格") and lemma.endswith(("来る", "くる")):
        stem = lemma[:-2]
        if lemma.endswith("来る"):
            return stem + {"negative": "来ない", "wish": "来たい", "te": "来て"}[form]
        return stem + {"negative": "こない", "wish": "きたい", "te": "きて"}[form]
    if kind.startswith(("上一段", "下一段")) and lemma.endswith("る"):
        return lemma[:-1] + {"negative": "ない", "wish": "たい", "te": "て"}[form]
    if kind.startswith("五段"):
        return _godan(lemma, kind, form)
    if kind.startswith("形容詞") and lemma.endswith("い"):
        return lemma[:-1] + {"negative": "くない", "wish": "くなりたい", "te": "くて"}[form]
    return lemma


def _godan(lemma: str, kind: str, form: str) -> str:
    row = _ROWS.get(kind.partition("-")[2][:1])
    if row is None:
        return lemma
    stem = lemma[:-1]
    if form == "te":
        return stem + ("って" if lemma.endswith(("行く", "いく")) else row[2])
    return stem + (row[0] + "ない" if form == "negative" else row[1] + "たい")
