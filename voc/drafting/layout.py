"""The head of a file -> what it holds: a table, JSON records, a mail, captions, a page, or why it is none of them."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from voc.config import Source
from voc.drafting.head import Head
from voc.errors import SourceError
from voc.parsing.charset import decode
from voc.parsing.tabular import PAGES, json_records, read_cells
from voc.raw import RawFile

_TABLES = (".csv", ".tsv", ".xlsx", ".xlsm")
_JSON = (".json", ".jsonl", ".ndjson")
_REFUSED = {
    ".wav .mp3 .m4a .ogg .flac .aac .wma .opus .amr": "音声ファイルです。文字に起こしたもの（JSON、VTT、CSV）を置いてください。",
    ".mp4 .mov .avi .webm .mkv": "動画ファイルです。文字に起こしたものを置いてください。",
    ".pdf": "PDF は読めません。元のデータ（CSV、XLSX、HTML など）を置いてください。",
    ".doc .docx .ppt .pptx .rtf .odt": "文書ファイルは読めません。FAQ なら HTML か Markdown、表なら CSV か XLSX で書き出してください。",
    ".xls .xlsb .ods": "この Excel 形式は読めません。開いて .xlsx で保存し直してください。",
    ".msg .pst .ost": "Outlook の形式は読めません。メールを .eml か .mbox で書き出してください。",
    ".srt": "SRT 字幕は読めません。WebVTT（.vtt）で書き出してください。",
    ".db .sqlite .sqlite3 .mdb .accdb .dump": "データベースのファイルです。[sources.sql] に接続先と query を書くか、CSV で書き出してください。",
    ".parquet .feather .orc .avro .pkl .npz": "このデータ形式は読めません。CSV か JSON Lines で書き出してください。",
    ".7z .rar .tar .tgz .lzh .bz2 .xz .zst": "この圧縮形式は開けません。zip か gzip にするか、展開して置いてください。",
    ".png .jpg .jpeg .gif .bmp .tif .tiff .webp .svg .heic": "画像です。",
    ".toml .ini .cfg .yaml .yml .key .pem .env .log .py .sh .bat .exe .dll .css .js .xsl": "設定やプログラムのファイルとみて、読みません。",
    ".xml": "XML は読めません。CSV か JSON で書き出してください。",
}  # fmt: skip
_REASONS = {tail: reason for tails, reason in _REFUSED.items() for tail in tails.split()}
_MAIL = re.compile(rb"\A(?:From [^\r\n]{1,300}\r?\n)?(?:[A-Za-z][A-Za-z0-9-]{1,60}:[^\r\n]*\r?\n(?:[ \t][^\r\n]*\r?\n)*){2,}")
_MAIL_HEADER = re.compile(rb"^(?:From|Received|Message-ID|Return-Path|Date|Subject):", re.IGNORECASE | re.MULTILINE)
_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|["{}\[\],]', re.DOTALL)
_DEEPEST = 200
_ROWS = 2000  # of a sample


@dataclass(frozen=True)
class Layout:
    """`kind`: table (with `frame`), records (JSON with `records`), mail, vtt, page, or empty with `reason`.

    `file` is what a parser may read on trial: whole rows or records only.
    """

    head: Head
    kind: str
    file: RawFile = field(repr=False)
    reason: str = ""
    frame: pd.DataFrame | None = field(default=None, repr=False)
    records: tuple[dict, ...] = field(default=(), repr=False)


def read_layout(head: Head) -> Layout:
    """What `head` holds. Never fails: what cannot be read has a reason, in Japanese."""
    name = head.name.lower()
    file = RawFile("", head.name, head.data, "", fault=head.fault)
    tail = name[name.rfind(".") :] if "." in name.rpartition("/")[2] else ""
    if head.fault:
        return Layout(head, "", file, head.fault)
    if not head.data.strip():
        return Layout(head, "", file, "中身がありません（空のファイル）。")
    if tail in _REASONS:
        return Layout(head, "", file, _REASONS[tail])
    if tail in (".eml", ".mbox") or (tail not in (*_TABLES, *_JSON, *PAGES) and _looks_like_mail(head.data)):
        return Layout(head, "mail", file)
    if tail == ".vtt" or head.data.lstrip(b"\xef\xbb\xbf").startswith(b"WEBVTT"):
        return Layout(head, "vtt", file)
    try:
        if tail in PAGES and not (tail == ".txt" and _looks_like_table(head)):
            return Layout(head, "page", file)
        if tail in _JSON:
            return _json_layout(head)
        if tail in (*_TABLES, ".txt", ".dat", ""):
            return _table_layout(head)
    except SourceError as error:
        return Layout(head, "", file, str(error))
    return Layout(head, "", file, f"{tail} の読み方が分かりません。CSV、XLSX、JSON、EML、VTT などで書き出してください。")


def _looks_like_mail(data: bytes) -> bool:
    start = data[:4000].lstrip(b"\r\n")
    return _MAIL.match(start) is not None and len(_MAIL_HEADER.findall(start)) >= 2


def _looks_like_table(head: Head) -> bool:
    lines = [line for line in decode(_whole_lines(head.data)).splitlines()[:5] if line.strip()]
    return len(lines) >= 2 and any(len({line.count(mark) for line in lines}) == 1 and lines[0].count(mark) for mark in "\t,")


def _table_layout(head: Head) -> Layout:
    data = head.data if head.is_whole else _whole_lines(head.data)
    file = RawFile("", head.name, data, "")
    frame, _ = read_cells(file, _ANY_TABLE)
    names = [name for name in frame.columns if name != "source_row"]
    if len(names) < 2:
        return Layout(head, "", file, "1 行目が表の見出しではないようです（列が 2 つ未満）。見出し行を 1 行目に置いてください。")
    if frame.empty:
        return Layout(head, "", file, f"見出しだけで、データの行がありません（列: {'、'.join(names[:10])}）。")
    return Layout(head, "table", file, frame=frame.head(_ROWS))


_ANY_TABLE = Source(name="draft", format="turns", path="draft")


def _whole_lines(data: bytes) -> bytes:
    """`data` without the line that was cut off."""
    for mark, newline in ((b"\xff\xfe", b"\n\0"), (b"\xfe\xff", b"\0\n")):
        if data.startswith(mark):
            places = [place for place in (data.rfind(newline, 0, end) for end in (len(data), len(data) - 1)) if place % 2 == 0]
            return data[: places[0] + 2] if places and places[0] > 0 else data[: len(data) // 2 * 2]
    end = data.rfind(b"\n") + 1
    for _ in range(_DEEPEST):  # a line may end inside quotes
        if end <= 0 or data.count(b'"', 0, end) % 2 == 0:
            break
        end = data.rfind(b"\n", 0, end - 1) + 1
    return data[:end] if end > 0 else data


def _json_layout(head: Head) -> Layout:
    text = decode(head.data if head.is_whole else _whole_characters(head.data)).lstrip("\ufeff")
    text = text if head.is_whole else _closed(text)
    whole = _loaded(text)
    if isinstance(whole, dict) and isinstance(whole.get("tickets"), list):
        users = {"users": whole["users"]} if whole.get("users") else {}
        return _records(head, [item | users for item in whole["tickets"][:_ROWS] if isinstance(item, dict)], text)
    records, _ = json_records(text)
    if not records:
        reason = "JSON のレコードがありません。配列 [...] か、1 行に 1 つの JSON オブジェクトを書いてください。"
        return Layout(head, "", RawFile("", head.name, head.data, ""), reason)
    return _records(head, [record for _, record in records][:_ROWS], text)


def _records(head: Head, records: Sequence[dict], text: str) -> Layout:
    file = RawFile("", head.name, text.encode("utf-8", "surrogatepass"), "")
    unwrapped = tuple(record["ticket"] if isinstance(record.get("ticket"), dict) else record for record in records)
    is_flat = not any(isinstance(value, (dict, list)) for record in unwrapped for value in record.values())
    frame = read_cells(file, _ANY_TABLE)[0].head(_ROWS) if is_flat else None
    return Layout(head, "records", file, frame=frame, records=unwrapped)


def _whole_characters(data: bytes) -> bytes:
    """UTF-8 without the character that was cut off; other character sets as they are."""
    for drop in range(4):
        part = data[: len(data) - drop]
        try:
            part.decode("utf-8")
        except UnicodeDecodeError:
            continue
        return part
    return _whole_lines(data)


def _closed(text: str) -> str:
    """JSON that was cut off, cut back to its last whole value and closed; JSON lines without the broken last line."""
    first, _, rest = text.partition("\n")
    if rest and isinstance(_loaded(first), dict):
        return text[: text.rfind("\n") + 1]
    open_brackets: list[str] = []
    cut, closing = 0, ""
    for token in _JSON_TOKEN.finditer(text):
        mark = token[0]
        if mark in "{[":
            open_brackets.append("}" if mark == "{" else "]")
            if len(open_brackets) > _DEEPEST:
                break
        elif mark in "}]":
            if not open_brackets or open_brackets.pop() != mark:
                break
        elif mark == '"':
            break  # the text that was cut off
        elif mark == ",":
            cut, closing = token.start(), "".join(reversed(open_brackets))
    return text[:cut] + closing


def _loaded(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
