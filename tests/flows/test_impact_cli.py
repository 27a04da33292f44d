import subprocess
import sys

import pandas as pd
import pytest

from flows.cli import main
from tests.impact.labelled import ISSUES, PARAMS, company
from voc.impact.labelled import OUT


def written(folder):
    for name, frame in company(n=120).items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    (folder / "params.json").write_text(pd.Series(PARAMS).to_json(), encoding="utf-8")
    return folder


@pytest.fixture
def folder(tmp_path):
    return written(tmp_path)


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    """What the estimate of the untouched files says."""
    status, out = impact(written(tmp_path_factory.mktemp("usual")))
    assert status == 0
    return out.read_text()


def impact(folder, *options):
    out = folder / "out" / "est.csv"
    out.parent.mkdir(exist_ok=True)
    return main(["impact", str(folder), "--out", str(out), *options]), out


def test_files_in_a_table_out(folder, capsys):
    status, out = impact(folder)
    table = pd.read_csv(out)
    assert status == 0 and tuple(table.columns) == OUT and set(table["issue_id"]) == set(ISSUES)
    assert pd.read_csv(out.with_name("est.rejects.csv")).empty
    assert "満 18 か月" in capsys.readouterr().out


@pytest.mark.slow
def test_files_may_be_absent_and_have_other_names_and_columns(folder, usual):
    frame = pd.read_csv(folder / "contacts.csv", dtype=str, keep_default_na=False)
    frame.rename(columns={"time": "date", "issues": "labels"}).to_csv(folder / "kontakte.csv", index=False)
    (folder / "contacts.csv").unlink()
    status, out = impact(folder, "--file", "contacts=kontakte.csv", "--column", "contacts.time=date", "--column", "contacts.issues=labels")
    assert status == 0 and out.read_text() == usual
    for name in ("usage.csv", "nps.csv", "params.json"):
        (folder / name).unlink()
    assert impact(folder, "--file", "contacts=kontakte.csv", "--column", "contacts.time=date", "--column", "contacts.issues=labels")[0] == 0


def test_a_bom_and_windows_line_ends_change_nothing(folder, usual):
    for path in folder.glob("*.csv"):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    _, out = impact(folder)
    assert out.read_text() == usual


@pytest.mark.parametrize("encoding", ["cp932", "utf-16"])
def test_another_character_set_is_read_and_told(folder, usual, encoding, capsys):
    path = folder / "customers.csv"
    path.write_text(path.read_text(encoding="utf-8"), encoding=encoding)
    status, out = impact(folder)
    assert status == 0 and out.read_text() == usual
    assert "customers.csv は UTF-8 ではない" in capsys.readouterr().out


def test_refused_rows_are_counted_and_written(folder, capsys):
    lines = (folder / "contacts.csv").read_text().splitlines()
    lines[3] = lines[3].replace(lines[3].split(",")[2], "いつか")
    lines[5] += ",one,too,many"
    (folder / "contacts.csv").write_text("\n".join([*lines, lines[1]]) + "\n", encoding="utf-8")
    _, out = impact(folder)
    found = pd.read_csv(out.with_name("est.rejects.csv"), dtype=str)
    assert sorted(found["source_row"]) == sorted(["5", "3", str(len(lines))]) and set(found["source"]) == {"contacts"}
    told = capsys.readouterr().out
    assert "使えなかった行や値 3 件" in told and "time の値「…」" in told and "繰り返し" in told


@pytest.mark.slow
def test_sensitivity_is_written_beside(folder):
    _, out = impact(folder, "--sensitivity")
    lines = pd.read_csv(out.with_name("est.sensitivity.csv"))
    assert set(lines["line"]) == {"影響期間 3 か月", "影響期間 6 か月", "初回の問い合わせのみ", "利用状況で調整しない"}


@pytest.mark.parametrize("spoil, words", [
    (lambda f: (f / "issues.csv").unlink(), "issues.csv がありません"),
    (lambda f: (f / "issues.csv").write_bytes(b""), "空のファイル"),
    (lambda f: (f / "contacts.csv").write_bytes("時刻,顧客\n1,2\n".encode("cp932")), "列がありません"),
    (lambda f: (f / "customers.csv").write_text("customer_id,plan\nK1,A\n"), "列がありません: contract_start、churn_date"),
    (lambda f: (f / "contacts.csv").write_text("a,a\n1,2\n"), "同じ名前の列"),
    (lambda f: (f / "nps.csv").write_text('customer_id,date,score\nK0001,"2024-01-01,3\nK0002,2024-01-01,3\n'), "2 行目から引用符"),
    (lambda f: (f / "params.json").write_text("{"), "JSON"),
    (lambda f: (f / "params.json").write_text("[1]"), "JSON オブジェクト"),
    (lambda f: (f / "params.json").write_text('{"window_start": "2025-01-01", "window_end": "2024-01-01"}'), "後の日"),
])
def test_faults_are_told_without_a_traceback(folder, spoil, words, capsys):
    spoil(folder)
    status, out = impact(folder)
    assert status == 2 and words in capsys.readouterr().err and not out.exists()


@pytest.mark.parametrize("options, words", [
    (["--file", "kontakte.csv"], "使える名前: contacts"), (["--column", "contacts.when=date"], "使える名前"),
    (["--column", "contacts.time=date"], "列 date がありません"), (["--file", "usage=none.csv"], "none.csv がありません"),
])
def test_wrong_options_are_told(folder, options, words, capsys):
    assert impact(folder, *options)[0] == 2 and words in capsys.readouterr().err


def test_an_input_is_never_overwritten(folder, capsys):
    before = (folder / "contacts.csv").read_text()
    assert main(["impact", str(folder), "--out", str(folder / "contacts.csv")]) == 2
    assert (folder / "contacts.csv").read_text() == before and "入力ファイルと同じ" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["contacts", *(pytest.param(name, marks=pytest.mark.slow) for name in ("customers", "issues", "usage", "nps"))])
def test_a_header_alone_is_no_fault(folder, name):
    path = folder / f"{name}.csv"
    path.write_text(path.read_text().splitlines()[0] + "\n")
    assert impact(folder)[0] == 0


@pytest.mark.slow
def test_nothing_heavy_is_started():
    code = ("import sys, flows.impact_cli, voc.impact.labelled, voc.sources.labelled_files;"
            "print([m for m in ('prefect', 'torch', 'spacy', 'bertopic', 'sklearn', 'statsmodels', 'scipy.stats', 'openpyxl') if m in sys.modules])")
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
