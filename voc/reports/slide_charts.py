"""Native charts that a reader can edit in PowerPoint; their workbooks hold numbers, months and ranks, no customer's text."""

from datetime import date

from pptx.chart.data import CategoryChartData
from pptx.enum.chart import (
    XL_CHART_TYPE,
    XL_LEGEND_POSITION,
    XL_MARKER_STYLE,
    XL_TICK_LABEL_POSITION,
    XL_TICK_MARK,
)
from pptx.enum.dml import MSO_LINE
from pptx.oxml.ns import qn
from pptx.util import Inches, Pt

from voc.reports.palette import ACCENT, GREY, INK, MUTED, PALE, RULE
from voc.reports.slide_shapes import FONT, LEAST, rgb, set_east_asian

_PARTS = (("始点", "start"), ("下限〜推定値", "to_point"), ("推定値〜上限", "from_point"), ("区間（0以上）", "whole"), ("区間（0未満）", "below"))


def interval_chart(slide, bars: list[dict], *, at: tuple[float, float, float, float], inner: tuple[float, float], description: str):
    """Stacked bars that float from low to high, the last bar on top. `bars`: name, verdict, parts of deck.interval_parts.

    `inner`: top and height of the plot inside the frame (0..1), so that bars stand beside the rows of a table.
    """
    data = CategoryChartData(number_format="0.0")
    data.categories = [bar["name"] for bar in bars]
    for name, part in _PARTS:
        data.add_series(name, [bar[part] for bar in bars])
    chart = _add(slide, XL_CHART_TYPE.BAR_STACKED, data, at=at, name="防げる解約数の90%区間", description=description)
    plot = chart.plots[0]
    plot.overlap, plot.gap_width = 100, 230
    shades = {"to_point": ACCENT, "from_point": PALE, "whole": GREY, "below": GREY}
    for (_, part), series in zip(_PARTS, plot.series, strict=True):
        if part == "start":
            series.format.fill.background()
            continue
        _solid(series.format.fill, shades[part])
        for n, bar in enumerate(bars):
            if part in ("whole", "below") and bar["verdict"] == "reference":
                _solid(series.points[n].format.fill, PALE)
    _bar_axes(chart, number_format='0;"−"0;0')
    _inner(chart, top=inner[0], height=inner[1])
    return chart


def count_chart(slide, bars: list[dict], *, at: tuple[float, float, float, float], inner: tuple[float, float], description: str):
    """Contacts per month of each issue as plain bars, the last on top."""
    data = CategoryChartData(number_format="#,##0")
    data.categories = [bar["name"] for bar in bars]
    data.add_series("問い合わせ件数／月", [bar["n_contacts"] for bar in bars])
    chart = _add(slide, XL_CHART_TYPE.BAR_CLUSTERED, data, at=at, name="問い合わせ件数", description=description)
    chart.plots[0].gap_width = 230
    _solid(chart.plots[0].series[0].format.fill, ACCENT)
    _bar_axes(chart, number_format="#,##0")
    _inner(chart, top=inner[0], height=inner[1])
    return chart


def rate_chart(slide, months: list[date], rates: list[tuple[str, list]], *, at: tuple[float, float, float, float], description: str):
    """Churn rates by month as lines; empty months leave a gap."""
    data = CategoryChartData(number_format="0.0%")
    _put_months(data, months)
    for name, values in rates:
        data.add_series(name, values)
    chart = _add(slide, XL_CHART_TYPE.LINE, data, at=at, name="解約率の推移", description=description)
    for series, colour, dash in zip(chart.plots[0].series, (ACCENT, GREY), (None, MSO_LINE.DASH), strict=False):
        series.smooth = False
        series.marker.style = XL_MARKER_STYLE.NONE
        series.format.line.width = Pt(2.25)
        series.format.line.color.rgb = rgb(colour)
        if dash is not None:
            series.format.line.dash_style = dash
    _month_axes(chart, n_months=len(months), number_format="0.0%")
    chart.has_legend = len(rates) > 1
    if chart.has_legend:
        chart.legend.position, chart.legend.include_in_layout = XL_LEGEND_POSITION.TOP, False
    return chart


