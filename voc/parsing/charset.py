"""Japanese character sets: bytes -> text."""

import codecs
import re

from charset_normalizer import from_bytes

from voc.errors import SourceError

_BOMS = [(codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
         (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")]  # fmt: skip
_ESCAPE = re.compile(rb"\x1b(?:\$[@B]|\$\([@BDOPQ]|\([BJIH])")
_ALIASES = {
    "shift_jis": "cp932", "shift-jis": "cp932", "sjis": "cp932", "x-sjis": "cp932", "windows-31j": "cp932",
    "ms932": "cp932", "cp932": "cp932", "ms_kanji": "cp932", "euc-jp": "euc_jp", "x-euc-jp": "euc_jp",
    "cp51932": "euc_jp", "us-ascii": "ascii", "utf8": "utf-8",
}  # fmt: skip
_JIS = {"iso-2022-jp", "iso2022_jp", "csiso2022jp", "iso-2022-jp-1", "iso-2022-jp-2", "iso-2022-jp-3",
        "iso-2022-jp-2004", "iso-2022-jp-ms", "cp50220", "cp50221", "cp50222"}  # fmt: skip
_DETECTED = ["utf_8", "cp932", "euc_jp", "utf_16", "utf_16_le", "utf_16_be"]


class UndecodableError(SourceError):
    """Bytes that are Japanese text in no character set that is known."""


def decode(data: bytes, *, encoding: str | None = None) -> str:
    """Text of `data`: BOM, ISO-2022-JP escapes, strict UTF-8, detection, CP932, in this order.

    `encoding` (of the configuration) is taken at its word. Raises UndecodableError.
    """
    if encoding is not None:
        try:
            return _named(data, encoding, errors="strict").removeprefix("\ufeff")
        except (LookupError, ValueError):
            raise UndecodableError(
                f"設定の文字コード {encoding} では読めません。encoding の行を消して自動判定にするか、正しい名前"
                "（utf-8、cp932、euc_jp、iso-2022-jp）に直してください。"
            ) from None
    for bom, name in _BOMS:
        if data.startswith(bom):
            return _strict(data, name)
    if _ESCAPE.search(data) and not re.search(rb"[\x80-\xff]", data):
        return decode_iso2022_jp(data)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _detected(data)


def decode_declared(data: bytes, charset: str | None) -> str:
    """Text of a mail part that declares `charset`; never fails: what stays unreadable becomes U+FFFD.

    The declaration is tried first, then what the bytes look like: mails often declare a wrong set.
    """
    if charset and not (_ESCAPE.search(data) and charset.lower() not in _JIS):
        try:
            return _named(data, charset, errors="strict")
        except (LookupError, ValueError):
            pass  # the declaration is wrong: judged by the bytes below
    try:
        return decode(data)
    except UndecodableError:
        try:
            return _named(data, charset or "utf-8", errors="replace")
        except (LookupError, ValueError):
            return data.decode("utf-8", errors="replace")


def decode_iso2022_jp(data: bytes) -> str:
    """ISO-2022-JP with the NEC and IBM characters (①㈱) that mailers send and Python's codec refuses.

    Each two-byte JIS pair is moved to its Shift_JIS place and read as CP932; U+FFFD where that has none.
    """
    text, position, mode = [], 0, "ascii"
    for escape in [*_ESCAPE.finditer(data), None]:
        piece = data[position : escape.start() if escape else len(data)]
        text.append(_segment(piece, mode))
        if escape:
            position = escape.end()
            mode = "jis" if escape[0].startswith(b"\x1b$") else "kana" if escape[0] == b"\x1b(I" else "ascii"
    return "".join(text)


def _segment(piece: bytes, mode: str) -> str:
    if mode == "ascii":
        try:
            return piece.decode("ascii")
        except UnicodeDecodeError:
            return piece.decode("cp932", errors="replace")
    if mode == "kana":
        return bytes(byte | 0x80 if 0x21 <= byte <= 0x5F else byte for byte in piece).decode("cp932", "replace")
    shifted, index = bytearray(), 0
    while index < len(piece):
        pair = piece[index : index + 2]
        if len(pair) == 2 and all(0x21 <= byte <= 0x7E for byte in pair):
            shifted += _shifted_pair(*pair)
            index += 2
        else:
            shifted.append(pair[0])
            index += 1
    return shifted.decode("cp932", errors="replace")


def _shifted_pair(first: int, second: int) -> bytes:
    """JIS X 0208 row and cell -> Shift_JIS bytes (two rows share one lead byte)."""
    lead = (first + 1) // 2 + (0x70 if first < 0x5F else 0xB0)
    trail = second + (0x7E if first % 2 == 0 else 0x20 if second >= 0x60 else 0x1F)
    return bytes((lead, trail))


def _named(data: bytes, name: str, *, errors: str) -> str:
    name = name.strip().strip("\"'").lower()
    if name in _JIS:
        text = decode_iso2022_jp(data)
        if errors == "strict" and "\ufffd" in text:
            raise UnicodeDecodeError("iso-2022-jp", data[:1], 0, 1, "no such character")
        return text
    codec = codecs.lookup(_ALIASES.get(name, name))
    if not codec._is_text_encoding:
        raise LookupError(name)
    return data.decode(codec.name, errors=errors)


def _strict(data: bytes, name: str) -> str:
    try:
        return data.decode(name).removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise UndecodableError(_unreadable(f"{name} の印がありますが途中が壊れています")) from None


def _detected(data: bytes) -> str:
    """CP932, EUC-JP or UTF-16 by what they hold; strict CP932 alone would also take EUC-JP."""
    if b"\0" in data and not _looks_like_utf16(data):
        raise UndecodableError(_unreadable("文字ではないデータが入っています"))
    best = from_bytes(data, cp_isolation=_DETECTED).best()
    for name in ([best.encoding] if best else []) + ["cp932"]:
        try:
            text = data.decode(name)
        except UnicodeDecodeError:
            continue
        if _is_plausible(text):
            return text
    raise UndecodableError(_unreadable("日本語の文字コードとして読めません"))


def _looks_like_utf16(data: bytes) -> bool:
    return len(data) % 2 == 0 and data.count(b"\0") > len(data) // 50


def _is_plausible(text: str) -> bool:
    """Text with hardly any control or private characters and no long run of half-width kana (EUC-JP read as CP932)."""
    sample = text[:20_000]
    strange = len(re.findall(r"[\x00-\x08\x0e-\x1f\x7f\ufffd\ue000-\uf8ff]", sample))
    kana = len(re.findall(r"[｡-ﾟ]", sample))
    return strange * 100 <= len(sample) and kana * 2 <= max(len(sample), 1)


def _unreadable(why: str) -> str:
    return f"文字化けのため読めません（{why}）。元のシステムから UTF-8 か CP932（Shift_JIS）で書き出し直してください。"
