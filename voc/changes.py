"""Which noun names the change that a verb or an adjective wishes for: 増やして, 増設して, もっと多く -> 増加.

Readable tables: the change, then the words that ask for it. The same request in other words gets the same noun.
"""

import re

_VERBS = """
追加 始める 付ける つける 付く つく 付け加える 入れる 載せる のせる 加える 足す 作る つくる 盛り込む 搭載 実装 新設
設置 置く 設ける 据える 配置 備える 備え付ける 常備 完備
増加 増やす 増える 増す 増設 増量 増強
本数の増加 増便
人員の増加 増員
削減 減らす 減る 削る 減少
停止 止める やめる 辞める 止む 取りやめる 中止 停止 控える 要る 切る 自粛 遠慮 ストップ 勘弁 解除
廃止 廃止 無くす なくす 無くなる なくなる 撤廃 撤去 取り除く 除去
保持 残る
限定 絞る 限る
動作の改善 動く
継続 続ける 残す 継続 維持 存続
改善 改良 向上 良くする 工夫 改修
修正 直す 治す 直る 正す 訂正
見直し 見直す 再考 再検討
変更 変える 替える 代える 換える かえる 改める 改正
復活 復活 復刻 復旧 再開
延長 延ばす 伸ばす 延びる 伸びる
短縮 縮める 縮まる
拡大 広げる 拡げる 広がる 拡大
前倒し 早める 速める 繰り上げる
緩和 緩める ゆるめる 和らげる
抑制 抑える 弱める おさえる
強化 強める
引き上げ 上げる あげる
引き下げ 下げる さげる
充実 充実 拡充 揃える そろえる 揃う
統一 合わせる 統一
統合 統合 一本化 まとめる 纏める 合体
明確化 目立つ はっきりする 明記 明示 明確化
簡素化 簡素化 簡略化 簡易化 x
繰り下げ 遅らせる おくらせる
閲覧 見る 見える 観る 眺める 読む 閲覧 みる みれる 見れる
表示 映す 示す 見せる 表示 並ぶ
確認 確かめる 確認 チェック 把握
選択 選ぶ えらぶ 選択
検索 探す さがす 検索 調べる 見つける
利用 使う つかう 使用 利用 使える
購入 買う 購入
支払い 払う 支払う
送付 送る 郵送する 送付 届ける
送信 発信
受け取り 受け取る もらう 貰う 受ける
返却 返す 返却 戻ってくる
通知 知る 知らせる 通知 お知らせ
案内 教える 案内 伝える
説明 説明 述べる
保存 残しておく 覚える 保存 貯める 溜める 記憶 保持
記録 書く 記す 記録 書き込む
入力 打つ 入力 打ち込む 書き込める
登録 登録
削除 消す 消去 削除 外す
ダウンロード 落とす ダウンロード
印刷 刷る 印刷
分割 分ける 区切る
停車 停まる 停める
移動 動かす 移す 移動
スキップ 飛ばす スキップ
開放 開ける 開く 開放 あける 解放
予約 予約
取得 取る とる
提供 出す 出る 配る 出してくれる 提供 振る舞う
搬送 運ぶ
運行 走る 走らせる 通る 運行
交換 交換 取り替える 取り換える
辞退 断る 辞退
要求 求める 要求
接続の改善 つながる 繋がる 繋げる つなげる
連携 つなぐ 繋ぐ 連携 紐づける 紐付ける 連動
販売 売る 販売 売り出す
対応 応じる 答える 対応
返答 返事 返答 回答 返信
改行 折り返す
増額 増額
清掃 清掃 掃除する 片付ける 片づける 拭く
持ち帰り 持ち帰る
持ち込み 持ち込む
座れる場所の追加 座る
飲食 食べる 飲む
"""
# what happens by itself and should not: 消えないように -> 消失の防止
_FAULTS = """
異常終了 落ちる クラッシュ 強制終了
切断 切れる 途切れる 途絶える
消失 消える 無くなる なくなる
フリーズ 固まる 止まる フリーズ 停まる
遅延 遅れる 遅延
誤り 間違える 間違う まちがえる 誤る
取り違え 取り違える
漏れ 漏れる もれる 抜ける
故障 壊れる 故障
つまり 詰まる
揺れ 揺れる
汚れ 汚れる
滑り 滑る
混雑 混む 混雑
待ち 待つ 待たされる
たらい回し 回される
"""
_ADJECTIVES = """
値下げ 安い 安価 格安 手頃 リーズナブル
拡張 広い ひろい 広々
拡大 大きい でかい
縮小 小さい コンパクト
延長 長い
短縮 短い
増加 多い 豊富 多め たくさん 沢山
削減 少ない 少なめ
簡素化 簡単 シンプル 楽 手軽 スムーズ 簡潔 気軽 簡易 ラク
明確化 明確 はっきり 明瞭 明らか
静音化 静か
自由化 自由
柔軟化 柔軟
公平化 公平 公正 平等
充実 詳しい 詳細 充実 手厚い
軽量化 軽い
小型化 小型
迅速化 迅速 素早い 早急 すばやい スピーディー スピーディ 速やか
利便性の改善 便利
清潔さの改善 綺麗 きれい キレイ 清潔
安全性の改善 安全
耐久性の改善 丈夫 頑丈
改善 良い よい いい 良く
味の改善 美味しい おいしい
視認性の改善 鮮明 くっきり
明るさの改善 明るい 暗い
丁寧さの改善 丁寧 親切 優しい やさしい
強化 強い 厳しい 厳格
抑制 弱い 控えめ 低い
引き上げ 高い
多様化 色々 いろいろ 多様 様々
個別化 細かい
正確さの改善 正確 正しい
透明化 透明
"""
_STATES = """
無料化 無料 タダ ただ 無償
任意化 任意
必須化 必須
禁煙化 禁煙
停止 オフ off OFF 無し なし 非表示 ゼロ
有効化 オン on ON
値下げ 半額 割安
統合 一つ ひとつ 一緒 一本 １つ 1つ 1本
24時間化 24時間 ２４時間 二十四時間
復元 元 元通り もと 以前 前
分離 別 別々 別途
初期設定化 デフォルト 初期設定 既定 標準
改善 まとも なんとか 何とか マシ
早期化 早め
"""


