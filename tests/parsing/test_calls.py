"""Calls as recognisers write them: Contact Lens, Transcribe Call Analytics, WebVTT, Whisper."""

import json

import pytest

from voc.config import Config, Source
from voc.errors import SourceError
from voc.parsing import parse_contacts
from voc.raw import RawFile

GUID = "0f8fad5b-d9cb-469f-a165-70867728950e"
LENS = {
    "Channel": "VOICE", "Version": "1.1.0", "LanguageCode": "ja-JP",
    "CustomerMetadata": {"ContactId": "c-1", "InputS3Uri": f"s3://b/CallRecordings/2025/04/01/{GUID}_20250401T01:00_UTC.wav"},
    "Participants": [{"ParticipantId": GUID, "ParticipantRole": "CUSTOMER"}, {"ParticipantId": "AGENT", "ParticipantRole": "AGENT"}],
    "ConversationCharacteristics": {"TotalConversationDurationMillis": 32110},
    "Transcript": [
        {"Id": "1", "ParticipantId": "AGENT", "Content": "はい", "BeginOffsetMillis": 0, "EndOffsetMillis": 900},
        {"Id": "2", "ParticipantId": GUID, "Content": "遅いです", "BeginOffsetMillis": 1200, "EndOffsetMillis": 2000},
    ],
}  # fmt: skip
ANALYTICS = {
    "JobName": "job-7", "JobStatus": "COMPLETED", "ConversationCharacteristics": {"TotalConversationDurationMillis": 5000},
    "Transcript": [
        {"ParticipantRole": "AGENT", "BeginOffsetMillis": 440, "EndOffsetMillis": 960, "Content": "はい", "Items": []},
        {"ParticipantRole": "CUSTOMER", "BeginOffsetMillis": 1000, "EndOffsetMillis": 5000, "Content": "遅い"},
    ],
}  # fmt: skip
VTT = (
    "\ufeffWEBVTT\n\nNOTE test\n\n1\n00:00:01.500 --> 00:00:02.000\n<v Agent>はい &amp; どうぞ</v>\n\n"
    "01:00:03.250 --> 01:00:04.500\n<v.loud お客様>とても<b>遅い</b>\n<v Agent>はい\n\n00:00:05.000 --> 00:00:06.000\n誰か\n"
)
WHISPER = {"text": "はい遅い", "language": "ja", "segments": [
    {"id": 0, "start": 0.5, "end": 1.0, "text": " はい", "speaker": "SPEAKER_00"},
    {"id": 1, "start": 1.0, "end": 2.5, "text": "遅い", "speaker": "SPEAKER_01"}]}  # fmt: skip


def raw(name, content):
    data = content.encode() if isinstance(content, str) else json.dumps(content, ensure_ascii=False).encode()
    return RawFile("s", name, data, "")


def source(kind, **options):
    return Source(**({"name": "s", "format": kind, "path": "x"} | options))


def test_contact_lens_joins_participants():
    parsed = parse_contacts([raw("a.json", LENS)], source("contact_lens"))
    [contact] = parsed.contacts.to_dict("records")
    assert (contact["channel"], contact["handle_seconds"], contact["source_row"]) == ("call", 32.11, "a.json:1")
    assert contact["started_at"].isoformat() == "2025-04-01T01:00:00+00:00"
    assert parsed.turns[["speaker", "start_seconds", "text"]].values.tolist() == [
        ["operator", 0.0, "はい"], ["customer", 1.2, "遅いです"]]  # fmt: skip
    assert parsed.rejects.empty


@pytest.mark.parametrize(("kind", "key", "what", "good"), [
    ("contact_lens", "Transcript", "Content", LENS), ("transcribe", "Transcript", "Content", ANALYTICS),
    ("whisper", "segments", "text", WHISPER),
])  # fmt: skip
def test_a_call_without_utterances_and_utterances_without_words_are_told(kind, key, what, good):
    broken, silent = good | {key: "none"}, good | {key: [*good[key], {what: " "}, "no object"]}
    parsed = parse_contacts([raw("20250401_100000.json", [broken, silent])], source(kind))
    assert (len(parsed.contacts), len(parsed.turns)) == (1, len(good[key]))
    told = dict(zip(parsed.rejects["source_row"], parsed.rejects["reason"], strict=False))
    assert told["20250401_100000.json:1"] == f"発話の一覧 {key} がないため使いませんでした。"
    assert f"本文 {what} のない発話 2 件を除きました。" in set(parsed.rejects["reason"])


def test_contact_lens_chat_and_mapped_fields():
    chat = {"Channel": "CHAT", "CustomerMetadata": {"ContactId": "c-2"}, "Attributes": {"customer": "Ａ-1", "q": "請求"},
            "Participants": [{"ParticipantId": "x", "ParticipantRole": "CUSTOMER"}], "Transcript": [
        {"Type": "EVENT", "ParticipantId": "x", "AbsoluteTime": "2025-04-01T00:59:50Z"},
        {"Type": "MESSAGE", "ParticipantId": "x", "AbsoluteTime": "2025-04-01T01:00:00Z", "Content": "遅い"},
        {"Type": "MESSAGE", "ParticipantId": "y", "AbsoluteTime": "2025-04-01T01:00:02Z", "Content": "謎"}]}  # fmt: skip
    columns = {"customer_id": "Attributes.customer", "queue": "Attributes.q"}
    parsed = parse_contacts([raw("a.json", chat)], source("contact_lens", columns=columns))
    [contact] = parsed.contacts.to_dict("records")
    assert (contact["channel"], contact["customer_id"], contact["queue"]) == ("chat", "A-1", "請求")
    assert parsed.turns[["speaker", "start_seconds"]].values.tolist() == [["customer", 10.0], ["unknown", 12.0]]
    assert "「y」1 件" in parsed.rejects["reason"].iloc[0] and "[sources.speakers]" in parsed.rejects["reason"].iloc[0]


