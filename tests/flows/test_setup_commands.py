"""`voc init` and `voc check` on real files: what they print, what they write, what they leave alone. No Prefect."""

import json
import subprocess
import sys

import pytest

from flows import cli
from voc.config import load_config
from voc.errors import SourceError
from voc.parsing import parse_contacts, parse_customers
from voc.sources.folder_heads import write_draft
from voc.sources.pull import pull
from voc.tables import WATERMARKS, empty

SAYS = ["請求書が二重に届いて困っています", "ログインできずエラーになります", "電話がなかなかつながらない", "解約の方法を教えてください"]


def read(source, *, base):
    return pull(source, base=base, environ={}, watermark=empty(WATERMARKS)).files


@pytest.fixture
def data(tmp_path):
    """A folder as a company has it: two months of a CP932 survey, calls, customers, and a file that is none of them."""
    folder = tmp_path / "data"
    (folder / "calls").mkdir(parents=True)
    for month in (1, 2):
        rows = [f"{month}{n},2026/0{month}/{n + 1:02d},A{n},{n % 5 + 1},{SAYS[n % 4]}（{n}）" for n in range(12)]
        text = "\r\n".join(["回答番号,回答日時,会員番号,満足度,ご意見", *rows, ""])
        (folder / f"voices_2026-0{month}.csv").write_bytes(text.encode("cp932"))
    call = {"contact_id": "c1", "customer_id": "A1", "started_at": "2026-01-05T10:00:00+09:00",
            "turns": [{"speaker": "operator", "start_seconds": 0, "text": "はい"}, {"speaker": "customer", "start_seconds": 2, "text": "遅い"}]}
    (folder / "calls" / "2026-01.json").write_text(json.dumps([call]), encoding="utf-8")
    members = "\n".join(["会員番号,プラン,月額,契約日,解約日", *(f"A{n},ライト,1980,2025-01-0{n + 1},2026-01-31" for n in range(9))])
    (folder / "会員.csv").write_bytes(members.encode("cp932"))
    (folder / "規約.pdf").write_bytes(b"%PDF")
    return tmp_path


def run(*arguments):
    return cli.main([str(argument) for argument in arguments])


def test_init_drafts_what_it_found_and_says_what_it_left(data, capsys):
    out = data / "voc.toml"
    assert run("init", data / "data", "--out", out) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"設定の下書きを作りました: {out}",
        "  calls（transcript）: ファイル 1 個",
        "  voices（survey）: ファイル 2 個",
        "  会員（customers）: ファイル 1 個",
        "",
        "読み込まないファイル（1 件）",
        "  ・規約.pdf: PDF は読めません。元のデータ（CSV、XLSX、HTML など）を置いてください。",
        "",
        f"内容を直してから voc check {out} で確かめてください。",
    ]
    text = out.read_text(encoding="utf-8")
    assert 'path = "data/voices_*.csv"' in text and "# - 規約.pdf: PDF は読めません。" in text
    assert "# data" not in text and not any(words in text for words in SAYS)


def test_the_draft_is_read_by_the_parsers(data):
    write_draft(data / "data", out=data / "voc.toml")
    sources = {source.name: source for source in load_config(data / "voc.toml").sources}
    voices = parse_contacts(read(sources["voices"], base=data), sources["voices"])
    assert len(voices.contacts) == 24 and voices.contacts["csat"].max() == 5 and voices.rejects.empty
    assert voices.turns["question"].unique().tolist() == ["ご意見"]
    calls = parse_contacts(read(sources["calls"], base=data), sources["calls"])
    assert calls.turns["speaker"].tolist() == ["operator", "customer"]
    customers = parse_customers(read(sources["会員"], base=data), sources["会員"])[0]
    assert len(customers) == 9 and customers["ended_on"].notna().all() and customers["monthly_price_yen"].eq(1980).all()


def test_init_says_what_is_unsure(data, capsys):
    rows = "\n".join(f"2026-01-{n + 1:02d},R{n},{['満足', 'やや満足', '不満'][n % 3]},{SAYS[n % 4]}（{n}）" for n in range(12))
    (data / "data" / "店舗.csv").write_text(f"実施日,回答者番号,満足度,ご意見\n{rows}\n", encoding="utf-8")
    assert run("init", data / "data", "--out", data / "voc.toml") == 0
    told = capsys.readouterr().out
    assert (
        "\n要確認（2 件）\n"
        "  ・店舗（survey）: customer_id … 自社の顧客番号と同じ番号か確かめてください\n"
        "  ・店舗（survey）: csat … 言葉の点数（5 が最もよい）が正しいか見てください\n"
    ) in told
    text = (data / "voc.toml").read_text(encoding="utf-8")
    assert 'customer_id = "回答者番号"   # 要確認: 自社の顧客番号と同じ番号か確かめてください' in text


def test_init_never_overwrites(data, capsys):
    out = data / "voc.toml"
    out.write_text("mine", encoding="utf-8")
    assert run("init", data / "data", "--out", out) == 2
    assert capsys.readouterr().err == (
        f"エラー: {out} はすでにあります。上書きはしません。--out に別の名前を指定してください（例: --out voc-new.toml）。\n"
    )
    assert out.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(("folder", "told"), [
    ("nowhere", "が見つかりません。データの入ったフォルダーを指定してください。"), ("data/規約.pdf", "がファイルです。"),
])  # fmt: skip
def test_init_needs_a_folder(data, capsys, folder, told):
    assert run("init", data / folder, "--out", data / "voc.toml") == 2
    assert told in capsys.readouterr().err and not (data / "voc.toml").exists()


