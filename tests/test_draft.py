"""`voc init`: files in other people's spellings -> a draft that loads, and that the parsers read."""

import gzip
import io
import json
import tomllib
import zipfile
from fnmatch import fnmatch

import openpyxl
import pytest

from voc.config import Config
from voc.drafting import Head, draft
from voc.drafting.columns import blurred
from voc.drafting.layout import read_layout
from voc.drafting.trial import try_source
from voc.sources.folder_heads import folder_heads
from voc.sources.pull import pull
from voc.tables import WATERMARKS, empty

SAYS = ["請求書が二重に届いて困っています", "ログインできずエラーになります", "電話がなかなかつながらない", "解約の方法を教えてください",
        "アプリがよく落ちます", "対応が丁寧で助かりました", "料金が高いと感じます", "画面が見づらく入力しにくい"]  # fmt: skip
STEPS = ["満足", "やや満足", "どちらともいえない", "やや不満", "不満"]


def say(n):
    return f"{SAYS[n % 8]}（{n}回目です）"


def day(n):
    return f"2026/01/{n % 28 + 1:02d}"


def csv(header, rows, encoding="cp932"):
    return "\r\n".join([header, *(",".join(str(value) for value in row) for row in rows), ""]).encode(encoding)


def lines(records):
    return "\n".join(json.dumps(record, ensure_ascii=False) for record in records).encode()


def book(header, rows, *others):
    made = openpyxl.Workbook()
    for row in [header.split(","), *rows]:
        made.active.append(list(row))
    for name in others:
        made.create_sheet(name)
    data = io.BytesIO()
    made.save(data)
    return data.getvalue()


def mail(n):
    return (f"From: u{n}@gmail.com\nTo: help@own.example\nDate: Mon, 5 Jan 2026 10:00:0{n} +0900\nMessage-ID: <m{n}@x>\n"
            f"Subject: =?utf-8?B?6LOq5ZWP?=\nContent-Type: text/plain; charset=utf-8\n\n{say(n)}\n").encode()  # fmt: skip


def lens(n):
    return json.dumps({
        "CustomerMetadata": {"ContactId": f"c-{n}", "InputS3Uri": f"s3://b/x_2026010{n}T01:00_UTC.wav"},
        "Participants": [{"ParticipantId": "P1", "ParticipantRole": "CUSTOMER"}],
        "Transcript": [{"ParticipantId": "P1", "Content": "遅いです", "BeginOffsetMillis": 0}] * 4}).encode()  # fmt: skip


TURNS = [[f"CALL{call}", f"{day(call)} 10:00", f"M{call}", "オペレータ" if turn % 2 else "お客様", say(turn), 320, "請求", "案内済み"]
         for call in range(4) for turn in range(3)]  # fmt: skip
CALL = {"call_id": "c1", "customer_no": "M1", "call_start": "2026-01-05T10:00:00+09:00", "skill": "請求", "duration": 300,
        "utterances": [{"speaker": "agent", "start": 0.0, "text": "はい"}, {"speaker": "customer", "start": 2.1, "text": "遅い"}]}  # fmt: skip
CHAT = {"id": 1, "userId": "M1", "createdAt": "2026-01-05T10:00:00Z", "messages": [
    {"sender": "bot", "sentAt": "2026-01-05T10:00:00Z", "text": "ご用件は"}, {"sender": "user", "sentAt": "2026-01-05T10:00:09Z", "text": "遅い"}]}
TICKETS = {"users": [{"id": 7, "role": "end-user"}], "tickets": [
    {"id": 1, "subject": "請求", "created_at": "2026-01-01T01:00:00Z", "requester_id": 7, "comments": [{"author_id": 7, "body": "二重です"}]}]}
WHISPER = {"text": "", "segments": [{"start": 0, "end": 1, "text": "はい、承ります", "speaker": "SPEAKER_00"},
                                    {"start": 1, "end": 2, "text": "遅いです", "speaker": "SPEAKER_01"}]}  # fmt: skip
ANALYTICS = {"JobName": "j_20260105_100000", "JobStatus": "COMPLETED", "Transcript": [{"ParticipantRole": "CUSTOMER", "Content": "遅い"}]}
VTT = "WEBVTT\n\n00:01.000 --> 00:02.000\n<v オペレーター>はい\n\n00:03.000 --> 00:04.000\n<v 契約者>遅い\n".encode()

