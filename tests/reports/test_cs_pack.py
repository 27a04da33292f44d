"""The pack of the service desk: its figures, what is hidden, hostile text, and cs.html in a real browser."""

import re

import openpyxl
import pandas as pd
import pytest

from tests.reports.test_browser import opened
from tests.reports.test_html import ALLOWED_TAGS, HOSTILE, Page
from voc import tables as contract
from voc.reports.cs_pack import cs_report, cs_sheets
from voc.reports.html import write_cs_report
from voc.reports.workbook import write_workbook

USES = "VOC-0006"  # 使い方
BUG = "VOC-0001"


def frame(name, rows) -> pd.DataFrame:
    return contract.check(pd.DataFrame(rows), contract.TABLES[name])


def desk_tables(make) -> dict[str, pd.DataFrame]:
    """The fixture's voices, plus chats with operators, calls of leaving customers, health and cost parts."""
    tables = make.tables()
    turns, sentences, opinions, contacts, mentions, calls = [], [], [], [], [], []
    at = pd.Timestamp("2026-09-10 03:00", tz="UTC")

    def talk(n, said, *, issue=USES, answer=None, **call):
        contact = f"d{n:02d}"
        contacts.append({"contact_id": contact, "customer_id": f"k{n:02d}", "channel": "call", "started_at": at + pd.Timedelta(hours=n), "source": "demo",
                         "source_row": contact, "content_sha": contact, "n_transfers": float(n % 2), "is_resolved": call.pop("is_resolved", None)})
        lines = [("customer", said), ("operator", "少々お待ちください。確認いたします。"), ("operator", answer or "いつもありがとうございます。")]
        turns.extend({"turn_id": f"{contact}-{i}", "contact_id": contact, "position": i, "speaker": who, "text": text} for i, (who, text) in enumerate(lines))
        sentences.append({"sentence_id": f"s{contact}", "turn_id": f"{contact}-0", "contact_id": contact, "position": 0, "start": 0, "end": len(said),
                          "text": said, "terms": ["ログイン"] if "ログイン" in said else []})
        kind = call.pop("kind", "question")
        shares = {f"p_{name}": 0.9 if name == kind else 0.0 for name in ("complaint", "request", "question", "praise", "cancel", "other")}
        opinions.append({"sentence_id": f"s{contact}", "p_negative": 0.1, "p_neutral": 0.8, "p_positive": 0.1, "polarity": "neutral", "strength": 0.0,
                         **shares, "intent": kind, "flags": [], "is_abstained": False})
        if issue:
            mentions.append({"issue_id": issue, "sentence_id": f"s{contact}", "contact_id": contact, "customer_id": f"k{n:02d}",
                             "mentioned_at": contacts[-1]["started_at"], "probability": 0.97})
        calls.append({"contact_id": contact, "outcome": "unknown", **call})

    for n in range(6):
        talk(n, f"ログインの設定画面はどこから開けますか、{n}回目です", answer="右上のメニューから設定を選んでください。", is_resolved=n > 0)
    talk(6, "登録番号はどこに入れるのですか", answer="確認して折り返しお電話いたします。")
    for n in range(10, 17):
        talk(n, f"使わないので解約したいです{n}", kind="cancel", issue="VOC-0008", cancel_reason=f"使わないので解約したいです{n}", offer="3か月半額", is_kept=n < 15)
    talk(17, "高いので解約します", kind="cancel", issue="VOC-0003", cancel_reason="高いので解約します")
    talk(20, "サポートの方の説明が丁寧で助かりました", kind="praise", issue=None)
    talk(21, "画面の色がきれいで気に入っています", kind="praise", issue=None)
    new = {"turns": turns, "sentences": sentences, "opinions": opinions, "contacts": contacts, "mentions": mentions}
    tables |= {name: contract.check(pd.concat([tables[name], frame(name, rows)], ignore_index=True), contract.TABLES[name]) for name, rows in new.items()}
    tables["calls"] = frame("calls", calls)
    health = [{"customer_id": f"k{n:02d}", "as_of_on": pd.Timestamp("2026-10-01"), "tier": "high", "ltv_yen": 1e5 * n, "score": 50.0 + n, "band": "危険",
               "reasons": [f"問い合わせが 90 日間に {n} 回（-10点）"], "issue_id": BUG, "churn_share": 0.15, "loss_yen": 1.5e4 * n, "is_at_risk": n >= 10}
              for n in (*range(7), *range(10, 18))]
    tables["customer_health"] = frame("customer_health", health)
    tables["health_test"] = frame("health_test", [
        {"scope": "all", "band": band, "n_customer_months": 900, "n_churned": 90, "churn_share": share, "auc": auc, "auc_low": 0.6, "auc_high": 0.7, "n_months": 12}
        for band, share, auc in (("", 0.06, 0.65), ("危険", 0.15, None))])
    money = {"handle_yen": 9e5, "after_call_yen": 0.0, "per_contact_yen": 0.0, "saving_yen": 0.0, "saving_low_yen": 0.0,
             "saving_high_yen": 0.0, "saving_cash_yen": 0.0, "faq_yen": 0.0}
    tables["cost_parts"] = frame("cost_parts", [
        {"scope": "issue", "issue_id": USES, **money, "transfer_yen": 4000.0, "contact_cost_yen": 388_000.0, "repeat_cost_yen": 7e4, "cash_yen": 77_600.0, "capacity_yen": 310_400.0},
        {"scope": "company", "issue_id": "", **money, "transfer_yen": 9000.0, "contact_cost_yen": 1e6, "repeat_cost_yen": 1.2e5, "cash_yen": 1.9e5, "capacity_yen": 8.1e5,
         "note": "現金は委託の件数課金や残業など、問い合わせが減れば支払いが減る分。"}])
    channels = (("call", 420.0, 7.6e5, 4500.0, 0.25), ("email", 310.0, 2.4e5, 4500.0, 0.0), ("survey", 190.0, 0.0, None, 0.0))
    tables["cost_channels"] = frame("cost_channels", [
        {"channel": name, "n_contacts": n, "handle_hours": yen / (rate or 1.0), "n_seconds_assumed": n * (name == "email"), "contact_cost_yen": yen,
         "cost_per_contact_yen": yen / n, "yen_per_hour": rate, "concurrency": 1.0, "cash_share": cash} for name, n, yen, rate, cash in channels])
    return tables


