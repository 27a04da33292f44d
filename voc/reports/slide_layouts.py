"""Where things stand on each slide of voc.reports.deck: lengths in inches on a page of 13.333 x 7.5."""

from pptx.enum.text import MSO_AUTO_SIZE
from pptx.oxml.ns import qn
from pptx.util import Inches

from voc.reports import slide_charts
from voc.reports.formats import NONE
from voc.reports.palette import ACCENT, INK, MUTED, PALE, RULE, TINT
from voc.reports.slide_shapes import (
    SPACING,
    block,
    ems,
    fill,
    look,
    n_lines,
    rule,
    table,
    write,
    write_pair,
)

WIDTH, HEIGHT, EDGE = 13.333, 7.5, 0.6
INNER = WIDTH - 2 * EDGE


def frame(slide, content: dict, *, is_first: bool) -> None:
    """Title, lead, foot and page number."""
    title = slide.shapes.title
    title.left, title.top, title.width, title.height = (Inches(n) for n in (EDGE, 0.38, INNER, 0.55))
    title.text_frame.auto_size = MSO_AUTO_SIZE.NONE
    fill(title.text_frame, content["title"], width=INNER, height=0.55, size=26 if is_first else 24, bold=True, anchor="middle")
    place = (EDGE, 0.98, 9.0, 0.28) if is_first else (EDGE, 0.98, INNER, 0.5)  # the first leaves room for the warning
    write(slide, content["lead"], at=place, size=12 if is_first else 14, colour=MUTED)
    write(slide, content["foot"], at=(EDGE, 7.12, INNER - 1, 0.24), size=12, colour=MUTED)
    number = write(slide, "", at=(WIDTH - EDGE - 0.8, 7.12, 0.8, 0.24), size=12, colour=MUTED, align="right")
    paragraph = number.text_frame.paragraphs[0]
    run = paragraph.runs[0]
    look(run.font, size=12, colour=MUTED)
    field = paragraph._p.makeelement(qn("a:fld"), {"id": "{B6F15528-21DE-4FAA-801E-634DDDAF4B2B}", "type": "slidenum"})
    field.extend([run._r.find(qn("a:rPr")), run._r.find(qn("a:t"))])
    paragraph._p.replace(run._r, field)


def _summary(slide, content: dict) -> None:
    top, each = 1.38, 1.12
    for n, item in enumerate(content["headlines"]):
        rule(slide, at=(EDGE, top, INNER), colour=RULE if n else INK, weight=0.75 if n else 1.5)
        write(slide, item["kicker"], at=(EDGE, top + 0.1, 1.4, 0.3), size=12, bold=True, colour=ACCENT)
        at = (EDGE + 1.45, top + 0.08, INNER - 1.45, each - 0.12)
        write_pair(slide, item["sentence"], item["basis"].replace("／", "　"), at=at, size=16)
        top += each
    rule(slide, at=(EDGE, top, INNER))
    _tiles(slide, content, top=top + 0.1)
    _sides(slide, content["sides"], top=top + 1.72)
    if content["warning"]:
        write(slide, content["warning"], at=(EDGE + 9.1, 0.98, INNER - 9.1, 0.28), size=12, bold=True, colour=ACCENT, align="right")


def _tiles(slide, content: dict, *, top: float) -> None:
    """Name, value and changes side by side, each as wide as its text asks; the last ones stay away where there is no room."""
    tiles = []
    for tile in content["tiles"]:
        below = [tile["why"]] if tile["why"] else [_change(c) for c in tile["changes"]]
        wide = max([ems(tile["name"]) * 12, ems(tile["value"], bold=True) * 20, *(ems(line) * 12 for line in below)]) / 72 / 0.97 + 0.12
        tiles.append((tile, "\n".join(below), min(wide, 1.8)))
    while sum(wide for *_, wide in tiles) > INNER + 0.12:
        tiles.pop()
    if not tiles:
        return
    write(slide, f"主な指標　{content['month']}（前月、前年同月との差）", at=(EDGE, top, INNER, 0.26), size=12, bold=True)
    left, spare = EDGE, (INNER + 0.12 - sum(wide for *_, wide in tiles)) / len(tiles)
    for tile, below, wide in tiles:
        width = wide + spare - 0.12
        write(slide, tile["name"], at=(left, top + 0.3, width, 0.24), size=12, colour=MUTED)
        write(slide, tile["value"], at=(left, top + 0.53, width, 0.42), size=20, bold=True)
        write(slide, below, at=(left, top + 0.95, width, 0.44), size=12, colour=MUTED)
        left += wide + spare


def _change(change: dict) -> str:
    return f"{change['label']} {change['word']}" if change["text"] == NONE else f"{change['label']}{change['text']} {change['word']}".strip()


