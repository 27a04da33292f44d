import pandas as pd
import pytest

from voc.parsing.charset import UndecodableError, decode, decode_declared
from voc.parsing.dates import parse_date, parse_instant

TEXT = "アプリが落ちて困っています。お客様番号を教えてください。\n"


@pytest.mark.parametrize("name", ["utf-8", "utf-8-sig", "utf-16", "cp932", "euc_jp", "iso2022_jp"])
def test_character_sets_are_found(name):
    assert decode(TEXT.encode(name)) == TEXT


def test_nec_characters_in_iso_2022_jp():
    assert decode(b"\x1b$B-!-j\x1b(B abc") == "①㈱ abc"
    assert decode_declared(b"\x1b$B-!\x1b(B", "ISO-2022-JP") == "①"


def test_a_wrong_declaration_is_judged_by_the_bytes():
    assert decode_declared(TEXT.encode("cp932"), "utf-8") == TEXT
    assert decode_declared(TEXT.encode(), "x-no-such-set") == TEXT
    assert decode_declared(TEXT.encode("iso2022_jp"), "utf-8") == TEXT


@pytest.mark.parametrize("data", [b"\x00\x01\x02\xff\xfe\x80" * 40, b"\xff\xfe\x00", bytes(range(128, 256)) * 20])
def test_no_text_is_refused_with_a_repair(data):
    with pytest.raises(UndecodableError, match="UTF-8"):
        decode(data)


def test_a_configured_set_is_taken_at_its_word():
    with pytest.raises(UndecodableError, match="設定の文字コード utf-8"):
        decode(TEXT.encode("cp932"), encoding="utf-8")
    with pytest.raises(UndecodableError, match="base64"):
        decode(b"abcd", encoding="base64")


@pytest.mark.parametrize(("text", "utc"), [
    ("2025-04-25T13:05:00+09:00", "2025-04-25 04:05"),
    ("2025-04-25T04:05:00Z", "2025-04-25 04:05"),
    ("2025/4/25 13:05", "2025-04-25 04:05"),
    ("２０２５／４／２５　１３：０５", "2025-04-25 04:05"),
    ("2025年4月25日(金) 13時05分", "2025-04-25 04:05"),
    ("2025/04/25 1:05:00 午後 GMT+9", "2025-04-25 04:05"),
    ("令和7年4月25日", "2025-04-24 15:00"),
    ("令和元年5月1日 午後3時", "2019-05-01 06:00"),
    ("20250425", "2025-04-24 15:00"),
])  # fmt: skip
def test_instants(text, utc):
    assert parse_instant(text) == pd.Timestamp(utc, tz="UTC")


@pytest.mark.parametrize("text", ["", "4/25/2025", "2025/13/1", "2025-02-30", "昨日", "2025-04-25 25:00", "0001-01-01"])
def test_no_instant(text):
    assert parse_instant(text) is None


def test_dates_count_in_the_companys_zone():
    assert parse_date("2025-04-24T20:00:00Z") == pd.Timestamp("2025-04-25")
    assert parse_date("2025年4月") == pd.Timestamp("2025-04-01")
    assert parse_instant("2025-04-25", timezone="Europe/Berlin") == pd.Timestamp("2025-04-24 22:00", tz="UTC")