@pytest.fixture(scope="module")
def tables(make):
    return desk_tables(make)


@pytest.fixture(scope="module")
def report(make, tables):
    return cs_report(tables, config=make.config(), run=make.run())


@pytest.fixture(scope="module")
def sheets(make, tables):
    return {sheet.name: sheet for sheet in cs_sheets(tables, config=make.config(), run=make.run())}


def test_three_sentences_with_their_yen(report):
    assert [item["sentence"] for item in report["headlines"]] == [
        "使い方・手続きの問い合わせを顧客が自分で解決できるようになれば、問い合わせコストを毎月19.4万円〜31万円削減できる見込みです。",
        "一度で解決せず再び寄せられた問い合わせに、毎月12万円かかっています。",
        "先に声をかけたい顧客は8名です。失うおそれのあるLTVは合計162万円です。",
    ]
    assert "転送のコスト 月9,000円" in report["headlines"][1]["basis"]


def test_faq_rows_are_those_of_impact_until_a_triage_is_given(make, tables, sheets):
    rows = sheets["FAQ"].rows
    impact = tables["impact"].set_index("issue_id").loc[USES]
    assert rows["課題番号"].tolist() == [USES]
    assert rows.loc[0, ["削減の下限／月", "削減の上限／月"]].tolist() == [impact["deflectable_low_yen"], impact["deflectable_high_yen"]]
    assert "faq_logs" in "".join(sheets["FAQ"].lines)
    triage = pd.DataFrame([{"issue_id": USES, "state": "not_found", "article_id": "A1", "yen_low": 1000.0, "yen_high": 2000.0, "evidence": "検索40件のうち31件が該当なし"}])
    faq = frame("faq", [{"article_id": "A1", "title": "登録番号の入力", "body": "設定から入力します"}])
    given = cs_sheets({**tables, "faq_triage": triage, "faq": faq}, config=make.config(), run=make.run())[1]
    columns = ["状態", "記事", "削減の下限／月", "削減の上限／月", "根拠"]
    assert given.rows.loc[0, columns].tolist() == ["記事が見つけられていない", "登録番号の入力", 1000.0, 2000.0, "検索40件のうち31件が該当なし"]


