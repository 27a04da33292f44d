"""Persons' names: slots that introduce a name, and which texts are worth asking a name recogniser about."""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from voc.name_sight import Sight
from voc.name_tokens import LATIN_NAME
from voc.name_words import HONORIFIC

Names = Callable[[list[str]], list[list[tuple[int, int]]]]
NameLike = Callable[[list[str]], Sequence[Sight | bool]]

_K = "[一-龥々ヶ]"
_KANJI_NAME = rf"{_K}{{1,4}}(?:[ 　]{_K}{{1,4}})?"
_KANA_NAME = r"[ァ-ヴー]{2,8}(?:[ 　・][ァ-ヴー]{2,8})?"
_ROMAN_NAME = r"[A-Z][a-z]{1,15}(?: [A-Z][a-z]{1,15})?"
_TITLE = HONORIFIC
_SAYS = "と(?:申し|もうし|申す)"

_INTRODUCED = re.compile(rf"(?P<name>{_KANJI_NAME}|{_KANA_NAME}|{_ROMAN_NAME}){_SAYS}")
_INTRODUCED_HIRAGANA = re.compile(rf"(?:^|[、。\s]|は|の|私|わたし|わたくし)(?P<name>[ぁ-ん]{{2,6}}){_SAYS}")
_TITLED = re.compile(rf"(?<!{_K})(?<!お)(?P<name>{_KANJI_NAME}|(?:[ァ-ヴー]{{2,8}}(?=様|さま))){_TITLE}(?![々子式相])")
_NAMED = re.compile(
    rf"(?:名前|氏名|名義人?|契約者名?|担当者名)(?:は|が|:|：|、|[ 　]){{1,3}}(?:{_K}{{2,8}}の)?"
    rf"(?P<name>{_KANJI_NAME}|{_KANA_NAME}|{_ROMAN_NAME}|[ぁ-ん]{{2,5}}[ 　]?[ぁ-ん]{{2,5}})"
    rf"(?=です|でござい|と申|と言い|といい|になります|{_TITLE}|[、。\s（(]|$)"
)
_READING = re.compile(r"^(?:様|さま|さん)?[（(](?P<name>[ァ-ヴーぁ-ん・ 　]{3,16})[）)]")
_BEFORE_READING = re.compile(rf"(?<!{_K})(?P<name>{_KANJI_NAME})(?=[（(][ァ-ヴーぁ-ん・ 　]{{3,16}}[）)](?:{_TITLE}|{_SAYS}))")
# 「担当の田中です」 has the form of 「担当の変更です」: such a name counts only where the dictionary knows it as one
_OFFICE = re.compile(
    rf"(?:担当|係|窓口|受付|センター|サポート|デスク|会社[^\s、。の]{{0,15}}|店|部|課|社)の(?P<name>{_KANJI_NAME}|{_KANA_NAME})"
    r"(?=です|でございます|が(?:承|担当|対応|伺|受|席を)|は(?:席を|ただいま|本日)|より|宛)"
)
_CUE = re.compile(
    rf"{_SAYS}|[）)]{_TITLE}|(?<!お)名前(?:は|が|:|：|、|の)|(?:お名前|氏名|契約者名)(?:は|:|：|、)|名義は|名義人|名義|契約者名|(?:担当|係|窓口|センター|サポート|デスク|会社|社|部|課)の{_K}{{1,4}}(?:です|でござ|が承|が席|は席|より|宛)"
    rf"|[一-龥々ァ-ヴー](?<![客皆仕同模多各子名人親御者屋社話労疲奥神王])(?:様|さま|さん|氏(?!名)|殿|君|ちゃん)(?![々子式相])|[一-龥々ァ-ヴー]{{2}}くん"
    rf"|(?<![ぁ-ん])(?<!お)[ぁ-ん]{{2,5}}(?<!たく)(?<!ひとり)(?<!みな)(?<!れ)(?<!おつか)(?:様|さま)"
)
_ROLE = re.compile(
    r"(?:客|者|員|士|師|手|長|店|屋|社|族|方|家|側|会|部|課|校|院|省|庁|署|局|館|園|所|行|人|組|業|友|女|男|子供|先|中|目|元|主|団|校|輩|達|車|"
    r"会社|銀行|運輸|電機|通信|電気|工業|商事|商店|建設|不動産|各位|先生|本部|支店|本店|営業|"
    r"サポート|センター|スタッフ|ユーザー|オペレーター|メーカー|オーナー|ショップ|ストア|サービス|デスク|カスタマー|バンク|カード)$"
)
_SURNAMES = frozenset(
    "阿部 安部 服部 渡部 岡部 磯部 長谷部 園部 矢部 建部 土屋 守屋 古屋 高屋 粟屋 田所 別所 城所 緒方 土方 井手 前園 大館 "
    "岡本 山本 坂元 秋元 福元 岩元 松元 山元 田中 山中 竹中 畑中 野中 中目 夏目 金子 益子 砂子 白男 早乙女 五月女 仲村 武士 勝部 刑部 "
    "鳥居 中家 宅間 国府方 生方 棟方 宗方 大家 土家 本家 長家 宮家 隈部 卜部 物部 西部 南部 中部 下部 川部 久保 大先 玉城 瀬長 友利 "
    "川井 大友 長友 住友 国友 大組 川人 間人 隼人 海人 直人 勇人 武人 真人 正人 和人 明人 健人 優子 花子 陽子 洋子 京子 恵子 幸子".split()
)
_NO_NAME = frozenset(
    "何名 親御 親 子 おひとり お一人 奥 人 名 組 社 疲れ お疲れ 世話 お世話 苦労 ご苦労 御苦労 馳走 待ち 客 お客 皆 皆々 各位 奥 旦那 主人 王 神 仏 何 有 同 仕 模 多 一 異 貴 各 殿 同様 息子 娘 母 父 兄 姉 弟 妹 祖父 祖母 伯父 伯母 叔父 叔母 孫 嫁 婿 "
    "爺 婆 坊 嬢 姫 若 赤 店員 係員 業者 先方 担当 担当者 御 宮 湯 沢山 彼 外 中 上 下 前 後 今 変更 間違 必須 不明 未定 同 同姓同名 本人 別 旧姓 "
    "漢字 会社 法人 御社 弊社 貴社 当社 件 方 者 都合 説明 態度 不足 不在 話 時間 人 番 何人 対応 表示 空欄 未入力 以下 次 左記 下記 上記 以上 至急 結構 "
    "名前 氏名 住所 電話 全員 個人 自分 相手 友人 知人 家族 夫 妻 子 父母 両親 代表 社長 部長 課長 係長 店長 院長 先生 税理士 弁護士 会計士 社労士 "
    "銀行 郵便局 役所 区役所 市役所 税務署 年金事務所 取引先 得意先 仕入先 利用 契約 登録 新規 経理 総務 人事 営業 開発 技術 管理 責任 窓口 受付".split()
)
_SPARED = frozenset("今 湯 宮".split())
"""Words that are no name by a pattern alone, but are where the dictionary's phrases say so: 今さんというお客様."""
# what follows a place, a company or a product rather than a person
_OTHER = re.compile(
    r"(?:駅|市|区|町|村|県|府|都|道|郡|空港|港|城|川|山|島|大学|高校|中学|病院|銀行|支店|本店|店|製作所|製|工業|電機|自動車|商事|運輸|証券|"
    r"ブランド|の(?:車|バイク|製品|アプリ|ソフト|サイト|店舗|プリンタ|スマホ))"
)
_BRAND = re.compile(r"[A-Za-z0-9 　.&'-]+")
_BEFORE_NAME = re.compile(r"(?:名前|氏名|名義人?|担当者?|契約者名?)(?:は|が|の|:|：|、|[ 　]){0,2}$")
_AFTER_NAME = re.compile(rf"[ 　]?(?:{_TITLE}|{_SAYS}|と(?:言|い)います|でございます)")
_COUNTED = re.compile("[何数一二三四五六七八九十百]+名?")
_PIECE = re.compile(r"[^。！？!?\n]{1,500}[。！？!?\n]*")
_TRIMMED = re.compile(r"^.*(?:会社|支店|本店|営業所|事務所|担当|係|部の|課の|店の|社の)(?=.)")


