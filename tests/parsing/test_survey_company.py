import gzip
import io
import json

import openpyxl
import pandas as pd
import pytest

from voc.config import Source
from voc.errors import SourceError
from voc.parsing import parse_contacts, parse_customers, parse_faq, parse_usage
from voc.raw import RawFile

SURVEY = {
    "name": "survey", "format": "survey", "path": "*",
    "columns": {"started_at": "回答日", "customer_id": "顧客番号", "nps": "お勧め度", "csat": "満足度"},
    "texts": {"ご意見": "ご意見をお聞かせください", "改善点": "改善してほしい点は？"},
    "scales": {"csat": {"とても満足": 5, "不満": 2}},
}  # fmt: skip
ROWS = [
    ["回答日", "顧客番号", "お勧め度", "満足度", "ご意見", "改善点"],
    ["2025/4/25", "007", "９", "とても満足", "良い\n使いやすい", "速度"],
    ["昨日", "008", "1", "不満", "x", ""],
    ["令和7年4月26日", "", "11", "普通", "", ""],
]


def raw(name, data):
    return RawFile("s", name, data, "")


def as_csv(rows, encoding="cp932"):
    quoted = (",".join('"' + str(part).replace('"', '""') + '"' for part in row) for row in rows)
    return "\r\n".join(quoted).encode(encoding)


def as_excel(rows):
    book, stream = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(stream)
    return stream.getvalue()


def as_json_lines(rows):
    return "\n".join(json.dumps(dict(zip(rows[0], row, strict=True)), ensure_ascii=False) for row in rows[1:]).encode()


@pytest.mark.parametrize("file", [
    raw("a.csv", as_csv(ROWS)), raw("a.csv", as_csv(ROWS, "utf-8-sig")), raw("a.xlsx", as_excel(ROWS)),
    raw("a.jsonl", as_json_lines(ROWS)),
], ids=["cp932", "bom", "excel", "jsonl"])  # fmt: skip
def test_a_survey_in_every_form(file):
    parsed = parse_contacts([file], Source(**SURVEY))
    contacts = parsed.contacts.sort_values("started_at")
    assert contacts["customer_id"].fillna("-").tolist() == ["007", "-"]
    assert contacts["nps"].fillna(-1).tolist() == [9, -1]
    assert contacts["csat"].fillna(-1).tolist() == [5, -1]
    assert parsed.turns[["question", "text"]].values.tolist() == [
        ["ご意見をお聞かせください", "良い\n使いやすい"], ["改善してほしい点は？", "速度"],
    ]  # fmt: skip
    reasons = " ".join(parsed.rejects["reason"])
    assert len(parsed.rejects) == 3
    assert "昨日" in reasons and "nps の値「11」" in reasons and "csat の値「普通」" in reasons and "とても満足" in reasons


def test_missing_columns_name_the_repair():
    file = raw("a.csv", as_csv([["日付", "ご意見"], ["2025/4/1", "x"]]))
    with pytest.raises(SourceError, match=r"(?s)a\.csv.*started_at.*「回答日」.*ある列: \['日付', 'ご意見'\].*started_at = \"日付\""):
        parse_contacts([file], Source(**SURVEY))
    with pytest.raises(SourceError, match=r"\[sources\.texts\]"):
        parse_contacts([raw("a.csv", as_csv([["回答日"], ["2025/4/1"]]))], Source(**SURVEY))


def test_broken_rows_and_absent_optional_columns_are_told():
    file = raw("a.csv", "回答日,ご意見\n2025/4/1,遅い\n2025/4/2,a,b,c\n".encode())
    parsed = parse_contacts([file], Source(**SURVEY))
    assert len(parsed.contacts) == 1
    told = parsed.rejects.groupby("source_row")["reason"].agg(" ".join)
    assert "列の数（4）" in told["a.csv:3"]
    assert all(word in told["a.csv"] for word in ("お勧め度", "顧客番号", "改善点"))


@pytest.mark.parametrize("file", [raw("a.csv", b"\x00\xff\xfe" * 50), raw("a.xlsx", b"PK no"), raw("a.csv", b"")])
def test_files_that_are_no_table(file):
    with pytest.raises(SourceError, match="ください"):
        parse_contacts([file], Source(**SURVEY))


CUSTOMERS = Source(name="crm", format="customers", path="c.csv", columns={
    "customer_id": "番号", "plan": "プラン", "monthly_price_yen": "月額", "started_on": "開始", "ended_on": "解約",
    "email": "メール", "phone": "電話"})  # fmt: skip
CRM = [
    ["番号", "プラン", "月額", "開始", "解約", "メール", "電話"],
    ["001", "プロ", "1,980円", "2024/1/5", "", "A@Example.com", "03-1234-5678"],
    ["002", "プロ", "-5", "2024/1/5", "2025年3月1日", "b@example.com", ""],
    ["003", "", "", "2024/1/5", "2023/1/1", "same@example.com", ""],  # ended before it started
    ["004", "", "", "2024/1/5", "来月", "same@example.com", ""],  # no date; a shared address
    ["001", "ライト", "", "", "", "", ""],  # repeated
    ["", "ライト", "", "", "", "", ""],
    ["005", "", "", "2024/1/5", "9999-12-31", "", ""],  # never ends
]


