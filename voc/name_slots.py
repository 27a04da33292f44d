"""Phrases that only a person's name stands in: introductions, titles, relations, offices, form fields, readings.

A surname that is also a word (森, 橋) or a place (千葉) counts as a name in such a phrase and nowhere else. What is a
surname, a given name or a reading is asked from the dictionary, so the rules hold for names that nobody listed.
"""

import re

from voc.name_kana import kana_names
from voc.name_words import HONORIFIC, NO_SURNAME, PLACES, ROLES, SAYS, TITLE, Lexicon

_K = "一-龥々ヶ﨑"
_WORD = f"{_K}ァ-ヴー"
_BLANK = "[ 　]"
_STOP = r"(?=[、。，！!？?\s〜~ー」』）)/|／｜→]|$)"
# the copula of somebody who gives a name, with the endings of several dialects; 「ですね」 may confirm any word
_IS = (
    rf"(?:です|でございます|でござる)(?:{_STOP}|[うぅ](?![ちか])|け(?:ど|れど|んど)|が(?![、 　]?何)|から{_STOP}|ねん?|よ)"
    rf"|っす(?:{_STOP}|け(?:ど|れど)|が|わ|よ|ね)"
    r"|(?:なん|ん)(?:です|だ|や|じゃ|す)(?:け(?:ど|れど|んど|ん)|げ[どん]|が|ばって)"
    rf"|だ(?:けど|けれど|けんど|げど|が(?=[、 　])|べ{_STOP})|や(?:けど|けれど|けんど|ねんけど|けん|が(?=[、 　]))|じゃ(?:けど|けん|が(?=[、 　]))"
    rf"|ばってん|どす{_STOP}|ですたい|だっぺ"
)
_CALLED = (
    rf"{SAYS}|と(?:言い|いい)(?:ます|まし)|って(?:言い|いい)ます|って(?:言う|いう)(?:もん|者|ん(?:だけど|ですけど|ですが|やけど))"
    r"|(?:って|っていう|っちゅう|っつう|という|と言う|いう)(?:ひと|人(?!事|数|気|間|口|生|形|種|工|材|件)|方(?!法|式|向|針|面|角|言|が)|かた|やつ|奴|男|女|子(?!供|ど)|者|もの(?:ですが|ですけ|でござ)|お客|担当|オペレーター|店員|名字|苗字)"
)
# phrases whose subject, source or goal is a person; 森から電話 may be a place, 森から電話があった is somebody
_ACTS = (
    r"が(?:承り|うけたまわ|席を|対応いたし|担当いたし|お伺いし|伺いま|ご案内いたし|引き継|引継|務め)|は(?:席を|ただいま(?:席|外出)|本日お?休み|不在)"
    r"|(?:から|より)(?:折り?返|改めて(?:ご?連絡|お?電話)|お?電話(?:が|を)(?:あ|来|もら|いただ|頂)|ご?伝言|引き継|引継|電話があ|ご?(?:回答|説明|報告|案内|返信|返答|送付|挨拶)(?:いた|させ|申し|差し|を差))"
    r"|に(?:代わ|替わ|代り|かわりま|お?つなぎ|お?繋|お?取り?次|申し伝え|伝えて|引き継|引継)|(?:という|と言う)(?:者|方|担当)"
    rf"|への?(?:差し替え|引き継|引継|取り?次)|の(?:お?名前|名義|名字|苗字)で|宛て?(?:に|の|で|へ|と|{_STOP})|(?:本人|自身)(?:が|から|に|の|です|で、)"
)
_KIN = (
    "母親|父親|お母さん|お父さん|母|父|妻|夫|ご?主人|家内|奥さん|奥様|旦那|嫁|息子|娘|長男|次男|三男|長女|次女|三女|お兄さん|お姉さん|兄|姉|弟|妹|孫|"
    "祖母|祖父|叔父|叔母|伯父|伯母|甥|姪|義母|義父|義兄|義姉|義弟|義妹|お?(?:じい|ばあ)(?:ちゃん|さん)|お?(?:じ|ば)(?:ちゃん|さん)|おふくろ|親父|ママ|パパ|"
    "いとこ|従兄弟|従姉妹|後妻"
)
_FRIENDS = (
    "友人|友達|知人|同僚|後輩|先輩|上司|部下|彼氏|彼女|元カノ|元カレ|婚約者|恋人|女房|亭主|実母|実父|子|子ども|子供|お子さん|生徒|園児|患者|利用者|相方|同居人|"
    "後見人|世帯主|ルームメイト|隣人|保護者|被保険者"
)
_RELATED = (
    rf"の(?:(?:{_KIN}|家の?者|家族|秘書|身内|親戚|同僚|後任|前任|上司|部下)(?:です|で、|ですけど|でございます|なん(?:です|だ)|やけど|だけど|と申|から|が|は|に|も|さん|の(?:携帯|代わり|件))"
    r"|代理(?:で|の|人|と|を)|ご?紹介(?:で|です|と|者))"
)
_SHAPE = rf"[{_K}]{{1,4}}?"
_RIGHT = re.compile(
    rf"(?<![{_WORD}])(?P<name>{_SHAPE})(?:(?P<title>(?:{TITLE})(?!(?<=長)[いくさ距期時年引]|(?<=候補)[地者]|[々子式相性]))|(?P<called>{_CALLED})|(?P<act>{_ACTS})"
    rf"|(?P<relation>{_RELATED})|(?P<self>{_IS}))"
)
_GREETING = (
    "すみません|すいません|すんません|すまん|ごめんなさい|ごめんください|失礼します|失礼ですが|失礼いたします|おはようございます|おはよう|こんにちは|こんばんは|お疲れ様です|お世話になります|"
    "お世話になっております|お世話になってます|お世話様です|毎度|まいど|初めまして|はじめまして|申し遅れました|お待たせしました|お待たせいたしました|お待たせ|もしもし|はいさい|ありがとうございます"
)
_OPENING = (
    "はい|ええ|えー|あの|あのう|あのー|えーと|ええと|えっと|あっ?|おう|どうも|ほい|いや|私|わたくし|わたし|あたし|あたい|うち|僕|ぼく|俺|おれ|わし|わい|こちら|先ほどの|さっきの|"
    "先日の|昨日の|今朝の|この前の|いつもの|先週の|こないだの"
)
_BEGINS = re.compile(
    rf"(?:^|[。！？!?\n「『【（(]|(?:{_GREETING})[、ー〜っ 　]{{0,2}}|(?:^|[、。！？!?\s「])(?:{_OPENING})(?:は|も|って|、|ー|〜|っ|{_BLANK}){{0,3}}|ます|ました|ません|でした|です"
    rf"|(?:番号|ID|コード)[^、。]{{0,20}}[、 　])$"
)
_BLANK_BEFORE = re.compile(r"\s$")
# a clause that has its object already leaves its noun the doer: 釣り船を頼んだ磯ですが, 電話した森ですが
_DOER = re.compile(
    rf"(?:(?:を|を[{_WORD}]{{1,6}}|[{_WORD}][でに]?)(?:頼ん|申し込ん|予約し|注文し|契約し|送っ|出し|買っ|借り)(?:だ|た|どいた|といた|とった|どった|ている|てる)"
    r"|(?:電話|連絡|相談|問い?合わ?せ|お願い|メール|お邪魔)(?:し|いたし|させていただい)?(?:た|ました|てる|ている)|(?:伺っ|うかがっ|お世話になっ)(?:た|ている|てる|てます))$"
)
_THEME = re.compile(r"[はがをも]$")
_NAME_THEME = re.compile(r"(?:名前|名|氏名|苗字|名字|姓|名義|宛名|私|わたし|あたし|わたくし|僕|俺|担当|担当者)[はが]$")