def test_places_are_counted_in_complaints_and_questions(sheets):
    rows = sheets["つまずき"].rows.set_index("画面・操作")
    assert rows.loc["設定画面", ["分類", "問い合わせ", "質問の文", "不満の文", "顧客数"]].tolist() == ["画面", 6, 6, 0, 6]
    assert rows.loc["ログイン", ["分類", "問い合わせ"]].tolist() == ["操作", 6]


def test_repeats_and_transfers(sheets):
    row = sheets["再問い合わせと転送"].rows.set_index("課題番号").loc[USES]
    assert row[["再問い合わせのコスト／月", "転送のコスト／月", "転送された問い合わせ"]].tolist() == [7e4, 4000.0, 3]
    assert row["転送された割合"] == pytest.approx(3 / 7)


def test_a_question_is_paired_with_the_turn_that_tells_something(sheets):
    rows = sheets["質問と回答"].rows
    assert rows["回答（応対者）"].tolist() == ["右上のメニューから設定を選んでください。"]  # equal answers once; a promise to call back is none
    assert rows["解決"].tolist() == ["解決"]


def test_reasons_and_offers(sheets):
    reasons = sheets["解約理由"].rows.set_index("理由（課題）")
    assert reasons.loc["解約・退会の手続きを知りたい", ["申し出", "顧客数", "留まった"]].tolist() == [7, 7, 5]
    assert reasons.loc["料金改定への不満", "顧客数"] == "5名未満"
    assert pd.isna(reasons.loc["料金改定への不満", "留まった"])
    offers = sheets["引き留め"].rows.set_index("提案")
    assert offers.loc["3か月半額", ["申し出", "留まった", "解約に進んだ", "留まった割合"]].tolist() == pytest.approx([7, 5, 2, 5 / 7])
    assert offers.loc["（提案の記録なし）", ["留まった", "留まった割合"]].isna().all()


def test_customers_at_risk_stand_under_their_pseudonyms(sheets):
    sheet = sheets["要注意の顧客"]
    assert sheet.rows["仮名"].tolist() == [f"k{n}" for n in range(17, 9, -1)]
    assert sheet.rows.loc[0, ["健康度", "LTV", "失うおそれのあるLTV", "LTV区分"]].tolist() == [67.0, 1.7e6, 2.55e5, "ハイタッチ"]
    told = "".join(sheet.lines)
    assert "voc reveal 仮名 --config voc.toml" in told
    assert "「危険」の顧客のうち3か月以内に解約したのは15.0%（全体では6.0%）" in told


def test_the_page_for_the_desk_tells_what_it_protected(report):
    tiles = {tile["name"]: tile for tile in report["shared"]["tiles"]}
    assert report["shared"]["month"] == "2026年9月"
    assert tiles["解決した問い合わせ"]["value"] == "5件"
    assert tiles["解決した問い合わせ"]["note"] == "結果の分かる6件のうち83%"
    assert (tiles["引き留めた顧客"]["value"], tiles["引き留めた顧客"]["note"]) == ("5名", "LTVの合計 600万円")
    assert [row[2]["text"] for row in report["thanks"]["table"]["rows"]] == ["サポートの方の説明が丁寧で助かりました"]


def test_page_and_book_say_the_same(report, sheets, tmp_path):
    path = write_workbook(list(sheets.values()), tmp_path / "cs.xlsx", title="題", as_of_on=None)
    with pytest.warns(UserWarning, match="extension"):
        book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["概要", "FAQ", "つまずき", "再問い合わせと転送", "問い合わせコスト", "質問と回答", "解約理由", "引き留め", "要注意の顧客", "お客様の言葉", "声を寄せた顧客", "数値の出典", "前提と計算方法"]
    for section, page in zip(report["sections"], book.worksheets[1:], strict=False):
        (native,) = page.tables.values()
        body = [[cell.value for cell in row] for row in page[native.ref]]
        assert len(section["table"]["rows"]) == len(body) - 1
        assert section["table"]["rows"][0][0]["text"] in [str(value) for value in body[1]]
    told = "".join(str(cell.value) for row in book["概要"].rows for cell in row)
    assert all(item["sentence"] in told for item in report["headlines"])