def _table(text: str) -> dict[str, str]:
    rows = [line.split() for line in text.strip().splitlines()]
    return {word: change for change, *words in rows for word in words}


VERBS, FAULTS, ADJECTIVES, STATES = (_table(text) for text in (_VERBS, _FAULTS, _ADJECTIVES, _STATES))
CHANGES = frozenset(VERBS.values()) | frozenset(ADJECTIVES.values()) | frozenset(STATES.values())
"""Every change noun; 「エレベーターの設置を希望」 names its change itself."""

_PRICE = re.compile(r"(?:料金?|代金?|費用?|価格|値段|賃|金額|月額|年額|家賃|会費|単価|値|税)$")
_HOURS = re.compile(r"(?:時間帯?|時刻|時期|期日|発売日?|開始|開店|開場|オープン|終電|終バス|最終便|閉店|始発)$")
_SPEED = re.compile(r"(?:速度|スピード|テンポ)$")
_MACHINE = re.compile(r"(?:表示|起動|読み?込み|処理|動作|反応|検索|同期|通信|ロード|応答|更新|変換|集計|印刷|再生|転送|描画|遷移|回復|切り替え|接続|認識|充電|立ち上がり|アップロード|ダウンロード)$")
_SOUND = re.compile(r"(?:音|声|騒音|音声|放送|BGM)$")
_NUISANCE = re.compile(r"(?:音|通知|広告|表示|ポップアップ|アラーム|お知らせ|電気|照明|メール|自動更新|アナウンス|機能)$")
_READ_OFF = re.compile(r"(?:数字|金額|文字|レシート|伝票|日付|番号|バーコード)$")
_SHOWN = re.compile(r"(?:情報|結果|残量|残り|グラフ|通知|案内|名前|量|数|一覧|履歴|速報|状況|見込み|警告|メッセージ|エラー|内訳|料金|金額|日付|時刻|表示)$")
_LIGHT_WHEN_STOPPED = frozenset("送付 送信 表示 通知 発信 追加 設置 案内 要求する 電話 提供 販売 閲覧 連絡 対応 利用 配信 開催".split())
# ends of verbs that look like potential forms and are none
_ICHIDAN = ("替える", "換える", "変える", "考える", "入れる", "付ける", "つける", "上げる", "下げる", "分ける", "掛ける", "かける", "見せる", "合わせる",
            "寄せる", "任せる", "並べる", "比べる", "広げる", "止める", "決める", "受ける", "続ける", "避ける", "立てる", "当てる", "流れる", "溢れる")
