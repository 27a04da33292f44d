import hashlib
import json

import pytest

from voc.config import Source
from voc.errors import SourceError
from voc.parsing import parse_contacts
from voc.raw import RawFile

CALL = {
    "contact_id": "1", "customer_id": "Ａ-1", "started_at": "2025-04-01T10:00:00+09:00", "queue": "請求",
    "handle_seconds": 300, "n_transfers": 1, "is_resolved": False,
    "turns": [{"speaker": "AGENT", "start_seconds": 0.5, "text": "はい"}, {"speaker": "お客様", "text": "遅いです"}],
}  # fmt: skip


def raw(content, name="a.json"):
    data = content if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False).encode()
    return RawFile("calls", name, data, "")


def source(**options):
    return Source(**({"name": "calls", "format": "transcript", "path": "*.json"} | options))


def test_a_call():
    parsed = parse_contacts([raw([CALL])], source())
    [contact] = parsed.contacts.to_dict("records")
    assert contact["contact_id"] == "C" + hashlib.sha256(b"calls|1").hexdigest()[:16]
    assert (contact["customer_id"], contact["channel"], contact["source_row"]) == ("A-1", "call", "a.json:1")
    assert (contact["handle_seconds"], contact["n_transfers"], bool(contact["is_resolved"])) == (300, 1, False)
    assert contact["started_at"].isoformat() == "2025-04-01T01:00:00+00:00"
    assert parsed.turns["speaker"].tolist() == ["operator", "customer"]
    assert parsed.turns["turn_id"].tolist() == [f"{contact['contact_id']}-000", f"{contact['contact_id']}-001"]
    assert parsed.rejects.empty


def test_the_operators_note_and_the_wrap_up_code():
    parsed = parse_contacts([raw([CALL | {"note": "請求日を案内", "wrapup": "請求"}])], source())
    assert parsed.contacts["wrapup"].tolist() == ["請求"]
    assert parsed.turns[["position", "speaker", "question", "text"]].values.tolist()[-1] == [2, "operator", "応対メモ", "請求日を案内"]


def test_json_lines_with_own_names_and_a_broken_line():
    columns = {"contact_id": "ID", "started_at": "開始", "turns": "発話", "speaker": "話者", "text": "内容"}
    record = {"ID": 7, "開始": "2025/4/1 10:00", "発話": [{"話者": "顧客", "内容": "遅い"}]}
    content = json.dumps(record, ensure_ascii=False) + "\n{broken\n"
    parsed = parse_contacts([raw(content.encode("cp932"))], source(columns=columns))
    assert parsed.turns["text"].tolist() == ["遅い"]
    assert parsed.rejects["source_row"].tolist() == ["a.json:2"]


def test_what_cannot_be_used_is_told():
    records = [
        CALL,
        CALL,  # the same number again
        CALL | {"contact_id": "2", "started_at": "昨日"},
        CALL | {"contact_id": "3", "turns": None},
        CALL | {"contact_id": "4", "handle_seconds": -5},
        CALL | {"contact_id": "5", "turns": [{"speaker": "spk_0", "text": "a"}, "x", {"speaker": "agent"}]},
    ]
    parsed = parse_contacts([raw(records)], source())
    assert len(parsed.contacts) == 3
    told = parsed.rejects.groupby("source_row")["reason"].agg(" ".join)
    assert "重複" in told["a.json:2"]
    assert "昨日" in told["a.json:3"] and "令和7年" in told["a.json:3"]
    assert "turns" in told["a.json:4"]
    assert "handle_seconds の値「-5」" in told["a.json:5"]
    assert "spk_0" in told["a.json:6"] and "オペレーター" in told["a.json:6"] and "2 件" in told["a.json:6"]


def test_of_a_contact_in_two_files_the_later_counts():
    other = CALL | {"turns": [{"speaker": "customer", "text": "別"}]}
    parsed = parse_contacts([raw([CALL], "a.json"), raw([other], "b.json")], source())
    assert parsed.turns["text"].tolist() == ["別"]
    assert parsed.rejects["source_row"].tolist() == ["a.json"] and "1 件" in parsed.rejects["reason"].iloc[0]


def test_a_bad_file_is_refused_and_the_others_go_on():
    files = [raw([CALL]), raw(b"[{", "b.json"), raw([{"x": 1}], "c.json"), RawFile("calls", "d.json", b"", "", "開けない")]
    parsed = parse_contacts(files, source())
    assert len(parsed.contacts) == 1
    assert parsed.rejects.set_index("source_row")["stage"].to_dict() == {"b.json": "parse", "c.json": "parse", "d.json": "read"}
    assert "[sources.columns] started_at = \"x\"" in parsed.rejects.set_index("source_row")["reason"]["c.json"]


def test_no_usable_file_at_all_is_an_error_with_every_fault():
    with pytest.raises(SourceError, match=r"(?s)b\.json.*c\.json"):
        parse_contacts([raw(b"\x00\xff", "b.json"), raw([], "c.json")], source())


def test_no_files_are_no_contacts():
    parsed = parse_contacts([], source())
    assert parsed.contacts.empty and parsed.turns.empty and "content_sha" not in parsed.contacts


def test_a_chat():
    chat = {"contact_id": "1", "started_at": "2025-04-01T10:00:00+09:00", "messages": [
        {"author": "bot", "at": "2025-04-01T10:00:01+09:00", "text": "ご用件は"},
        {"author": "customer", "at": "2025-04-01T10:00:30+09:00", "text": "遅い"}]}  # fmt: skip
    parsed = parse_contacts([raw([chat])], source(format="chat"))
    assert parsed.turns[["speaker", "start_seconds"]].values.tolist() == [["bot", 1.0], ["customer", 30.0]]
    assert parsed.contacts["channel"].tolist() == ["chat"]


def test_company_formats_are_no_voices():
    with pytest.raises(SourceError, match="顧客の声ではありません"):
        parse_contacts([], source(format="faq"))
