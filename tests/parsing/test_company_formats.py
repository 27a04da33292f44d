"""CTI counts, FAQ pages, FAQ logs and the option catalogue."""

import pytest

from voc.config import Source
from voc.errors import SourceError
from voc.parsing import parse_catalogue, parse_counts, parse_faq, parse_faq_logs
from voc.raw import RawFile


def raw(name, text):
    return RawFile("s", name, text.encode(), "")


def source(kind, **columns):
    return Source(name="s", format=kind, path="x", columns=columns)


COUNTS = {"date_on": "日付", "hour": "時間帯", "queue": "窓口", "n_offered": "着信数", "n_answered": "応答数", "n_abandoned": "放棄数"}


def test_counts_are_added_up_to_hours():
    text = (
        "日付,時間帯,窓口,着信数,応答数,放棄数\n2025/4/1,9:00-9:30,請求,\"1,010\",8,2\n2025/4/1,9:30-10:00,請求,5,5,0\n"
        "2025/4/1,１０時台,,3,1,\n2025/4/1,9:00-9:30,請求,10,8,2\n2025/4/1,11,請求,1,2,\n2025/4/1,昼,請求,1,1,\n2025/4/1,12,請求,x,1,\n"
    )
    counts, rejects = parse_counts([raw("c.csv", text)], source("counts", **COUNTS))
    assert counts.assign(hour_at=counts["hour_at"].dt.hour).fillna("-").values.tolist() == [[0, "請求", 1015, 13, 2.0], [1, "-", 3, 1, "-"]]
    told = rejects.set_index("source_row")["reason"]
    assert "重複" in told["c.csv:5"] and "取り違え" in told["c.csv:6"] and "昼" in told["c.csv:7"] and "n_offered「x」" in told["c.csv:8"]


def test_counts_with_one_time_column_and_without_any():
    counts, rejects = parse_counts([raw("c.csv", "at,n_offered,n_answered\n2025-04-01T09:00,3,2\n")], source("counts", hour_at="at"))
    assert counts["n_answered"].tolist() == [2] and counts["queue"].isna().all() and rejects.empty
    with pytest.raises(SourceError, match="hour_at"):
        parse_counts([raw("c.csv", "n_offered,n_answered\n3,2\n")], source("counts"))


def test_faq_pages_beside_a_table():
    page = (
        "<html><head><title>ヘルプ</title><link rel='canonical' href='https://example.com/a?x=1&amp;y=2'></head>"
        "<body><nav>メニュー</nav><h1>請求日は<b>いつ</b>？</h1><p>毎月1日です。</p><footer>会社概要</footer></body></html>"
    )
    files = [
        raw("faq/billing.html", page),
        raw("faq/cancel.md", "---\ntitle: 解約方法\nid: F-9\nurl: https://example.com/c\n---\n# 見出し\n[設定](x)から**解約**します。\n"),
        raw("faq/plain.md", "## 使い方 ##\n手順\n"),
        raw("faq/empty.html", "<html></html>"),
        raw("t.csv", "article_id,title,body\nF-1,題,文\nF-9,二つ目,文\n"),
    ]
    faq, rejects = parse_faq(files, source("faq"))
    table = faq.set_index("article_id").fillna("-")
    assert table.loc["faq/billing"].tolist() == ["請求日はいつ？", "請求日はいつ？\n毎月1日です。", "https://example.com/a?x=1&y=2"]
    assert table.loc["F-9"].tolist() == ["二つ目", "文", "-"]  # the table comes first
    assert table.loc["faq/plain"].tolist() == ["使い方", "使い方 ##\n手順", "-"]
    told = rejects.set_index("source_row")["reason"]
    assert "本文のない" in told["faq/empty.html"] and "F-9" in told["faq/cancel.md"]


def test_faq_of_pages_only():
    faq, rejects = parse_faq([raw("a.md", "# 題\n[設定](x)から**解約**します。")], source("faq"))
    assert faq.values.tolist()[0][:3] == ["a", "題", "題\n設定から解約します。"] and rejects.empty
    with pytest.raises(SourceError, match="a.md"):
        parse_faq([RawFile("s", "a.md", b"\x00\xff\xfe" * 51, "")], source("faq"))


def test_faq_logs():
    text = "日時,語,記事,有無\n2025/4/1 10:00,解約,,0\n2025/4/1 10:00,解約,,0\n2025/4/1 10:01,,F-1,\n昨日,x,,\n2025/4/1,,,\n2025/4/1,y,,多分\n"
    columns = {"at": "日時", "query": "語", "article_id": "記事", "is_found": "有無"}
    files = [raw("a.csv", text), raw("b.csv", text)]  # two exports of the same days
    logs, rejects = parse_faq_logs(files, source("faq_logs", **columns))
    assert len(logs) == 4
    searched = logs[logs["query"] == "解約"]
    assert searched["is_found"].tolist() == [False, False] and logs["article_id"].dropna().tolist() == ["F-1"]
    told = rejects.groupby("source_row")["reason"].agg(" ".join)
    assert "昨日" in told["a.csv:5"] and "query" in told["a.csv:6"] and "多分" in told["a.csv:7"]


def test_catalogue():
    text = "option_id,name,plans,価格,説明\n1,バックアップ,ライト、プロ,\"１,０００円\",毎日\n2,,,無料?,\n1,x,,,\n"
    catalogue, rejects = parse_catalogue([raw("c.csv", text)], source("catalogue", plans="plans", price_yen="価格", description="説明"))
    assert catalogue.fillna("-").values.tolist() == [
        ["1", "バックアップ", "毎日", ["ライト", "プロ"], 1000.0], ["2", "2", "-", [], "-"]]  # fmt: skip
    assert rejects["source_row"].tolist() == ["c.csv:3", "c.csv:4"]
