"""Writes the reports as self-contained HTML files: styles, script and pictures inside, no network at all."""

import base64
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from voc.reports import charts
from voc.reports.content import executive_report, product_report
from voc.reports.cs_pack import cs_report
from voc.reports.periods import daily_report, weekly_report
from voc.reports.sources import traced
from voc.reports.whole_file import whole_file

_STYLES = {"cs": ("report.css", "cs.css"), "daily": ("report.css", "periods.css"), "weekly": ("report.css", "periods.css")}
_SCRIPT = "table.js"
TEMPLATES = Path(__file__).parent / "templates"
_FIGURE = re.compile(r"((?:少なくとも)?(?:毎月|月)[−+]?[\d,.]+(?:名|万円|億円|円)(?:〜[−+]?[\d,.]+(?:名|万円|億円|円))?)")


def write_reports(tables: dict[str, pd.DataFrame], folder: Path, *, config, run: Mapping) -> list[Path]:
    """Write product.html (プロダクト向け) and executive.html (経営向け) into `folder`; returns their paths.

    The same tables, config and run give the same bytes. Raises StoreError where the folder cannot be written.
    """
    return [_written(report(tables, config=config, run=run), name, folder) for name, report in (("product", product_report), ("executive", executive_report))]


def write_cs_report(tables: dict[str, pd.DataFrame], folder: Path, *, config, run: Mapping) -> Path:
    """Write cs.html (CS向け) into `folder` and return its path. Same bytes and errors as `write_reports`."""
    return _written(cs_report(tables, config=config, run=run), "cs", folder)


def write_daily(tables: dict[str, pd.DataFrame], folder: Path, *, config, run: Mapping) -> Path:
    """Write daily.html (new and growing issues alone) into `folder` and return its path. Same bytes and errors as `write_reports`."""
    return _written(daily_report(tables, config=config, run=run), "daily", folder)


def write_weekly(tables: dict[str, pd.DataFrame], folder: Path, *, config, run: Mapping) -> Path:
    """Write weekly.html into `folder` and return its path. Same bytes and errors as `write_reports`."""
    return _written(weekly_report(tables, config=config, run=run), "weekly", folder)


def _written(report: dict, name: str, folder: Path) -> Path:
    path = Path(folder) / f"{name}.html"
    text = render(report, template=name)
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")
    return path


def render(report: dict, *, template: str) -> str:
    """One report of voc.reports.content as HTML text; `template` is 'product', 'executive', 'cs', 'daily' or 'weekly'."""
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined,
                              trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"figures": figures, "traced": traced}
    environment.globals.update(at=place, sparkline=lambda months: _ours(charts.sparkline(months)),
                               month_bars=lambda *series: _ours(charts.month_bars(*series)),
                               staying_lines=lambda *curves: _ours(charts.staying_lines(*curves)))
    style, script = "\n".join(_asset(name) for name in _STYLES.get(template, ("report.css",))), _asset(_SCRIPT)
    # Even markup that slipped through could not run: the policy admits this one script, by its hash.
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; img-src data:"
    drawn = {
        "ranking_chart": _both(charts.ranking_chart, report["ranked"][:20], is_provisional=report["is_provisional"]),
        "company_chart": _both(charts.company_chart, report["company_months"]),
    } if template in ("product", "executive") else {}  # fmt: skip
    return environment.get_template(f"{template}.html.j2").render(report=report, style=_ours(style), script=_ours(script), policy=policy, **drawn)


def figures(text: str, amounts: Mapping[str, str] | None = None) -> Markup:
    """Escape `text`, then set the amounts in it (毎月8.6名, 月38.4万円) apart as <b>; `amounts`: see voc.reports.sources."""
    # Amounts hold no character that escaping changes, so the pattern may run on the escaped text.
    return traced(_ours(_FIGURE.sub(r'<b class="num">\1</b>', str(escape(text)))), amounts)


def place(source: str | bool) -> Markup:
    """The attribute that carries the address of a figure; nothing for a cell without one."""
    return _ours(f' data-figure="{escape(source)}"') if source else _ours("")


def _asset(name: str) -> str:
    text = (TEMPLATES / name).read_text(encoding="utf-8")
    return text.replace("\r\n", "\n")


def _both(draw, rows, **options) -> dict[str, Markup]:
    """A chart for the desk and for paper, and one for a telephone: text stays readable in both."""
    return {"wide": _ours(draw(rows, width=charts.WIDE, **options)), "narrow": _ours(draw(rows, width=charts.NARROW, **options))}


def _ours(text: str) -> Markup:
    """Markup written or escaped by this package: assets, figures(), SVG of voc.reports.charts. Nothing else."""
    return Markup(text)  # noqa: S704
