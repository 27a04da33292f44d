"""(sentence in -> clause out): a linguist may add lines. Runs GiNZA, therefore slow."""

import pytest

from voc.clauses import main_clause

CASES = [
    ("銀行口座の連携がまた切れてしまいました", "銀行口座の連携が切れる"),
    ("請求書のPDFをまとめてダウンロードできるようにしてほしいです", "請求書のPDFをまとめてダウンロードできる"),
    ("なぜ電話がつながらないのですか", "電話がつながらない"),
    ("部署ごとに閲覧権限を分けられると助かります", "部署ごとに閲覧権限を分けられる"),
    ("CSVを出力すると文字化けして会計ソフトに取り込めません", "会計ソフトに取り込めない"),
    ("登録している住所を変更したいのですが", "住所を変更する"),
    ("レシートを撮影すると金額を間違えて読み取ります", "金額を間違えて読み取る"),
    ("ログインすると画面が真っ白になるんですけど", "画面が真っ白になる"),
    ("料金が急に値上げされて困っています", "料金が値上げされる"),
    ("明細の取り込みが昨日から止まっている", "明細の取り込みが止まる"),
    ("インボイスの登録番号はどこに入力すればいいですか", "インボイスの登録番号を入力する"),
    ("バスの本数を増やしてほしい", "バスの本数を増やす"),
    ("案内表示の充実", "案内表示の充実"),
    ("駐車場が狭い", "駐車場が狭い"),
]


@pytest.mark.slow
def test_main_clause_in_plain_form():
    from voc.japanese import parse

    found = {text: main_clause(words).text() for (text, _), words in zip(CASES, parse([t for t, _ in CASES]), strict=True)}
    assert found == dict(CASES)