@pytest.mark.slow
def test_a_pack_of_nothing_is_written(make, tmp_path):
    text = write_cs_report({}, tmp_path, config=make.config(), run=make.run()).read_text(encoding="utf-8")
    Page(text)
    assert "解約のおそれがある顧客は、今回は示せません。" in text
    assert len(cs_sheets({}, config=make.config(), run=make.run())) == 13


@pytest.mark.slow
def test_without_churn_the_pack_is_written(make, tmp_path):
    write_cs_report(make.tables(with_churn=False), tmp_path, config=make.config(), run=make.run(reasons=["契約データがありません。"]))


@pytest.mark.slow
def test_customer_text_stays_text(make, tables, tmp_path):
    changed = dict(tables)
    for name, column in (("sentences", "text"), ("turns", "text"), ("issues", "label"), ("calls", "cancel_reason"), ("calls", "offer")):
        values = changed[name][column]
        bad = pd.Series([HOSTILE[i % len(HOSTILE)] for i in range(len(values))], index=values.index, dtype=object)
        changed[name] = changed[name].assign(**{column: bad.where(values.notna(), None)})
    changed["turns"]["text"] = "画面を開いてください" + changed["turns"]["text"]
    changed["customer_health"] = tables["customer_health"].assign(reasons=[[HOSTILE[0], HOSTILE[1]]] * len(tables["customer_health"]))
    text = write_cs_report(changed, tmp_path, config=make.config(company={"name": HOSTILE[1]}), run=make.run()).read_text(encoding="utf-8")
    page = Page(text)
    assert set(page.tags) <= ALLOWED_TAGS
    assert not {name for _, name, _ in page.attributes if name.startswith("on")}
    assert len(page.scripts) == 1
    assert "alert" not in page.scripts[0]
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b]", text)
    assert "あ" * 401 not in text
    links = [value for _, name, value in page.attributes if name in ("src", "href", "action")]
    assert all(value.startswith("#") or value == "data:," for value in links)
    assert "<script>alert(document.domain)</script>" in "".join(page.text)


def test_every_inner_link_has_its_place_and_every_id_is_one(make, tables, tmp_path):
    page = Page(write_cs_report(tables, tmp_path, config=make.config(), run=make.run()).read_text(encoding="utf-8"))
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    wanted = {value[1:] for _, name, value in page.attributes if name == "href" and value.startswith("#")}
    wanted |= {part for _, name, value in page.attributes if name in ("aria-labelledby", "data-for") for part in value.split()}
    assert wanted <= set(ids)


@pytest.mark.slow
def test_the_page_opens_in_silence_sorts_and_filters(chromium, make, tables, tmp_path):
    path = write_cs_report(tables, tmp_path, config=make.config(), run=make.run())
    page, console = opened(chromium, path, tmp_path / "profile")
    assert console == []
    assert page.count('class="sift live"') == 8
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", path.read_text(encoding="utf-8"))
    act = """<script>
      var table = document.getElementById('risk-t');
      table.querySelector('[data-column="3"]').click(); table.querySelector('[data-column="3"]').click();
      var form = document.querySelector('form[data-for=risk-t]'), field = form.querySelector('[data-filter=text]');
      field.value = '1'; field.dispatchEvent(new Event('input', {bubbles: true}));
      document.title = Array.from(table.tBodies[0].rows).filter(function (row) { return !row.hidden; })
        .map(function (row) { return row.cells[0].textContent; }).join('|') + ' ' + form.querySelector('output').textContent;
    </script></body>"""
    (tmp_path / "act.html").write_text(text.replace("</body>", act), encoding="utf-8")
    page, console = opened(chromium, tmp_path / "act.html", tmp_path / "profile")
    assert console == []
    assert "<title>k10|k11|k12|k13|k14|k15|k16|k17 全8行</title>" in page
