import csv
import gzip
import json

import numpy as np
import openpyxl
import pandas as pd
import pytest

import voc
from flows.groups import group_file
from voc import doors, japanese, text_files, text_rows
from voc.errors import SourceError

TEXTS = ["電話は090-1234-5678です", "", "改行の\n中、\"引用\"も", "taro@example.comへ"]


@pytest.fixture(autouse=True)
def no_models(monkeypatch):
    monkeypatch.setattr(japanese, "person_names", lambda texts: [[] for _ in texts])
    monkeypatch.setattr(japanese, "name_like", lambda texts: [False for _ in texts])


def write_csv(path, *, encoding="utf-8", delimiter=","):
    with path.open("w", encoding=encoding, newline="") as file:
        rows = csv.writer(file, delimiter=delimiter)
        rows.writerow(["番号", "本文"])
        rows.writerows(enumerate(TEXTS))


def write_xlsx(path):
    book = openpyxl.Workbook()
    book.active.append(["番号", "本文"])
    for row in enumerate(TEXTS):
        book.active.append(row)
    book.save(path)


def write_jsonl(path):
    path.write_text("".join(json.dumps({"本文": text or None}, ensure_ascii=False) + "\n" for text in TEXTS), encoding="utf-8")


def packed(write):
    def write_packed(path):
        plain = path.with_suffix("")
        write(plain)
        path.write_bytes(gzip.compress(plain.read_bytes()))
    return write_packed


@pytest.mark.parametrize(("name", "write"), [
    ("a.csv", write_csv), ("b.csv", lambda path: write_csv(path, encoding="cp932")),
    ("c.csv", lambda path: write_csv(path, encoding="utf-8-sig")), ("d.tsv", lambda path: write_csv(path, delimiter="\t")),
    ("e.xlsx", write_xlsx), ("f.jsonl", write_jsonl), ("g.csv.gz", packed(write_csv)), ("h.jsonl.gz", packed(write_jsonl)),
    ("i.xlsx.gz", packed(write_xlsx)),
])  # fmt: skip
@pytest.mark.parametrize("out", ["masked.csv", "masked.csv.gz"])
def test_every_row_of_every_format_comes_back_once(name, write, out, tmp_path):
    write(tmp_path / name)
    counts = voc.mask_file(tmp_path / name, text="本文", out=tmp_path / out)
    data = (tmp_path / out).read_bytes()
    text = (gzip.decompress(data) if out.endswith(".gz") else data).decode("utf-8")
    rows = list(csv.DictReader(text.splitlines(keepends=True)))
    assert [int(row["row"]) for row in rows] == [0, 1, 2, 3]
    assert [row["masked"] for row in rows] == ["電話は[電話番号1]です", "", TEXTS[2], "[メール1]へ"]
    spans = [[(TEXTS[i][span["start"]:span["end"]], span["kind"]) for span in json.loads(row["spans"])] for i, row in enumerate(rows)]
    assert spans == [[("090-1234-5678", "PHONE")], [], [], [("taro@example.com", "EMAIL")]]
    assert counts["n_rows"] == 4 and counts["n_spans"] == 2


@pytest.mark.parametrize(("name", "data", "words"), [
    ("a.csv", "x,y\n1,2\n", "ある列: ['x', 'y']"),
    ("a.csv", "", "空"),
    ("a.jsonl", '{"本文": "a"}\n{oops\n', "2 行目"),
    ("a.jsonl", '[1]', "オブジェクト"),
    ("a.jsonl", '{"x": "a"}\n', "ある列: ['x']"),
    ("a.xlsx", "no workbook", "Excel"),
    ("a.csv.gz", "no gzip", "gzip"),
])  # fmt: skip
def test_what_cannot_be_read_is_told_and_leaves_no_file(name, data, words, tmp_path):
    (tmp_path / name).write_text(data, encoding="utf-8")
    with pytest.raises(SourceError) as error:
        doors.mask_file(tmp_path / name, text="本文", out=tmp_path / "out.csv")
    assert words in str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_the_input_is_never_overwritten(tmp_path):
    write_csv(tmp_path / "a.csv")
    with pytest.raises(SourceError, match="同じ"):
        doors.mask_file(tmp_path / "a.csv", text="本文", out=tmp_path / "a.csv")
    with pytest.raises(SourceError, match="読めません"):
        doors.mask_file(tmp_path / "missing.csv", text="本文", out=tmp_path / "b.csv")


def test_many_rows_go_in_batches(tmp_path, monkeypatch):
    monkeypatch.setattr(text_files, "_BATCH", 2)
    write_csv(tmp_path / "a.csv")
    assert doors.mask_file(tmp_path / "a.csv", text="本文", out=tmp_path / "b.csv")["n_rows"] == 4
    assert (tmp_path / "b.csv").read_text(encoding="utf-8").splitlines()[-1].startswith("3,[メール1]へ")