FOREIGN = {  # name of the file: (bytes, format, some of the columns, rows that the parsers read)
    "cti.csv": (csv("通話ID,通話開始日時,顧客番号,話者,発話内容,通話時間（秒）,スキルグループ,応対メモ", TURNS), "turns", {
        "contact_id": "通話ID", "started_at": "通話開始日時", "handle_seconds": "通話時間(秒)", "note": "応対メモ"}, 4),
    "counts.csv": (csv("日付,時間帯,窓口,着信数,応答数,放棄数", [[day(0), f"{hour}時台", "請求", 30, 25, 5] for hour in range(9, 18)]), "counts", {
        "date_on": "日付", "hour": "時間帯", "n_offered": "着信数", "n_abandoned": "放棄数"}, 9),
    "members.csv": (csv("会員番号,氏名,契約プラン,業種,月額料金（円）,契約日,解約日,メールアドレス", [
        [f"A{n}", f"鈴木{n}", "ライト", "小売", 1980, day(n), "", f"u{n}@example.jp"] for n in range(20)]), "customers", {
        "customer_id": "会員番号", "monthly_price_yen": "月額料金(円)", "started_on": "契約日", "ended_on": "解約日"}, 20),
    "会員.xlsx": (book("お客様ID,コース,入会日,退会日,備考", [[str(n), "A", "令和5年4月1日", "", say(n)] for n in range(20)]), "customers", {
        "customer_id": "お客様ID", "plan": "コース", "started_on": "入会日", "ended_on": "退会日"}, 20),
    "usage.tsv": (csv("user_id,month,sessions", [[f"c{n}", f"2026-0{m}", 3] for n in range(9) for m in (1, 2)], "utf-8").replace(b",", b"\t"),
                  "usage", {"customer_id": "user_id", "month_on": "month", "n_logins": "sessions"}, 18),
    "faq.csv": (csv("FAQ番号,質問,回答,公開日", [[f"F{n}", say(n), f"管理画面から変更できます。{n}", day(n)] for n in range(9)]), "faq", {
        "article_id": "FAQ番号", "title": "質問", "body": "回答"}, 9),
    "log.csv": (csv("検索日時,検索キーワード,ヒット件数", [[f"{day(0)} 10:{n:02d}", "解約", n] for n in range(9)]), "faq_logs", {
        "at": "検索日時", "query": "検索キーワード", "is_found": "ヒット件数"}, 9),
    "options.csv": (csv("オプションID,オプション名,説明,対象プラン,月額", [[f"O{n}", f"機能{n}", "追加機能", "A、B", 500] for n in range(3)]), "catalogue", {
        "option_id": "オプションID", "plans": "対象プラン", "price_yen": "月額"}, 3),
    "survey.csv": (csv("回答ID,回答日時,会員番号,年代,満足度,おすすめ度,満足度の理由をお聞かせください", [
        [n, f"{day(n)} 12:00", f"A{n}", "30代", STEPS[n % 5], n % 11, say(n)] for n in range(30)]), "survey", {
        "contact_id": "回答ID", "started_at": "回答日時", "customer_id": "会員番号", "csat": "満足度", "nps": "おすすめ度"}, 30),
    "nps.xlsx": (book("回答日,NPS,コメント,契約番号", [[f"令和8年1月{n + 1}日", n % 11, say(n), f"K{n}"] for n in range(20)], "集計"), "survey", {
        "started_at": "回答日", "nps": "NPS", "customer_id": "契約番号"}, 20),
    "answers.jsonl": (lines({"submitted_at": "2026-01-05T01:00:00Z", "satisfaction": STEPS[n % 5], "comment": say(n)} for n in range(20)), "survey", {
        "started_at": "submitted_at", "csat": "satisfaction"}, 20),
    "stars.csv": (csv("投稿日,星,タイトル,レビュー本文", [[day(n), "★" * (n % 5 + 1), "題", say(n)] for n in range(20)], "utf-8-sig"), "review", {
        "started_at": "投稿日", "rating": "星", "subject": "タイトル", "text": "レビュー本文"}, 20),
    "inquiry.csv": (csv("受付番号,受付日時,会員番号,件名,問い合わせ内容", [[n, day(n), f"A{n}", "請求", say(n)] for n in range(20)]), "review", {
        "contact_id": "受付番号", "customer_id": "会員番号", "text": "問い合わせ内容"}, 20),
    "calls.json": (json.dumps([CALL]).encode(), "transcript", {
        "contact_id": "call_id", "started_at": "call_start", "turns": "utterances", "start_seconds": "start"}, 1),
    "chats.jsonl": (lines([CHAT, CHAT | {"id": 2}]), "chat", {"customer_id": "userId", "author": "sender", "at": "sentAt"}, 2),
    "tickets.json": (json.dumps(TICKETS).encode(), "ticket", {}, 1),
    "lens.json": (lens(1), "contact_lens", {}, 1),
    "job.json": (json.dumps(ANALYTICS).encode(), "transcribe", {}, 1),
    "20260105_100000.json": (json.dumps(WHISPER).encode(), "whisper", {}, 1),
    "2026-01-05_call.vtt": (VTT, "vtt", {}, 1),
    "one.eml": (mail(1), "email", {}, 1),
    "box.mbox": (b"".join(b"From u Mon Jan  5 10:00:00 2026\n" + mail(n) + b"\n" for n in range(3)), "email", {}, 3),
    "faq/login.html": ("<html><title>ログイン</title><body><p>手順です。</p></body></html>".encode(), "faq", {}, 1),
    "faq/bill.md": ("# 請求\n毎月1日です。".encode(), "faq", {}, 1),
}  # fmt: skip