_PARTY = re.compile(
    r"(?:弊社|当社|御社|貴社|弊店|当店|当行|弊行|弊所|当院|貴行|理事長|会長|社長|代表|院長|園長|校長|店長|部長|課長|所長|支店長|組合長)"
    rf"(?P<name>{_SHAPE})(?=が|は|を|より|から|宛|へ|まで|に(?:て)?[、お連確]|の(?:携帯|メール|アドレス|名刺|後任)|[、。]|と申)"
)
_OURS = re.compile(
    rf"(?:弊社|当社|御社|貴社|小社|当店|御店|当院|[部課係]|(?:株式|有限|合同)会社[^\s、。「」]{{1,20}}?)の(?P<name>{_SHAPE})"
    r"(?=です(?:[、。\s]|けど|が|$)|でございま|と申|に(?:確認|相談|連絡|依頼|伝え|聞い|お願い|問い合わせ|報告|渡し|電話)|(?:から|より|まで|へ)(?:お?電話|ご?連絡|改め|折り?返|回答|説明|案内|お送り|お伝え)|が(?:参|伺|担当|対応|承|ご?説明|ご?案内))"
)
# 予約は鵜飼で取ってます, 三〇二号室の城島です
_BOOKED_AS = re.compile(rf"(?:予約|登録|契約|席|部屋)(?:は|を|が|、|も){{0,2}}(?P<name>{_SHAPE})で[、 　]?(?:取っ|とっ|入っ|予約|登録|契約し)")
_LODGER = re.compile(rf"[0-9０-９一二三四五六七八九〇十](?:階|号室|号棟|号|番地)の(?P<name>{_SHAPE})(?=です(?:[、。\s]|けど|けれど|が|$)|でございま|なんです|やけど|だけど|っす|と申)")
_WHICH = re.compile(rf"どの(?P<name>{_SHAPE})(?=(?P<title>さん|様)|でしょうか|ですか|でございま)")
_FIELD = (
    r"(?:ご?(?:お名前|氏名|名前|名義人?|宛名|担当者?|承認者|申請者|起票者|差出人|受取人|代表者|紹介者|保護者|世帯主|連帯保証人|保証人|契約者|責任者|記入者|作成者|"
    r"投稿者|送信者|送り主|依頼人|依頼者|申込者|予約者|宿泊者|発注者|購入者|使用者|利用者|所有者|署名|フリガナ|ふりがな|園児|児童|生徒|患者|受診者|来院者|搭乗者|参加者|被保険者|"
    r"後見人|名札|登録名|受取名義|旧姓|新姓|苗字|名字|下の名前|管理者|主治医|執刀医|講師|配達員|運転者?|ドライバー))"
)
_FIELD_WORD = (
    rf"{_FIELD}(?:様|さま)?(?:の?(?:お名前|氏名|名前|名|欄|名義|苗字|名字)){{0,2}}(?:[（(][^（）()\n]{{1,8}}[)）])?"
)
_FIELD_NAME = re.compile(
    rf"(?:{_FIELD_WORD}(?:は|が|を|に|の|[:：]|{_BLANK}){{1,3}}|(?:届け先|送付先|連絡先|宛先)[:：]{_BLANK}?)(?P<quote>[「『\"])?(?P<name>{_SHAPE})"
    rf"(?(quote)(?=[」』\"])|(?=です|でございます|でし(?:た|ょ)|なん(?:です|だ)|っす|だけど|やけど|のまま|のはず|の(?:方|ほう)(?:です|に)|で(?:お願い|は|間違|登録|、|[ 　])|に(?:変|なり|なっ|、)|と(?:いう|言|申|なっ|、)|から|へ|宛|様|さん|方|となり|[、。\s（(/|／｜→)）」]|$))"
)
# 苗字は岩です: the field itself says what the word is, the dictionary need not
_FAMILY_FIELD = re.compile(rf"(?:苗字|名字)(?:は|が|を)[、 　]?(?P<name>{_SHAPE})(?=です|でございます|で(?=[、。\s]|お願い|[、 　]?下の)|と(?:言|い|申)|なん(?:です|だ)|に(?:変わ|なり|なっ)|から|って)")
_SPELLED = re.compile(
    rf"(?<![{_WORD}])(?P<name>[{_K}]{{1,4}}?)(?=って一文字で|(?:っていう|という|の)一文字(?:で|です)|(?:と|って)書いて[、 　]?[「『]?(?P<kana>[ぁ-んァ-ヴー]{{2,8}}?)[」』]?(?:と|って)(?:読|よ(?:み|む|ん)|言いま|いいま|申))"
)
_TWICE = re.compile(rf"(?<![{_WORD}])(?P<name>[{_K}]{{1,4}}?)(?:の(?:字|漢字))?で[、 　]?(?P=name)(?={_CALLED}|{HONORIFIC}|です)")
_PAIRED = re.compile(
    rf"(?<![{_WORD}])[「『]?(?P<name>{_SHAPE})[」』]?(?:から|→|⇒|を|ではなく|じゃなく(?:て)?|でなく)[、 　]?[「『]?(?P<other>[{_K}]{{2,4}})[」』]?"
    r"(?:さん|様)?(?=に(?:移管|変更|交代|交替|差し替|引き継|引継|変え|代え|替え|切り替|名義|譲)|へ(?:移管|変更|交代|差し替|引き継|引継|の|変え)|で(?:印字|印刷|登録|表示|届|お願い))"
)

