"""WebVTT: recognised calls as captions with voices (`<v Agent>はい`)."""

import re

import webvtt
from webvtt.errors import MalformedCaptionError, MalformedFileError

from voc.cleaning.markup import without_markup
from voc.config import Source
from voc.parsing.charset import decode
from voc.parsing.recording import joined, one_call
from voc.parsing.records import Rows, reject
from voc.parsing.tabular import TableFileError
from voc.raw import RawFile

_VOICE = re.compile(r"<v(?:\.[^\s>]{1,100})?\s+([^>]{1,200})>")
_TAG = re.compile(r"</?(?:v|c|b|i|u|ruby|rt|lang)(?:[.\s][^>]{0,200})?>|<[\d:.]{5,15}>")
_CLOCK = re.compile(r"^(?:(\d{2,5}):)?(\d{2}):(\d{2})[.,](\d{3})$")


def parse_vtt(file: RawFile, source: Source, *, timezone: str = "Asia/Tokyo") -> Rows:
    """One contact of one `.vtt` file: a turn per voice of each caption; captions without a voice have an unknown
    speaker. handle_seconds is the end of the last caption.

    The start of the call comes from the file's name (`name_pattern` or a date with a time). Raises SourceError
    for other files.
    """
    if file.fault:
        raise TableFileError(file.fault)
    text = decode(file.data, encoding=source.encoding).replace("\0", "")
    if not text.lstrip("\ufeff").startswith("WEBVTT"):
        raise TableFileError("WebVTT ではありません（1 行目が WEBVTT ではない）。字幕を .vtt で書き出してください。")
    try:
        captions = list(webvtt.from_string(text))
    except (MalformedFileError, MalformedCaptionError, ValueError, IndexError, AttributeError) as error:
        # the library has no one error for all that a broken file can hold
        raise TableFileError(f"WebVTT として読めません（{str(error)[:80]}）。書き出し直してください。") from None
    spoken, n_broken, end = [], 0, 0.0
    for caption in captions:
        begins, ends = _seconds(caption.start), _seconds(caption.end)
        voices = _voices(caption.raw_text)
        n_broken += not voices
        end = max(end, ends or 0.0)
        spoken += [{"who": who, "text": words, "start_seconds": begins} for who, words in voices]
    faults = [reject(source.name, file.name, f"本文のない字幕 {n_broken} 件を除きました。")] if n_broken else []
    fields = {"handle_seconds": str(end) if end else ""}
    parsed = one_call(file, source, spoken, fields=fields, source_row=file.name, timezone=timezone)
    return joined([parsed], faults)


def _voices(raw: str) -> list[tuple[str | None, str]]:
    """(voice or None, words) of one caption, which may hold several voices."""
    parts = _VOICE.split(raw)
    pairs = [(None, parts[0]), *zip(parts[1::2], parts[2::2], strict=True)]
    # entities (&amp;) stay in captions; other tags than WebVTT's own are words
    found = [(who.strip() if who else None, without_markup(_TAG.sub("", words)).strip()) for who, words in pairs]
    return [(who, " ".join(words.split())) for who, words in found if words]


def _seconds(clock: str) -> float | None:
    found = _CLOCK.match(clock)
    if found is None:
        return None
    hours, minutes, whole, thousandths = (int(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + whole + thousandths / 1000
