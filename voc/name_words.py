"""Words around persons' names: a token of the dictionary, honorifics, and words for people that are no names."""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple


class NameToken(NamedTuple):
    """One token: `kind` is 姓, 名, 一般 (a whole or foreign name) or empty; `pos` like 名詞-普通名詞-一般;
    `may_be_surname`, `may_be_given` and `is_word` (an ordinary word) say what else the dictionary knows it as."""

    surface: str
    kind: str
    pos: str
    is_unknown: bool
    may_be_surname: bool
    may_be_given: bool
    is_word: bool
    start: int
    end: int


class Lexicon(NamedTuple):
    """What the dictionary knows of a word: `kinds` gives 姓, 名, 一般, 地名, 普通名詞; `readings` its readings as a
    person's name, in katakana."""

    kinds: Callable[[str], frozenset[str]]
    readings: Callable[[str], frozenset[str]]


# 朝倉氏遺跡 and 源氏物語 are a clan and a book
_MR = "氏(?!名|物語|神|族|遺跡|庭園|関連|博物|の(?:歴史|栄|城|遺|門|館))"
HONORIFIC = f"(?:様|さま|さん|{_MR}|殿|くん|君|ちゃん)"
TITLE = (
    f"(?:様|さま|さん|{_MR}|殿|くん|君|ちゃん|先生|部長|課長|係長|主任|店長|社長|会長|所長|支店長|専務|次長|館長|院長|リーダー|マネージャー|教授|博士|"
    "医師|弁護士|税理士|記者|議員|大臣|知事|候補|選手|投手|監督|夫妻|夫人|兄弟|姉妹|親子|大統領|首相|将軍|大佐|侯爵|伯爵|男爵|公爵|皇帝|大公|牧師|帝(?!国)|"
    "コーチ|教官|看護師|師長|薬剤師|技師|先輩|後輩|理事長|組合長|園長|校長|教頭|班長|隊長|工場長|チーフ|ディレクター|インストラクター|トレーナー|ヘルパー|ケアマネ|"
    "指導員|相談員|調査員|運転士|車掌|住職|親方|棟梁|司法書士|行政書士|社労士|ドクター|巡査|刑事)"
)
"""What stands behind a person's name: honorifics, offices, professions, ranks."""
SAYS = "と(?:申し|もうし|申す|名乗)"
_TITLED = re.compile(
    rf"[一-龥々ヶァ-ヴー](?<![客皆仕同模多各子名人親御者屋社員話労疲奥神王])(?=(?:お|ご)?{HONORIFIC}(?![々子式相]))"
)
ROLES = frozenset(
    "仲居 大家 花屋 八百屋 米屋 番匠 蔵元 板場 守衛 工事 仲間 上司 役所 助教 博士 女将 主人 旦那 楽天 ヤマト 地場 物屋 鳥屋 多 大仏".split()
)
"""Words for what a person does, and companies, that the dictionary knows as names too: with さん they are no name."""
PLACES = frozenset(
    "東京 大阪 京都 名古屋 福岡 札幌 仙台 神戸 横浜 広島 埼玉 北海道 千葉 神奈川 静岡 新潟 長野 岡山 熊本 鹿児島 沖縄 兵庫 奈良 三重 愛知 岐阜 富山 石川 福井 山梨 群馬 栃木 茨城 福島 山形 宮城 秋田 岩手 青森 滋賀 和歌山 鳥取 島根 山口 徳島 香川 愛媛 高知 佐賀 長崎 大分 宮崎 堺 浜松 相模原 川崎 北九州".split()
)
"""Prefectures and large cities: a name only in phrases that no place stands in."""
_NO_NAME = frozenset(
    "春 夏 秋 冬 朝 昼 夜 金 土 月 火 水 木 日 本 元 前 新 現 同 当 各 副 支 今 昔 上 下 中 外 内 奥 右 左 次 先 後 皆 何 誰 全 他 別 店 客 母 父 兄 姉 弟 妹 娘 息子 "
    "妻 夫 孫 嫁 叔父 叔母 伯父 伯母 祖父 祖母 家内 主人 以上 本人 一人 二人 三人 名前 会社 自分 友人 "
    "無料 有料 不明 大変 残念 結構 満足 不満 普通 最高 最悪 便利 不便 場所 時間 電話 対応 料金 担当 変更 花 雨 雪 空 海 山 川 池 夢 心 幸 光 愛 猫 犬 車 国 県 市 町 村 里".split()
)
NO_SURNAME = PLACES | _NO_NAME


def title_places(text: str) -> list[int]:
    """Ends of the words before an honorific that may be names; cheap, without the dictionary."""
    return [match.end() for match in _TITLED.finditer(text)]


def is_role(tokens: Sequence[NameToken], end: int) -> bool:
    """Whether the word that ends at `end`, before an honorific, is an ordinary one: 女将, 担当者, 配送業者, ヤマト運輸.

    Several single characters may be a surname that no dictionary has, so they are no role.
    """
    run: list[NameToken] = []
    for token in reversed([token for token in tokens if token.end <= end]):
        if token.end != (run[0].start if run else end) or not token.pos.startswith(("名詞", "接尾辞", "接頭辞", "代名詞")):
            break
        run.insert(0, token)
    if not run or run[-1].surface in ROLES:
        return True
    last = run[-1]
    if last.kind or last.is_unknown or last.may_be_surname or last.may_be_given:
        return False
    return len(run) == 1 or any(len(token.surface) >= 2 for token in run)