def config_of(made):
    return Config.model_validate(tomllib.loads(made.text))


def one(name, data):
    made = draft([Head(name, name, data)])
    [source] = config_of(made).sources
    return made, source


def parsed(source, *files):
    return try_source([read_layout(Head(name, name, data)).file for name, data in files], source)


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_files_are_classified_mapped_and_parsed(name):
    data, form, columns, n = FOREIGN[name]
    made, source = one(name, data)
    assert (source.format, made.left) == (form, ()) and fnmatch(name, source.path)
    assert columns.items() <= source.columns.items()
    trial = parsed(source, (name, data))
    assert (trial.n, trial.n_rejects) == (n, 0)


@pytest.mark.parametrize(("name", "data", "told"), [
    ("a.pdf", b"%PDF", "PDF は読めません"), ("a.wav", b"RIFF", "音声ファイルです"), ("a.xls", b"\xd0\xcf", ".xlsx で保存し直してください"),
    ("a.csv", b"", "中身がありません"), ("a.json", b'{"a":', "JSON"), ("a.csv", bytes(range(256)) * 9, "文字化け"),
    ("a.csv", csv("商品コード,数量,単価", [["A", 1, 2]]), "どの形式にも当てはまりません。ある列: 「商品コード」、「数量」、「単価」"),
    ("a.csv", csv("集計結果", [["x"]]), "見出し行を 1 行目に"), ("a.csv", csv("満足度,ご意見", [[n, say(n)] for n in range(9)]), "日時の列が見つかりません"),
    ("a.csv", csv("通話ID,通話日時,発話内容", [["1", day(n), 1] for n in range(9)]), "話者（speaker）"),
    ("a.csv", csv("記事番号,質問", [[f"F{n}", say(n)] for n in range(9)]), "回答（body）の列が見つかりません"),
    ("a.xlsx", b"PK\x03\x04", "Excel として読めません"), ("README.md", "# 説明".encode(), "説明書き"),
    ("a.json", json.dumps({"jobName": "x", "results": {}}).encode(), "Call Analytics"), ("a.xyz", b"\x01\x02", ".xyz の読み方が分かりません"),
    ("a.csv", csv("回答日時,満足度,満足度", [[1, 2, 3]]), "同じ名前の列"), ("a.csv", csv("回答日時,ご意見", []), "データの行がありません"),
])  # fmt: skip
def test_what_is_not_read_stands_with_its_reason(name, data, told):
    made = draft([Head(name, name, data), Head("one.eml", "one.eml", mail(1))])
    [(files, reason)] = made.left
    assert files == name and told in reason
    assert f"# - {name}: " in made.text and told in made.text and len(config_of(made).sources) == 1