_EASY = {"わかり": "分かり", "つかい": "使い", "み": "見", "よみ": "読み", "さがし": "探し"}
_GODAN = dict(zip("うくぐすつぬぶむる", "いきぎしちにびみり", strict=True))
_POTENTIAL = dict(zip("えけげせてねべめれ", "うくぐすつぬぶむる", strict=True))


def verb_change(lemma: str, thing: str | None) -> str | None:
    """The change that a verb asks for on `thing` (object or subject), None where the table knows none."""
    for form in (lemma, plain_verb(lemma)):
        if form in {"下げる", "さげる"} and thing and _PRICE.search(thing):
            return "値下げ"
        if form in {"取る", "とる"} and thing and thing.endswith(("予約", "席", "枠", "券")):
            return "予約"
        if form == "読む" and thing and _READ_OFF.search(thing):
            return "読み取り"
        if form == "出す" and thing and _SHOWN.search(thing):
            return "表示"
        if form in {"消す", "切る", "外す", "消える"} and thing and _NUISANCE.search(thing):
            return "停止"
        if form in VERBS:
            return VERBS[form]
    return None


def plain_verb(lemma: str) -> str:
    """The verb under a potential form: 送れる -> 送る, 絞り込める -> 絞り込む. Others unchanged."""
    if len(lemma) >= 2 and lemma.endswith("る") and lemma[-2] in _POTENTIAL:
        return lemma[:-2] + _POTENTIAL[lemma[-2]]
    return lemma


def verb_noun(lemma: str, inflection: str) -> str | None:
    """Continuative form of a compound verb, which is a noun as well: 絞り込む -> 絞り込み. None for simple verbs."""
    if len(re.findall(r"[一-龥々]", lemma)) < 2 and len(lemma) < 5:
        return None
    is_ichidan = inflection.startswith(("上一段", "下一段"))
    plain = lemma if is_ichidan and lemma.endswith(_ICHIDAN) else plain_verb(lemma) if is_ichidan else lemma
    if is_ichidan and plain == lemma:
        return lemma.removesuffix("る")
    return plain[:-1] + _GODAN.get(plain[-1], plain[-1])


def adjective_change(lemma: str, thing: str | None) -> str:
    """The change that 〜くして / 〜にして asks for on `thing`, such as 値下げ for 安い."""
    thing = thing or ""
    if lemma in {"速い", "早い", "はやい"}:
        if _HOURS.search(thing):
            return "前倒し"
        if _SPEED.search(thing):
            return "改善"
        return "速度の改善" if not thing or _MACHINE.search(thing) or not re.search(r"(?:[一-龥]{2}|返事)$", thing) else "迅速化"
    if lemma in {"遅い", "おそい"}:
        return "繰り下げ"
    if lemma == "大きい" and _SOUND.search(thing):
        return "音量の引き上げ"
    if lemma in {"静か", "小さい"} and _SOUND.search(thing):
        return "低減"
    if lemma in {"低い"} and _PRICE.search(thing):
        return "値下げ"
    found = ADJECTIVES.get(lemma)
    return found or (lemma[:-1] if lemma.endswith("い") else lemma) + "さの調整"


def state_change(noun: str) -> str:
    """The change that 〜に(して) asks for: 無料 -> 無料化, オフ -> 停止; others 〜への変更."""
    return STATES.get(noun, "")


def ease_change(stem: str) -> str:
    """使い(やすい, にくい, づらい) -> 使いやすさの改善."""
    return f"{_EASY.get(stem, stem)}やすさの改善"


def stopped(change: str | None) -> str:
    """What 〜しないで asks for: a service stops, a planned end does not come."""
    if change in {"廃止", "停止", "削減", "短縮", "削除"}:
        return "継続"
    if change is None or change in _LIGHT_WHEN_STOPPED:
        return "停止"
    return f"{change}の停止"


def join(thing: str | None, change: str) -> str:
    """Thing and change as one phrase; 表示 + 速度の改善 grow together, and so does 請求書の + PDF."""
    if not thing:
        return change
    thing = re.sub(r"の(?=(?:PDF|CSV|Excel|エクセル|QRコード)$)", "", thing)
    if change.startswith("への"):
        return thing + change
    if change == "速度の改善" and _MACHINE.search(thing):
        return thing + change
    return f"{thing}の{change}"
