import pandas as pd

from voc import tables
from voc.reports.quotes import choose_quotes

# sentence, customer, channel, probability, text, set aside, duplicate
ROWS = [
    ("s1", "u1", "call", 0.99, "連携が切れて明細が取り込まれません。", None, None),
    ("s2", "u1", "call", 0.98, "同じ人が電話でもう一度言いました。", None, None),
    ("s3", "u2", "call", 0.97, "別の人が電話で同じことを言いました。", None, None),
    ("s4", "u3", "email", 0.60, "別の人がメールで同じことを書きました。", None, None),
    ("s5", "u4", "chat", 0.95, "短い文です。", None, None),
    ("s6", "u5", "chat", 0.94, "いつも大変お世話になっております。", "挨拶", None),
    ("s7", "u6", "chat", 0.93, "連携が切れて明細が取り込まれません。", None, None),
    ("s8", "u7", "chat", 0.92, "転送されただけの同じ問い合わせです。", None, "c-s1"),
    ("s9", None, "survey", 0.50, "匿名のアンケートに書かれた意見です。", None, None),
]


def chosen(rows):
    frame = pd.DataFrame(rows, columns=["sentence_id", "customer_id", "channel", "probability", "text", "set_aside", "duplicate_of"])
    frame = frame.assign(contact_id="c-" + frame["sentence_id"], issue_id="VOC-0001", turn_id="t", position=0, start=0, end=1,
                         terms=[[]] * len(frame), started_at=pd.Timestamp("2026-07-31 20:00", tz="UTC"), source="x",
                         source_row="1", content_sha="x")
    frame["mentioned_at"] = frame["started_at"]
    named = {name: tables.check(frame[[c for c in table.columns if c in frame]], table) for name, table in
             (("mentions", tables.MENTIONS), ("sentences", tables.SENTENCES), ("contacts", tables.CONTACTS))}
    return choose_quotes(named["mentions"], named["sentences"], named["contacts"], ["VOC-0001", "VOC-0002"], timezone="Asia/Tokyo")


def test_representative_first_then_other_customers_and_channels():
    found = chosen(ROWS)
    assert [quote["sentence_id"] for quote in found["VOC-0001"]] == ["s1", "s4", "s9"]
    assert found["VOC-0002"] == []


def test_date_is_that_of_the_company_and_channel_is_named():
    first = chosen(ROWS)["VOC-0001"][0]
    assert (first["date"], first["channel"]) == ("2026年8月1日", "電話")


def test_order_of_rows_does_not_matter():
    assert chosen(ROWS[::-1]) == chosen(ROWS)


def test_without_a_usable_sentence_there_is_no_quote():
    assert chosen(ROWS[4:6])["VOC-0001"] == []