_FAMILY_FIRST = re.compile(rf"(?<![{_WORD}])(?P<family>[{_K}]{{1,3}}){_BLANK}(?=(?P<given>[{_K}]{{1,3}}|[ぁ-ん]{{2,5}}|[ァ-ヴー]{{2,5}}))")
_TELLS = re.compile(rf"{HONORIFIC}|名義|宛|[（(][ぁ-んァ-ヴー]{{2}}|です|でございます|と申|と書|といい|いう(?:ん|の|もん)|だけど|やけど|本人|方(?![面法式向])")
_ENDS = re.compile(r"って|ほか|[がのはをにともでへ、。，/|／｜→・）)」\s]|から|より|$")
_NAMED_BEFORE = re.compile(
    rf"(?:{_FIELD_WORD}(?:は|が|を|に|の|[:：]|{_BLANK}){{0,3}}|(?:{_KIN}|{_FRIENDS})(?:の|は|が|で|、|[（(]|{_BLANK})?|[新旧](?:{_BLANK}|[:：]))(?:[「『])?$"
)
_KANJI_KATAKANA = re.compile(f"[{_K}][ァ-ヴー]")
_KIN_NAMED = re.compile(
    rf"(?:{_KIN}|{_FRIENDS})(?:の|は|が|、)?(?P<name>(?P<family>[{_K}]{{1,3}})(?P<given>[ァ-ヴー]{{2,4}}))(?=いう|って|と|です|だ|や|[がのはにを、。\s]|$)"
)
_NUMBERED = re.compile("[一二三四五六七八九十番号目]")
_NO_GIVEN = re.compile(
    "^(?:です|でし|でご|でい|という|といい|とい|って|だけ|だっ|だと|さん|さま|ちゃん|くん|から|まで|より|ほか|など|[がを]|ある|あり|いる|いま|これ|それ|あれ|どれ|ここ|そこ|"
    "この|その|あの|どの|なん|なに|なぜ|もう|また|まだ|いつ|よく|ちょ|えっ|えー|はい|いえ|うん|ええ|お|ご|し|す)"
)


