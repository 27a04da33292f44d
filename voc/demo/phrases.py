"""The wordings of the demo company: what is said, who says it, and how hearing and typing distort it."""

import random
import re
import tomllib
from dataclasses import dataclass
from importlib.resources import files

import pandas as pd

from voc.demo.catalogue import load_catalogue

_SLIP_SHARE = 0.04
_TYPO_SHARE = 0.10
# A filler fits where a particle is followed by a kanji or katakana word.
_GAP = re.compile(r"(?<=[てではがをに])(?=[一-龥ァ-ヶ])")
# A single numeral before a counter; 十分, 一時 and longer numbers stay.
_NUMERALS = "一二三四五六七八九"
_NUMERAL = re.compile(f"(?<![一二三四五六七八九十百千万第])[{_NUMERALS}](?=[日回件人名週年枚社]|か月|ヶ月|時間)")
_HAS_LEAD = re.compile("先週|先日|昨日|今週|毎|ここ|前から|恐れ入り|お手数|month|device|弊社|以前|最近|今朝|さっき|急ぎ|三日|一週間|すみません")
_LEAD_SHARE = 0.4
_OTHER_SHARE = 0.3
_SLOT = re.compile(r"\{(\w+)\}")
_PHONES = ("03-5###-####", "06-6###-####", "045-5##-####", "052-7##-####", "090-5###-####", "080-4###-####")
_COMPANY_KINDS = {"個人事業主": ("事務所", "工房", "商店"), "other": ("株式会社", "有限会社", "合同会社")}


@dataclass(frozen=True)
class Book:
    """phrases: (key, role, register) -> texts. talk: everything around the matter, as in talk.toml, and `bridges`."""

    phrases: dict[tuple[str, str, str], list[str]]
    talk: dict
    areas: dict[str, str]
    topics: dict[str, str]
    kinds: dict[str, str]
    slips: dict[str, list[str]]
    slip_pattern: re.Pattern


@dataclass(frozen=True)
class Identity:
    """An invented person and firm."""

    name: str
    family: str
    company: str
    phone: str
    email: str
    domain: str
    address: str

    def slots(self) -> dict[str, str]:
        return {"name": self.name, "family": self.family, "company": self.company, "phone": self.phone,
                "mail": self.email, "address": self.address}


@dataclass(frozen=True)
class Said:
    """One planted sentence: the text exactly as it stands in the raw file."""

    turn: int
    text: str
    key: str
    role: str


def load_book(*, use: str = "build") -> Book:
    """use: "build" (for training and the demo), "held" (kept back for honest tests) or "all"."""
    if use not in {"build", "held", "all"}:
        raise ValueError(f"use is {use!r}; allowed are 'build', 'held', 'all'")
    folder = files("voc.demo")
    with (folder / "phrases.tsv").open(encoding="utf-8") as handle:
        rows = pd.read_csv(handle, sep="\t", quoting=3, dtype=str)
    with (folder / "talk.toml").open("rb") as handle:
        talk = tomllib.load(handle)
    with (folder / "bridges.toml").open("rb") as handle:
        talk["bridges"] = tomllib.load(handle)
    if use != "all":
        rows = rows[rows["use"] == use]
    phrases = {group: texts.tolist() for group, texts in rows.groupby(["key", "role", "register"], sort=False)["text"]}
    catalogue = load_catalogue().set_index("key")
    slips: dict[str, list[str]] = {}
    for pair in talk["slips"]:
        slips.setdefault(pair["right"], []).append(pair["wrong"])
    pattern = re.compile("|".join(map(re.escape, sorted(slips, key=lambda word: (-len(word), word)))))
    return Book(phrases, talk, catalogue["area"].to_dict(), catalogue["topic"].to_dict(), catalogue["kind"].to_dict(),
                slips, pattern)


def fill(text: str, values: dict[str, str]) -> str:
    """Replace {slot}; an unknown slot raises KeyError."""
    return _SLOT.sub(lambda match: values[match[1]], text)


def slot_values(book: Book, rng: random.Random, who: Identity, at: pd.Timestamp) -> dict[str, str]:
    """All slots of one contact: the person, an operator, and things drawn once so that the story stays the same."""
    lists = book.talk["lists"]
    before = at - pd.Timedelta(days=rng.randint(1, 9))
    month = (at.month - rng.randint(0, 1) - 1) % 12
    return who.slots() | {
        "agent": rng.choice(lists["family_names"][:40]), "bank": rng.choice(lists["banks"]),
        "device": rng.choice(lists["devices"]), "screen": rng.choice(lists["screens"]),
        "person_count": rng.choice(lists["person_counts"]), "month": lists["months"][month],
        "date": f"{before.year}年{before.month}月{before.day}日",
    }