def test_transcribe_takes_the_start_from_the_files_name():
    parsed = parse_contacts([raw("calls/20250401_100000.json", ANALYTICS)], source("transcribe"))
    [contact] = parsed.contacts.to_dict("records")
    assert contact["started_at"].isoformat() == "2025-04-01T01:00:00+00:00" and contact["handle_seconds"] == 5.0
    assert parsed.turns["speaker"].tolist() == ["operator", "customer"]
    assert parsed.turns["start_seconds"].tolist() == [0.44, 1.0]


@pytest.mark.parametrize("name", [
    "2025-04-01T10-00-00.json", "x_20250401T1000.json", "20250401100000_12.json", "c_analysis_2025-04-01T01:00:00Z.json",
])  # fmt: skip
def test_spellings_of_a_start_in_a_name(name):
    parsed = parse_contacts([raw(name, ANALYTICS)], source("transcribe"))
    assert parsed.contacts["started_at"].iloc[0].isoformat() == "2025-04-01T01:00:00+00:00"


@pytest.mark.parametrize("name", ["a.json", "20250401.json", "20251301_100000.json", "0312345678_1234567890123.json"])
def test_no_start_is_told_with_the_repair(name):
    parsed = parse_contacts([raw(name, ANALYTICS)], source("transcribe"))
    assert parsed.contacts.empty
    assert "name_pattern" in parsed.rejects["reason"].iloc[0] and "started_at" in parsed.rejects["reason"].iloc[0]


def test_name_pattern():
    pattern = r"(?P<started_at>\d{14})_(?P<contact_id>\d+)_(?P<customer_id>\w+)\.vtt"
    parsed = parse_contacts([raw("calls/20250401100000_42_A7.vtt", VTT)], source("vtt", name_pattern=pattern))
    [contact] = parsed.contacts.to_dict("records")
    assert (contact["customer_id"], contact["started_at"].isoformat()) == ("A7", "2025-04-01T01:00:00+00:00")
    assert contact["contact_id"] == parse_contacts(
        [raw("moved/20250401100000_42_A7.vtt", VTT)], source("vtt", name_pattern=pattern)
    ).contacts["contact_id"].iloc[0]  # fmt: skip


@pytest.mark.parametrize(("pattern", "told"), [("(", "正規表現"), (r"\d+", "グループ"), (r"(?P<day>\d)", "started_at")])
def test_name_patterns_that_cannot_be_used(pattern, told):
    with pytest.raises(ValueError, match=told):
        Config(sources=[{"name": "s", "format": "vtt", "path": "x", "name_pattern": pattern}])


def test_vtt_voices():
    parsed = parse_contacts([raw("2025-04-01_10-00.vtt", VTT)], source("vtt"))
    assert parsed.turns[["speaker", "start_seconds", "text"]].values.tolist() == [
        ["operator", 1.5, "はい & どうぞ"], ["customer", 3603.25, "とても遅い"], ["operator", 3603.25, "はい"],
        ["unknown", 5.0, "誰か"],
    ]  # fmt: skip
    assert parsed.contacts["handle_seconds"].tolist() == [3604.5]


def test_whisper_does_not_know_who_speaks_unless_told():
    file = raw("20250401_1000.json", WHISPER)
    assert parse_contacts([file], source("whisper")).turns["speaker"].tolist() == ["unknown", "unknown"]
    speakers = {"SPEAKER_00": "operator", "SPEAKER_01": "customer"}
    parsed = parse_contacts([file], source("whisper", speakers=speakers))
    assert parsed.turns[["speaker", "start_seconds", "text"]].values.tolist() == [
        ["operator", 0.5, "はい"], ["customer", 1.0, "遅い"]]  # fmt: skip
    assert parsed.contacts["handle_seconds"].tolist() == [2.5]


@pytest.mark.parametrize(("kind", "name", "content", "told"), [
    ("contact_lens", "a.json", {"results": {}}, "Transcript"),
    ("transcribe", "a.json", {"results": {}}, r"format = \"transcribe\""),
    ("whisper", "a.json", {"text": "x"}, "segments"),
    ("vtt", "a.vtt", "1\n00:00:01,000 --> 00:00:02,000\nx", "WEBVTT"),
    ("whisper", "a.json", "[{", "JSON"),
])  # fmt: skip
def test_other_files_are_refused(kind, name, content, told):
    with pytest.raises(SourceError, match=told):
        parse_contacts([raw(name, content)], source(kind))


def test_turns_without_words_are_told():
    broken = LENS | {"Transcript": [*LENS["Transcript"], {"ParticipantId": "AGENT", "Content": "\ud800"}, "x"]}
    file = RawFile("s", "a.json", json.dumps([broken, LENS | {"Transcript": None}, 3]).encode(), "")
    parsed = parse_contacts([file], source("contact_lens"))
    told = parsed.rejects.set_index("source_row")["reason"]
    assert "2 件" in told["a.json:1"] and "Transcript" in told["a.json:2"] and "JSON" in told["a.json:3"]
    assert len(parsed.turns) == 2
