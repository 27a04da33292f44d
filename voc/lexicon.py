"""What the grammar and the words of a sentence say about its intent, without a model.

Two sources: `GRAMMAR`, endings and constructions of requests, questions, complaints and leaving, written as regular
expressions over the text; and lexicon.tsv, words with a polarity, compared as Sudachi's normalised forms so that
spelling and politeness do not matter (出来ません = できない) and a following negation turns them round.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from voc.japanese import Token, tokenize

_NOT_INFO = (
    r"(?<!教え)(?<!おしえ)(?<!聞かせ)(?<!待っ)(?<!知らせ)(?<!説明し)(?<!連絡し)(?<!させ)"  # information, no change
)
_WANT = r"(?:ほし|欲し)"
_RECEIVE = r"(?:もら|貰|いただ|頂|頂戴|ちょうだ)"
_GLAD = (
    r"(?:いい|良い|よい|いー|嬉し|うれし|ありがた|有難|有り難|助か|幸い|良かった|よかった|便利|最高|完璧|なお良|尚良"
    r"|言うことな|満足|行きた|使いた|利用した|買いた|楽し|安心)"
)
_IF = r"(?:ば|たら|だら|ると|えると|けると|れると|せると|てると|ていると|あると|いと|なら)"

# name -> (intents it speaks for, expression). Written for the ends of clauses, where Japanese puts what is meant.
GRAMMAR: dict[str, tuple[str, str]] = {
    "wish": ("request", rf"{_NOT_INFO}[てで](?:は|も)?(?:{_WANT}[いかくけ]|{_RECEIVE}[いき]?た[いくか])|[をが]{_WANT}(?:い|かった)"
             rf"|{_NOT_INFO}{_WANT}いです|もらいたい|{_NOT_INFO}てもろて"),
    "favour": ("request", rf"{_NOT_INFO}[てで]{_RECEIVE}[えけわ](?:る(?:と|なら|よう)|れば|たら|ない(?:か|で|もの|です|と)|ん(?:か|です|でしょう|と)"
               r"|ません(?:か|でしょうか)|ます(?:か|と|でしょうか|よう|ない))"),
    "give": ("request", rf"{_NOT_INFO}[てで](?:くださ|下さ)(?:い(?!ま)|ませ|れば|ると|ったら)|{_NOT_INFO}[てで]くれ(?:よ|な?$|。|れば|たら|ると|るよう"
             rf"|な?い(?:か|もの|です|と)|ませんか|ん(?:か|の|と)|る[？?])|{_NOT_INFO}[てで](?:ちょうだい|頂戴|くんない|くれる$|おくれ)"),
    "if_glad": ("request", rf"(?<!どう)(?<!どこへ){_IF}(?:[、,\s]|もっと|さらに|更に|より|尚|なお|とても|大変|すごく|非常に|一番|かなり|もう少し){{0,3}}{_GLAD}"),
    "only_if": ("request", r"(?:れ|け|え|せ|あ|な|め|べ)れば(?:なあ|なぁ|な[。、]?$|なと|と思|と感じ|と考え|と、|[。、…]*$)|たら(?:なあ|なぁ|な$|なと|と思|どう|いかが)"),
    "if_then": ("request", r"(?:ば|たら|だら|なら)[^。]{2,30}(?:のに|のですが|のだが|んだけど|んですけど|ます|けどな|たい|る)(?:[なねー…あぁえ]*)(?:$|。)"),
    "should": ("request", r"べき(?!では)|(?:た|だ|る|い)(?:ほう|方)が(?:いい|良い|よい|良さ|よさ|ありがた|助か|親切|わかりやす|分かりやす|使いやす|嬉し|うれし|望まし)"
               r"|必要(?:が(?:ある|あり)|がある?の?では|かと|と思|と感|では)|望ましい|(?:筋|順番|当然|普通)(?:でしょう|では|だろう|だと)|てもらわないと|てくれない(?:と|な)"),
    "how_about": ("request", r"(?:て|たら|れば|で)は?(?:どう(?:か|でしょう|です|だろ)|いかが)|(?:わけ|訳)に(?:は)?(?:いか|いき|行)|(?:可能|難し[いく]|無理)(?:な|もの)?(?:でしょう|です|は|ない)?(?:で)?か"
                  r"|(?:られ|でき|出来|え|け|せ|め|れ|なら|なり|な)(?:ない|ません|ん)(?:もの|もん|の|ん)?(?:でしょう|です|だろう)?か"
                  r"|[てで]も(?:いい|良い|よい|よさそう|良さそう)(?:の|ん)?(?:では|じゃ|と思|かと|気が|でしょう)|のでは(?:ない(?:か|でしょうか))?[？?。]?$"),
    "please": ("request", r"(?:を|に|の|へ|は|ほど|よう)お?願[いう](?:し|いた|致|申|でき|$|。|したい)|(?:を|に|と)(?:強く|切に)?(?:希望|要望)|(?:希望|要望)(?:し|いた|です|$|。)|を望[みむ]"
               r"|を求め|求む|検討(?:を|して(?:ほし|欲し|くだ|下さ|もら|いただ|頂)|いただ|くださ|下さ|願|の(?:ほど|余地))|ご検討|(?:に|を)期待(?:し|$|。)|リクエスト"),
    "more": ("request", r"もっと|もう少し|もうちょ[っい]|もう一(?:工夫|声)|せめて|ぜひ|是非|できれば|出来れば|可能(?:なら|であれば)|欲を言え|なるべく|極力|より一層|いい加減"),
    "be_made": ("request", r"(?:よう|様)(?:に)(?:し(?:て(?!い|も|る|お)|た(?:方|ほう))|なれば|なって(?:ほし|欲し|くれ)|なると|なら|改善|お願|$|。)"
                r"|(?:を|も)[^。、]{0,8}(?:増や|減ら|設け|作|置|付け|つけ|下げ|上げ|広げ|追加し|設置し|導入し|充実させ|改善し|見直し|統一し)"
                r"(?:し|い|っ|け|て)?(?:す$|る$|て(?:$|。|ほし|欲し|くだ|下さ|くれ|もら|頂|いただ)|ては|たら|れば|べき|よう)"),
    "order": ("request", r"(?:しろ|せよ|やめろ|直せ|返せ|なさい|付けろ|つけろ|増やせ|下げろ|戻せ|出せ|してよ|やめてよ)(?:よ|$|。|！|!)"),
    "noun_wish": ("request", r"(?:の|な|[一-龥ァ-ヶー])(?:改善|改良|追加|増設|増便|設置|充実|整備|拡充|拡大|緩和|見直し|延長|復活|導入|対応|値下げ|引き(?:上|下)げ|統一|簡素化|明確化|強化|向上|再開|開放|配布|販売|開催"
                  r"|[一-龥ァ-ヶ]化|復刻|復旧|完備|機能|サービス|減免|補助|案内|表示)(?:$|。|を(?:$|。)|希望|求む)"),
    "would_like_do": ("request", r"(?:[しきりみべいちびれけせ]|られ|られるように)た(?:い|かった)(?:です|と思|$|。|の|な|んで|けど|が)(?!のお)"),
    "ask_info": ("question", r"(?:教え|おしえ|聞かせ|説明し|知らせ|連絡し|確認し)て(?:い|ほし|欲し|くだ|下さ|もら|頂|くれ)|(?:教え|おしえ)て|(?:教示|教授|案内|説明|回答|報告|連絡)(?:を?(?:ください|下さい|お?願|いただ|頂|求))"
                 r"|お聞かせ|知り(?:た|て)|知っておきた|お尋ね|お伺い|伺いた|聞きた(?:い|く)|質問|確認(?:し|させ)て?(?:た|くだ|下さ|いただ)|問い合わせた(?:い|く)|(?:か|のか|かどうか)(?:が|を|は)?(?:分か|わか|知|教|確認|不明)"),
    "question_end": ("question", r"(?:か|かね|かな|かしら|の|っけ|でしょう|って|ます|です|る)[？?]|(?:です|ます|でしょう|ました|でした|ません|のでしょう|い|る|た|ん|の)(?:か|かね|かな)(?:$|[。？?])"
                     r"|[？?](?:$|」)|って(?:$|。)|(?:どう|いつ|どこ|何|いくら)[^。]{0,12}(?:たら|ば|って)?$"),
    "wh": ("question", r"どう(?:すれば|したら|やって|やれば|いう|いった|なり|なる|なって)|いつ(?:から|まで|頃|ごろ|に|です|か|届|になれ)|どこ(?:から|で|に|を|か|が|です|へ)|どの(?:よう|くらい|ぐらい|プラン|ボタン|[一-龥])"
           r"|どちら|どれ(?:が|を|に|くらい|ぐらい)|いくら(?!で|何)|何(?:時|日|円|分|回|人|歳|文字|枚|を|が|か|ですか|で)|誰(?:が|に)|どなた|どんな"),
    "possible": ("question", r"(?:でき|出来|可能|え|け|られ|あり|もらえ|使え|変え|あ)(?:る|ます|です)(?:の)?(?:でしょう)?か|(?:よろし|宜し|良)いで(?:しょう|す)か|ですか|(?:の|る)?方法|やり方|手順|かどうか|(?:は|が)(?:あり|必要|かかり)(?:です|ます)か"),
    "why": ("complaint", r"なぜ|何故|どうして(?!も)|なんで(?!も)|何で(?!も)|どういうこと|どうなって(?:い|る|ま|ん)|どういうつもり|いったい|どうなの|どうしろ"),
    "regret": ("complaint", r"[てで]しま(?:う|い(?!たい)|っ)|ちゃ(?:う|い|っ)|じゃ(?:う|っ)た|[るたいなん]のに|にもかかわらず|(?:はず|筈)(?:な|が|だ|です|の)|くせに|ところ、|とは[。！]?$"),
    "excess": ("complaint", r"すぎ|過ぎ|ばかり|ばっかり|だらけ|(?:何|なん)(?:度|回|時間|日|週間|か月|ヶ月)|いつまで(?:も|経|たっ)|毎回|毎度|たびに|たんび|全然|まったく|全く|一向に|一切|ろくに|さっぱり|なかなか|必ず"),
    "cannot": ("complaint", r"(?:でき|出来|え|け|げ|せ|て|ね|べ|め|れ|られ)(?:な(?:い|かっ|く)|ませ?ん|ず(?!に))(?!で(?:しょう)?か|か|もの|でしょうか)"),
    "not_done": ("complaint", r"(?:さ|か|が|た|な|ば|ま|ら|わ)な(?:い|かった|くて)(?!か|と)|(?:り|き|ち|み|び|い|し)ませ?ん(?!か|でしょうか)|まま|しか(?:な|あり|使|でき)|(?:が|は|も)(?:無|な)(?:い|く|かった)|のみ(?:$|。|で)"),
    "again_broken": ("complaint", r"また(?!来|行|利用|使|訪|お願|買|食べ|泊|注文|伺|頼)[^。]{0,10}(?:し|た|る|て)|と(?:決まって|必ず|すぐ)|(?:言|言わ|書)(?:う|って|れ)[^。]{0,8}(?:違|から|まま|もう)|(?:[0-9]+|[一二三四五六七八九十半])(?:分|時間|日|週間|か月|ヶ月|年)(?:も|以上|[^。]{0,3}かか|待|遅)"),
    "suffer": ("complaint", r"(?:さ|わ|か|ま|ら|た)れ(?:て(?:い|る|ま|し)|た(?:ん|の|が|。|$)|まし)|させられ|待た(?:さ|せ)|迷惑|いかがなもの|如何なもの|ありえ|あり得|やめて|止めて"),
    "hard_to": ("complaint", r"[いきしちにびみりえけせてれべめ](?:づら|辛|にく|難)[いかくさ]"),
    "thanks": ("praise", r"ありがと(?!いです)|有難う|有り難う|感謝|おかげ|お陰|助か(?:りました|っています|ってい|ってる|ってま|った(?!が|けど))|おおきに|助けられ|恩に着"),
    "glad_that": ("praise", r"[てで](?:とても|本当に|すごく)?(?:よかった|良かった|嬉し|うれし|楽し|ありがた|感動|安心|正解)|(?:が|も|の(?:は|が))(?:とても|大変|すごく|非常に|本当に)?(?:よかった|良かった|よい|良い|いい|素晴らし|最高|気に入)"),
    "again": ("praise", r"また(?:来|行|利用|使|訪|お願|買|食べ|泊|注文|伺|頼)|リピート|これからも|今後も[^。]{0,10}(?:利用|使|続け|応援)|続けます|お?(?:勧|薦|すす)め(?:し|でき|です|したい)|応援し|通い(?:続|ます)"),
    "well_done": ("praise", r"[てで](?:くださ|下さ)(?:り|って|いまし|った)|[てで]くれ(?:まし|て(?!い|ない)|た(?!ら|方が))|[てで](?:いただ|頂)(?:き(?:まし|、)|いて|いた)|[てで]もらえ(?:て|まし|た(?!ら))|[てで]もらっ(?:て|た)"),
    "beyond": ("praise", r"(?:以上|思った通り|期待通り|想像通り)(?:の|で|に)|(?:なし|ない|ません)ほど|一番(?:です|でし|だ|好)|(?:に|は)(?:驚|びっくり|感心|感動|脱帽)|びっくり(?:し|です)|すご[いく]|凄[いく]|さ(?:$|。|が(?:いい|良い|魅力))|手放せ|無くてはなら|欠かせ"),
    "leave": ("cancel", r"解約(?!金|料|した(?:はず|のに)|の話)|退会(?!ページ)|他社[^。]{0,12}(?:移|替|換|変え|切り|乗り|しよう|にし(?:ます|た)|契約し)|(?:契約|利用|使用|購読|定期|会員)[^。]{0,8}(?:終了|終わ|停止|打ち切|解除|やめ|止め|辞め|要ら|いら)"
              r"|更新[^。]{0,6}(?:見送|しない|しません|やめ)|もう[^。]{0,10}(?:使わ|使い(?:ま|た)|利用し(?:ま|な|た)|行(?:か|き)ま?|買(?:わ|い)|頼(?:ま|み)|来(?:な|ま)|結構|要ら|いりません|続けられ)"),
    "leave_words": ("cancel", r"二度と(?:使|利用|行|買|頼|来|泊|乗)|(?:終わり|最後)に(?:し|さ)|(?:予約|注文|契約|申し込み|申込)[^。]{0,8}(?:取り消|取消|キャンセルし(?:ます|たい)|キャンセルさせ|白紙)|口座を(?:閉|解)|(?:アカウント|登録|会員情報)[^。]{0,4}(?:削除|消し|消す|抹消)|辞退|引退|お別れ|縁を切|愛想"
                    r"|(?:ほか|他|よそ|別|隣)[^。]{0,8}(?:移し|移る|移り|移ろ|替え|変え|引っ越|乗り)|乗り?換え(?:ます|る(?:こと|つもり)|ようと|ました|を(?:検討|決|考)|先)|鞍替|見切り|(?:続け|継続)[^。]{0,4}(?:気|理由|な[いく]|できませ|られませ)|戻る気|切り替え(?:ます|を決|ること)"
                    r"|(?:辞|や|止)め(?:ようと|ようか|たい|ます|ることに|る(?:つもり|予定|方向)|させて)|アンインストール|抜け(?:たい|ます)|払い戻し(?:たい|て)|全部[^。]{0,8}(?:止めて|下ろ)"),
    "plan": ("other", r"(?:予定|つもり)(?:です|だ|でい|$|。)|と申します|の件(?:です|で|$)|よろしく|宜しく|お世話に(?:なっ|な)て|^(?:はい|ええ|いいえ|了解|承知|分かりました|わかりました)|ようと思(?:い|って)|てみたい|また(?:行|来|訪|泊)|次(?:回|は|の)"),
    "fact": ("other", r"(?:て|で)(?:いま|い)(?:す|る)(?:。|$)|(?:まし|し|っ|い|り|き|み)た(?:。|$)|(?:です|だ)(?:。|$)"),
    "neither": ("other", r"可もなく|不可もなく|普通|どちらとも|特に(?:な|あり|問題)|(?:とも|も)[^。]{0,10}(?:とも|も)(?:[^。]{0,4})(?:ない|ません)|話では(?:な|あり)|わけでは(?:な|あり)|ではありません"),
    "contrast": ("", r"(?:です|ます|た|る|い|だ)(?:が|けど|けれど|けれども)[、,]?|ものの|しかし|(?<!い)ただ[、,し]|でも[、,]|一方|だけに|のに、"),
    "if_any": ("", r"(?:れ|け|え|せ|べ|め|ね)ば|たら|なら(?:ば|、)?"),
    "exclaim": ("", r"[！!]"),
    "ellipsis": ("", r"…|\.\.\.|・・|。。"),
    "polite": ("", r"です|ます|ました|でした|ません"),
}  # fmt: skip

# flag -> expression; English names, because the report words them
_FLAGS = {
    "emotion": r"最悪|最低|腹(?:が|の)?立|怒|許せな|許しませ|ふざけ|ありえな|あり得な|信じられな|呆れ|あきれ|がっかり|うんざり|失望|悔し|泣き|裏切"
               r"|イライラ|いらいら|もう(?:いい|無理|限界)|馬鹿に|バカに|二度と|いい加減",
    "effort": r"(?:何|なん)(?:度(?!か)|回(?!か|目)|時間も)|(?:三|四|五|六|[3-9])(?:度|回)目|たらい回し|盥回し|また同じ|同じ(?:説明|こと|話|内容)[^。]{0,8}(?:何|また|[二三四五]|繰り返)"
              r"|(?:ずっと|長時間|時間以上|分以上|[十0-9]分(?:も|くらい)?)[^。]{0,6}待|待たされ|(?:電話|窓口)[^。]{0,8}(?:つなが|繋が)ら|手間|面倒|一から(?:説明|やり直)|やり直し",
    "urgency": r"至急|大至急|今すぐ|いますぐ|早急|すぐに(?:対応|直|返|連絡|電話|折)|急ぎ|急いで|(?:本日|今日|明日|明朝|今週)(?:中|まで)|間に合わ"
               r"|(?:業務|仕事|営業|店|工場|作業)[^。]{0,6}(?:止ま|停止|ならな|できな|出来な)|緊急|締め?切り?",
    "competitor": r"他社|競合|同業|(?:他|別|よそ|ほか)の(?:会社|サービス|店|ホテル|アプリ|業者|メーカー|銀行|回線|ソフト|プラン会社|スーパー|事業者|保険)"
                  r"|他店|よそ(?:で|に|の|は)|ライバル|乗り?換",
}  # fmt: skip

_NOTHING = Token("", "", "", "", "", "", 0, 0)
_NOT = frozenset("無い ず ぬ ない まい".split())
_LIGHT = frozenset("為る 成る 有る 言う 思う 居る 感じる 訳 事 程 そう 全然 余り 其れ程 決して".split())
_SKIPPED_PARTICLES = frozenset("は が も を に で の".split())


@dataclass(frozen=True)
class Evidence:
    """`values` float32 (n, features) in the order of `names`; `hits` the words that matched, feature -> text."""

    names: tuple[str, ...]
    values: np.ndarray
    hits: list[dict[str, str]]
    flags: list[list[str]]


def read_evidence(texts: Sequence[str]) -> Evidence:
    """Grammar and lexicon features of each text, the words they rest on, and its flags
    (emotion, effort, urgency, competitor)."""
    # half a surrogate pair, as broken JSON carries it, cannot be tokenised
    plain = [unicodedata.normalize("NFKC", text.encode("utf-8", "replace").decode()).strip() for text in texts]
    tokens = tokenize(plain)
    rows, hits = [], []
    for text, words in zip(plain, tokens, strict=True):
        found = {name: match[0] for name, expression in _compiled() if (match := expression.search(text))}
        polar = _polar_words(text, words)
        rows.append([float(name in found) for name in GRAMMAR] + list(_sums(polar)) + _shape(text, words))
        for _, word, sign, _, _ in polar:
            found.setdefault("positive" if sign > 0 else "negative", word)
        hits.append(found)
    flags = [[name for name, expression in _FLAGS.items() if re.search(expression, text)] for text in plain]
    values = np.array(rows, dtype=np.float32).reshape(len(texts), len(FEATURES))
    return Evidence(FEATURES, _with_totals(_with_products(values)), hits, flags)


def is_asking(evidence: Evidence) -> np.ndarray:
    """Whether a construction asks for a change, and none for information or for the end of the contract."""
    return evidence.values[:, FEATURES.index("asks")] > 0


_SUMS = ("pos", "neg", "pos_strong", "neg_strong", "pos_last", "neg_last", "balance", "balance_last")
_SHAPE = (
    "n_not",
    "past",
    "length",
    "imperative",
    "volitional",
    "no_verb",
    "noun_end",
    "verb_end",
    "particle_end",
    "adjective_end",
)
_PRODUCTS = (
    ("wish", "pos"),
    ("if_any", "pos"),
    ("thanks", "neg"),
    ("contrast", "pos"),
    ("contrast", "neg"),
    ("question_end", "cannot"),
    ("question_end", "leave"),
    ("noun_end", "pos"),
    ("noun_end", "neg"),
)
_COUNTED = ("complaint", "request", "question", "praise", "cancel")
_TOTALS = ("asks", *(f"n_{intent}" for intent in _COUNTED))
# Constructions that by themselves ask for a change; the others of "request" only lean that way.
_ASKING = ("wish", "favour", "give", "if_glad", "only_if", "should", "please", "be_made", "order", "noun_wish")
FEATURES = (*GRAMMAR, *_SUMS, *_SHAPE, *(f"{a}*{b}" for a, b in _PRODUCTS), *_TOTALS)


def _with_products(values: np.ndarray) -> np.ndarray:
    for a, b in _PRODUCTS:
        values[:, FEATURES.index(f"{a}*{b}")] = values[:, FEATURES.index(a)] * values[:, FEATURES.index(b)]
    return values


def _with_totals(values: np.ndarray) -> np.ndarray:
    def any_of(names: Sequence[str]) -> np.ndarray:
        return values[:, [FEATURES.index(name) for name in names]].any(axis=1)

    values[:, FEATURES.index("asks")] = any_of(_ASKING) & ~any_of(("ask_info", "leave", "leave_words"))
    for intent in _COUNTED:
        own = [FEATURES.index(name) for name, (spoken_for, _) in GRAMMAR.items() if spoken_for == intent]
        values[:, FEATURES.index(f"n_{intent}")] = np.minimum(values[:, own].sum(axis=1), 3)
    return values


@cache
def _compiled() -> tuple[tuple[str, re.Pattern], ...]:
    return tuple((name, re.compile(expression)) for name, (_, expression) in GRAMMAR.items())


def _canonical(words: Sequence[Token]) -> list[tuple[str, Token]]:
    """Content of the words in order: politeness and case particles out, every negation as ない, suffixes marked."""
    kept = []
    for word in words:
        if word.normal in {"ます", "です"} or (
            word.pos == "助詞" and word.normal in _SKIPPED_PARTICLES and not word.detail.startswith("接続")
        ):
            continue
        if word.normal in _NOT and word.pos in {"助動詞", "形容詞"}:
            if kept and kept[-1][0] == "有る":
                kept.pop()
            kept.append(("ない", word))
        else:
            kept.append(("~" + word.normal if word.pos == "接尾辞" else word.normal, word))
    return kept


@cache
def _lexicon() -> dict[str, list[tuple[tuple[str, ...], str, float]]]:
    """First form -> its entries (forms, kind, strength), longest first."""
    table = pd.read_csv(Path(__file__).with_name("lexicon.tsv"), sep="\t")
    entries: dict[str, list[tuple[tuple[str, ...], str, float]]] = {}
    for words, row in zip(tokenize(table["word"]), table.itertuples(index=False), strict=True):
        forms = tuple(form for form, _ in _canonical(words))
        if forms:
            entries.setdefault(forms[0], []).append((forms, row.kind, float(row.strength)))
    for suffix, kind in (("~易い", "positive"), ("~難い", "negative"), ("~辛い", "negative")):
        entries[suffix] = [((suffix,), kind, 1.0)]
    return {form: sorted(group, key=lambda entry: (-len(entry[0]), entry)) for form, group in entries.items()}


def _polar_words(text: str, words: Sequence[Token]) -> list[tuple[int, str, int, float, bool]]:
    """(start, words in the text, sign, strength, is_negated) of every lexicon word; a negation turns the sign."""
    kept = _canonical(words)
    forms = [form for form, _ in kept]
    entries, found, i = _lexicon(), [], 0
    while i < len(forms):
        entry = next((e for e in entries.get(forms[i], ()) if tuple(forms[i : i + len(e[0])]) == e[0]), None)
        if entry is None or entry[1] == "cancel":
            i += 1
            continue
        end = i + len(entry[0])
        sign, strength = (1 if entry[1] == "positive" else -1), entry[2]
        is_negated = _is_negated(kept, end)
        if is_negated:
            # 良くない is bad, 悪くない is only not bad
            sign, strength = -sign, (1.0 if sign > 0 else 0.5)
        found.append((kept[i][1].start, text[kept[i][1].start : kept[end - 1][1].end], sign, strength, is_negated))
        i = end
    return found


def _is_negated(kept: list[tuple[str, Token]], start: int) -> bool:
    for form, word in kept[start : start + 4]:
        if form == "ない":
            return True
        is_light = form in _LIGHT or word.pos in {"助動詞", "副詞"} or word.normal in {"て", "と", "だ"}
        if not is_light or word.surface in {"けど", "けれど"}:
            return False
    return False


def _sums(polar: list[tuple[int, str, int, float, bool]]) -> np.ndarray:
    """Strength of good and of bad words, in all and in the last third of them, where the point is made."""
    good = [p[3] for p in polar if p[2] > 0]
    bad = [p[3] for p in polar if p[2] < 0]
    last = polar[-1:] if polar else []
    last_good = sum(p[3] for p in last if p[2] > 0)
    last_bad = sum(p[3] for p in last if p[2] < 0)
    total = sum(good) + sum(bad)
    return np.array([min(sum(good), 4), min(sum(bad), 4), 2.0 in good, 2.0 in bad, last_good, last_bad,
                     (sum(good) - sum(bad)) / (total + 1), last_good - last_bad])  # fmt: skip


def _shape(text: str, words: Sequence[Token]) -> list[float]:
    forms = [word.form for word in words]
    end = next((word for word in reversed(words) if word.pos not in {"補助記号", "空白"}), _NOTHING)
    return [
        min(sum(word.normal in _NOT for word in words), 3),
        float(any(word.normal == "た" and word.pos == "助動詞" for word in words)),
        np.log1p(len(text)) / 4,
        float("命令形" in forms),
        float(any(form.startswith("意志推量形") for form in forms)),
        float(not any(word.pos in {"動詞", "形容詞", "形状詞"} for word in words)),
        float(end.pos in {"名詞", "接尾辞"}),
        float(end.pos == "動詞" and end.form.startswith(("終止形", "連体形"))),
        float(end.pos == "助詞" and end.normal in {"に", "を", "へ", "も"}),
        float(end.pos == "形容詞"),
    ] + [0.0] * (len(_PRODUCTS) + len(_TOTALS))
