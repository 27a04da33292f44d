"""The main job as its user runs it: `voc demo`, twice, and `voc run` on real-looking and on wrong input."""

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from voc.store import read_table
from voc.tables import (
    CONTACTS,
    IMPACT,
    IMPACT_TOTALS,
    ISSUES,
    MENTIONS,
    RANKING,
    REJECTS,
    RUNS,
    SENTENCES,
    TABLES,
    TURNS,
    content_sha,
)  # fmt: skip

pytestmark = pytest.mark.slow


def table(folder: Path, contract):
    return read_table(contract, store=str(folder / "store"))


def test_it_ends_well_and_tells_the_headlines_and_the_reports(demo):
    done, folder = demo
    assert done.returncode == 0, done.stderr[-3000:]
    assert len(re.findall(r"^  ・.+", done.stdout, re.M)) == 3
    for name in ("product.html", "executive.html"):
        assert str(folder / "reports" / name) in done.stdout
        assert (folder / "reports" / name).stat().st_size > 50_000


def test_it_writes_nothing_outside_its_folder(demo):
    room = demo[1].parent
    assert sorted(p.name for p in room.iterdir()) == ["home", "voc-demo"]
    assert [p for p in (room / "home").rglob("*") if p.is_file()] == []


def test_every_table_is_there_and_the_run_is_recorded(demo):
    _, folder = demo
    run = table(folder, RUNS).iloc[-1]
    assert run["status"] == "completed" and set(json.loads(run["inputs"])) >= {"calls", "mails", "chats", "survey"}
    assert {"mask", "sentences", "opinions", "issues", "impact", "reports"} <= set(json.loads(run["seconds"]))
    assert {"prefect", "ginza", "bertopic", "sentence-transformers", "deltalake"} <= set(json.loads(run["versions"]))
    assert {name for name in TABLES if not (folder / "store" / name).is_dir()} <= {
        "erased", "counts_by_hour", "orders", "price_changes", "issue_calibration", "issue_labels", "unfinished"}  # what the company does not give


def test_every_figure_leads_back_to_masked_voices(demo):
    _, folder = demo
    turns = table(folder, TURNS).set_index("turn_id")["text"]
    sentences = table(folder, SENTENCES)
    assert [turns[r.turn_id][r.start : r.end] for r in sentences.itertuples()] == sentences["text"].tolist()
    mentions = table(folder, MENTIONS)
    assert set(mentions["sentence_id"]) <= set(sentences["sentence_id"])
    assert set(mentions["issue_id"]) <= set(table(folder, ISSUES)["issue_id"])
    assert set(table(folder, RANKING)["issue_id"]) <= set(table(folder, ISSUES)["issue_id"])


def test_no_planted_person_is_left_in_any_table(demo):
    _, folder = demo
    people = pd.read_csv(folder / "raw" / "customers.csv", dtype=str, encoding="utf-8-sig")
    stored = "\n".join(
        frame[column].dropna().astype(str).str.cat(sep="\n")
        for frame in (table(folder, contract) for contract in TABLES.values())
        for column in frame.columns
        if frame[column].dtype == "str"
    )
    assert [mail for mail in people["メールアドレス"].dropna() if mail in stored] == []
    assert [phone for phone in people["電話番号"].dropna() if phone in stored] == []


def test_contact_cost_of_issues_and_of_the_rest_is_the_whole(demo):
    _, folder = demo
    company = table(folder, IMPACT_TOTALS).set_index("scope").loc["company"]
    assert table(folder, IMPACT)["contact_cost_yen"].sum() == pytest.approx(company["contact_cost_yen"], rel=1e-6)


def test_joint_removal_never_exceeds_the_real_churns(demo):
    _, folder = demo
    churns = table(folder, IMPACT_TOTALS).set_index("scope")["churns_prevented"]
    answered = churns.drop("company").dropna()
    impact = table(folder, IMPACT)
    sure = ((impact["tier"] == "推定値") & (impact["flag"] == "")).any()
    assert ("top5" in answered) == sure and (answered <= churns["company"]).all()


def test_what_could_not_be_used_is_kept_with_its_reason(demo):
    _, folder = demo
    rejects = table(folder, REJECTS)
    assert (rejects["reason"].str.len() > 10).all()
    counts = json.loads(table(folder, RUNS).iloc[-1]["counts"])
    assert counts["rejects"] == len(rejects) and counts["parse"] == len(table(folder, CONTACTS))


def test_the_same_seed_gives_the_same_tables(demo, demo_size, tmp_path, voc):
    _, folder = demo
    again = voc("demo", *demo_size, cwd=tmp_path, home=tmp_path / "home")
    assert again.returncode == 0, again.stderr[-3000:]
    # a watermark tells besides when it was set
    one, other = ({n: content_sha(table(f, t).drop(columns="at" if n == "watermarks" else [])) for n, t in TABLES.items() if n != "runs"}
                  for f in (folder, tmp_path / "voc-demo"))  # fmt: skip
    assert {name for name in one if one[name] != other[name]} == set()


def test_a_survey_without_contracts_gives_a_report_that_says_what_is_missing(tmp_path, voc):
    folder = tmp_path / "survey"
    shutil.copytree(Path(__file__).parent / "survey", folder)
    done = voc("run", str(folder / "voc.toml"), cwd=tmp_path, home=tmp_path / "home")
    assert done.returncode == 0, done.stderr[-3000:]
    html = (folder / "reports" / "product.html").read_text(encoding="utf-8")
    assert "顧客表がありません" in html and "今回示せないこと" in html
    assert len(table(folder, CONTACTS)) == 49 and len(table(folder, REJECTS)) >= 2
    assert table(folder, IMPACT)["churns_prevented"].isna().all()
    assert "090-" not in " ".join(table(folder, TURNS)["text"])


SURVEY = '[[sources]]\nname = "s"\nformat = "survey"\npath = "s.csv"\n[sources.columns]\nstarted_at = "日時"\n[sources.texts]\n"感想" = "ご感想"\n'


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("番号,意見\n1,遅い\n".encode(), ["s.csv", "日時", "番号"]),
        (b"\x81\x00\xff\xfe\x00\x9f\x92\x00\x80", ["s.csv"]),
        (None, ["s.csv"]),
        (b"", ["s.csv"]),
    ],
    ids=["missing column", "unreadable bytes", "no file", "empty file"],
)
def test_wrong_input_is_told_with_its_file_and_no_traceback(content, told, tmp_path, voc):
    (tmp_path / "voc.toml").write_text(SURVEY, encoding="utf-8")
    if content is not None:
        (tmp_path / "s.csv").write_bytes(content)
    done = voc("run", str(tmp_path / "voc.toml"), cwd=tmp_path, home=tmp_path / "home")
    assert done.returncode == 2, done.stderr[-2000:]
    assert "Traceback" not in done.stderr + done.stdout
    assert all(word in done.stderr for word in told), done.stderr


def test_the_report_tells_how_many_voices_no_issue_took(demo):
    _, folder = demo
    counts = json.loads(table(folder, RUNS).iloc[-1]["counts"])
    html = (folder / "reports" / "product.html").read_text(encoding="utf-8")
    assert 0 < counts["unassigned"] < counts["voices"]
    assert f"{counts['unassigned']:,}文" in html