def test_like_files_are_one_source_and_others_stay_apart():
    survey, other = FOREIGN["survey.csv"][0], FOREIGN["nps.xlsx"][0]
    names = ["voices_2026-01.csv", "voices_2026-02.csv", "calls/2026/01/a.json", "calls/2026/02/b.json", "s.xlsx"]
    contents = [survey, survey, json.dumps([CALL]).encode(), json.dumps([CALL | {"call_id": "c2"}]).encode(), other]
    made = draft([Head(name, name, data) for name, data in zip(names, contents, strict=True)], prefix="raw")
    assert sorted(source.path for source in config_of(made).sources) == ["raw/calls/*/*/*.json", "raw/s.xlsx", "raw/voices_*.csv"]
    assert ("voices", "survey", 2) in made.sources


def test_a_glob_takes_no_file_of_another_kind():
    heads = [Head(f"x/{n}.json", f"x/{n}.json", json.dumps([CALL]).encode()) for n in (1, 2)]
    heads += [Head("x/3.json", "x/3.json", lens(1))]
    sources = config_of(draft(heads)).sources
    assert sorted((source.format, source.path) for source in sources) == [
        ("contact_lens", "x/3.json"), ("transcript", "x/1.json"), ("transcript", "x/2.json")]  # fmt: skip


def test_one_file_of_a_month_is_named_for_the_next_ones_too():
    _, source = one("着信_2026年1月.csv", FOREIGN["counts.csv"][0])
    assert source.path == "着信_*.csv" and source.name == "着信"


def test_a_name_with_signs_of_a_glob_is_taken_literally():
    heads = [Head(f"a[1]/b?_{n}.csv", f"a[1]/b?_{n}.csv", FOREIGN["survey.csv"][0]) for n in (1, 2)]
    assert [source.path for source in config_of(draft(heads)).sources] == ["a[[]1]/b[?]_*.csv"]


def test_scales_and_texts_of_a_survey():
    made, source = one("survey.csv", FOREIGN["survey.csv"][0])
    assert source.scales == {"csat": dict(zip(STEPS, [5, 4, 3, 2, 1], strict=True))}
    assert source.texts == {"満足度の理由をお聞かせください": "満足度の理由をお聞かせください"}
    assert "# 使わない列: 年代" in made.text
    assert made.doubts[0] == "survey（survey）: csat … 言葉の点数（5 が最もよい）が正しいか見てください"


def test_ticked_boxes_names_and_places_are_no_free_text():
    rows = [[day(n), n % 5, f"山田太郎{n}号", f"東京都港区{n}丁目のビル", "広告、知人" if n % 2 else "検索、広告", say(n)] for n in range(30)]
    _, source = one("a.csv", csv("回答日時,満足度,お名前,住所,きっかけ,ご意見", rows))
    assert list(source.texts) == ["ご意見"]


def test_roles_of_unknown_speakers():
    rows = [["R1", f"{day(0)} 10:00", "L" if n % 2 else "R", "お電話ありがとうございます" if n % 2 else say(n)] for n in range(8)]
    made, source = one("a.csv", csv("通話ID,開始日時,話者,発話", rows))
    assert source.speakers == {"L": "operator", "R": "customer"}
    assert '"L" = "operator"   # 要確認: 話し方から推測しました。逆でないか確かめてください' in made.text
    rows = [["R1", f"{day(0)} 10:00", word, say(n)] for n, word in enumerate(["話者A", "話者B"] * 4)]
    assert one("a.csv", csv("通話ID,開始日時,話者,発話", rows))[1].speakers == {"話者A": "unknown", "話者B": "unknown"}
    _, source = one("2026-01-05_call.vtt", VTT)
    assert source.speakers == {"契約者": "customer"} and source.name_pattern is not None


def test_minutes_are_not_taken_for_seconds():
    rows = [[row[0], row[1], row[3], row[4], 5] for row in TURNS]
    made, source = one("a.csv", csv("通話ID,開始日時,話者,発話,通話時間（分）", rows))
    assert "handle_seconds" not in source.columns
    assert "列「通話時間(分)」は対応時間（秒）のようですが、単位が秒ではないため使いません" in made.text


