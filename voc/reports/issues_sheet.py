"""issues.xlsx: the ledger as a sheet that people edit and `voc issues import` reads back."""

from pathlib import Path

import pandas as pd
import xlsxwriter

from voc.issues import sheet
from voc.issues.edits import LONGEST_AREA
from voc.issues.sheet import COLUMNS, EDITABLE, HELP_SHEET, ID, KEPT_SHEET, MARK, SHEET, STATUS_CHOICES
from voc.reports.formats import plain
from voc.reports.help_sheet import write_help
from voc.reports.whole_file import whole_file

FILE = "issues.xlsx"
RECENT_DAYS = 30
_WIDTHS = {ID: 11, "課題名": 38, "領域": 14, "種類": 9, "状態": 10, "担当部署": 16, "統合先": 11, "対応日": 12, "対応内容": 30,
           "工数（人日）": 12, "期限": 12, "件数": 8, "直近の件数": 11, "例文": 60}  # fmt: skip
_NUMBERS = ("件数", "直近の件数")
_DAYS = ("対応日", "期限")
HELP = (
    ("この表でできること", None),
    ("書き換えられる列", "課題名、領域、状態、担当部署、統合先、対応日、対応内容、工数、期限（薄い黄色の列）。灰色の列は書き換えても反映されません。"),
    ("反映の方法", "保存してから、次の 1 行を実行します: voc issues import issues.xlsx --config voc.toml"),
    ("誤りがあるとき", "どの行のどの列かを示し、台帳は何も変えません。直してからもう一度実行してください。"),
    ("列の意味", None),
    ("課題番号", "課題の番号です。変えないでください。番号は、統合した後も別の課題に使い回しません。"),
    ("課題名", "30 文字以内。ほかの課題と同じ名前は使えません。書き換えた名前は、次の分析の後も変わりません。"),
    ("領域", "課題をまとめる大きな分類です。15 文字以内。同じ言葉を書いた課題が 1 つの領域になります。書き換えた領域は、次の分析の後も変わりません。"),
    ("状態：公開", "レポートに載せます。"),
    ("状態：固定", "レポートに載せ、自動では名前も範囲も変えません。"),
    ("状態：除外", "この課題の声として数えますが、レポートと順位には載せません。"),
    ("状態：解決済み", "解決した課題です。その後に問い合わせが続くと、自動で公開に戻し、履歴に理由を残します。"),
    ("状態：候補・休止", "候補は自動で見つけた新しい課題、休止は長く声のない課題です。公開などに変えられます。"),
    ("担当部署", "空にすると担当なしになります。"),
    ("統合先", "同じことを指す課題があれば、残すほうの課題番号を書きます。過去の声も残すほうに数え直します。"),
    ("対応日・対応内容", "行った対応です。両方を書いてください。効果はこの日の前後で比べます。書き換えると新しい対応として加わります。"),
    ("工数（人日）", "対応に要る工数の見込みです（例: 3.5）。"),
    ("期限", "対応の期限です（例: 2026-04-01）。"),
    ("件数、直近の件数", f"問い合わせの件数です。直近は、分析日の前の {RECENT_DAYS} 日間です。"),
    ("例文", "この課題の声の例です（個人情報は伏せています）。"),
    ("古い表を使うとき", "書き換えたセルだけを反映します。同じセルが台帳でも変わっていれば、反映せずにお知らせします。"),
)  # fmt: skip


def issue_rows(tables: dict[str, pd.DataFrame], *, as_of_on: pd.Timestamp, timezone: str) -> pd.DataFrame:
    """COLUMNS of all issues but the merged ones, most contacts first. `tables`: issues, issue_events, mentions, sentences."""
    issues = tables["issues"][tables["issues"]["status"] != "merged"].reset_index(drop=True)
    mentions = tables["mentions"]
    days = mentions["mentioned_at"].dt.tz_convert(timezone).dt.tz_localize(None)
    end = pd.Timestamp(as_of_on).tz_localize(None)
    recent = mentions[(days >= end - pd.Timedelta(days=RECENT_DAYS)) & (days < end)]
    cells = sheet.editable_cells(issues, tables["issue_events"]).reset_index()
    frame = cells.assign(
        種類=issues["kind"], 件数=_contacts(mentions, issues), 直近の件数=_contacts(recent, issues),
        例文=_examples(issues, mentions, tables["sentences"]),
    )  # fmt: skip
    return frame.sort_values(["件数", ID], ascending=[False, True], ignore_index=True)[list(COLUMNS)]


