import json

import pytest

from voc.config import Source
from voc.errors import SourceError
from voc.parsing import parse_contacts
from voc.raw import RawFile

TICKETS = {
    "users": [{"id": 7, "role": "end-user", "email": "taro@example.com"}, {"id": 8, "role": "agent", "email": "op@own.jp"}],
    "tickets": [{
        "id": 1, "subject": "請求", "created_at": "2025-04-01T01:00:00Z", "status": "solved", "requester_id": 7,
        "via": {"channel": "email"}, "group_id": 3, "comments": [
            {"author_id": 7, "public": True, "body": "請求が二重です", "created_at": "2025-04-01T01:00:00Z"},
            {"author_id": 8, "public": False, "body": "経理へ確認", "created_at": "2025-04-01T01:05:00Z"},
            {"author_id": 8, "public": True, "html_body": "<p>返金<b>しました</b></p>", "created_at": "2025-04-01T02:00:00Z"}],
    }],
}  # fmt: skip


def parsed_json(content, kind="ticket", name="a.json", **options):
    data = content.encode() if isinstance(content, str) else json.dumps(content, ensure_ascii=False).encode()
    source = Source(**({"name": "s", "format": kind, "path": "x"} | options))
    return parse_contacts([RawFile("s", name, data, "")], source)


def test_a_help_desks_export():
    parsed = parsed_json(TICKETS)
    [contact] = parsed.contacts.to_dict("records")
    assert (contact["customer_id"], contact["channel"], contact["queue"]) == ("taro@example.com", "email", "3")
    assert contact["is_resolved"] and contact["subject"] == "請求"
    assert parsed.turns[["speaker", "question", "start_seconds", "text"]].fillna("-").values.tolist() == [
        ["customer", "-", 0.0, "請求が二重です"], ["operator", "社内メモ", 300.0, "経理へ確認"],
        ["operator", "-", 3600.0, "返金しました"],
    ]  # fmt: skip


@pytest.mark.parametrize("ticket", [
    {"id": 1, "created_at": "2025-04-01T01:00:00Z", "description": "遅い"},
    {"id": 1, "created_at": "2025-04-01T01:00:00Z", "comments": [{"author": {"role": "end-user"}, "body": "遅い"}]},
    {"id": 1, "created_at": "2025-04-01T01:00:00Z", "requester_id": 5, "comments": [{"author_id": 5, "body": "遅い"}]},
    {"id": 1, "created_at": "2025-04-01T01:00:00Z", "comments": [{"author_role": "顧客", "body": "遅い"}]},
])  # fmt: skip
def test_flat_tickets_and_lines(ticket):
    parsed = parsed_json(json.dumps(ticket) + "\n" + json.dumps({"ticket": ticket | {"id": 2}}) + "\nx", name="a.jsonl")
    assert parsed.turns[["speaker", "text"]].values.tolist() == [["customer", "遅い"]] * 2
    assert parsed.contacts["channel"].tolist() == ["ticket"] * 2
    assert parsed.rejects["source_row"].tolist() == ["a.jsonl:3"]


def test_own_domains_tell_the_staff():
    users = [{"id": 7, "email": "taro@example.com"}, {"id": 8, "email": "op@own.jp"}]
    parsed = parsed_json(TICKETS | {"users": users}, own_domains=["own.jp"])
    assert parsed.turns["speaker"].tolist() == ["customer", "operator", "operator"]


def test_tickets_that_cannot_be_used_are_told():
    base = TICKETS["tickets"][0]
    parsed = parsed_json([base | {"id": 1, "created_at": "昨日"}, base | {"id": 2, "comments": [{"author_id": 7}, 3]}, base | {"id": 3, "comments": []}])
    told = parsed.rejects.groupby("source_row")["reason"].agg(" ".join)
    assert "昨日" in told["a.json:1"] and "2 件" in told["a.json:2"] and "コメントもない" in told["a.json:3"]
    assert len(parsed.contacts) == 2
    with pytest.raises(SourceError, match=r"\[sources\.columns\] started_at = \"opened\""):
        parsed_json([{"opened": "2025-04-01"}])


@pytest.mark.parametrize(("written", "rating"), [
    ("4", 4), ("★★★★☆", 4), ("⭐️⭐️", 2), ("☆☆☆☆☆", 0), ("4/5", 4), ("星３", 3), ("4.5", 4.5), ("5つ星", 5), ("とても不満", 1), ("最高", None), ("-1", None),
])  # fmt: skip
def test_ratings(written, rating):
    rows = [{"started_at": "令和7年4月1日", "rating": written, "text": "遅い", "subject": "題"}]
    parsed = parsed_json(rows, "review")
    assert parsed.contacts["rating"].fillna(-1).tolist() == [-1 if rating is None else rating]
    assert parsed.contacts[["channel", "subject"]].values.tolist() == [["review", "題"]]
    assert parsed.turns["text"].tolist() == ["遅い"]
    assert len(parsed.rejects) == (rating is None)


def test_reviews_as_a_table():
    columns = {"started_at": "投稿日", "text": "本文", "rating": "評価"}
    parsed = parsed_json("投稿日,評価,本文\n2025/4/1,良,使いやすい\nいつか,1,x\n2025/4/2,2,\n", "review", "r.csv", columns=columns,
                         scales={"rating": {"良": 5}})  # fmt: skip
    assert sorted(parsed.contacts["rating"]) == [2, 5] and len(parsed.turns) == 1
    assert parsed.rejects["source_row"].tolist() == ["r.csv:3"]