def _sides(slide, sides: list[dict], *, top: float) -> None:
    if not sides:
        return
    pitch = (INNER + 0.3) / len(sides)
    for n, side in enumerate(sides):
        left, width = EDGE + n * pitch, pitch - 0.3
        about = [side["about"]] if len(sides) == 2 else []
        text = "　".join([side["name"], *about, f"月{side['contacts']}", f"月{side['cost']}"])
        write(slide, text, at=(left, top, width - 0.85, 0.26), size=12)
        write(slide, side["share_text"], at=(left + width - 0.85, top - 0.06, 0.85, 0.32), size=16, bold=True, colour=ACCENT, align="right")
        block(slide, at=(left, top + 0.31, width, 0.08), colour=TINT)
        if side["share"] > 0:
            block(slide, at=(left, top + 0.31, width * min(side["share"], 1.0), 0.08), colour=ACCENT)


def _issues(slide, content: dict) -> None:
    rows, has_churn = content["rows"], content["has_churn"]
    head, each, top = 0.42, 0.86, 1.5
    headed = {"size": 12, "is_headed": True}
    if has_churn:
        titles, widths = ["順位（幅）", "課題", "防げる解約／月", "LTV換算／月", "コスト／月"], [1.0, 3.1, 2.35, 1.25, 1.1]
        cells = [[(_lines(row["rank"], row["span"]), headed), (f"{row['label']}\n{row['kind']}　月{row['contacts']}", {}),
                  (_lines(row["churn"]["figure"], row["churn"]["detail"], row["churn"]["chip"]), {**headed, "is_headed": bool(row["churn"]["figure"])}),
                  (row["value"].replace("〜", "〜\n"), {}), (row["cost"], {})] for row in rows]
    else:
        titles, widths = ["順位（幅）", "課題", "件数／月", "直近3か月", "コスト／月"], [1.0, 3.6, 1.1, 1.9, 1.2]
        cells = [[(_lines(row["rank"], row["span"]), headed), (f"{row['label']}\n{row['kind']}", {}), (row["contacts"], {"bold": True}),
                  (row["trend"], {}), (row["cost"], {})] for row in rows]
    table(slide, titles, cells, at=(EDGE, top), widths=widths, heights=(head, each), name="上位課題")
    left = EDGE + sum(widths) + 0.15
    write(slide, content["caption"], at=(left + 0.3, top, WIDTH - EDGE - left - 0.3, head - 0.06), size=12, colour=MUTED, anchor="bottom")
    tall = each * len(rows)
    draw = slide_charts.interval_chart if has_churn else slide_charts.count_chart
    # the frame starts where the rows start and ends below them, with room for the figures of the axis
    draw(slide, content["bars"][::-1], at=(left, top + head, WIDTH - EDGE - left, tall + 0.4), inner=(0.0, tall / (tall + 0.4)),
         description=content["caption"] + "。" + "、".join(_spoken(row, has_churn=has_churn) for row in rows))
    write(slide, content["note"], at=(EDGE, top + head + tall + 0.42, INNER, 0.45), size=12, colour=MUTED)


def _spoken(row: dict, *, has_churn: bool) -> str:
    return f"{row['rank']} {row['label']} {row['churn']['detail'] or row['churn']['chip'] if has_churn else row['contacts']}"


def _lines(*parts: str) -> str:
    return "\n".join(filter(None, parts))


def _voices(slide, content: dict) -> None:
    top, each = 1.6, 1.06
    for voice in content["voices"]:
        block(slide, at=(EDGE, top + 0.04, 0.05, each - 0.26), colour=PALE)
        write(slide, f"{voice['rank']}　{voice['label']}".strip(), at=(EDGE + 0.2, top, 3.5, 0.5), size=14, bold=True)
        write(slide, voice["when"], at=(EDGE + 0.2, top + 0.54, 3.5, 0.26), size=12, colour=MUTED)
        write(slide, f"「{voice['text']}」", at=(EDGE + 4.0, top, INNER - 4.0, each - 0.2), size=16)
        top += each


def _company(slide, content: dict) -> None:
    months = content["months"]
    at = (EDGE - 0.1, 1.9, INNER + 0.2, 2.35) if content["rates"] else (EDGE - 0.1, 1.9, INNER + 0.2, 5.0)
    span = f"{months[0]:%Y/%m}から{months[-1]:%Y/%m}まで。{content['lead']}"
    if content["rates"]:
        write(slide, "解約率（月）", at=(EDGE, 1.58, INNER, 0.28), size=14, bold=True)
        slide_charts.rate_chart(slide, months, content["rates"], at=at, description="解約率の推移。" + span)
        at = (EDGE - 0.1, 4.72, INNER + 0.2, 2.3)
    write(slide, "問い合わせ件数（月）", at=(EDGE, at[1] - 0.32, INNER, 0.28), size=14, bold=True)
    slide_charts.contact_chart(slide, months, content["contacts"], at=at, description="問い合わせ件数の推移。" + span)


