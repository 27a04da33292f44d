"""Where one sentence holds two opinions: 画面は綺麗だが、|電池がすぐ切れる. From Sudachi's tokens alone.

A joint is a connective with a predicate on both sides where each side judges a thing of its own. A condition (直れば),
a reason (急いでいるので), a sequence (開くと落ちる) and a preamble (変更したいのですが) hold one matter and stay whole.
"""

from collections.abc import Sequence
from itertools import pairwise

from voc.japanese import Token

_CONTRAST = {"けど", "けれど", "けれども", "が", "けども"}
_PREDICATE = {"動詞", "形容詞", "助動詞", "形状詞"}
_QUALITY = {"形容詞", "形状詞"}
_COMMA = {"、", "，"}
_MIN_CLAUSE = 5
_MIN_JUDGEMENT = 4  # 部屋が汚い
_LONG_RIGHT = 20  # 「変更したいのですが、どこからできますか」 is one matter; a long right side is a second one
_TURNS = {"一方", "反面", "半面", "上", "代わり", "かわり"}


def is_joint(tokens: Sequence[Token], i: int, last: int) -> bool:
    """Whether a second opinion begins after token `i`; `last` is the offset where the running clause began."""
    comma = tokens[i].surface in _COMMA
    if not comma and i + 1 < len(tokens) and tokens[i + 1].surface in _COMMA:
        return False  # cut after the comma, not before it
    end = i - 1 if comma else i
    left = [t for t in tokens[: end + 1] if t.start >= last]
    right = _clause(tokens[i + 1 :])
    if len(left) < 2 or tokens[end].end - last < _MIN_CLAUSE or not any(t.pos in _PREDICATE for t in right):
        return False
    return (
        _is_contrast(left, tokens[i + 1 :], right)
        or _is_although(left, right)
        or _is_list(left, right)
        or (comma and (_is_te_list(left, right) or _is_turn(left, right)))
    )


def _clause(tokens: Sequence[Token]) -> list[Token]:
    """The tokens up to the end of the sentence, or to the end of the next clause that a connective with comma ends."""
    for i, token in enumerate(tokens):
        if token.pos == "補助記号" and token.surface not in {*_COMMA, "「", "」", "（", "）", "・"}:
            return list(tokens[:i])
    return list(tokens)


def _length(tokens: Sequence[Token]) -> int:
    return tokens[-1].end - tokens[0].start if tokens else 0


def _has_subject(tokens: Sequence[Token], particles: frozenset[str] = frozenset("はがも")) -> bool:
    """A thing of its own: a noun with は, が or も (not では, とは, かも)."""
    return any(
        t.surface in particles and t.pos == "助詞" and before.pos in {"名詞", "代名詞", "接尾辞", "記号"} and t.detail != "接続助詞"
        for before, t in pairwise(tokens)
    )


def _is_quality(tokens: Sequence[Token]) -> bool:
    """Whether the clause ends in a judgement: an adjective, 〜やすい, 〜すぎる, or a denied verb."""
    end = list(tokens)
    while end and (end[-1].pos in {"助詞", "補助記号"} or (end[-1].pos == "助動詞" and end[-1].normal in {"だ", "です", "た", "の"})):
        end.pop()
    if not end:
        return False
    word = end[-1]
    return (
        word.pos in _QUALITY
        or word.detail.endswith("形状詞可能")
        or word.detail.startswith("形容詞的")
        or word.normal in {"過ぎる", "ない", "ず", "満足", "最高", "最低", "十分", "便利"}
    )


def _is_contrast(left: Sequence[Token], rest: Sequence[Token], right: Sequence[Token]) -> bool:
    word = left[-1]
    if word.surface == "も" and left[-2].surface in {"けれど", "けど"}:
        word = left[-2]
        left = left[:-1]
    after_predicate = word.surface == "が" and left[-2].form.startswith("終止形")  # 使いやすい|が, read as a case by Sudachi
    is_particle = word.surface in _CONTRAST and word.pos == "助詞" and (word.detail == "接続助詞" or after_predicate)
    is_glued = word.surface in {"だけど", "だが", "ですが"} and word.pos == "接続詞"  # 便利|だけど
    if not (is_particle or is_glued):
        return False
    if rest and rest[0].surface == "も" and word.surface == "けれど":
        return False  # けれど|も
    is_preamble = len(left) > 2 and left[-3].surface in {"の", "ん"} and left[-2].normal in {"です", "だ"}
    is_quality = _is_quality(left[:-3] if is_preamble else left[:-1])
    judges = (_has_subject(left) and (is_quality or _has_subject(right))) or (is_quality and _has_subject(right))
    if is_preamble:
        is_asked = rest and any(t.surface == "か" and t.detail == "終助詞" for t in right)
        return (judges and not is_asked and _length(right) >= _MIN_JUDGEMENT) or _length(right) >= _LONG_RIGHT
    return _length(right) >= (_MIN_JUDGEMENT if judges else _LONG_RIGHT)


def _is_although(left: Sequence[Token], right: Sequence[Token]) -> bool:
    """〜のに: cut where the left side judges (安いのに|品質が悪い) or both have a topic, not 「予約したのに席がない」."""
    if [t.surface for t in left[-2:]] == ["の", "に"] and left[-2].detail == "準体助詞":
        body = left[:-2]
    elif left[-1].surface == "のに":
        body = left[:-1]
    else:
        return False
    both = _has_subject(body, frozenset("は")) and _has_subject(right, frozenset("は"))
    return both or (_has_subject(body) and _is_quality(body) and _has_subject(right))


def _is_list(left: Sequence[Token], right: Sequence[Token]) -> bool:
    """〜し and 〜たり, each with a thing of its own."""
    word = left[-1]
    if word.surface == "し" and word.detail == "接続助詞":
        return _has_subject(left) and _length(right) >= _MIN_JUDGEMENT
    if word.surface in {"たり", "だり"} and word.pos == "助詞":
        return _has_subject(left) and _has_subject(right)
    return False


def _is_te_list(left: Sequence[Token], right: Sequence[Token]) -> bool:
    """速くて、サポートも親切: a quality, then another thing marked by も or は."""
    ends_so = left[-1].surface in {"て", "で"} and (left[-1].detail == "接続助詞" or left[-1].normal == "だ")
    own = _has_subject(right, frozenset("もは"))
    return ends_so and own and _has_subject(left) and _is_quality(left[:-1])


def _is_turn(left: Sequence[Token], right: Sequence[Token]) -> bool:
    """〜ものの、 〜一方で、 〜上に、 〜反面、 before another thing."""
    texts = [t.surface for t in left[-2:]]
    body = None
    if texts == ["もの", "の"] or left[-1].surface == "ものの":
        body = left[:-2] if texts == ["もの", "の"] else left[:-1]
    elif texts[-1] in {"に", "で"} and texts[0] in _TURNS:
        body = left[:-2]
    elif texts[-1] in _TURNS:
        body = left[:-1]
    return bool(body) and _has_subject(body) and _has_subject(right) and body[-1].form.startswith(("連体形", "終止形"))
