import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pandas as pd
import pytest

from voc.reports import charts
from voc.reports.html import figures, write_cs_report, write_daily, write_reports, write_weekly

HOSTILE = [
    "<script>alert(document.domain)</script>という画面が出て困っています",
    '"><img src=x onerror=alert(1)>と表示されて先へ進めません',
    "</style></script><svg onload=alert(1)>が画面に出てしまいます",
    "[こちら](javascript:alert(1)) を押しても **何も** 起きません",
    "\u202eすまりあが行逆\u202c\u2066\u200b という文字が見えています",
    "{{ 7 * 7 }}{% raw %}${7*7} がそのまま表示されてしまいます",
    "あ" * 1_000_000,
]
VOID = {"meta", "link", "input", "br", "img"}
ALLOWED_TAGS = set(
    "html head meta link title style body a header p h1 span main section ol li b nav h2 small form label input select option "
    "output table caption thead tbody tr th td button dl dt dd div figure figcaption article h3 h4 blockquote footer aside ul "
    "script em i svg desc g path text line rect circle polyline defs clippath lineargradient stop".split())


class Page(HTMLParser):
    """Collects tags, attributes and ids, and refuses tags that are closed out of order."""

    def __init__(self, text: str):
        super().__init__()
        self.tags, self.attributes, self.scripts, self.stack, self.text = [], [], [], [], []
        self.feed(text)
        assert self.stack == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag

    def handle_data(self, data):
        (self.scripts if self.stack and self.stack[-1] == "script" else self.text).append(data)


def written(make, folder, tables=None, **changes):
    tables = make.tables() if tables is None else tables
    paths = write_reports(tables, folder, config=make.config(**changes), run=make.run())
    return {path.name: path.read_text(encoding="utf-8") for path in paths}


@pytest.fixture(scope="module")
def pages(make, tmp_path_factory):
    return written(make, tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="module")
def decided(make, tmp_path_factory):
    return written(make, tmp_path_factory.mktemp("decided"), make.decided())


@pytest.fixture(scope="module")
def attacked(make, tmp_path_factory):
    return written(make, tmp_path_factory.mktemp("attacked"), hostile_tables(make), company={"name": HOSTILE[1]})


def hostile_tables(make):
    tables = make.decided()
    n = len(tables["sentences"])
    tables["sentences"]["text"] = pd.Series([HOSTILE[i % len(HOSTILE)] for i in range(n)], dtype="str")
    tables["issues"]["label"] = pd.Series([HOSTILE[i % len(HOSTILE)] for i in range(len(tables["issues"]))], dtype="str")
    tables["issues"]["keywords"] = pd.Series([HOSTILE] * len(tables["issues"]))
    for table, columns in (("rejects", ["reason", "stage"]), ("issue_segments", ["value"]), ("requests", ["phrase"]),
                           ("recommendations", ["owner", "action"]), ("option_matches", ["option_name"]), ("faq_triage", ["evidence"]),
                           ("impact_sensitivity", ["line"]), ("impact_reverse", ["basis"])):
        for column in columns:
            tables[table][column] = HOSTILE[1] + tables[table][column]
    return tables


@pytest.mark.slow
def test_both_reports_are_the_same_twice(make, pages, tmp_path):
    assert written(make, tmp_path) == pages


def test_both_reports_are_small_and_whole(pages):
    assert list(pages) == ["product.html", "executive.html"]
    for text in pages.values():
        assert len(text.encode()) < 1_000_000
        assert set(Page(text).tags) <= ALLOWED_TAGS


@pytest.mark.parametrize("name", ["product.html", "executive.html"])
def test_nothing_is_fetched(pages, name):
    text = pages[name]
    links = [value for _, attribute, value in Page(text).attributes if attribute in ("src", "href", "xlink:href", "action")]
    assert links
    assert all(value.startswith("#") or value in ("data:,", "product.xlsx") for value in links)  # the book lies beside the page
    assert ("product.xlsx" in links) == (name == "product.html")
    assert not re.search(r"url\((?!['\"]?(#|data:))|@import", text)
    assert next(value for _, attribute, value in Page(text).attributes if attribute == "content").startswith("default-src 'none';")


@pytest.mark.slow
def test_what_the_decisions_rest_on_stands_on_its_page(decided, pages):
    both = {'id="placebo-h"': (True, True), 'id="reverse-list-h"': (True, True), 'class="advice"': (True, True), "すでにある機能": (True, True),
            'class="mini sensitivity"': (True, False), 'id="drivers-h"': (False, True), 'id="contrasts-h"': (False, True), "他ツールの計算": (False, True)}
    for mark, wanted in both.items():
        assert tuple(mark in text for text in decided.values()) == wanted, mark
        assert not any(mark in text for text in pages.values()), mark