def test_customers():
    customers, keys, rejects = parse_customers([raw("c.csv", as_csv(CRM))], CUSTOMERS)
    table = customers.set_index("customer_id")
    assert table.index.tolist() == ["001", "002", "003", "004", "005"]
    assert table["monthly_price_yen"].fillna(-1).tolist() == [1980, -1, -1, -1, -1]
    assert table.loc["002", "ended_on"] == pd.Timestamp("2025-03-01")
    assert table["started_on"].isna().tolist() == [False, False, True, True, False]
    assert table["ended_on"].isna().tolist() == [True, False, True, True, True]
    told = rejects.groupby("source_row")["reason"].agg(" ".join)
    assert "空にしました" in told["c.csv:3"] and "契約期間を空に" in told["c.csv:4"] and "来月" in told["c.csv:5"]
    assert "使いませんでした" in told["c.csv:6"] and "使いませんでした" in told["c.csv:7"]
    assert ["001", "email", "a@example.com"] in keys.values.tolist()
    assert ["001", "phone", "0312345678"] in keys.values.tolist()


def test_no_start_column_means_no_churn_estimate_and_says_so():
    source = Source(name="crm", format="customers", path="c.csv", columns={"customer_id": "番号"})
    customers, _, rejects = parse_customers([raw("c.csv", "番号\n1\n".encode())], source)
    assert len(customers) == 1
    assert "解約の推定はできません" in rejects["reason"].iloc[0]


def test_customer_numbers_that_differ_in_their_spelling_alone_tell_no_customer():
    rows = as_csv([CRM[0], ["090-1234-5678", "", "", "2024/1/5", "", "", ""], ["09012345678", "", "", "2024/1/5", "", "", ""],
                   ["003", "", "", "2024/1/5", "", "", ""]])  # fmt: skip
    customers, keys, rejects = parse_customers([raw("c.csv", rows)], CUSTOMERS)
    assert customers["customer_id"].tolist() == ["003", "090-1234-5678", "09012345678"]
    assert keys["value"].tolist() == ["003", "09012345678", "09012345678"]
    assert rejects["source_row"].tolist() == ["c.csv:2", "c.csv:3"] and rejects["reason"].str.contains("書き方だけが違う顧客番号").all()


def test_keys_tell_a_customer_by_number_mail_and_telephone():
    _, keys, _ = parse_customers([raw("c.csv", as_csv(CRM))], CUSTOMERS)
    one = keys.loc[keys["customer_id"] == "001", ["kind", "value"]].values.tolist()
    assert one == [["email", "a@example.com"], ["id", "001"], ["phone", "0312345678"]]


def test_of_a_customer_in_two_files_the_later_counts():
    source = Source(name="crm", format="customers", path="*.csv")
    files = [raw(f"{month}.csv", f"customer_id,started_on,ended_on\n1,2024-01-01,{end}\n".encode())
             for month, end in (("01", ""), ("02", "2024-02-10"))]
    customers, _, rejects = parse_customers(files, source)
    assert customers["ended_on"].tolist() == [pd.Timestamp("2024-02-10")]
    assert rejects["source_row"].tolist() == ["01.csv"] and "新しい方" in rejects["reason"].iloc[0]


def test_usage_and_faq():
    source = Source(name="u", format="usage", path="u.csv", columns={"customer_id": "番号", "month_on": "月"})
    content = "番号,月,n_logins\n1,2025年4月,3\n1,2025-04-20,9\n2,いつか,1\n2,2025-05,x\n"
    usage, rejects = parse_usage([raw("u.csv", content.encode())], source)
    assert usage.fillna(-1).values.tolist() == [["1", pd.Timestamp("2025-04-01"), 3.0], ["2", pd.Timestamp("2025-05-01"), -1.0]]
    assert rejects["source_row"].tolist() == ["u.csv:3", "u.csv:4", "u.csv:5"]
    faq, rejects = parse_faq([raw("f.csv", b"article_id,title,body\n1,t,b\n")], Source(name="f", format="faq", path="f"))
    assert faq.values.tolist()[0][:3] == ["1", "t", "b"] and rejects.empty
    with pytest.raises(SourceError, match="title"):
        parse_faq([raw("f.csv", b"article_id,x\n1,t\n")], Source(name="f", format="faq", path="f"))


def test_gzip_is_the_readers_matter_only():
    with pytest.raises(SourceError):
        parse_contacts([raw("a.jsonl", gzip.compress(as_json_lines(ROWS)))], Source(**SURVEY))


def rows_of_a_day(*texts, day="2025-04-01"):
    return raw("latest.csv", "\n".join(["回答日時,意見", *(f"{day} 10:{minute:02d},{text}" for minute, text in texts)]).encode())


def ids_of(file):
    source = Source(name="s", format="survey", path="latest.csv", columns={"started_at": "回答日時"}, texts={"意見": "ご意見"})
    parsed = parse_contacts([file], source)
    return dict(zip(parsed.turns["text"], parsed.turns["contact_id"], strict=True))


def test_answers_without_a_number_keep_their_id_when_the_file_grows_at_either_end():
    before = ids_of(rows_of_a_day((1, "早い"), (2, "遅い")))
    grown = ids_of(rows_of_a_day((1, "早い"), (2, "遅い"), (3, "普通")))
    on_top = ids_of(rows_of_a_day((3, "普通"), (2, "遅い"), (1, "早い")))
    assert before == {text: grown[text] for text in before} and on_top == grown and len(set(grown.values())) == 3


def test_a_file_that_is_written_anew_every_day_puts_no_answer_in_the_place_of_another():
    assert not set(ids_of(rows_of_a_day((1, "早い"))).values()) & set(ids_of(rows_of_a_day((1, "早い"), day="2025-04-02")).values())
    assert len(set(ids_of(rows_of_a_day((1, "早い"), (1, "遅い"))).values())) == 2