def test_dates_that_cannot_be_read_make_the_source_a_comment():
    rows = [[f"0{n}/25/2026 13:05", n % 5, say(n)] for n in range(1, 9)]
    made = draft([Head("a.csv", "a.csv", csv("回答日時,満足度,ご意見", rows)), Head("one.eml", "one.eml", mail(1))])
    assert [source.format for source in config_of(made).sources] == ["email"]
    assert '#[[sources]]\n#name = "survey"\n#format = "survey"' in made.text
    assert "試し読みで 1 件も読めませんでした" in made.text and "値の形: 99/99/9999 99:99" in made.text


@pytest.mark.slow
def test_no_words_of_customers_stand_in_the_draft():
    made = draft([Head(name, name, data) for name, (data, *_) in FOREIGN.items()])
    assert not [words for words in [*SAYS, "鈴木", "u1@"] if words in made.text or words in " ".join(made.doubts)]
    assert len(config_of(made).sources) == len(FOREIGN) and made.left == ()
    assert blurred("山田 090-1234 a") == "〓〓 999-9999 A"


@pytest.mark.parametrize("hostile", ['"\n[store]\npath = "x', "a\x7f\u2028b", "列\t\\", "'''", "#"])
def test_hostile_headers_and_names_stay_in_their_place(hostile):
    header = f'回答日時,満足度,ご意見,"{hostile.replace(chr(34), chr(34) * 2)}"'
    data = csv(header, [[day(n), n % 5, say(n), say(n + 1)] for n in range(20)], "utf-8")
    name = f"{hostile.replace('/', '')}.csv"
    made = draft([Head(name, name, data), Head(f"x{name}.pdf", f"x{name}.pdf", b"%PDF")])
    config = config_of(made)
    assert config.store.path == "store" and [source.format for source in config.sources] == ["survey"]
    assert config.sources[0].path == name


@pytest.mark.parametrize("name", ["calls.json", "chats.jsonl", "survey.csv", "answers.jsonl", "lens.json"])
def test_a_head_that_was_cut_off_is_still_classified(name):
    data, form, _, _ = FOREIGN[name]
    whole = data if name != "calls.json" else json.dumps([CALL] * 3).encode()
    cut = draft([Head(name, name, whole[: int(len(whole) * 0.8)], is_whole=False)])
    assert [source[1] for source in cut.sources] == [form]


def test_what_is_missing_altogether_is_told():
    made = draft([Head("usage.tsv", "usage.tsv", FOREIGN["usage.tsv"][0])])
    assert made.doubts[-2:] == (
        "お客様の声（通話、メール、チャット、アンケートなど）のファイルが見つかりません。このままでは実行できません",
        "顧客の一覧（customers）が見つかりません。ないと解約の推定はできません（件数と費用は出せます）")  # fmt: skip


def test_a_folder_with_archives_hidden_files_and_many_of_a_kind(tmp_path):
    (tmp_path / ".DS_Store").write_bytes(b"x")
    for n in range(25):
        (tmp_path / f"{n:03d}.eml").write_bytes(mail(n % 9))
    (tmp_path / "s.csv.gz").write_bytes(gzip.compress(FOREIGN["survey.csv"][0]))
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a_01.csv", FOREIGN["stars.csv"][0])
        archive.writestr("a_02.csv", FOREIGN["stars.csv"][0])
        archive.writestr("m.csv", FOREIGN["members.csv"][0])
    heads, n_hidden = folder_heads(tmp_path)
    assert n_hidden == 1 and sum(head.is_read for head in heads if head.name.endswith(".eml")) == 20
    made = draft(heads, n_hidden=n_hidden)
    sources = {source.format: source for source in config_of(made).sources}
    assert {form: source.path for form, source in sources.items()} == {
        "email": "*.eml", "survey": "s.csv.gz", "review": "zip://a_*.csv::x.zip", "customers": "zip://m.csv::x.zip"}  # fmt: skip
    assert ("mails", "email", 25) in made.sources and made.left == (("隠しファイル 1 個", "名前が . で始まるなどのため、見ていません。"),)
    assert {form: len(pull(source, base=tmp_path, environ={}, watermark=empty(WATERMARKS)).files) for form, source in sources.items()} == {
        "email": 25, "survey": 1, "review": 2, "customers": 1}  # fmt: skip


@pytest.mark.slow
def test_same_heads_same_text():
    heads = [Head(name, name, data) for name, (data, *_) in FOREIGN.items()]
    assert draft(heads).text == draft(heads).text
