"""Whole files that are one thing each: mails, captions, pages of a FAQ."""

import re
from collections import Counter
from collections.abc import Sequence
from email import message_from_bytes
from email.errors import MessageError

import webvtt
from webvtt.errors import MalformedCaptionError, MalformedFileError

from voc.drafting.answers import guess_speakers
from voc.drafting.guess import Doubt, Guess, refused
from voc.drafting.layout import Layout
from voc.errors import SourceError
from voc.parsing.charset import decode
from voc.parsing.headers import address_of

_FREE_MAIL = ("gmail.com", "yahoo.co.jp", "yahoo.com", "outlook.com", "outlook.jp", "hotmail.com", "hotmail.co.jp", "icloud.com", "me.com",
              "docomo.ne.jp", "ezweb.ne.jp", "au.com", "softbank.ne.jp", "i.softbank.jp", "nifty.com", "biglobe.ne.jp", "ocn.ne.jp")  # fmt: skip
_FAQ = re.compile(r"faq|よくある|ヘルプ|help|サポート|support|質問|ナレッジ|knowledge|記事|article|マニュアル|manual|ガイド|guide|kb(?:/|_|-)", re.IGNORECASE)
_NOT_FAQ = re.compile(r"(?:^|/)(?:readme|license|licence|changelog|index|説明|はじめに|お読みください|notes?)[^/]*$", re.IGNORECASE)
_VOICE = re.compile(r"<v(?:\.[^\s>]{1,100})?\s+([^>]{1,200})>([^<]{0,500})")


def guess_mails(layouts: Sequence[Layout]) -> Guess:
    """Mails; the company's own domains are those that most mails are sent to."""
    to, senders = Counter(), Counter()
    for layout in layouts:
        try:
            message = message_from_bytes(layout.file.data.lstrip(b"\r\n"))
        except (MessageError, RecursionError, AssertionError, TypeError):
            continue  # the trial tells which mails cannot be read
        to.update({domain for name in ("To", "Delivered-To") if (domain := _domain(address_of(message, name)))})
        senders.update({_domain(address_of(message, "From"))} - {""})
    likely = [domain for domain, count in to.most_common(3) if count >= 0.5 * len(layouts) and domain not in _FREE_MAIL]
    if not likely or (len(layouts) >= 3 and senders[likely[0]] >= len(layouts)):
        text = "自社のメールのドメインが分かりません。own_domains = [\"example.co.jp\"] のように書くと、自社からの返信を担当者の発言として扱います"
        return Guess("email", doubts=(Doubt("own_domains", text),))
    doubt = Doubt("own_domains", "宛先に多いドメインです。自社のドメインか確かめてください")
    return Guess("email", own_domains=tuple(likely[:1]), doubts=(doubt,))


def _domain(address: str) -> str:
    return address.rpartition("@")[2]


def guess_captions(layouts: Sequence[Layout]) -> Guess:
    """WebVTT calls, with roles for the voices."""
    said: list[tuple[str, str]] = []
    for layout in layouts:
        try:
            captions = list(webvtt.from_string(decode(layout.file.data).lstrip("\ufeff")))
        except (MalformedFileError, MalformedCaptionError, ValueError, IndexError, AttributeError, SourceError):
            continue  # the trial tells which files cannot be read
        said += [(who.strip(), text) for caption in captions for who, text in _VOICE.findall(caption.raw_text)]
    if not said:
        return Guess("vtt", doubts=(Doubt("format", "話者の印（<v 話者>）がないため、お客様と担当者を分けられません"),))
    return guess_speakers(Guess("vtt"), said)


def guess_pages(layouts: Sequence[Layout]) -> Guess:
    """FAQ articles, where a name says so or several pages stand together."""
    paths = [layout.head.path for layout in layouts]
    named = [path for path in paths if _FAQ.search(path)]
    if all(_NOT_FAQ.search(path) for path in paths):
        return refused("説明書きのファイルとみて、読みません。")
    if len(named) * 2 >= len(paths):
        return Guess("faq")
    if all(path.lower().endswith((".txt", ".text")) for path in paths):
        return refused("ふつうの文章のファイルです。FAQ の記事なら faq の付いた名前のフォルダーに、会話なら CSV か VTT にして置いてください。")
    if len(paths) >= 3:
        return Guess("faq", doubts=(Doubt("format", "文章のページが並んでいるので FAQ の記事とみました。違えばこのソースを消してください"),))
    return refused("文章のページですが、FAQ かどうか分かりません。FAQ なら faq という名前のフォルダーに置いてください。")
