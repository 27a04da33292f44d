"""What stands beside a label: five diverse sentences that are short and whole, and readable words."""

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from voc.cleaning.fillers import without_fillers
from voc.issues import label_words as known
from voc.issues.label_facts import letter_pairs
from voc.issues.matter import names_a_matter
from voc.japanese import Token
from voc.set_aside import CONVERSATION

_MASK_NAMES = frozenset({"氏名", "電話番号", "生年月日"})
_MASK = re.compile(r"\[[^\]]*\]")
_UNFINISHED = re.compile(r"([、,]|が|けど|ので|から|て|し|は|を|に)$")
_DIVERSITY = 0.4  # share of the choice that goes to being unlike the sentences chosen before
_KIND_COST = 0.5  # for a sentence that is not of the issue's kind at all
_SAME = 0.9  # cosine
_SHORT, _LONG = 10, 40  # characters between which a sentence reads at a glance
_FEWEST, _MOST = 5, 10


def pick_exemplars(texts: Sequence[str], vectors: np.ndarray, centroid: np.ndarray, *, label: str, n: int = 5,
                   fits: Sequence[float] | None = None) -> list[int]:
    """Rows of `n` sentences, the one that shows the label best first (maximal marginal relevance).

    `vectors` (m, d) and `centroid` (d,) are unit vectors in the order of `texts`. Relevance is the cosine to the
    centroid, less for masks, unfinished, short and long sentences, and for those that are less of the issue's kind
    (`fits`, 0..1); equal texts are taken once.
    """
    if not len(texts):
        return []
    cosines = vectors @ centroid
    pairs = letter_pairs(label)
    shown = np.array([len(pairs & letter_pairs(text)) / max(len(pairs), 1) for text in texts])
    relevance = cosines - np.array([_reading_cost(text) for text in texts])
    if fits is not None:
        relevance = relevance - _KIND_COST * (1 - np.asarray(fits, dtype=float))
    chosen = [int(np.argmax(relevance + 0.8 * shown))]
    taken = {texts[chosen[0]]}
    while len(chosen) < n:
        nearest = (vectors @ vectors[chosen].T).max(axis=1)
        nearest = np.where(nearest > _SAME, 2.0, nearest)  # one sentence in two spellings shows nothing new
        marginal = (1 - _DIVERSITY) * (relevance + 0.1 * shown) - _DIVERSITY * nearest
        marginal[[text in taken for text in texts]] = -np.inf
        best = int(np.argmax(marginal))
        if not np.isfinite(marginal[best]):
            break
        chosen.append(best)
        taken.add(texts[best])
    return chosen


def readable_keywords(words: Sequence[str], tokens: Sequence[Sequence[Token]]) -> list[str]:
    """Five to ten words of an issue as people write them, from its leading normalised `words` and its sentences.

    Left out are fragments, words of courtesy, time and feeling, and words that hardly any sentence has; a noun is
    written as most sentences write it (取引, not 取り引き). Fewer than five where the sentences share no more.
    """
    n = len(tokens)
    counts = Counter(normal for sentence in tokens for normal in {token.normal for token in sentence if _is_word(token)})
    written: dict[str, Counter] = {}
    for sentence in tokens:
        for token in sentence:
            if _is_word(token) and token.pos == "名詞":
                written.setdefault(token.normal, Counter())[token.surface] += 1
    enough = [word for word in words if counts[word] >= max(2, 0.04 * n)]
    common = [word for word, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])) if count >= max(3, 0.15 * n)]
    ordered = list(dict.fromkeys([*enough, *common]))[:_MOST]
    if len(ordered) < _FEWEST:
        more = [word for word in words if counts[word] and word not in ordered]
        ordered += more[: _FEWEST - len(ordered)]
    shown = [min(written[word].items(), key=lambda item: (-item[1], item[0]))[0] if word in written else word for word in ordered]
    return list(dict.fromkeys(shown))


def _is_word(token: Token) -> bool:
    normal = token.normal
    return (
        normal not in _MASK_NAMES
        and token.pos in {"名詞", "動詞", "形容詞", "形状詞"}
        and not token.detail.startswith(("数詞", "非自立", "助数詞", "固有名詞-人名"))
        and (len(normal) >= 2 or ("一" <= normal <= "龥" and token.detail.startswith("普通名詞-一般")))
        and not (len(normal) <= 2 and re.fullmatch(r"[ぁ-ん]+|[a-zA-Z]", normal) is not None)
        and normal not in known.VAGUE | known.TIME | known.DEICTIC | known.THIN | known.SHELL | CONVERSATION
        and names_a_matter([normal])
    )


def _reading_cost(text: str) -> float:
    length = len(text)
    off = max(0, _SHORT - length) / _SHORT + max(0, length - _LONG) / 60
    return 0.15 * min(off, 2.0) + 0.15 * bool(_MASK.search(text)) + 0.1 * (without_fillers(text) != text) + 0.08 * bool(_UNFINISHED.search(text.rstrip("。 ")))