class NameSearch(NamedTuple):
    """Spans of names per text; how many different sentences there are, how many of them and of the texts were asked."""

    spans: list[list[tuple[int, int]]]
    n_sentences: int
    n_asked: int
    n_texts_asked: int


def name_spans(texts: Sequence[str], *, names: Names, name_like: NameLike | None = None) -> NameSearch:
    """Where persons' names stand in `texts`.

    Slots (〜と申します, 〜様, 名前は〜) are read in every text; `names` is called once for each different sentence that
    has a cue or in which `name_like` sees a name. n_asked counts those of them that `name_like` does not call
    Sight.CLEAR: only they need a recogniser.
    """
    pieces = [(row, match.start(), match[0]) for row, text in enumerate(texts) for match in _PIECE.finditer(text)]
    different = list(dict.fromkeys(piece for _, _, piece in pieces))
    seen = dict(zip(different, name_like(different), strict=True)) if name_like is not None and different else {}
    roles = _roles(different, name_like)
    asked = [piece for piece in different if seen.get(piece) or _has_cue(piece, roles)]
    is_open = {piece for piece in asked if seen.get(piece) != Sight.CLEAR}
    recognised = dict(zip(asked, names(asked), strict=True)) if asked else {}
    found: list[list[tuple[int, int]]] = [[] for _ in texts]
    slots = {piece: _slots(piece, roles) for piece in asked}
    weak = {piece: [match.span("name") for match in _OFFICE.finditer(piece)] for piece in asked}
    confirmed = _confirmed(weak, name_like)
    for row, offset, piece in pieces:
        if piece not in recognised:
            continue
        spans = slots[piece] + confirmed[piece] + [
            span for start, end in recognised[piece] if (span := _accepted(piece, start, end)) is not None
        ]
        found[row] += [(offset + start, offset + end) for start, end in _with_readings(piece, spans)]
    n_texts = len({row for row, _, piece in pieces if piece in is_open})
    return NameSearch([sorted(set(spans)) for spans in found], len(different), len(is_open), n_texts)