def draw_identity(book: Book, rng: random.Random, name: str, *, segment: str) -> Identity:
    """An invented identity; `name` (customer number) makes the mail domain unique."""
    lists = book.talk["lists"]
    family, given = rng.choice(lists["family_names"]), rng.choice(lists["given_names"])
    stem, business = rng.choice(lists["company_stems"]), rng.choice(lists["company_businesses"])
    if segment == "個人事業主":
        company = rng.choice([family, stem]) + rng.choice(_COMPANY_KINDS[segment])
    else:
        form = rng.choice(_COMPANY_KINDS["other"])
        company = f"{form}{stem}{business}" if rng.random() < 0.6 else f"{stem}{business}{form}"
    phone = re.sub("#", lambda _: str(rng.randrange(10)), rng.choice(_PHONES))
    domain = f"{name.lower()}.example"
    town = rng.choice(lists["prefectures_cities"])
    address = f"{town}{rng.randint(1, 9)}-{rng.randint(1, 28)}-{rng.randint(1, 15)}"
    email = f"{rng.choice(['keiri', 'info', 'office', 'soumu', 'mail'])}@{domain}"
    gap = rng.choice(["", " "])
    return Identity(f"{family}{gap}{given}", family, company, phone, email, domain, address)


def pick(book: Book, rng: random.Random, key: str, role: str, registers: dict[str, float]) -> tuple[str, str] | None:
    """(text, register) of one phrasing, registers weighted; None where the issue has none in this role."""
    weighted = [(text, register, weight) for register, weight in registers.items()
                for text in book.phrases.get((key, role, register), [])]
    if not weighted:
        return None
    text, register, _ = rng.choices(weighted, weights=[weight for *_, weight in weighted])[0]
    return text, register


def pick_several(book: Book, rng: random.Random, key: str, role: str, registers: dict[str, float], *,
                 count: int) -> list[tuple[str, str]]:
    """Up to `count` different phrasings."""
    found: list[tuple[str, str]] = []
    for _ in range(count * 3):
        one = pick(book, rng, key, role, registers)
        if one and one not in found and len(found) < count:
            found.append(one)
    return found


def as_spoken(rng: random.Random, text: str, register: str) -> str:
    """A plain-form note ("...取り込まれない") as it would be said on the phone ("...取り込まれないんですけど")."""
    if register == "spoken" or re.search(r"([？?か]|です|ます|ません|でした|ました|ください|下さい)$", text):
        return text
    tail = rng.choice(["んですけど", "んですよ", "んですが", "んです"])
    if text.endswith("だ"):
        return text[:-1] + "な" + tail
    return text + (tail if re.search(r"[いるたうくすつむぬぐぶ]$", text) else "な" + tail)


@dataclass(frozen=True)
class Hand:
    """How one writer writes: spellings that differ from the book's, and digits instead of kanji numerals."""

    spellings: dict[str, str]
    writes_digits: bool


def draw_hand(book: Book, rng: random.Random) -> Hand:
    """The spellings of one contact: each deviation with probability 0.3."""
    spellings = {usual: other for usual, other in book.talk["bridges"]["spellings"].items() if rng.random() < _OTHER_SHARE}
    return Hand(spellings, writes_digits=rng.random() < 0.5)


def as_written(book: Book, rng: random.Random, text: str, *, hand: Hand, leads: list[str]) -> str:
    """`text` in the hand of one writer, sometimes with a lead ("お手数ですが、") unless it already has one."""
    lead = rng.choice(leads) if leads and rng.random() < _LEAD_SHARE and not _HAS_LEAD.search(text) else ""
    for usual, other in hand.spellings.items():
        text = text.replace(usual, other)
    if hand.writes_digits:
        text = _NUMERAL.sub(lambda match: str(_NUMERALS.index(match[0]) + 1), text)
    return lead + mistyped(book, rng, text)


def misheard(book: Book, rng: random.Random, text: str) -> str:
    """Recognition slips: about 4 % of the words that have a known mishearing."""
    return book.slip_pattern.sub(
        lambda match: rng.choice(book.slips[match[0]]) if rng.random() < _SLIP_SHARE else match[0], text)


def with_fillers(book: Book, rng: random.Random, text: str) -> str:
    """Fillers at the beginning and at one gap inside."""
    fillers = book.talk["customer"]["fillers"]
    gaps = [match.start() for match in _GAP.finditer(text) if match.start() > 3]
    if gaps and rng.random() < 0.3:
        place = rng.choice(gaps)
        text = text[:place] + rng.choice(fillers) + text[place:]
    return rng.choice(fillers) + text if rng.random() < 0.3 and not text.startswith(tuple(fillers)) else text


def mistyped(book: Book, rng: random.Random, text: str) -> str:
    """One slip of the keyboard in about every tenth message."""
    fitting = [pair for pair in book.talk["typos"] if pair["right"] in text]
    if not fitting or rng.random() >= _TYPO_SHARE:
        return text
    pair = rng.choice(fitting)
    return text.replace(pair["right"], pair["wrong"], 1)