# what a text must hold for a pattern to be tried: most texts hold none of it
_PERSON_ONLY = (
    ("社店行所院長表", _PARTY), (("どの",), _WHICH), (("社の", "店の", "院の", "部の", "課の", "係の"), _OURS), (("予約", "登録", "契約", "席", "部屋"), _BOOKED_AS),
    ("階号地", _LODGER), ("名者人主姓師護録員児徒当ドフふ:：", _FIELD_NAME), (("一文字", "書いて"), _SPELLED), ("で", _TWICE),
)  # fmt: skip
_NO_FAMILY = frozenset("逆 変 別 空 同 違 空白 空欄 漢字 平仮名 片仮名 英語 旧姓 一緒 同様 二文字 一文字 三文字 反対 必要 必須 夫婦別 別々 新旧".split())
_PAIR_SIGN = re.compile("から|[→⇒]|なく")


def slot_names(text: str, *, lexicon: Lexicon) -> list[tuple[int, int]]:
    """Spans of persons' names in phrases that only a person stands in, also where the word alone means something else."""
    spans = [match.span("name") for match in _RIGHT.finditer(text) if _stands_in(text, match, lexicon)]
    for signs, pattern in _PERSON_ONLY:
        if any(sign in text for sign in signs):
            found = [match for match in pattern.finditer(text) if _is_person_only(match["name"], lexicon)]
            if pattern is _WHICH:
                found = [match for match in found if match["title"] or "普通名詞" not in lexicon.kinds(match["name"])]
            spans += [match.span(number) for match in found for number in ("name", "kana") if match.re.groupindex.get(number) and match[number]]
    for match in _FAMILY_FIELD.finditer(text) if "字" in text else ():
        if match["name"] not in _NO_FAMILY and match["name"] not in NO_SURNAME - PLACES:
            spans.append(match.span("name"))
    for match in _PAIRED.finditer(text) if _PAIR_SIGN.search(text) else ():
        if _is_person_only(match["name"], lexicon) and _is_plain_surname(match["other"], lexicon):
            spans += [match.span("name"), match.span("other")]
    return spans + _full_names(text, lexicon) + kana_names(text, lexicon)


