"""What other systems call our columns: headers of Japanese and English exports -> our names."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

_SPELLINGS = {
    "contact_id": """通話ID 通話番号 コールID コンタクトID 問い合わせ番号 問合せ番号 問い合わせID 問合せID お問い合わせ番号 受付番号 受付ID 応対ID
        応対番号 案件番号 案件ID 回答番号 回答ID 投稿ID 投稿番号 レビューID レビュー番号 口コミID チケット番号 チケットID 管理番号 整理番号 履歴番号 callid call_no
        contactid interactionid responseid response_no answerid reviewid postid ticketid conversationid sessionid 会話ID チャットID
        セッションID 録音ID メッセージID messageid no 番号 id""",
    "customer_id": """顧客番号 顧客ID 顧客コード お客様番号 お客様ID お客様コード 会員番号 会員ID 会員コード 契約者番号 契約者ID 契約番号 契約ID ユーザーID ユーザID
        ユーザー番号 利用者ID 利用者番号 取引先コード 取引先ID 得意先コード アカウントID 加入者番号 customerid customer_no customercode userid memberid
        accountid clientid subscriberid 回答者ID 回答者番号 respondentid メールアドレス emailaddress email mail 発信者番号 発信番号 電話番号 phone tel""",
    "started_at": """開始日時 開始時刻 録音開始 録音開始日時 録音日時 通話開始時間 着信時間 通話開始日時 通話開始時刻 通話開始 通話日時 着信日時 着信時刻 入電日時 受電日時 受付日時 応対日時 応対開始日時 対応日時 対応開始日時 問い合わせ日時
        問合せ日時 お問い合わせ日時 回答日時 回答完了日時 回答終了日時 回答日 送信日時 受信日時 投稿日時 投稿日 レビュー日 書き込み日時 作成日時 登録日時 発生日時 タイムスタンプ
        timestamp startedat startat starttime startdatetime callstart callstarttime calldatetime calldate createdat submittedat answeredat
        respondedat receivedat sentat postedat reviewdate createdtime receiveddate 受付日 受信日 送信日 応対日 対応日 作成日 問い合わせ日
        通話日 来店日 利用日 調査日 実施日 日時 日付 年月日 datetime date""",
    "speaker": """話者 発話者 発言者 話者区分 話者種別 発話者区分 発話者種別 スピーカー 役割 送信者 発信者 送信者種別 発言者種別 投稿者区分 speaker speakerrole
        speakerlabel role author sender from participant participantrole channel チャンネル""",
    "text": """発話内容 発話テキスト 発話 発言内容 発言 認識結果 認識テキスト 音声認識結果 書き起こし 文字起こし テキスト メッセージ メッセージ内容 本文 メール本文 内容 問い合わせ内容 問合せ内容
        お問い合わせ内容 相談内容 レビュー本文 レビュー内容 レビュー 口コミ クチコミ 口コミ内容 口コミ本文 投稿内容 投稿本文 投稿 コメント ご意見 感想 応対内容 対応内容 詳細 text transcript utterance
        message body content comment reviewtext reviewbody review description inquiry""",
    "start_seconds": "開始秒 開始秒数 発話開始秒 発話開始秒数 経過秒 経過秒数 開始位置 startseconds startsec startoffset offset offsetseconds start begin",
    "handle_seconds": """応対時間 通話時間 処理時間 対応時間 通話秒数 応対秒数 処理秒数 対応秒数 対応所要時間 handleseconds handletime aht duration
        durationseconds durationsec talktime""",
    "queue": """キュー キュー名 窓口 窓口名 受付窓口 着信窓口 対応窓口 担当窓口 スキル スキル名 スキルグループ スキルグループ名 担当部署 担当グループ グループ queue queuename skill
        skillgroup group department""",
    "n_transfers": "転送回数 転送数 転送件数 ntransfers transfers transfercount",
    "is_resolved": "解決 解決済 解決済み 解決フラグ 解決有無 解決区分 一次解決 完了フラグ isresolved resolved solved",
    "csat": """総合満足度 満足度 全体満足度 全体の満足度 顧客満足度 総合評価 評価 csat satisfaction overallsatisfaction overall""",
    "nps": "nps おすすめ度 お勧め度 お薦め度 推奨度 推奨意向 他者推奨意向 推奨スコア npsスコア npsscore recommend likelihoodtorecommend",
    "rating": "星 星評価 星の数 星数 評価 評価点 評点 点数 スコア レーティング rating stars star score",
    "subject": "件名 タイトル 表題 題名 見出し レビュータイトル 口コミタイトル 投稿タイトル subject title headline",
    "note": "応対メモ 対応メモ 応対記録 通話メモ オペレーターメモ メモ 特記事項 note notes memo agentnote",
    "wrapup": """後処理コード 後処理区分 応対結果 応対区分 対応区分 対応結果 結果コード 問い合わせ種別 問合せ種別 問い合わせ区分 問合せ区分 問い合わせ分類 用件 用件区分 分類 カテゴリ カテゴリー wrapup
        wrapupcode disposition dispositioncode category""",
    "plan": "プラン プラン名 契約プラン 契約プラン名 料金プラン コース コース名 契約コース 契約商品 商品名 サービス名 契約種別 plan planname course product",
    "segment": "区分 顧客区分 セグメント 顧客セグメント 業種 業態 会員ランク 会員種別 会員区分 企業規模 従業員規模 ランク 法人個人区分 segment industry tier companysize",
    "monthly_price_yen": """月額 月額料金 月額費用 月額利用料 月額利用料金 月額金額 月額単価 利用料 利用料金 月間利用料 mrr monthlypriceyen monthlyprice
        monthlyfee monthlyamount price 料金 金額 単価""",
    "started_on": """契約開始日 契約日 契約年月日 利用開始日 サービス開始日 課金開始日 申込日 入会日 入会年月日 加入日 登録日 会員登録日 開始日 startedon startdate contractdate
        contractstartdate signupdate joinedon joindate subscribedat""",
    "ended_on": """解約日 解約年月日 退会日 退会年月日 契約終了日 利用終了日 サービス終了日 課金終了日 終了日 脱退日 endedon enddate contractenddate canceldate
        canceleddate cancelledat canceledat cancelledon churndate churnedat""",
    "email": "メールアドレス メアド eメール eメールアドレス メール email emailaddress mail mailaddress",
    "phone": "電話番号 電話 連絡先電話番号 携帯電話番号 携帯番号 携帯電話 tel telno phone phonenumber mobile",
    "month_on": "年月 対象月 対象年月 利用月 利用年月 集計月 集計年月 月 monthon month yearmonth ym",
    "n_logins": "ログイン回数 ログイン数 ログイン件数 利用回数 アクセス回数 アクセス数 利用日数 起動回数 nlogins logins logincount sessions activedays",
    "article_id": "記事番号 記事ID faq番号 faqid faqno ナレッジid ナレッジ番号 閲覧記事 閲覧記事ID ページID articleid pageid documentid 番号 no id 管理番号",
    "title": "タイトル 質問 質問文 質問内容 件名 見出し 記事名 記事タイトル faqタイトル question title q",
    "body": "本文 回答 回答文 回答内容 記事本文 内容 answer body content a",
    "url": "url リンク ページurl 公開url link",
    "at": """日時 検索日時 閲覧日時 アクセス日時 発生日時 ログ日時 記録日時 タイムスタンプ timestamp at datetime searchedat viewedat accessedat time
        createdat 日付 date""",
    "query": "検索語 検索語句 検索キーワード 検索ワード 検索文字列 検索クエリ キーワード query searchquery searchterm searchword keyword q",
    "is_found": "ヒット件数 ヒット数 検索結果件数 検索結果数 結果件数 検索ヒット数 isfound found hits hitcount resultcount results",
    "option_id": "オプションID オプション番号 オプションコード 商品コード 商品ID 商品番号 プランコード プランID optionid optioncode productid productcode sku",
    "name": "オプション名 オプション名称 商品名 商品名称 名称 サービス名 プラン名 name optionname productname",
    "description": "説明 概要 内容 商品説明 詳細 機能 description details summary",
    "plans": "対象プラン 対応プラン 提供プラン 利用可能プラン 対象コース plans availableplans",
    "price_yen": "料金 価格 月額 月額料金 追加料金 金額 税込価格 price priceyen monthlyprice",
    "hour_at": "日時 時間帯開始 時間帯開始日時 開始日時 集計日時 hourat datetime timestamp interval intervalstart starttime",
    "date_on": "日付 対象日 年月日 集計日 営業日 日 dateon date day",
    "hour": "時間帯 時間 時刻 時 時間区分 hour time timeslot interval",
    "n_offered": "着信数 着信件数 着信呼数 総着信数 総着信件数 入電数 入電件数 着呼数 呼数 総呼数 受信数 noffered offered callsoffered inboundcalls",
    "n_answered": "応答数 応答件数 応答呼数 受電数 受電件数 対応件数 対応数 応対件数 応対数 nanswered answered callsanswered callshandled handled",
    "n_abandoned": "放棄数 放棄件数 放棄呼数 放棄呼 切断数 途中放棄数 nabandoned abandoned callsabandoned abandons",
}  # fmt: skip
_AMBIGUOUS = frozenset({"no", "id", "番号", "日付", "年月日", "日時", "date", "datetime", "day", "日", "月", "時", "q", "a", "from", "channel",
                        "チャンネル", "価格", "price", "評価", "overall", "内容", "詳細", "区分", "ランク", "分類", "グループ", "group", "start",
                        "begin", "offset", "メモ", "回答者ID", "回答者番号", "respondentid", "メールアドレス", "emailaddress", "email", "mail",
                        "発信者番号", "発信番号", "電話番号", "phone", "tel", "解決", "管理番号", "来店日", "利用日", "調査日", "実施日", "開始位置"})  # fmt: skip
"""Headers that say little: they are believed where the values agree, and told as unsure."""
_UNIT = re.compile(r"[(\[〔【<]([^)\]〕】>]{0,12})[)\]〕】>]")


@dataclass(frozen=True)
class Match:
    """A header of the file that may hold one of our columns. `score`: 3 said so, 2 unsure word, 1 the word is inside."""

    theirs: str
    score: int
    rank: int


def plain(header: str) -> str:
    """A header without widths, case, units, spaces and signs: `通話時間（秒）` -> `通話時間`."""
    text = unicodedata.normalize("NFKC", header).lower()
    return re.sub(r"[\s_\-./・:：#*※\"'「」]+", "", _UNIT.sub("", text)) or re.sub(r"\s+", "", text)


_WORDS = {ours: [plain(word) for word in words.split()] for ours, words in _SPELLINGS.items()}
_UNSURE = {plain(word) for word in _AMBIGUOUS}


def unit(header: str) -> str:
    """What stands in brackets in a header: `通話時間（分）` -> `分`; empty where there is nothing."""
    found = _UNIT.search(unicodedata.normalize("NFKC", header))
    return found[1] if found else ""


def matches(ours: str, headers: Sequence[str]) -> list[Match]:
    """Headers that may be our column `ours`, the likeliest first."""
    found = []
    for position, header in enumerate(headers):
        word = plain(header)
        if word == plain(ours) or header == ours:
            found.append(Match(header, 3, -1))
        elif word in _WORDS[ours]:
            score = 2 if word in _UNSURE and ours not in ("email", "phone") else 3
            found.append(Match(header, score, _WORDS[ours].index(word)))
        else:
            inside = [rank for rank, known in enumerate(_WORDS[ours]) if _is_inside(known, word)]
            if inside:
                found.append(Match(header, 1, 1000 * inside[0] + position))
    return sorted(found, key=lambda match: (-match.score, match.rank))


def _is_inside(known: str, word: str) -> bool:
    is_latin = known.isascii()
    return known not in _UNSURE and len(known) >= (5 if is_latin else 3) and known in word and len(word) <= 60

