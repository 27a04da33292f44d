"""(dialogue in -> outcome, offer, whether the customer stayed, reason): C customer, O operator; Sudachi only."""

import pandas as pd
import pytest

from voc.calls import summarise_calls
from voc.japanese import tokenize
from voc.sentences import split_sentences
from voc.tables import CALLS

DIALOGUES = [
    ("O:お電話ありがとうございます|C:ログインできないんです|O:パスワードを再設定してみてください|C:あ、入れました|O:よかったです|C:助かりましたありがとうございます", "resolved", None, None, None),
    ("C:請求書が届きません|O:確認いたします|O:担当から改めてお電話いたします|C:はい待ってます", "callback", None, None, None),
    ("C:画面が固まります|O:再起動をお試しください|C:やってるけどまだ同じです|O:申し訳ございません原因を調査中です|C:それじゃ困ります", "unresolved", None, None, None),
    ("C:住所を変更したいのですが|O:承ります|O:変更の手続きが完了いたしました|C:ありがとうございます", "resolved", None, None, None),
    ("C:解約したいんですけど|O:よろしければ理由をお聞かせください|C:料金が高くて使わなくなったので|O:3か月半額でご利用いただけますがいかがでしょうか|C:それなら続けます|O:ありがとうございます", "unknown", "3か月半額", True, "料金が高くて使わなくなったので"),
    ("C:解約をお願いします|O:差し支えなければ理由を伺えますか|C:引っ越すからです|O:プラン変更もございますが|C:いえ解約でお願いします|O:解約の手続きが完了いたしました", "resolved", "プラン変更", False, "引っ越すからです"),
    ("C:電波が入りません|O:復旧の見込みは未定です|C:仕方ないですね", "unresolved", None, None, None),
    ("C:返品したいです|O:確認して折り返しご連絡いたします|C:お願いします", "callback", None, None, None),
    ("C:使い方を教えてください|O:設定画面を開いてください|C:よく分かりました|O:ほかにございますか|C:大丈夫です", "resolved", None, None, None),
    ("C:もしもし|O:はい|C:間違えました", "unknown", None, None, None),
    ("C:インターネットが朝からつながらないんです|O:モデムのランプはいかがですか|C:赤く点いてます|O:電源を抜いて三分お待ちください|C:あっ緑になりました、つながりました|O:それはよかったです", "resolved", None, None, None),
    ("C:先月の料金が倍になっているんですが|O:確認にお時間をいただきますので後ほどこちらからお電話差し上げます|C:分かりました", "callback", None, None, None),
    ("C:荷物が届かないんですけど|O:配送会社に確認したところ本日中のお届けとのことです|C:そうですか安心しました", "resolved", None, None, None),
    ("C:エアコンから水が漏れてます|O:修理のお伺いは最短で来週の木曜です|C:そんなに待てません|O:申し訳ございません", "unresolved", None, None, None),
    ("C:退会したいのですが|O:差し支えなければきっかけを教えていただけますか|C:もうほとんど使っていなくて|O:休会という方法もございます|C:じゃあ休会にしてみます、退会はやめておきます", "unknown", "休会", True, "もうほとんど使っていなくて"),
    ("C:スマホの解約をしたいです|O:他社へのお乗り換えでしょうか|C:はい、他社のほうが安いので|O:ただいまですと月額500円割引が可能ですが|C:もう決めたので結構です|O:かしこまりました、解約のお手続きを進めます", "unknown", "月額500円割引", False, None),
    ("C:アプリの更新をしたら開かなくなりました|O:一度削除して入れ直していただけますか|C:やりましたけど変わらないです|O:不具合の可能性がございますので調査いたします|C:もういいです", "unresolved", None, None, None),
    ("C:予約の時間を変えたいんです|O:何時がよろしいですか|C:三時で|O:三時に変更いたしました|C:どうも", "resolved", None, None, None),
    ("C:カードが使えなくなったんです|O:磁気不良のようですので再発行の手続きをいたします|C:どのくらいかかります|O:一週間ほどで発送いたします|C:はいお願いします", "unknown", None, None, None),
    ("C:この機能は外せないんですか|O:申し訳ございません、外すことはできかねます|C:そうですか", "unresolved", None, None, None),
    ("C:請求の内訳を知りたいんです|O:通話料が八百円、基本料が二千円です|C:ああそういうことですか、よくわかりました", "resolved", None, None, None),
    ("C:担当の人はいますか|O:あいにく席を外しております、戻り次第折り返します|C:お願いします", "callback", None, None, None),
    ("C:お湯が出ません|O:作業員を手配いたしました、一時間以内に伺います|C:はい助かります", "resolved", None, None, None),
    ("C:契約をやめたいです、家を売ることになったので|O:承知しました、ご利用終了日はいつになさいますか|C:月末で", "unknown", None, None, None),
    ("C:サブスクを解約してください|O:次回から二か月無料でお試しいただけますがいかがでしょうか|C:うーん、じゃあもう少し続けます|O:ありがとうございます、適用いたしました", "unknown", "二か月無料", True, None),
    ("C:何回電話しても違う部署に回されるんですけど|O:申し訳ございません|C:結局誰が分かるんですか|O:私では分かりかねます|C:話にならない", "unresolved", None, None, None),
    ("C:保険証を忘れた場合はどうなりますか|O:一度全額お支払いいただき後日返金いたします|C:分かりました", "unknown", None, None, None),
    ("C:パスワードが通りません|O:大文字になっていませんか|C:あ、ほんとだ、入れました、すみません", "resolved", None, None, None),
    ("C:水道が止まってるんですが|O:ただいま復旧作業中です、復旧の目処は立っておりません|C:困りますね", "unresolved", None, None, None),
    ("C:商品が壊れてました|O:交換品の発送を手配いたしました|C:ありがとうございます", "resolved", None, None, None),
    ("C:口座振替に変えたいです|O:用紙をお送りします|C:お願いします|O:ありがとうございました", "unknown", None, None, None),
    ("C:ネットが遅いので解約します|O:回線の無料点検をご案内できますがいかがでしょうか|C:点検はいいです、やっぱり解約します|O:承知いたしました", "unknown", None, False, "ネットが遅いので解約します"),
    ("C:解約の電話なんですけど|O:理由を伺ってもよろしいでしょうか|C:値上げで続けられなくなったんです|O:半年間30%オフのクーポンをご用意できます|C:それならお願いします", "unknown", "半年間30%オフ", True, "値上げで続けられなくなったんです"),
    ("C:チェックインは何時からですか|O:十五時からです|C:はいどうも", "unknown", None, None, None),
    ("C:声が聞こえません|O:おかけ直しいたします|C:はい", "callback", None, None, None),
    ("C:履歴が消えてしまいました|O:復元を試しますのでお待ちください|O:復元が完了いたしました|C:あ、出ました出ました", "resolved", None, None, None),
    ("C:まだ返金されていません|O:経理に確認の上メールでご連絡いたします|C:早くしてくださいね", "callback", None, None, None),
    ("C:会員をやめたいんですけど|O:年会費無料のプランへの変更もできますが|C:それでお願いします|O:プランの変更を承りました", "resolved", "年会費無料のプランへの変更", True, None),
    ("C:電気の契約を解約したいです|O:解約の理由をお聞かせください|C:引っ越し先がオール電化なので|O:承りました|O:解約の手続きが完了しました", "resolved", None, False, "引っ越し先がオール電化なので"),
    ("C:クレームです、昨日の店員の態度が悪かった|O:大変申し訳ございません、店舗に厳しく伝えます|C:お願いしますよ本当に", "unknown", None, None, None),
]