def write_issues_sheet(
    tables: dict[str, pd.DataFrame], folder: Path, *, run_id: str, as_of_on: pd.Timestamp, timezone: str
) -> Path:
    """Write FILE into `folder` and return its path. The same tables give the same bytes. Raises StoreError where the file cannot be written."""
    path = Path(folder) / FILE
    rows = issue_rows(tables, as_of_on=as_of_on, timezone=timezone)
    events = tables["issue_events"]
    with whole_file(path) as part, xlsxwriter.Workbook(
        part, {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    ) as book:
        book.set_properties({"title": "課題の台帳", "created": pd.Timestamp(as_of_on).to_pydatetime().replace(tzinfo=None)})
        _issues(book, rows)
        write_help(book, HELP_SHEET, HELP, width=34)
        _kept(book, rows, run_id=run_id, position=int(events["position"].max()) if len(events) else 0)
    return path


def _contacts(mentions: pd.DataFrame, issues: pd.DataFrame) -> pd.Series:
    counts = mentions.groupby("issue_id")["contact_id"].nunique()
    return issues["issue_id"].map(counts).fillna(0).astype(int)


def _examples(issues: pd.DataFrame, mentions: pd.DataFrame, sentences: pd.DataFrame) -> pd.Series:
    """The first exemplar that there is still; else the most probable voice."""
    texts = sentences.set_index("sentence_id")["text"]
    best = mentions.sort_values(["probability", "sentence_id"], ascending=[False, True]).drop_duplicates("issue_id")
    spare = best.set_index("issue_id")["sentence_id"]
    found = [
        next((texts[one] for one in [*ids, spare.get(issue_id)] if one in texts.index), "")
        for issue_id, ids in zip(issues["issue_id"], issues["exemplar_ids"], strict=True)
    ]
    return pd.Series([plain(text, limit=120) for text in found], index=issues.index)


def _issues(book: xlsxwriter.Workbook, rows: pd.DataFrame) -> None:
    page = book.add_worksheet(SHEET)
    head = {"bold": True, "font_color": "white", "text_wrap": True, "valign": "vcenter", "border": 1, "border_color": "#BFBFBF"}
    base = {"valign": "top", "border": 1, "border_color": "#D9D9D9", "font_size": 10}
    # text that begins with = + - @ stays text, also after somebody opened the cell and pressed Enter
    quoted = {**base, "quote_prefix": True, "text_wrap": True}
    open_cell, closed_cell = {"bg_color": "#FFF9DB", "locked": False}, {"bg_color": "#F2F2F2", "font_color": "#404040"}
    looks = {
        "head": book.add_format({**head, "bg_color": "#5B6B7B"}), "head_open": book.add_format({**head, "bg_color": "#9A6B00"}),
        "open": book.add_format({**quoted, **open_cell}), "closed": book.add_format({**quoted, **closed_cell}),
        "open_day": book.add_format({**base, **open_cell, "num_format": "yyyy-mm-dd"}),
        "open_number": book.add_format({**base, **open_cell, "num_format": "General"}),
        "closed_number": book.add_format({**base, **closed_cell, "num_format": "#,##0"}),
    }  # fmt: skip
    for column, name in enumerate(COLUMNS):
        page.set_column(column, column, _WIDTHS[name])
        page.write_string(0, column, name, looks["head_open" if name in EDITABLE else "head"])
        for row, value in enumerate(rows[name], start=1):
            _write(page, (row, column), name, value, looks=looks)
    page.set_row(0, 30)
    page.freeze_panes(1, 2)
    if len(rows):
        page.autofilter(0, 0, len(rows), len(COLUMNS) - 1)
        _validations(page, len(rows))
    page.protect("", {"format_columns": True, "format_rows": True, "autofilter": True})
    page.set_landscape()
    page.set_paper(8)  # A3: fourteen columns are too small to read on A4
    page.fit_to_pages(1, 0)
    page.repeat_rows(0)


def _write(page, cell: tuple[int, int], name: str, value: object, *, looks: dict) -> None:
    if name in _NUMBERS:
        page.write_number(*cell, value, looks["closed_number"])
        return
    look = looks[{"対応日": "open_day", "期限": "open_day", "工数（人日）": "open_number"}.get(name, "open" if name in EDITABLE else "closed")]
    if not value:
        page.write_blank(*cell, None, look)
    elif name in _DAYS:
        page.write_datetime(*cell, pd.Timestamp(value).to_pydatetime(), look)
    elif name == "工数（人日）":
        page.write_number(*cell, float(value), look)
    else:
        page.write_string(*cell, str(value), look)


def _validations(page, n_rows: int) -> None:
    def rule(name: str, **options) -> None:
        column = COLUMNS.index(name)
        page.data_validation(1, column, n_rows, column, {"error_title": "入力を確かめてください", **options})

    rule("状態", validate="list", source=list(STATUS_CHOICES), error_message="公開、固定、除外、解決済みから選んでください。")
    rule("統合先", validate="list", source=f"=$A$2:$A${n_rows + 1}", error_message="この表にある課題番号を選んでください。")
    rule("領域", validate="length", criteria="between", minimum=0, maximum=LONGEST_AREA, error_message=f"{LONGEST_AREA} 文字以内で書いてください。")
    rule("課題名", validate="length", criteria="between", minimum=1, maximum=30, error_message="30 文字以内で書いてください。")
    rule("工数（人日）", validate="decimal", criteria=">=", value=0, error_message="0 以上の数字を書いてください。")
    for name in _DAYS:
        rule(name, validate="date", criteria="between", minimum=pd.Timestamp("2000-01-01").to_pydatetime(),
             maximum=pd.Timestamp("2100-12-31").to_pydatetime(), error_message="日付を書いてください（例: 2026-04-01）。")  # fmt: skip


def _kept(book: xlsxwriter.Workbook, rows: pd.DataFrame, *, run_id: str, position: int) -> None:
    page = book.add_worksheet(KEPT_SHEET)
    page.very_hidden()
    for column, value in enumerate((MARK, run_id, str(position))):
        page.write_string(0, column, value)
    names = [ID, *EDITABLE]
    for column, name in enumerate(names):
        page.write_string(1, column, name)
        for row, value in enumerate(rows[name], start=2):
            page.write_string(row, column, str(value))