def test_mask_takes_a_list():
    frame = voc.mask(["0312345678", None, float("nan")])
    assert frame["masked"].tolist() == ["[電話番号1]", "", ""]
    with pytest.raises(AttributeError):
        _ = voc.unmask


FORMATS = {
    "a.csv": write_csv, "b.csv": lambda path: write_csv(path, encoding="cp932"), "e.csv": lambda path: write_csv(path, encoding="euc_jp"),
    "j.csv": lambda path: write_csv(path, encoding="iso-2022-jp"), "u.csv": lambda path: write_csv(path, encoding="utf-16"),
    "s.csv": lambda path: write_csv(path, encoding="utf-8-sig"), "f.jsonl": write_jsonl, "i.xlsx": write_xlsx,
    "r.csv": lambda path: path.write_bytes("番号,本文\r0,電話は090-1234-5678です\r1,\r2,あ\r3,い".encode("cp932")),
    "k.json": lambda path: path.write_text(json.dumps([{"本文": text} for text in TEXTS], indent=1), encoding="utf-8"),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("chunk", [1, 7])
def test_rows_do_not_depend_on_where_the_file_is_cut(name, chunk, tmp_path, monkeypatch):
    FORMATS[name](tmp_path / name)
    doors.mask_file(tmp_path / name, text="本文", out=tmp_path / "whole.csv")
    monkeypatch.setattr(text_files, "_CHUNK", chunk)
    counts = doors.mask_file(tmp_path / name, text="本文", out=tmp_path / "cut.csv")
    assert (tmp_path / "cut.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert counts["n_rows"] == 4 and counts["n_spans"] >= 1


def test_a_gzip_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(text_files, "_MAX_UNPACKED", 2_000_000)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress("本文\n".encode() + b"a\n" * 1_500_000))
    with pytest.raises(SourceError, match="展開後の大きさが上限"):
        doors.mask_file(tmp_path / "a.csv.gz", text="本文", out=tmp_path / "out.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv.gz"]


@pytest.mark.parametrize(("name", "limited"), [("a.xlsx", text_rows), ("a.xlsx.gz", text_files)])
def test_a_workbook_that_unpacks_to_too_much_is_refused(name, limited, tmp_path, monkeypatch):
    (packed(write_xlsx) if name.endswith("gz") else write_xlsx)(tmp_path / name)
    monkeypatch.setattr(limited, "MAX_BYTES", 3000)
    with pytest.raises(SourceError, match="上限"):
        doors.mask_file(tmp_path / name, text="本文", out=tmp_path / "out.csv")
    assert not list(tmp_path.glob("*out*"))


@pytest.mark.parametrize(("name", "data"), [
    ("a.csv", '本文\n"閉じない' + "あ" * 300), ("a.csv", "本文\n" + "あ" * 300 + "\n"), ("a.jsonl", '{"本文": "' + "あ" * 300 + '"}'),
])  # fmt: skip
def test_a_row_without_end_is_refused(name, data, tmp_path, monkeypatch):
    monkeypatch.setattr(text_rows, "MAX_LINE", 200)
    (tmp_path / name).write_text(data, encoding="utf-8")
    with pytest.raises(SourceError, match="閉じ忘れ"):
        doors.mask_file(tmp_path / name, text="本文", out=tmp_path / "out.csv")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_bytes_that_turn_wrong_far_into_the_file_are_told(tmp_path):
    (tmp_path / "a.csv").write_bytes("本文\n遅い\n".encode("cp932") * 40_000 + b"\x85\xff\n")
    with pytest.raises(SourceError, match="途中から"):
        doors.mask_file(tmp_path / "a.csv", text="本文", out=tmp_path / "out.csv")


def test_empty_rows_of_a_sheet_count_where_more_follows(tmp_path):
    book = openpyxl.Workbook()
    for row in (["番号", "本文"], [1, "a"], [None, None], [3, None], [4, "b"], [None, ""], [None, None]):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    assert doors.mask_file(tmp_path / "a.xlsx", text="本文", out=tmp_path / "out.csv")["n_rows"] == 4


@pytest.mark.slow
def test_judging_gives_a_line_a_sentence_or_a_line_a_text(tmp_path):
    texts = ["画面は綺麗だが、電池がすぐ切れる", "", "特になし", "請求書をPDFで出力できるようにしてほしいです。", None]
    by_sentence, by_text = voc.judge(texts), voc.judge(texts, level="text")
    assert list(by_sentence.columns) == list(by_text.columns) == list(doors.JUDGED)
    assert by_sentence["row"].tolist() == [0, 0, 2, 3] and by_text["row"].tolist() == [0, 1, 2, 3, 4]
    assert by_sentence["intent"].tolist()[:2] == ["praise", "complaint"] and by_sentence["abstained"].tolist() == [0, 0, 1, 0]
    assert by_text["sentence"].tolist() == [*texts[:4], ""] and by_text["abstained"].tolist()[1] == 1
    assert by_sentence["request"].fillna("").tolist()[:3] == ["", "", ""] and "請求書" in by_sentence["request"].iloc[3]
    p = by_text[["p_negative", "p_neutral", "p_positive"]]
    assert p.sum(axis=1).sub(1).abs().max() < 0.001 and not by_text.filter(like="p_").isna().any().any()
    assert voc.judge([]).empty


@pytest.mark.slow
def test_a_file_is_judged_and_embedded_row_by_row(tmp_path, monkeypatch):
    monkeypatch.setattr(text_files, "_BATCH", 2)
    (tmp_path / "a.csv").write_text("id,本文\n1,電池がすぐ切れる\n2,\n3,使いやすい\n", encoding="cp932")
    counts = doors.judge_file(tmp_path / "a.csv", text="本文", out=tmp_path / "o.csv.gz", level="text")
    judged = pd.read_csv(tmp_path / "o.csv.gz", keep_default_na=False)
    assert counts == {"n_rows": 3, "n_judged": 3, "n_abstained": int(judged["abstained"].sum())}
    assert judged["row"].tolist() == [0, 1, 2] and judged["intent"].tolist()[::2] == ["complaint", "praise"]
    assert doors.embed_file(tmp_path / "a.csv", text="本文", out=tmp_path / "v.npy") == {"n_rows": 3, "n_dimensions": 512}
    vectors = np.load(tmp_path / "v.npy", allow_pickle=False)
    assert vectors.dtype == np.float32 and np.allclose(vectors[[0, 2]], doors.embed(["電池がすぐ切れる", "使いやすい"]), atol=1e-4)


def test_another_level_is_told():
    with pytest.raises(SourceError, match="sentence、text"):
        doors.judge(["x"], level="word")


@pytest.mark.slow
def test_any_table_is_grouped_and_every_row_is_told(tmp_path):
    whens, wishes = ["今月の", "先月の", "去年の", "取引先への", "支店の", "部署別の", "英語の"], ["出力できるようにしてほしい", "保存したいので対応してほしい", "まとめて落とせると助かる", "印刷できるようにしてください"]
    asked = [f"{when}請求書をPDFで{wish}" for when in whens for wish in wishes]
    slow = [f"{when}{what}の表示が{how}" for when in ("朝は", "月末に", "昨日から", "最近", "毎回") for what in ("一覧", "画面", "グラフ")
            for how in ("遅くて困ります", "とても遅いです", "遅すぎて仕事になりません")]  # fmt: skip
    rows = [*asked, *slow, "", "<script>alert(1)</script>"]
    table = pd.DataFrame({"日": [f"2026-{1 + n % 3:02d}-01" for n in range(len(rows))], "本文": rows})
    table.to_csv(tmp_path / "a.csv", index=False)
    counts = group_file(tmp_path / "a.csv", text="本文", time="日", out=tmp_path / "g.csv")
    grouped = pd.read_csv(tmp_path / "g.csv", dtype={"issue_id": "str"})
    assert list(grouped.columns) == ["row", "issue_id", "label", "kind", "probability"]
    assert sorted(set(grouped["row"])) == list(range(len(rows))) and counts["n_rows"] == len(rows)
    first = grouped.drop_duplicates("row").set_index("row")["issue_id"]
    kinds = grouped.drop_duplicates("row").set_index("row")["kind"]
    assert first.notna().mean() > 0.6 and {"要望", "不具合"} <= set(kinds.dropna())
    page = (tmp_path / "g.html").read_text(encoding="utf-8")
    assert "<script" not in page and "月ごとの件数" in page
    again = doors.group(rows, times=table["日"])
    assert again["issue_id"].fillna("").tolist() == grouped["issue_id"].fillna("").tolist()
    turned = doors.group(rows[::-1], times=table["日"][::-1])
    turned = turned.assign(row=len(rows) - 1 - turned["row"]).sort_values("row", kind="stable")
    assert turned["label"].fillna("").tolist() == grouped["label"].fillna("").tolist()
    assert doors.group(rows, n_issues=2)["issue_id"].nunique() == 2
    assert doors.group([]).empty and doors.group(["", None])["row"].tolist() == [0, 1]
