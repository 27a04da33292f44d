"""The written reports in a real browser: nothing fetched, nothing complained about, table sorts and filters."""

import re
import subprocess

import pytest

from voc.reports.html import write_daily, write_reports, write_weekly

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --enable-logging=stderr --virtual-time-budget=3000 --dump-dom"
).split()
pytestmark = pytest.mark.slow


def opened(chromium, path, profile) -> tuple[str, list[str]]:
    """The page after its script ran, and what it wrote to the console.

    The pages forbid every request by their policy, so a request they tried would stand in the console.
    """
    done = subprocess.run([chromium, *FLAGS, f"--user-data-dir={profile}", path.as_uri()], capture_output=True, text=True,
                          timeout=120, check=True)
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


@pytest.mark.parametrize("with_churn", [True, False])
@pytest.mark.parametrize("name", ["product", "executive"])
def test_page_opens_in_silence(chromium, make, tmp_path, name, with_churn):
    write_reports(make.tables(with_churn=with_churn), tmp_path, config=make.config(), run=make.run())
    page, console = opened(chromium, tmp_path / f"{name}.html", tmp_path / "profile")
    assert console == []
    assert 'class="rank live"' in page
    assert re.search(r"全\d+課題</output>", page)


def test_a_request_would_be_seen(chromium, make, tmp_path):
    write_reports({}, tmp_path, config=make.config(), run=make.run())
    text = (tmp_path / "product.html").read_text(encoding="utf-8")
    bad = tmp_path / "bad.html"
    bad.write_text(text.replace("<main", '<img src="https://example.invalid/x.png"><script>alert(1)</script><main'), encoding="utf-8")
    _, console = opened(chromium, bad, tmp_path / "profile")
    assert len(console) >= 2


def test_table_sorts_and_filters(chromium, make, tmp_path):
    write_reports(make.tables(), tmp_path, config=make.config(), run=make.run())
    text = (tmp_path / "product.html").read_text(encoding="utf-8")
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
    act = """<script>
      document.querySelector('[data-key=contacts]').click();
      var kind = document.querySelector('[data-filter=kind]'); kind.value = '不具合';
      kind.dispatchEvent(new Event('input', {bubbles: true}));
      document.title = Array.from(document.querySelectorAll('#rank-table tbody tr:not([hidden]) th'))
        .map(function (th) { return th.firstChild.textContent; }).join('|');
    </script></body>"""
    (tmp_path / "act.html").write_text(text.replace("</body>", act), encoding="utf-8")
    page, console = opened(chromium, tmp_path / "act.html", tmp_path / "profile")
    assert console == []
    assert "<title>銀行口座の連携が切れて明細が取り込まれない|CSV出力が文字化けする</title>" in page
    assert "2課題を表示（全8課題）" in page
    assert re.search(r'aria-sort="descending"><button type="button" data-key="contacts"', page)


def test_a_figure_leads_to_its_issue_and_its_voices(chromium, make, tmp_path):
    write_reports(make.tables(), tmp_path, config=make.config(), run=make.run())
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", (tmp_path / "product.html").read_text(encoding="utf-8"))
    act = """<script>
      var row = document.querySelector('#rank-table tbody tr'), figure = row.querySelector('[data-figure$="churns_prevented"]');
      row.querySelector('th a').click();
      var issue = document.querySelector(location.hash), same = issue.querySelector('[data-figure="' + figure.getAttribute('data-figure') + '"]');
      document.title = [location.hash, figure.textContent, same.textContent, issue.querySelectorAll('blockquote').length].join(' ');
    </script></body>"""
    (tmp_path / "act.html").write_text(text.replace("</body>", act), encoding="utf-8")
    page, console = opened(chromium, tmp_path / "act.html", tmp_path / "profile")
    assert console == []
    assert "<title>#VOC-0001 8.6名 8.6名 3</title>" in page


@pytest.mark.parametrize("write", [write_daily, write_weekly])
def test_the_pages_of_a_day_and_a_week_open_in_silence(chromium, make, tmp_path, write):
    _, console = opened(chromium, write(make.tables(), tmp_path, config=make.config(), run=make.run()), tmp_path / "profile")
    assert console == []
