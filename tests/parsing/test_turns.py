import pytest

from voc.config import Source
from voc.parsing import parse_contacts
from voc.parsing.records import duration
from voc.raw import RawFile

COLUMNS = {"contact_id": "通話ID", "customer_id": "顧客番号", "started_at": "開始日時", "speaker": "話者", "text": "発話",
           "handle_seconds": "通話秒数", "queue": "窓口", "n_transfers": "転送", "note": "応対メモ", "wrapup": "応対区分"}  # fmt: skip
HEAD = "通話ID,顧客番号,開始日時,話者,発話,通話秒数,窓口,転送,応対メモ,応対区分\n"


def parsed_csv(rows, **options):
    source = Source(**({"name": "cti", "format": "turns", "path": "x", "columns": COLUMNS} | options))
    return parse_contacts([RawFile("cti", "a.csv", (HEAD + rows).encode("cp932"), "")], source)


@pytest.mark.parametrize(("written", "seconds"), [
    ("312", 312), ("312秒", 312), ("5:12", 312), ("0:05:12", 312), ("1:00:00", 3600), ("5分12秒", 312), ("５分", 300), ("1時間2分", 3720),
    ("00:00:07.5", 7.5), ("", None), ("長い", None), (":", None), ("1:2", None), ("秒", None),
])  # fmt: skip
def test_durations_as_call_centre_systems_write_them(written, seconds):
    assert duration(written) == seconds


def test_rows_of_one_call_are_one_contact():
    parsed = parsed_csv(
        "1,A-1,2025/4/1 10:00:00,OP,はい,300,請求,1,請求日の確認。案内済み,請求/日付\n"
        "2,,2025/4/1 11:00:00,お客様,つながらない,,,,,\n"
        "1,A-1,2025/4/1 10:00:05,CU,遅いです,300,請求,1,請求日の確認。案内済み,請求/日付\n"
    )
    contacts = parsed.contacts.sort_values("started_at")
    assert contacts["customer_id"].fillna("-").tolist() == ["A-1", "-"]
    assert contacts["wrapup"].fillna("-").tolist() == ["請求/日付", "-"]
    assert contacts[["queue", "handle_seconds", "n_transfers"]].iloc[0].tolist() == ["請求", 300.0, 1.0]
    first = parsed.turns[parsed.turns["contact_id"] == contacts["contact_id"].iloc[0]]
    assert first[["speaker", "question", "start_seconds", "text"]].fillna("-").values.tolist() == [
        ["operator", "-", 0.0, "はい"], ["customer", "-", 5.0, "遅いです"], ["operator", "応対メモ", "-", "請求日の確認。案内済み"],
    ]  # fmt: skip
    assert parsed.rejects.empty


def test_one_time_for_all_rows_is_no_time_of_the_turns():
    parsed = parsed_csv("1,,2025/4/1 10:00,OP,はい,,,,,\n1,,2025/4/1 10:00,CU,遅い,,,,,\n")
    assert parsed.turns["start_seconds"].isna().all()


def test_what_cannot_be_used_is_told():
    parsed = parsed_csv(
        "1,,昨日,OP,はい,,,,,\n,,2025/4/1,OP,はい,,,,,\n3,,2025/4/1,話者1,あ,長い,,,,\n3,,2025/4/1,CU,,,,,,\n"
    )
    told = parsed.rejects.groupby("source_row")["reason"].agg(" ".join)
    assert "昨日" in told["a.csv:2"] and "令和7年" in told["a.csv:2"]
    assert "contact_id" in told["a.csv:3"]
    assert all(part in told["a.csv:4"] for part in ("話者1", "handle_seconds の値「長い」", "本文のない発話 1 件"))
    assert parsed.turns["speaker"].tolist() == ["unknown"]
    assert parsed_csv("3,,2025/4/1,話者1,あ,,,,,\n", speakers={"話者1": "customer"}).turns["speaker"].tolist() == ["customer"]
