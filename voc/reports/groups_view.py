"""What `voc group` found, as one small page: issues with their size, course and examples. Only rendering."""

from html import escape

import pandas as pd

from voc.reports.formats import plain

_EXAMPLES, _LONG = 3, 60
_STYLE = (
    "body{font-family:'Noto Sans JP','Noto Sans CJK JP','Yu Gothic','Hiragino Sans',sans-serif;margin:40px auto;max-width:1040px;"
    "padding:0 20px;color:#1b1f24;line-height:1.7}h1{font-size:24px}p.note{color:#5c6670;font-size:14px}"
    "table{border-collapse:collapse;width:100%;font-size:14px}th{text-align:left;border-bottom:2px solid #1b1f24;padding:8px}"
    "td{border-bottom:1px solid #d8dde3;padding:10px 8px;vertical-align:top}td.n{text-align:right;white-space:nowrap}"
    "th,td.k,td.c{white-space:nowrap}td b{font-size:15px}.bar{display:inline-block;background:#1f4e79;width:6px;margin-right:2px;vertical-align:bottom}"
    "ul{margin:0;padding-left:1.1em}"
)


def groups_page(grouped: pd.DataFrame, texts: list[str], *, months: pd.Series | None = None) -> str:
    """HTML of the issues in `grouped` (columns GROUPED). `texts`: the rows' texts, `months`: the rows' months (date)."""
    taken = grouped.dropna(subset=["issue_id"])
    n_rows, n_left = grouped["row"].nunique(), grouped["row"].nunique() - taken["row"].nunique()
    sizes = taken.groupby("issue_id")["row"].nunique().sort_values(ascending=False, kind="stable")
    rows = [_row(taken[taken["issue_id"] == issue_id], texts, months) for issue_id in sizes.index]
    course = "<th>月ごとの件数</th>" if months is not None else ""
    return (
        f"<!doctype html><html lang='ja'><head><meta charset='utf-8'><title>課題の一覧</title><style>{_STYLE}</style></head><body>"
        f"<h1>課題の一覧</h1><p class='note'>{n_rows:,} 行のうち {n_rows - n_left:,} 行を {len(sizes)} 件の課題にまとめました。"
        f"どの課題にも入らなかったのは {n_left:,} 行です。1 行が複数の課題に入ることがあります。</p>"
        f"<table><thead><tr><th>課題</th><th>種類</th><th>行数</th>{course}<th>例</th></tr></thead><tbody>{''.join(rows)}</tbody></table></body></html>"
    )


def _row(own: pd.DataFrame, texts: list[str], months: pd.Series | None) -> str:
    first = own.iloc[0]
    long = own["row"].map(lambda row: len(texts[row]) > _LONG)  # a long text says much besides
    nearest = own.assign(long=long).sort_values(["long", "probability", "row"], ascending=[True, False, True], kind="stable")["row"].head(_EXAMPLES)
    examples = "".join(f"<li>{escape(plain(texts[row], limit=120))}</li>" for row in nearest)
    course = f"<td class='c'>{_bars(own, months)}</td>" if months is not None else ""
    return (
        f"<tr><td><b>{escape(plain(first['label']))}</b><br>{escape(first['issue_id'])}</td><td class='k'>{escape(first['kind'])}</td>"
        f"<td class='n'>{own['row'].nunique():,}</td>{course}<td><ul>{examples}</ul></td></tr>"
    )


def _bars(own: pd.DataFrame, months: pd.Series) -> str:
    span = pd.date_range(months.min(), months.max(), freq="MS")[-24:]
    counts = months.loc[own["row"].unique()].value_counts().reindex(span, fill_value=0)
    top = max(int(counts.max()), 1)
    return "".join(f"<span class='bar' style='height:{2 + 28 * n / top:.0f}px' title='{day:%Y-%m} {n}件'></span>" for day, n in counts.items())
