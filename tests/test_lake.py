"""`voc.open`: any table by name, mentions and impact with words, a past run, SQL over the same tables."""

import json

import pandas as pd
import pytest

import voc
from voc import tables
from voc.errors import StoreError, VocError
from voc.lake import meaning
from voc.store import append_rows, forget_history, versions, write_table

AT = pd.Timestamp("2026-10-05T01:00:00Z")


def issues(label="口座連携が切れる"):
    return pd.DataFrame({
        "issue_id": ["VOC-0001", "VOC-0002"], "label": [label, "解約手続き"], "kind": "complaint", "status": "active",
        "first_seen_at": AT, "centroid": [[1.0, 0.0]] * 2, "threshold": 0.5, "exemplar_ids": [["s1"], ["s2"]],
        "keywords": [["口座"], ["解約"]], "n_sentences": 1,
    })  # fmt: skip


def impact(start, ltv):
    """One period of twelve months; period_end_on is its last day, as a run writes it."""
    return pd.DataFrame({
        "issue_id": ["VOC-0001", "VOC-0002"], "period_start_on": pd.Timestamp(start),
        "period_end_on": pd.Timestamp(start) + pd.DateOffset(months=12) - pd.Timedelta(days=1), "n_exposed_events": 9.0, "tier": "推定値", "flag": "",
        "ltv_shrunken_yen": ltv, "n_contacts": 4.0, "n_customers": 9, "contact_cost_yen": 1.0, "repeat_cost_yen": 0.0,
        "deflectable_low_yen": 0.0, "deflectable_high_yen": 0.0,
    })  # fmt: skip


def controls(*confirmed):
    return pd.DataFrame({"issue_id": ["VOC-0002"], "is_confirmed": ["VOC-0002" in confirmed], "is_proposed": True})


@pytest.fixture
def store(tmp_path):
    path = str(tmp_path / "store")
    sentences = pd.DataFrame({
        "sentence_id": ["s1", "s2", "s3"], "turn_id": "t", "contact_id": "c", "position": 0, "start": 0, "end": 3,
        "text": ["口座連携がまた切れました", "解約したい", "連携できない"], "terms": [["口座"], ["解約"], ["連携"]],
    })  # fmt: skip
    mentions = pd.DataFrame({
        "issue_id": ["VOC-0001", "VOC-0002", "VOC-0001"], "sentence_id": ["s1", "s2", "s3"], "contact_id": "c",
        "mentioned_at": AT, "probability": [0.7, 0.9, 0.8],
    })  # fmt: skip
    write_table(sentences, tables.SENTENCES, store=path)
    write_table(mentions, tables.MENTIONS, store=path)
    write_table(issues("旧い名前"), tables.ISSUES, store=path)
    of_first = json.dumps(versions(store=path))
    write_table(issues(), tables.ISSUES, store=path)
    write_table(impact("2025-11-01", [5.0, 9.0]), tables.IMPACT, store=path)
    write_table(controls(), tables.IMPACT_CONTROLS, store=path)
    runs = pd.DataFrame({
        "run_id": ["R1", "R2"], "as_of_on": pd.Timestamp("2026-11-01"), "started_at": [AT, AT + pd.Timedelta(days=1)],
        "status": "completed", "config_sha": "", "seed": 1, "tables": [of_first, json.dumps(versions(store=path))],
    }).assign(**dict.fromkeys(("inputs", "versions", "models", "counts", "seconds", "settings"), "{}"))  # fmt: skip
    write_table(runs, tables.RUNS, store=path)
    return path


def test_any_table_is_an_attribute_and_is_completed(store):
    lake = voc.open(store)
    assert list(lake.sentences.columns) == list(tables.SENTENCES.columns)
    assert lake.opinions.empty  # not written yet
    assert {"sentences", "mentions", "impact", "ranking", "describe", "sql"} <= set(dir(lake))
    with pytest.raises(AttributeError, match="sentences"):
        _ = lake.sentense


def test_mentions_have_the_words_and_the_label(store):
    found = voc.open(store).mentions(issue="VOC-0001")
    assert found["text"].tolist() == ["連携できない", "口座連携がまた切れました"]
    assert set(found["label"]) == {"口座連携が切れる"}
    assert len(voc.open(store).mentions()) == 3


