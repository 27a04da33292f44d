"""Sentences that carry no voice: back-channels, greetings, identity checks, holding the line, non-answers.

They are kept with the reason and counted, but nothing is judged, embedded or matched on them.
"""

import re
from collections.abc import Sequence

from voc.japanese import Token, content_terms

MASK = re.compile(r"\[[^\[\]\s]{1,12}\d*\]")
_NON_ANSWER = re.compile(
    r"^(特に|とくに|別に|今のところ|現時点では|今は|とりあえず)*(は|、|に)*"
    r"(なに|何)?(も)?(回答|該当|記載|意見|要望|感想)?(は)?(なし|無し|ない(です)?|無い(です)?|ありません|ございません|ないです|思いつきません|わかりません|分かりません|不明|未記入|無回答|ノーコメント|NA|na|NoAnswer|None|none|同上|以上)(です|でした)?$"
)
_GREETING = re.compile(
    r"^.{0,24}(御中|ご担当(者)?様|担当者様|各位)|(ご|御)丁寧に(どうも|本当に)?|お時間(よろしい|大丈夫|いただけ)\w*|"
    r"(いつも)?(大変)?お世話になって(おり)?(い)?ます|お世話になります|お疲れ(様|さま)です|(何卒)?(どうぞ)?よろしく(お願い(いた|致|申し上げ)?(し)?ます|お願いします)?"
    r"|(どうも)?(本当に|誠に|大変)?ありがとうございま(す|した)|(どうも)?すみません(でした)?|失礼(いた|致)?し(ます|ました|ます)|突然(の)?(メール|ご連絡)(にて)?"
    r"|(お)?忙しい(ところ|中)(を)?(誠に|大変)?(恐れ入り|申し訳(ござい|あり)ま|恐縮|すみません|すいません)?\w*|ご確認(の(ほど|程))?|(ご)?(返信|連絡|回答|対応|検討|教示)(の(ほど|程))?(を)?(何卒|どうぞ)?(よろしく)?お(待ち|願い)\w*"
    r"|以上(です|になります|となります)?|取り急ぎ\w{0,8}|初めて(ご)?(連絡|メール)(いた|致)?\w{0,8}|こんにち(は|わ)|おはようございます|こんばんは|もしもし|御中|ご担当者?(様|さま)?|サポート(窓口|センター|担当)?(の)?(様|皆様|御中)"
)
_IDENTITY = re.compile(
    r"(と)?申します|(電話番号|番号|氏名|名前|住所|生年月日|会社名|メールアドレス|契約者|登録(名|番号))は|(本人|代理)です|(わたく?し|私)です|登録は|担当の(?!(者|方|人)[がはもをに])"
)
_COMPANY = re.compile(r"^(はい|あ|ええと?|えーと)*(会社(名)?|屋号|社名)は.{1,24}(です|になります|でございます)(ね|けど|が)?$|^(株式会社|有限会社|合同会社).{1,20}$")
_INTRODUCED = re.compile(  # 〇〇工房の者ですが, 先ほど電話した者です
    r"^(はい|あ|ええと?|えーと|私|わたくし)*.{1,24}[のたるい]者(です|なんです|でございます|なの|と申します|といいます)(が|けど|けれど|けれども|ね|で)*$")