def called(*dialogues, channel="call", strength=None):
    lines = [(i, k, line) for i, dialogue in enumerate(dialogues) for k, line in enumerate(dialogue.split("|"))]
    turns = pd.DataFrame(
        [(f"{i:03d}-{k:03d}", f"{i:03d}", k, {"C": "customer", "O": "operator"}[line[0]], line[2:]) for i, k, line in lines],
        columns=["turn_id", "contact_id", "position", "speaker", "text"],
    )
    sentences = split_sentences(turns, tokenize=tokenize)
    opinions = pd.DataFrame({"sentence_id": sentences["sentence_id"], "strength": 0.0, "p_cancel": 0.0, "p_complaint": 0.0})
    opinions["strength"] = sentences["text"].map(strength or {}).fillna(0.0)
    contacts = pd.DataFrame({"contact_id": [f"{i:03d}" for i in range(len(dialogues))], "channel": channel})
    return summarise_calls(contacts, turns, sentences, opinions)


@pytest.fixture(scope="module")
def found():
    return called(*(row[0] for row in DIALOGUES))


@pytest.mark.parametrize("place", range(len(DIALOGUES)))
def test_dialogue(found, place):
    row = found.iloc[place]
    told = [row["outcome"], *(None if pd.isna(row[name]) else row[name] for name in ("offer", "is_kept", "cancel_reason"))]
    assert tuple(told) == DIALOGUES[place][1:]


def test_strength_of_the_first_and_the_last_third():
    said = ["画面が固まります", "何度やっても駄目です", "更新しても固まります", "データは残っています", "動きが速くなりました", "とても快適です"]
    table = called("|".join(f"C:{text}" for text in said), strength=dict(zip(said, [-0.9, -0.7, -0.5, 0.1, 0.6, 0.8], strict=True)))
    assert table[["strength_first", "strength_last"]].iloc[0].tolist() == [-0.8, 0.7]


def test_a_call_without_a_voice_has_no_mood():
    assert called("C:はい|O:失礼いたします").loc[0, ["strength_first", "strength_last"]].isna().all()


def test_mails_are_no_calls():
    table = called("C:請求書が届きません", channel="email")
    assert table.empty
    assert list(table.columns) == list(CALLS.columns)


def test_an_operator_who_asks_for_the_number_promises_no_callback():
    assert called("C:操作を教えてください|O:折り返しのご連絡先をお伺いできますか|C:はい")["outcome"].tolist() == ["unknown"]
