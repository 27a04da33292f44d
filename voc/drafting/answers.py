"""Words in cells: steps of a scale -> numbers, names of speakers -> roles."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from voc.cleaning.widths import identifier
from voc.drafting.columns import Column
from voc.drafting.guess import Doubt, Guess
from voc.parsing.records import cell, number, speaker
from voc.parsing.scales import five_step

_STARS = re.compile(r"^(?:[★⭐☆✩\ufe0f]+|(?:星|評価)?\s?[0-9０-９]{1,2}(?:[.．][0-9０-９])?\s?(?:つ星?|/\s?[0-9]{1,3}|点満点中?|stars?)?)$", re.IGNORECASE)
_AGREE = {"そう思う": 5.0, "ややそう思う": 4.0, "まあそう思う": 4.0, "どちらともいえない": 3.0, "あまりそう思わない": 2.0, "そう思わない": 1.0,
          "まったくそう思わない": 1.0, "全くそう思わない": 1.0, "とてもそう思う": 5.0, "非常にそう思う": 5.0}  # fmt: skip
_ROLES = (("bot", re.compile(r"bot|ボット|自動|ai|system|システム", re.IGNORECASE)),
          ("operator", re.compile(r"^op|オペ|担当|agent|応対|社員|スタッフ|コミュニケーター|^cs|受電|内線|rep$|staff|店員|係", re.IGNORECASE)),
          ("customer", re.compile(r"客|様$|cust|user|ユーザ|顧客|caller|契約者|会員|利用者|外線|発信者|申込者", re.IGNORECASE)))  # fmt: skip
_OPERATOR_WORDS = re.compile(r"お電話ありがとうございます|でございます|かしこまりました|承知いたしました|恐れ入りますが|少々お待ち|承ります|いたします")
_MOST_WORDS = 6


def guess_scale(score: str, column: Column, *, is_review: bool) -> tuple[dict[str, float], Doubt | None]:
    """(answer -> number of the worded answers, what is unsure). Empty where all answers are numbers by themselves."""
    worded = [answer for answer in column.answers if number(answer) is None and not (is_review and _STARS.match(answer))]
    if not worded:
        return {}, _range_doubt(score, column)
    placed = five_step({identifier(answer) for answer in column.answers})
    scale = {answer: placed.get(identifier(answer), _AGREE.get(identifier(answer))) for answer in worded}
    open_words = [answer for answer, value in scale.items() if value is None]
    known = {answer: value for answer, value in scale.items() if value is not None}
    if score == "nps":
        return {}, Doubt("columns.nps", "0〜10 の数ではない答えがあります。NPS でなければこの行を消してください")
    ordered = dict(sorted(known.items(), key=lambda item: -item[1]))
    if not known:
        return {}, Doubt(f"columns.{score}", f"答えの言葉に点数を付けられません。[sources.scales.{score}] に「言葉 = 数」を書いてください")
    if open_words:
        listed = "、".join(f"「{word[:20]}」" for word in open_words[:5])
        return ordered, Doubt(f"scales.{score}", f"点数が分からない答え: {listed}（書かなければ点数なしになります）")
    return ordered, Doubt(f"scales.{score}", "言葉の点数（5 が最もよい）が正しいか見てください")


def _range_doubt(score: str, column: Column) -> Doubt | None:
    values = [value for answer in column.answers if (value := number(answer)) is not None]
    if score == "nps" and values and (max(values) > 10 or min(values) < 0):
        return Doubt("columns.nps", "0〜10 の数ではない値があります。NPS でなければこの行を消してください")
    return None


def guess_speakers(guess: Guess, said: Iterable[tuple[str, str]]) -> Guess:
    """`guess` with roles for the words of speakers that voc does not know. said: (word, text)."""
    spoken: dict[str, list[str]] = {}
    for word, text in said:
        if cell(word):
            spoken.setdefault(cell(word), []).append(str(text))
    unknown = [word for word in spoken if speaker(word) is None]
    if not unknown:
        return guess
    if len(unknown) > _MOST_WORDS:
        text = f"話者の言葉が {len(unknown)} 種類あります。人名なら、役割（お客様・担当者）の列を speaker に選んでください"
        return replace(guess, doubts=(*guess.doubts, Doubt("columns.speaker", text)))
    roles = {word: _role(word) for word in unknown}
    doubts = [Doubt(f"speakers.{word}", "話者の役割を言葉から推測しました") for word, role in roles.items() if role]
    blank = [word for word, role in roles.items() if role is None]
    polite = Counter({word: sum(map(bool, map(_OPERATOR_WORDS.search, spoken[word]))) / len(spoken[word]) for word in blank})
    known = set(roles.values()) | {speaker(word) for word in spoken}
    if len(blank) == 2 and "operator" not in known and polite.most_common(1)[0][1] > 2 * min(polite.values()):
        first = polite.most_common(1)[0][0]
        roles |= {word: "operator" if word == first else "customer" for word in blank}
        doubts += [Doubt(f"speakers.{word}", "話し方から推測しました。逆でないか確かめてください") for word in blank]
    else:
        roles |= dict.fromkeys(blank, "unknown")
        doubts += [Doubt(f"speakers.{word}", "だれか分かりません。customer、operator、bot のどれかにしてください") for word in blank]
    return replace(guess, speakers=roles, doubts=(*guess.doubts, *doubts))


def _role(word: str) -> str | None:
    return next((role for role, pattern in _ROLES if pattern.search(word)), None)
