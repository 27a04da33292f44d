"""Pictures as static SVG text: two drawn by Altair and vl-convert, two tiny ones written by hand.

Every SVG carries role="img" with a title and a description, needs no network and no script, and scales with
its container. Text in it (issue labels) is customer text: both Altair's and our own writer escape it.
"""

import math
import re
from collections.abc import Sequence
from html import escape

import altair
import pandas as pd
import vl_convert

from voc.reports.formats import count, is_missing, month, plain
from voc.reports.palette import ACCENT, GREY, INK, MUTED, PALE, RULE
from voc.reports.wording import chip

FONT = "Hiragino Sans, Yu Gothic UI, Noto Sans JP, Noto Sans CJK JP, sans-serif"
WIDE, NARROW = 960, 340


def ranking_chart(rows: list[dict], *, width: int, is_provisional: bool = True) -> str:
    """90 % intervals of prevented churns per month; a point only where the tier allows a single number.

    `rows`: dicts with rank, label, low, high, point, verdict. Returns "" where no row has an interval.
    """
    kept = [row for row in rows if not (is_missing(row["low"]) or is_missing(row["high"]))
            and row["verdict"] in ("estimate", "unclear", "reference", "protective")]
    if not kept:
        return ""
    limit = 26 if width >= WIDE else 11
    names = {kind: chip(kind, is_provisional=is_provisional) for kind in ("estimate", "reference", "unclear")}
    frame = pd.DataFrame([{
        "name": f"{row['rank']}  {plain(row['label'], limit=limit)}", "low": row["low"], "high": row["high"],
        "point": row["point"] if row["verdict"] == "estimate" else None,
        "kind": names.get(row["verdict"], names["unclear"]),
    } for row in kept])
    kinds = list(names.values())
    order = frame["name"].tolist()
    y = altair.Y("name:N", sort=order, title=None, axis=altair.Axis(labelLimit=420, labelPadding=12, ticks=False, domain=False))
    x = altair.X("low:Q", title="防げる解約数（名／月、90%区間）", axis=altair.Axis(tickCount=6 if width >= WIDE else 4))
    colour = altair.Color("kind:N", scale=altair.Scale(domain=kinds, range=[ACCENT, ACCENT, GREY]), legend=None)
    # No legend: solid, dashed and grey are explained in the caption, where they can be read aloud.
    dash = altair.StrokeDash("kind:N", scale=altair.Scale(domain=kinds, range=[[1, 0], [5, 3], [1, 0]]), legend=None)
    bars = altair.Chart(frame).mark_rule(strokeWidth=3, strokeCap="butt").encode(y=y, x=x, x2="high:Q", color=colour, strokeDash=dash)
    points = altair.Chart(frame.dropna(subset=["point"])).mark_point(size=95, filled=True, opacity=1, color=ACCENT).encode(
        y=y, x=altair.X("point:Q"))
    zero = altair.Chart(pd.DataFrame({"zero": [0.0]})).mark_rule(color=INK, strokeWidth=1).encode(x="zero:Q")
    chart = (zero + bars + points).properties(width=width - (330 if width >= WIDE else 150), height=altair.Step(30))
    spoken = "、".join(f"{row['rank']}位 {row['label']}" for row in kept[:5])
    return _svg(chart, key=f"ranking-{width}", title="課題ごとの防げる解約数と90%区間",
                description=f"{len(kept)}課題の区間。上から {spoken}。数値は順位表にあります。")