@pytest.mark.parametrize("has_decisions", [pytest.param(True, marks=pytest.mark.slow), False])
@pytest.mark.parametrize("name", ["product.html", "executive.html"])
def test_every_inner_link_has_its_place_and_every_id_is_one(request, name, has_decisions):
    page = Page(request.getfixturevalue("decided" if has_decisions else "pages")[name])
    ids = [value for _, attribute, value in page.attributes if attribute == "id"]
    assert len(ids) == len(set(ids))
    wanted = {value[1:] for _, attribute, value in page.attributes if attribute == "href" and value.startswith("#")}
    wanted |= {part for _, attribute, value in page.attributes if attribute == "aria-labelledby" for part in value.split()}
    assert wanted <= set(ids)


@pytest.mark.parametrize("name", ["product.html", "executive.html"])
def test_customer_text_stays_text(attacked, name):
    text = attacked[name]
    page = Page(text)
    assert set(page.tags) <= ALLOWED_TAGS
    assert not {attribute for _, attribute, _ in page.attributes if attribute.startswith("on")}
    assert len(page.scripts) == 1
    assert "alert" not in page.scripts[0]
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\u200e\u200f]", text)
    shown = "".join(page.text)
    assert "<script>alert(document.domain)</script>という画面" in shown
    assert "{{ 7 * 7 }}" in shown
    assert "あ" * 201 not in shown
    assert len(text.encode()) < 1_500_000


def test_amounts_are_set_apart_without_trusting_the_text():
    assert figures("<b>月8.6名</b>少なくとも毎月8.6名と月−6.4万円") == (
        '&lt;b&gt;<b class="num">月8.6名</b>&lt;/b&gt;<b class="num">少なくとも毎月8.6名</b>と<b class="num">月−6.4万円</b>')


@pytest.mark.slow
def test_without_churn_no_churn_column_is_drawn(make, tmp_path):
    text = written(make, tmp_path, make.tables(with_churn=False))["product.html"]
    page = Page(text)
    assert ("button", "data-key", "churn") not in page.attributes
    assert "今回示せないこと" in text


def test_reports_of_nothing_are_written(make, tmp_path):
    for text in written(make, tmp_path, {}).values():
        assert "順位を付けられる課題はまだありません。" in text
        Page(text)


def ranked(**changes):
    row = {"rank": 1, "label": HOSTILE[1], "low": 0.2, "high": 3.1, "point": None, "verdict": "reference"}
    return {**row, **changes}


def test_a_reference_value_has_an_interval_but_no_point():
    without = charts.ranking_chart([ranked()], width=charts.WIDE)
    point = charts.ranking_chart([ranked(verdict="estimate", point=1.4)], width=charts.WIDE)
    assert "role-mark" in point
    assert point.count("A4.") + point.count("aria-roledescription=\"point\"") > without.count("aria-roledescription=\"point\"")
    assert 'aria-roledescription="point"' not in without


@pytest.mark.parametrize("width", [charts.WIDE, charts.NARROW])
def test_charts_are_named_for_those_who_do_not_see_them(make, width):
    months = make.tables()["company_months"]
    for svg in (charts.ranking_chart([ranked()], width=width), charts.company_chart(months, width=width)):
        root = ElementTree.fromstring(svg)  # noqa: S314 - our own picture
        named = {element.get("id"): element.text for element in root.iter() if element.get("id")}
        assert root.get("role") == "img"
        assert all(named[part] for part in root.get("aria-labelledby").split())
        assert not [e for e in root.iter() if e.tag.rsplit("}", 1)[-1] in ("script", "image", "foreignObject", "a")]


def test_nothing_to_draw_draws_nothing():
    assert charts.ranking_chart([ranked(low=None)], width=charts.WIDE) == ""
    assert charts.sparkline([]) == ""
    assert charts.month_bars([], "k", "t") == ""


@pytest.mark.slow
def test_pages_stay_small_with_sixty_thousand_contacts(make, tmp_path):
    tables = make.decided()
    n = -(-60_000 // len(tables["contacts"]))
    ids = {"contacts": ["contact_id", "customer_id"], "sentences": ["sentence_id", "contact_id", "turn_id"], "mentions": ["sentence_id", "contact_id", "customer_id"],
           "opinions": ["sentence_id"], "requests": ["sentence_id"]}
    for name, columns in ids.items():
        many = pd.concat([tables[name]] * n, ignore_index=True)
        copy = pd.Series(range(n)).repeat(len(tables[name])).astype(str).to_numpy()
        tables[name] = many.assign(**{column: many[column] + "-" + copy for column in columns})
    assert len(tables["contacts"]) >= 60_000
    for write in (write_reports, write_cs_report, write_daily, write_weekly):
        written = write(tables, tmp_path, config=make.config(), run=make.run())
        for path in written if isinstance(written, list) else [written]:
            assert path.stat().st_size < 3_000_000, path.name