def _is_surname(word: str, lexicon: Lexicon) -> bool:
    return "姓" in lexicon.kinds(word)


def _is_plain_surname(word: str, lexicon: Lexicon) -> bool:
    kinds = lexicon.kinds(word)
    return "姓" in kinds and "地名" not in kinds and word not in NO_SURNAME


def _is_person_only(word: str, lexicon: Lexicon) -> bool:
    """For phrases that no place stands in: 福島ってやつ is somebody."""
    return (word not in NO_SURNAME or word in PLACES) and word not in ROLES and _is_surname(word, lexicon)


_PARTICLE = re.compile("(?:[はがのをにとでもへやかねよたてなさ]|から|まで|より|けど|です|ます|いる|する|ある|(?<!ず)ら|っ|あのう|どう|あたし|わたし|わたくし)$")


def _is_end_of_word(text: str, start: int, name: str, lexicon: Lexicon) -> bool:
    """かずら橋, 食べ物屋: a short word behind hiragana that is no particle."""
    before = text[max(0, start - 4) : start]
    is_kana = "ぁ" <= before[-1:] <= "ん"
    return is_kana and _PARTICLE.search(before) is None and ("普通名詞" in lexicon.kinds(name) or name[-1] == "屋")


def _stands_in(text: str, match: re.Match, lexicon: Lexicon) -> bool:
    name, start, kind = match["name"], match.start("name"), match.lastgroup
    if name in ROLES or not _is_surname(name, lexicon):
        return False
    if kind == "title":
        if name[-1] == "屋" and _is_end_of_word(text, start, name, lexicon):
            return False
        is_holy = text[max(0, start - 1) : start] in ("お", "ご")  # お宮さん, お伊勢さん
        return (not is_holy and (name not in NO_SURNAME or name in PLACES)) or _is_rare_surname(text, match)
    before = text[max(0, start - 30) : start]
    if _is_end_of_word(text, start, name, lexicon):
        return False
    if kind == "act" and name in PLACES and _BOOKED.match(text, match.start("act")):
        return True
    if kind == "called":
        is_thing = _THEME.search(before) is not None and _NAME_THEME.search(before) is None
        return (name not in NO_SURNAME or name in PLACES) and not is_thing
    if name in NO_SURNAME:
        return False
    if kind == "relation":
        return name not in _LANDSCAPE or _RELATIVE_SPEAKS.match(text, match.start("relation")) is not None
    return kind == "act" or _is_introduced(match, before, lexicon)


_RARE_SURNAMES = frozenset("東 西 南 北 池 里 光 幸 花 今".split())
"""Words that are surnames often enough to count with 様 or さん, never with です alone."""
_ADDRESSED = re.compile(r"(?:様|さま|さん)(?:という|って|[はがのにをとでもへ、。\s」]|から|宛|です|でし|でご|でい|$)")