def contact_chart(slide, months: list[date], contacts: list, *, at: tuple[float, float, float, float], description: str):
    """Contacts by month as columns."""
    data = CategoryChartData(number_format="#,##0")
    _put_months(data, months)
    data.add_series("問い合わせ件数", contacts)
    chart = _add(slide, XL_CHART_TYPE.COLUMN_CLUSTERED, data, at=at, name="問い合わせ件数の推移", description=description)
    chart.plots[0].gap_width = 60
    _solid(chart.plots[0].series[0].format.fill, PALE)
    _month_axes(chart, n_months=len(months), number_format="#,##0")
    return chart


def _put_months(data: CategoryChartData, months: list[date]) -> None:
    data.categories = months
    data.categories.number_format = "yyyy/m"


def _add(slide, kind, data: CategoryChartData, *, at: tuple[float, float, float, float], name: str, description: str):
    frame = slide.shapes.add_chart(kind, *(Inches(length) for length in at), data)
    frame.name = name
    frame._element.nvGraphicFramePr.cNvPr.set("descr", description)  # read aloud to those who do not see the chart
    chart = frame.chart
    chart.has_legend, chart.has_title = False, False
    chart.font.size, chart.font.name = Pt(LEAST), FONT
    chart.font.color.rgb = rgb(MUTED)
    set_east_asian(chart.font._rPr)
    return chart


def _solid(fill, colour: str) -> None:
    fill.solid()
    fill.fore_color.rgb = rgb(colour)


def _axis(axis, colour: str) -> None:
    axis.format.line.color.rgb = rgb(colour)
    axis.major_tick_mark = axis.minor_tick_mark = XL_TICK_MARK.NONE


def _values(axis, *, number_format: str) -> None:
    _axis(axis, RULE)
    axis.format.line.fill.background()
    axis.has_major_gridlines = True
    axis.major_gridlines.format.line.color.rgb = rgb(RULE)
    axis.tick_labels.number_format, axis.tick_labels.number_format_is_linked = number_format, False


def _bar_axes(chart, *, number_format: str) -> None:
    names, values = chart.category_axis, chart.value_axis
    _axis(names, INK)
    names.has_major_gridlines = False
    names.tick_label_position = XL_TICK_LABEL_POSITION.LOW
    _values(values, number_format=number_format)


def _month_axes(chart, *, n_months: int, number_format: str) -> None:
    names = chart.category_axis
    _axis(names, RULE)
    names.has_major_gridlines = False
    _values(chart.value_axis, number_format=number_format)
    chart.value_axis.minimum_scale = 0
    names.tick_labels.number_format, names.tick_labels.number_format_is_linked = "yyyy/m", False
    units = (("c:baseTimeUnit", "months"), ("c:majorUnit", str(max(1, -(-n_months // 8)))), ("c:majorTimeUnit", "months"))
    for tag, _ in units:
        for old in names._element.findall(qn(tag)):
            names._element.remove(old)
    for tag, value in units:
        names._element.append(names._element.makeelement(qn(tag), {"val": value}))


def _inner(chart, *, top: float, height: float) -> None:
    """Fix the plot inside the frame: the axis labels stand outside of it."""
    area = chart._chartSpace.chart.plotArea
    for old in area.findall(qn("c:layout")):
        area.remove(old)
    layout = area.makeelement(qn("c:layout"), {})
    manual = layout.makeelement(qn("c:manualLayout"), {})
    for tag, value in (("layoutTarget", "inner"), ("xMode", "edge"), ("yMode", "edge"), ("x", "0.11"), ("y", f"{top:.4f}"),
                       ("w", "0.85"), ("h", f"{height:.4f}")):
        manual.append(manual.makeelement(qn(f"c:{tag}"), {"val": value}))
    layout.append(manual)
    area.insert(0, layout)