def _roles(pieces: Sequence[str], name_like: NameLike | None) -> frozenset[str]:
    """Of the words that an honorific follows those that the dictionary knows as no name: 女将さん, 運転手さん."""
    words = sorted({match["name"] for piece in pieces for match in _TITLED.finditer(piece)})
    if name_like is None or not words:
        return frozenset()
    seen = name_like([f"{word}さん。" for word in words])
    return frozenset(word for word, sight in zip(words, seen, strict=True) if not sight)


def _has_cue(piece: str, roles: frozenset[str]) -> bool:
    if not _CUE.search(piece):
        return False
    return not roles or _CUE.search(_TITLED.sub(lambda match: "" if match["name"] in roles else match[0], piece)) is not None


def _slots(piece: str, roles: frozenset[str]) -> list[tuple[int, int]]:
    spans = []
    for pattern in (_INTRODUCED, _INTRODUCED_HIRAGANA, _TITLED, _NAMED, _BEFORE_READING):
        for match in pattern.finditer(piece):
            start, end = match.span("name")
            trimmed = _TRIMMED.match(match["name"])
            start += trimmed.end() if trimmed else 0
            name = piece[start:end]
            is_role = pattern is _TITLED and (match["name"] in roles or (name not in _SURNAMES and _ROLE.search(name)))
            if name and name not in _NO_NAME and not is_role and not _COUNTED.fullmatch(name):
                spans.append((start, end))
    return spans


def _confirmed(weak: dict[str, list[tuple[int, int]]], name_like: NameLike | None) -> dict[str, list[tuple[int, int]]]:
    """Of the words after an office those that the dictionary knows as names; none without a dictionary."""
    words = sorted({piece[start:end] for piece, spans in weak.items() for start, end in spans} - _NO_NAME)
    known: set[str] = set()
    if name_like is not None and words:
        # in a phrase, for the dictionary reads 関 or 森 alone as something else
        introduced = name_like([f"{word}でございます。" for word in words])
        known = {word for word, is_name in zip(words, introduced, strict=True) if is_name}
    return {
        piece: [(start, end) for start, end in spans if piece[start:end] in known] for piece, spans in weak.items()
    }


def _accepted(piece: str, start: int, end: int) -> tuple[int, int] | None:
    """A recognised name, unless it reads as a place, a company, a product or a usual word."""
    found = piece[start:end]
    start += len(found) - len(found.lstrip())
    name = found.strip()
    end = start + len(name)
    is_addressed = _AFTER_NAME.match(piece, end) is not None or _BEFORE_NAME.search(piece, 0, start) is not None
    if not name or (name in _NO_NAME and name not in _SPARED) or _COUNTED.fullmatch(name) or (name[-1] != "世" and any(sign.isdigit() for sign in name)):
        return None
    if len(name) <= 3 and _OTHER.match(piece, end):
        return None
    if not is_addressed and _BRAND.fullmatch(name) and not LATIN_NAME.fullmatch(name):
        return None
    return start, end


def _with_readings(piece: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The names, and the reading in brackets that follows one: 田中（タナカ）."""
    readings = []
    for _, end in spans:
        match = _READING.match(piece[end : end + 24])
        if match:
            readings.append((end + match.start("name"), end + match.end("name")))
    return spans + readings


def repeated_names(text: str, known: Sequence[str]) -> list[tuple[int, int]]:
    """Places where a name that the same contact introduced stands again, also without any cue."""
    if not known:
        return []
    pattern = re.compile("|".join(re.escape(name) for name in sorted(known, key=len, reverse=True)))
    return [match.span() for match in pattern.finditer(text) if not _OTHER.match(text, match.end())]