def _changes(slide, content: dict) -> None:
    # two columns are read when the ledger changed, one when only the volumes did
    columns = [(EDGE, 6.4, content["groups"]), (EDGE + 6.8, INNER - 6.8, content["trends"])]
    if not content["groups"] or not content["trends"]:
        columns = [(EDGE, INNER, content["groups"] or content["trends"])]
    for left, width, groups in columns:
        top = 1.65
        for n, group in enumerate(groups):
            lines = [*group["lines"], *([f"ほか{group['rest']}件"] if group.get("rest") else [])]
            tall = 0.32 + 0.27 * len(lines)
            if top + tall > 6.85:
                write(slide, f"ほか: {'、'.join(left_out['word'] for left_out in groups[n:])}", at=(left, top, width, 0.27), size=12, colour=MUTED)
                break
            write(slide, group["word"] + (f"　{group['n']}件" if "n" in group else ""), at=(left, top, width, 0.28), size=14, bold=True, colour=ACCENT)
            for place, line in enumerate(lines):
                write(slide, line, at=(left, top + 0.31 + 0.27 * place, width, 0.27), size=13)
            top += tall + 0.14


def _fixes(slide, content: dict) -> None:
    titles, widths = ["課題", "対応日", "問い合わせの変化", "見込み／月", "実績／月", "注記"], [3.2, 1.3, 1.9, 1.2, 1.5, 3.0]
    cells = [[(row["label"], {"bold": True}), (row["done"], {}), (row["contacts"].replace("（", "\n（"), {}), (row["promised"], {}), (row["realised"], {"bold": True}),
              (row["note"], {"size": 12, "colour": MUTED})] for row in content["rows"]]
    table(slide, titles, cells, at=(EDGE, 1.5), widths=widths, heights=(0.42, 0.72), name="見込みと実績")
    write(slide, content["note"], at=(EDGE, 2.07 + 0.72 * len(cells), INNER, 0.5), size=12, colour=MUTED)


def _tested(slide, content: dict) -> None:
    """A table and lines under it."""
    cells = [[(cell, {"bold": not place}) for place, cell in enumerate(row)] for row in content["rows"]]
    table(slide, content["head"], cells, at=(EDGE, 1.55), widths=content["widths"], heights=(0.42, 0.56), name=content["title"])
    _bullets(slide, content["lines"], top=1.55 + 0.42 + 0.56 * len(cells) + 0.25, bottom=6.95)


def _tiers(slide, content: dict) -> None:
    top = 1.6
    if content["has_churn"]:
        for tier in content["tiers"]:
            write(slide, tier["chip"], at=(EDGE, top, 2.6, 0.5), size=13, bold=True, colour=ACCENT)
            write(slide, tier["meaning"], at=(EDGE + 2.8, top, INNER - 2.8, 0.5), size=13)
            top += 0.56
        rule(slide, at=(EDGE, top + 0.02, INNER))
        top += 0.16
    _bullets(slide, content["lines"], top=top, bottom=6.95)


def _coverage(slide, content: dict) -> None:
    rows = content["rejects"]
    tall = 0.36 + 0.36 * len(rows) if rows else 0.0
    top = _bullets(slide, content["lines"], top=1.55, bottom=6.75 - tall)
    if rows:
        cells = [[(row["reason"], {"size": 12}), (row["stage"], {"size": 12}), (row["n"], {"size": 12, "align": "right"})] for row in rows]
        table(slide, ["使えなかった行の理由", "段階", "件数"], cells, at=(EDGE, top + 0.15), widths=[8.6, 2.0, 1.5], heights=(0.36, 0.36), name="使えなかった行")


def _bullets(slide, lines: list[str], *, top: float, bottom: float) -> float:
    """Lines one under another, and where they end; those that find no room are counted at the end."""
    for n, line in enumerate(lines):
        tall = 13 * SPACING / 72 * n_lines("・" + line, width=INNER, size=13)
        if top + tall > bottom - (0.3 if n < len(lines) - 1 else 0):
            write(slide, f"ほか{len(lines) - n}件は executive.html にあります。", at=(EDGE, top, INNER, 0.26), size=12, colour=MUTED)
            return top + 0.37
        write(slide, "・" + line, at=(EDGE, top, INNER, tall + 0.02), size=13)
        top += tall + 0.12
    return top


DRAW = {"summary": _summary, "issues": _issues, "voices": _voices, "company": _company, "changes": _changes, "fixes": _fixes, "drivers": _tested, "placebo": _tested,
        "tiers": _tiers, "coverage": _coverage}