_BOOKED = re.compile("の(?:お?名前|名義)で[、 　]?(?:.{0,4}(?:予約|登録|契約|注文)|申し込|取っ|入っ|お願い)")
_LANDSCAPE = frozenset("島 谷 橋 沖 浜 岸 森 林 原 坂 堀 滝 湯 城 東 西 南 北 角 辻 畑 宮 沢 丘 港 磯".split())
"""島のばあちゃんが may live on an island; 島の母です speaks of a child named so."""
_RELATIVE_SPEAKS = re.compile(rf"の(?:代理|ご?紹介|(?:{_KIN}|家の?者|家族|秘書)(?:です|で、|でございます|なん(?:です|だ)|やけど|だけど|と申))")
_GOODS = frozenset("魚 鳥 肉 米 桃 栗 柿 梅 茶 豆 芋 石 土 糸 針 鈴 鐘 音 草 葉 根 旗 鏡 扇 琴 笛".split())
"""Things that people order or complain of: with です alone they are what they say."""


def _is_rare_surname(text: str, match: re.Match) -> bool:
    return match["name"] in _RARE_SURNAMES and _ADDRESSED.match(text, match.start("title")) is not None


def _is_introduced(match: re.Match, before: str, lexicon: Lexicon) -> bool:
    kinds = lexicon.kinds(match["name"])
    is_word = "普通名詞" in kinds
    if match["name"] in _GOODS:
        return False
    if match["self"].startswith("です") and match["self"][2:3] in ("ね", "よ") and (is_word or "地名" in kinds):
        return False
    if _BEGINS.search(before) or (_BLANK_BEFORE.search(before) and not is_word):
        return True
    return _DOER.search(before) is not None


def _full_names(text: str, lexicon: Lexicon) -> list[tuple[int, int]]:
    """姓 and 名 with a blank between them, where the dictionary, a field, a relative or a reading tells so."""
    spans = [
        match.span("name") for match in (_KIN_NAMED.finditer(text) if _KANJI_KATAKANA.search(text) else ())
        if _is_surname(match["family"], lexicon) and lexicon.kinds(match["given"]) & {"名", "一般"}
    ]  # fmt: skip
    for match in _FAMILY_FIRST.finditer(text) if " " in text or "　" in text else ():
        family, given = match["family"], match["given"]
        is_named = _NAMED_BEFORE.search(text[max(0, match.start() - 40) : match.start()]) is not None
        is_barred = family in NO_SURNAME and family not in PLACES | _RARE_SURNAMES
        is_told = is_named and "名" in lexicon.kinds(given) and "姓" in lexicon.kinds(family)  # 宛名: 中 由紀子
        if family in ROLES or (is_barred and not is_told) or _NO_GIVEN.match(given):
            continue
        ends = [match.start("given") + n for n in range(len(given), 1, -1)] if "ぁ" <= given[0] <= "ん" else [match.end("given")]
        own = [end for end in ends if _is_full_name(text, match, end, is_named=is_named, lexicon=lexicon)]
        known = [end for end in own if "名" in lexicon.kinds(text[match.start("given") : end])]
        whole = [end for end in own if text[end - 1] not in ("がをにで" if text[end : end + 1] not in "、。" else "がをにではも")]
        spans += [(match.start(), end) for end in (known or whole)[:1]]
    return spans


def _is_full_name(text: str, match: re.Match, end: int, *, is_named: bool, lexicon: Lexicon) -> bool:
    family, given = match["family"], text[match.start("given") : end]
    is_called = _TELLS.match(text, end) is not None
    if not is_called and not _ENDS.match(text, end):
        return False
    kinds, first, is_told = lexicon.kinds(given), lexicon.kinds(family), is_named or is_called
    is_kanji = "一" <= given[0] <= "龥"
    if "姓" not in first:
        return is_told and len(family) <= 2 and "名" in kinds and "普通名詞" not in kinds and len(given) >= 2
    if "名" in kinds:
        return is_told or len(given) >= 2
    if is_told:
        return not (is_kanji and kinds) and ("一般" in kinds or "普通名詞" not in kinds or len(given) >= 3)
    is_plain = "普通名詞" not in first and _NUMBERED.search(given) is None
    return is_kanji and not kinds and len(given) >= 2 and is_plain