def test_impact_of_a_month_dearest_first(store):
    lake = voc.open(store)
    assert lake.impact()["ltv_shrunken_yen"].tolist() == [9.0, 5.0]
    for month in ("2025-11", "2026-10"):  # the first and the last one of the period
        assert lake.impact(period=month)["issue_id"].tolist() == ["VOC-0002", "VOC-0001"]
    for month in ("2025-10", "2026-11"):
        with pytest.raises(StoreError, match="2025-11 から 2026-10"):
            lake.impact(period=month)
    with pytest.raises(StoreError, match="2026-10"):
        lake.impact(period="先月")


def test_dearest_first_is_the_order_of_the_ranking(store):
    """Equal ones by contacts, then by number; what cannot be at stake counts for nothing."""
    same = impact("2025-11-01", [5.0, 5.0])
    write_table(same.assign(n_contacts=[3.0, 8.0]), tables.IMPACT, store=store)
    assert voc.open(store).impact()["issue_id"].tolist() == ["VOC-0002", "VOC-0001"]
    write_table(same, tables.IMPACT, store=store)
    assert voc.open(store).impact()["issue_id"].tolist() == ["VOC-0001", "VOC-0002"]
    write_table(impact("2025-11-01", [-7.0, 0.0]), tables.IMPACT, store=store)
    assert voc.open(store).impact()["issue_id"].tolist() == ["VOC-0001", "VOC-0002"]  # a negative LTV is no gain
    write_table(impact("2025-11-01", [5.0, 9.0]), tables.IMPACT, store=store)
    write_table(controls("VOC-0002"), tables.IMPACT_CONTROLS, store=store)
    assert voc.open(store).impact()["issue_id"].tolist() == ["VOC-0001", "VOC-0002"]


def test_a_past_run_by_its_id(store):
    assert voc.open(store, run="R1").issues.loc[0, "label"] == "旧い名前"
    assert voc.open(store, run="R2").issues.loc[0, "label"] == "口座連携が切れる"
    with pytest.raises(StoreError, match="impact を書いていません"):
        voc.open(store, run="R1").impact()
    with pytest.raises(StoreError, match="R1、R2"):
        _ = voc.open(store, run="R9").issues


def test_a_run_that_did_not_come_through_left_no_tables(store):
    cut = voc.open(store).runs.tail(1).assign(run_id="R3", status="interrupted", tables=None, started_at=AT + pd.Timedelta(days=2))
    append_rows(cut, tables.RUNS, store=store)
    with pytest.raises(StoreError, match="最後まで進んでいません"):
        _ = voc.open(store, run="R3").issues


def test_a_version_that_is_gone_is_told(store):
    forget_history(tables.ISSUES, store=store)
    with pytest.raises(StoreError, match="もう残っていません"):
        _ = voc.open(store, run="R1").issues


@pytest.mark.parametrize(("ask", "told"), [
    (lambda lake: lake.mentions(issue="VOC-9999"), "VOC-0001"),
    (lambda lake: lake.table("sentense"), "sentences"),
    (lambda lake: lake.describe("sentense"), "sentences"),
])  # fmt: skip
def test_what_is_not_there_is_told_with_what_is(store, ask, told):
    with pytest.raises(VocError, match=told):
        ask(voc.open(store))


def test_a_folder_without_tables_is_told(tmp_path):
    with pytest.raises(StoreError, match="voc run"):
        voc.open(tmp_path)


@pytest.mark.slow
def test_sql_reads_the_same_tables(store):
    pytest.importorskip("duckdb")
    query = "select label, count(*) as n from mentions join issues using (issue_id) group by 1 order by 2 desc"
    assert voc.open(store).sql(query).df().to_dict("list") == {"label": ["口座連携が切れる", "解約手続き"], "n": [2, 1]}
    assert voc.open(store, run="R1").sql("select label from issues order by 1 limit 1").fetchall() == [("旧い名前",)]


@pytest.mark.parametrize("table", sorted(tables.TABLES))
def test_every_column_is_described(table):
    assert [column for column in tables.TABLES[table].columns if not meaning(table, column)] == []


def test_nothing_is_described_that_is_in_no_table():
    from voc.lake import _meanings

    known = {(c, where) for t in tables.TABLES.values() for c in t.columns for where in (t.name, "*")}
    assert set(_meanings()) <= known


def test_describe_names_keys_types_and_meaning(store):
    rows = voc.open(store).describe("mentions").set_index("column")
    assert rows.loc["issue_id", "is_key"]
    assert rows.loc["customer_id", "may_be_empty"]
    assert rows.loc["probability", "type"] == "float"