def test_init_writes_nothing_where_nothing_can_be_read(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.pdf").write_bytes(b"%PDF")
    with pytest.raises(SourceError, match="読み込めるファイルが見つかりませんでした。下書きは作っていません。\n  - x.pdf: PDF"):
        write_draft(tmp_path / "a", out=tmp_path / "voc.toml")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_check_reaches_every_source_and_makes_nothing(data, capsys):
    write_draft(data / "data", out=data / "voc.toml")
    before = sorted(data.rglob("*"))
    assert run("check", data / "voc.toml") == 0
    assert capsys.readouterr().out.splitlines() == [
        "✓ calls（transcript）: ファイル 1 個",
        "✓ voices（survey）: ファイル 2 個",
        "✓ 会員（customers）: ファイル 1 個",
        "✓ 仮名の鍵: 鍵ファイル pseudonym.key は最初の実行で作ります",
        "✓ 保存先（store）: store は最初の実行で作ります",
        "✓ レポート（reports）: reports は最初の実行で作ります",
        "✓ 仮名の対応表（pseudonym_map）: identity は最初の実行で作ります",
        "問題はありません。voc run で実行できます。",
    ]
    assert sorted(data.rglob("*")) == before


FAULTY = """
[[sources]]
name = "mails"
format = "email"
[sources.imap]
host = "127.0.0.1"
user = "u"
password_env = "VOC_TEST_NOT_SET"
[[sources]]
name = "chats"
format = "chat"
path = "data/chats/*.json"
[[sources]]
name = "voices"
format = "survey"
path = "data/voices_*.csv"
[sources.columns]
started_at = "記入日"
[sources.texts]
"ご意見" = "ご意見"
[[sources]]
name = "calls"
format = "transcript"
path = "data/calls/*.json"
[store]
path = "data/規約.pdf/store"
[privacy]
pseudonym_key_env = "VOC_TEST_NOT_SET"
"""


def test_check_tells_all_faults_at_once(data, capsys, monkeypatch):
    monkeypatch.delenv("VOC_TEST_NOT_SET", raising=False)
    (data / "voc.toml").write_text(FAULTY, encoding="utf-8")
    assert run("check", data / "voc.toml") == 2
    mails, chats, voices, calls, key, store, reports, _, last = capsys.readouterr().out.splitlines()
    assert mails.startswith("✗ mails（email）: 環境変数 VOC_TEST_NOT_SET が設定されていません")
    assert chats.startswith("✗ chats（chat）: パス「data/chats/*.json」に当たるファイルがありません。")
    assert voices.startswith("✗ voices（survey）: ") and "started_at（ファイルでは「記入日」のはず）" in voices
    assert calls == "✓ calls（transcript）: ファイル 1 個"
    assert key.startswith("✗ 仮名の鍵: ") and "pseudonym_key_env" in key
    assert store == f"✗ 保存先（store）: {data / 'data' / '規約.pdf'} はフォルダーではありません。別の場所を設定に書いてください"
    assert reports.startswith("✓ レポート（reports）") and last == "5 件の問題があります。直してからもう一度確かめてください。"


def test_check_tells_a_month_whose_header_changed(data, capsys):
    write_draft(data / "data", out=data / "voc.toml")
    (data / "data" / "voices_2026-03.csv").write_bytes("番号,記入日,ご意見\r\n1,2026/3/1,遅い\r\n".encode("cp932"))
    assert run("check", data / "voc.toml") == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if "voices" in line)
    assert line.startswith("✓ voices（survey）: ファイル 3 個（注意: 1 件の指摘。必要な列がありません: started_at")


def test_check_tells_the_faults_of_the_configuration(tmp_path, capsys):
    (tmp_path / "voc.toml").write_text('sed = 1\n[[sources]]\nname = "a"\nformat = "survey"\npath = "x"\n', encoding="utf-8")
    assert run("check", tmp_path / "voc.toml") == 2
    told = capsys.readouterr().err
    assert "sed" in told and "[sources.texts]" in told and "2 件の問題があります。" in told


def test_a_key_file_that_is_there_is_read_and_kept(data, capsys):
    write_draft(data / "data", out=data / "voc.toml")
    (data / "pseudonym.key").write_text("0123456789abcdef0123", encoding="utf-8")
    assert run("check", data / "voc.toml") == 0
    assert "✓ 仮名の鍵: 鍵ファイル pseudonym.key にあります\n" in capsys.readouterr().out
    (data / "pseudonym.key").write_text("short", encoding="utf-8")
    assert run("check", data / "voc.toml") == 2
    assert "の鍵が短すぎます（5 バイト、必要なのは 16 バイト以上）" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["init", "check"])
def test_help_is_japanese(command, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main([command, "--help"])
    assert stop.value.code == 0 and "設定ファイル" in capsys.readouterr().out


@pytest.mark.slow
def test_neither_command_loads_prefect_or_a_language_model(data):
    code = (
        "import sys; from flows import cli; "
        f"cli.main(['init', {str(data / 'data')!r}, '--out', {str(data / 'voc.toml')!r}]); cli.main(['check', {str(data / 'voc.toml')!r}]); "
        "print([name for name in ('prefect', 'torch', 'spacy', 'bertopic') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.splitlines()[-1] == "[]"