_NAMED = re.compile(r"^(はい|あ|ええと?|えーと)*.{0,24}\[氏名\d*\](です|と申します|でございます|といいます)(けど|が|けれども)?$")
_HOLD = re.compile(r"(はい)?(少々|ちょっと|しばらく)?お待ちください(ませ)?|(お)?待ち?(し(ます|てます)|って(い)?ます|ます)|どうぞ|大丈夫です|お願いします|承知(いた|致)?しました|(わかり|分かり)ました|了解(です|しました)")
# words of which a whole sentence of courtesy, acknowledgement or opening is made; none of them names a matter
CONVERSATION = frozenset(
    "分かる 解る 助かる 解決 終わる 済む 見付かる 見つかる 確認 進む 進める 遣る 試す 聞く 伺う 訊く 質問 教える 尋ねる 連絡 御多忙 多忙 忙しい "
    "恐縮 恐れ入る 手数 世話 宜しい 平素 貴社 清栄 隆盛 喜ぶ 慶ぶ 返答 回答 返事 返信 幸い 納得 安心 無事 了解 メモ 合う 閉じる 一旦 続き 以前 前回 "
    "普通 字 書く 初めて 一点 一つ 二つ 少し 先日 用件 こちら 皆様 担当者 突然 失礼 サービス 利用 使う 者 何時も 御中 相談 申す 申し上げる 待つ 良い "
    "検討 早速 対応 助言 有り難い 有難い 感謝 伝える 説明 仰る 其処 気付く 気づく 遣り方 直ぐ すぐ 急ぎ 至急 取り急ぎ 大変 誠 何卒 お願い 頼む "
    "掛ける 電話 自分 通り 言われる 所 気 話 改めて 再度 問題 了承 有る 無い そちら 此方 OK ok オーケー 終了 手続 尋ねる 番号 四つ 来週 メール 送る 届く 今後 引き続き 何か 全部 多分 "
    "御陰様 かける 喜び 益々 問い合わせ 内容 未だ 片付く 戻る 次第 代表 最初 最後 一回 間 度々 場合 携帯 いつも 御世話 尋ね 問合せ 先程 早め".split()
)
_ASKED_WORDS = frozenset("ない ず 無い ぬ 何時 何故 何処 何 いつ なぜ どこ どう 誰 幾ら".split())
_TELLING = frozenset("申す 言う 御座る 為る 致す 居る 有る 願う 出来る 書く おる 頂く 貰う 成る 呼ぶ 登録 承る".split())
_EMPTY_POS = {"感動詞", "補助記号", "助詞", "助動詞", "接続詞", "空白", "記号", "代名詞", "接頭辞", "接尾辞"}
_EMPTY_WORDS = frozenset("そう 然う 成る程 本当 はい ええ うん なるほど 分かる 解る 承知 了解 結構 大丈夫 其れ 確か 一応".split())
_ANSWERING = re.compile(r"^(?:はい|ええ|いえ|うん|あー?|あっ|えーと?|まあ|じゃあ|では|それでは|それで)+")
_AGREEING = re.compile(r"^(?:なるほど|ああ?|はい|ええ|うん|そう|そういう(?:こと|事)|です|なん|か|ね|よ|でしたか)+$")
_JUDGED = re.compile(r"普通(?:です|だ|でした|かな|かと)")  # 普通の字です spells a name, 普通です judges
_PATTERNS = (("greeting", _GREETING), ("identity", _IDENTITY), ("hold", _HOLD))


def reason_to_set_aside(text: str, tokens: Sequence[Token]) -> str | None:
    """backchannel, greeting, identity, hold, courtesy or non_answer; None where the sentence may carry a voice.

    `tokens` are the Sudachi tokens of `text`. A sentence is set aside only if nothing but such phrases stands in it.
    """
    bare = re.sub(r"[\s。．、，・！？!?…ー〜~\-―−－–—/／\"'「」()（）]+", "", text)
    if not bare:
        return "non_answer"
    if _NON_ANSWER.match(bare):
        return "non_answer"
    masked = MASK.search(text) is not None
    if (masked and _NAMED.match(bare)) or _COMPANY.match(bare) or _INTRODUCED.match(bare):
        return "identity"
    if masked and all(t.normal in _TELLING for t in tokens if t.pos in {"動詞", "形容詞", "形状詞"}):
        return "identity"
    answer = _ANSWERING.sub("", bare)
    for name, pattern in (("greeting", _GREETING), ("hold", _HOLD)):
        if pattern.fullmatch(answer):
            return name
    if _AGREEING.match(bare):
        return "backchannel"
    rest = MASK.sub("", bare)
    if all(t.pos in _EMPTY_POS or t.normal in _EMPTY_WORDS or t.detail.startswith("フィラー") for t in tokens):
        return "backchannel"
    found = "identity" if masked else None
    for name, pattern in _PATTERNS:
        shorter = pattern.sub("", rest)
        if shorter != rest:
            found = found or name
            rest = shorter
    if found is None:
        return "courtesy" if _is_conversation(tokens, masked) and not _JUDGED.search(bare) else None
    left = [t for t in tokens if t.surface in rest and t.pos not in _EMPTY_POS and t.normal not in _EMPTY_WORDS]
    return found if not _carries(left) else None


def _is_conversation(tokens: Sequence[Token], masked: bool) -> bool:
    """Only words of courtesy, and neither a negation nor a question about them (「電話がない」「連絡はいつですか」 carry)."""
    terms = content_terms([t for t in tokens if "固有名詞" not in t.detail] if masked else tokens)
    is_denied = any(t.normal in _ASKED_WORDS for t in tokens)
    is_asked = any(t.normal in {"欲しい", "下さる"} for t in tokens)
    return bool(terms) and len(terms) <= 5 and all(t in CONVERSATION for t in terms) and not (is_denied or is_asked)


def _carries(tokens: Sequence[Token]) -> bool:
    return any(term not in CONVERSATION for term in content_terms([t for t in tokens if "固有名詞" not in t.detail]))