def company_chart(months: pd.DataFrame, *, width: int) -> str:
    """Two panels over the same months: customer churn rate (line) and contacts (bars)."""
    if months.empty:
        return ""
    frame = months.assign(name=[f"{at.year}/{at.month}" for at in months["month_on"]])
    order = frame["name"].tolist()
    step = max(1, -(-len(order) // (12 if width >= WIDE else 5)))
    # The newest month always carries a label.
    shown = order[::-1][::step]
    axis = altair.Axis(values=shown, labelAngle=0, title=None, ticks=False, domainColor=RULE, labelPadding=8)
    inner = width - 60
    panels = []
    has_churn = frame["churn_share"].notna().any()
    if has_churn:
        rate = altair.Y("churn_share:Q", title=None, axis=altair.Axis(format=".1%", tickCount=4, minExtent=44), scale=altair.Scale(zero=True))
        base = altair.Chart(frame.dropna(subset=["churn_share"])).encode(
            x=altair.X("name:N", sort=order, scale=altair.Scale(domain=order), axis=axis), y=rate)
        line = base.mark_line(color=ACCENT, strokeWidth=2, point=altair.OverlayMarkDef(color=ACCENT, size=28))
        panels.append(line.properties(width=inner, height=130, title=altair.TitleParams("顧客解約率（月）", anchor="start")))
    bars = altair.Chart(frame).mark_bar(color=PALE, size=max(5, inner / len(order) * 0.6)).encode(
        x=altair.X("name:N", sort=order, scale=altair.Scale(domain=order), axis=axis),
        y=altair.Y("n_contacts:Q", title=None, axis=altair.Axis(format=",.0f", tickCount=4, minExtent=44)))
    panels.append(bars.properties(width=inner, height=120, title=altair.TitleParams("問い合わせ件数（月）", anchor="start")))
    parts = "顧客解約率と問い合わせ件数" if has_churn else "問い合わせ件数"
    last = frame.iloc[-1]
    spoken = f"{month(frame['month_on'].iloc[0])}から{month(last['month_on'])}まで。直近の問い合わせは{count(last['n_contacts'])}"
    if not is_missing(last["churn_share"]):
        spoken += f"、顧客解約率は{last['churn_share'] * 100:.2f}%"
    return _svg(altair.vconcat(*panels, spacing=28), key=f"company-{width}", title=f"月ごとの{parts}", description=spoken + "。")


def _svg(chart: altair.TopLevelMixin, *, key: str, title: str, description: str) -> str:
    chart = chart.configure(font=FONT, background="transparent", padding=4).configure_view(stroke=None).configure_axis(
        labelColor=MUTED, titleColor=MUTED, titleFontWeight="normal", titleFontSize=12, labelFontSize=12, gridColor="#eceff3",
        domainColor=RULE, tickColor=RULE, titlePadding=12).configure_axisY(labelColor=INK).configure_title(
        fontSize=13, fontWeight=600, color=INK, offset=10)
    svg = vl_convert.vegalite_to_svg(chart.to_json(), allowed_base_urls=[])
    _, body = re.split(r"<svg[^>]*>", svg, maxsplit=1)
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    return _open(key, title, description, float(size[1]), float(size[2])) + body


def _open(key: str, title: str, description: str, width: float, height: float) -> str:
    return (f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" role="img" '
            f'aria-labelledby="{key}-t {key}-d" viewBox="0 0 {width:g} {height:g}" style="max-width:{width:g}px">'
            f'<title id="{key}-t">{escape(title)}</title><desc id="{key}-d">{escape(description)}</desc>')


def sparkline(months: list[tuple[pd.Timestamp, float]]) -> str:
    """Contacts per month as a line without axes; hidden from screen readers, which get the words beside it."""
    if len(months) < 2:
        return ""
    width, height, edge = 96.0, 26.0, 3.0
    values = [n for _, n in months]
    top = max(values) or 1.0
    across = (width - 2 * edge) / (len(values) - 1)
    points = [(edge + i * across, height - edge - value / top * (height - 2 * edge)) for i, value in enumerate(values)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    x, y = points[-1]
    return (f'<svg class="spark" viewBox="0 0 {width:g} {height:g}" aria-hidden="true" focusable="false">'
            f'<polyline points="{path}" fill="none" stroke="{ACCENT}" stroke-width="1.5" stroke-linejoin="round"/>'
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6" fill="{ACCENT}"/></svg>')


def month_bars(months: list[tuple[pd.Timestamp, float]], key: str, title: str, fixes: Sequence[dict] = ()) -> str:
    """Contacts per month as bars with the first, the last and the highest value written.

    `fixes`: dicts with done_on and text; each within the months is a dashed line with a flag 対応, read aloud at the end.
    """
    if len(months) < 2:
        return ""
    width, height, floor, head = 320.0, 128.0, 106.0, 30.0
    values = [n for _, n in months]
    top, pitch = max(values) or 1.0, width / len(months)
    best = values.index(max(values))
    parts = []
    for i, value in enumerate(values):
        tall = value / top * (floor - head)
        x, y = i * pitch + pitch * 0.18, floor - tall
        last = i == len(values) - 1
        parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{pitch * 0.64:.1f}" height="{tall:.1f}" rx="1" '
                     f'fill="{ACCENT if last else PALE}"/>')
        if last or (i == best and i < len(values) - 2):
            parts.append(f'<text x="{i * pitch + pitch / 2:.1f}" y="{y - 5:.1f}" text-anchor="middle">{value:,.0f}</text>')
    first_on, last_on = months[0][0], months[-1][0]
    parts.append(f'<line x1="0" y1="{floor:g}" x2="{width:g}" y2="{floor:g}" stroke="{RULE}"/>')
    parts.append(f'<text x="0" y="{height - 6:g}">{first_on.year}/{first_on.month}</text>')
    parts.append(f'<text x="{width:g}" y="{height - 6:g}" text-anchor="end">{last_on.year}/{last_on.month}</text>')
    spoken = "、".join(f"{month(at)} {count(n)}" for at, n in months)
    shown = [fix for fix in fixes if first_on <= fix["done_on"] < last_on + pd.offsets.MonthBegin(1)]
    for fix in shown:
        at = fix["done_on"]
        x = ((at.year - first_on.year) * 12 + at.month - first_on.month + (at.day - 1) / at.days_in_month) * pitch
        side, edge = ("start", x + 4) if x < width / 2 else ("end", x - 4)
        parts.append(f'<line x1="{x:.1f}" y1="2" x2="{x:.1f}" y2="{floor:g}" stroke="{INK}" stroke-width="1.5" stroke-dasharray="4 3"/>'
                     f'<text x="{edge:.1f}" y="11" text-anchor="{side}" style="fill:{INK};font-weight:600">対応 {at.month}/{at.day}</text>')
    spoken += "".join(f"。対応 {plain(fix['text'], limit=90)}" for fix in shown)
    return _open(key, title, spoken, width, height).replace("<svg ", '<svg class="bars" ', 1) + "".join(parts) + "</svg>"


def staying_lines(curves: dict[str, list[tuple[int, float]]], key: str, title: str) -> str:
    """Share of customers that stay over the months: the first curve solid, the others dashed, each with its last value.

    The axis begins at the tenth below the lowest share, and says so: shares of customers lie close together.
    """
    width, head, floor, left, right = 320.0, 10.0, 106.0, 36.0, 274.0
    lowest = min(share for curve in curves.values() for _, share in curve)
    base, last = max(0.0, min(int(lowest * 10 - 1e-9) / 10, 0.9)), max(month for curve in curves.values() for month, _ in curve) or 1

    def place(month: int, share: float) -> tuple[float, float]:
        return left + (right - left) * month / last, floor - (floor - head) * (share - base) / (1 - base)

    parts = [f'<line x1="{left:g}" y1="{y:g}" x2="{right:g}" y2="{y:g}" stroke="{RULE}"/><text x="{left - 6:g}" y="{y + 4:g}" text-anchor="end">{share:.0%}</text>'
             for y, share in ((head, 1.0), (floor, base))]
    ends = sorted((place(*curve[-1])[1], name) for name, curve in curves.items())
    heights, free = {}, -math.inf
    for y, name in ends:  # two values that end close together are written one under the other
        heights[name] = free = max(y, free + 13)
    for n, (name, curve) in enumerate(curves.items()):
        colour, dash, ink = (ACCENT, "", ACCENT) if n == 0 else (MUTED, ' stroke-dasharray="4 3"', MUTED)
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*one) for one in curve))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"{dash} stroke-linejoin="round"/>'
                     f'<text x="{right + 6:g}" y="{heights[name] + 4:.1f}" style="fill:{ink};font-weight:600">{curve[-1][1]:.1%}</text>')
        y = floor + 34 + 15 * n
        parts.append(f'<line x1="{left:g}" y1="{y - 4:g}" x2="{left + 20:g}" y2="{y - 4:g}" stroke="{colour}" stroke-width="2"{dash}/>'
                     f'<text x="{left + 27:g}" y="{y:g}">{escape(name)}</text>')
    parts.append(f'<text x="{left:g}" y="{floor + 15:g}">0か月</text><text x="{right:g}" y="{floor + 15:g}" text-anchor="end">{last}か月</text>')
    spoken = "。".join(f"{name} " + "、".join(f"{month}か月 {share:.1%}" for month, share in curve) for name, curve in curves.items())
    return _open(f"stay-{key}", title, spoken, width, floor + 40 + 15 * (len(curves) - 1)).replace("<svg ", '<svg class="staying" ', 1) + "".join(parts) + "</svg>"
