"""Calls and chats of the demo company, turn by turn."""

import random
import re
from dataclasses import asdict, dataclass, field

import pandas as pd

from voc.demo.phrases import (
    Book,
    Identity,
    Said,
    as_spoken,
    as_written,
    draw_hand,
    fill,
    misheard,
    pick_several,
    slot_values,
    with_fillers,
)

_ON_THE_PHONE = {"spoken": 3.0, "any": 0.6}
# Departments that a matter of this kind is not passed on to.
_NOT_TO = {"不具合": "料金|契約", "料金": "技術|契約", "手続き": "技術|料金"}
_QUESTION = "聞き|教え|尋ね|確認|相談|伺い"
_IN_CHAT = {"any": 1.5, "spoken": 1.0, "written": 1.0}
_SECONDS_PER_CHARACTER = 1 / 7.0


@dataclass(frozen=True)
class Composed:
    """turns: as the raw file holds them. said: planted sentences as dicts {turn, text, key, role}."""

    turns: list
    said: list[dict]


@dataclass(frozen=True)
class _Script:
    """A conversation while it is written; `join` is how the recogniser separates two sentences of one turn."""

    book: Book
    rng: random.Random
    values: dict[str, str]
    join: str = ""
    keeps_commas: bool = True
    lines: list[tuple[str, str]] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def some(self, *path: str, without: str = "") -> str:
        """One line of talk.toml; `without`: a pattern of lines that do not fit here."""
        texts = self.book.talk
        for name in path:
            texts = texts[name]
        if without:
            texts = [text for text in texts if not re.search(without, text)]
        return fill(self.rng.choice(texts), self.values)

    def heard(self, text: str) -> str:
        text = misheard(self.book, self.rng, text)
        return text if self.keeps_commas else text.replace("、", "")

    def operator(self, *texts: str) -> None:
        self.lines.append(("operator", self.join.join(self.heard(text) for text in texts)))

    def customer(self, *texts: str, planted: tuple[tuple[str, str, str], ...] = ()) -> None:
        """`planted` sentences (key, role, text) follow the others in the same turn."""
        parts = [self.heard(text) for text in texts]
        for key, role, text in planted:
            parts.append(self.heard(with_fillers(self.book, self.rng, text)))
            self.said.append(Said(len(self.lines), parts[-1], key, role))
        self.lines.append(("customer", self.join.join(parts)))

    def phrase(self, key: str, role: str, registers: dict[str, float]) -> tuple[str, str, str] | None:
        found = self.phrases(key, role, registers, 1)
        return found[0] if found else None

    def phrases(self, key: str, role: str, registers: dict[str, float], count: int) -> list[tuple[str, str, str]]:
        """Up to `count` wordings that were not used in this conversation before, if there are any left."""
        found = pick_several(self.book, self.rng, key, role, registers, count=count + len(self.used))
        fresh = [one for one in found if one[0] not in self.used]
        chosen = (fresh or found)[:count]
        self.used.update(text for text, _ in chosen)
        return [(key, role, fill(as_spoken(self.rng, *one), self.values)) for one in chosen]


def compose_call(book: Book, rng: random.Random, who: Identity, row) -> Composed:
    """A call. `row` names at, issues, is_resolved, is_repeat, is_muttering, n_transfers and handle_seconds."""
    script = _Script(book, rng, slot_values(book, rng, who, row.at),
                     join=rng.choices(["。", "、", " ", ""], weights=[4, 2, 3, 1])[0], keeps_commas=rng.random() < 0.5)
    is_resolved = bool(row.is_resolved)
    misfits = "お電話代わりました" if row.at.hour < 11 else "お電話代わりました|^おはよう"
    script.operator(script.some("operator", "openings", without=misfits))
    is_praise = bool(row.issues) and book.kinds[row.issues[0]] == "称賛"
    opening = script.some("customer", "repeat_contacts" if row.is_repeat else "openings",
                          without=f"{misfits}|agent" + (f"|{_QUESTION}" if is_praise else ""))
    if not row.issues:
        _idle_call(script, opening)
    else:
        key = row.issues[0]
        _state_matter(script, key, opening)
        if not is_praise or rng.random() < 0.3:
            _check_identity(script)
        _explain(script, key, is_muttering=bool(row.is_muttering))
        for _ in range(int(row.n_transfers)):
            _transfer(script, key)
        _answer(script, key, is_resolved=is_resolved)
        for other in row.issues[1:]:
            _second_matter(script, other, is_resolved=is_resolved)
    _close(script, is_opinion=bool(row.issues) and book.kinds[row.issues[0]] not in {"使い方", "手続き"},
           is_resolved=is_resolved)
    return Composed(_timed(script, row.handle_seconds), [asdict(one) for one in script.said])


def _close(script: _Script, *, is_opinion: bool, is_resolved: bool) -> None:
    misfits = "失礼" if is_opinion else "失礼|ご意見"
    script.operator(script.some("operator", "closings", without=misfits))
    script.customer(script.some("customer", "closings", without="お待ち" if is_resolved else ""))
    if script.rng.random() < 0.7:
        script.operator(script.some("operator", "closings", without="^ほか|ご意見|^また|ありがとうございました$"))


def _idle_call(script: _Script, opening: str) -> None:
    script.customer(opening)
    script.operator(script.some("operator", "ask_matter"))
    script.customer(script.some("bridges", "call", "no_matter"))
    script.operator(script.some("bridges", "call", "no_matter_answers"))
    _check_identity(script)


def _state_matter(script: _Script, key: str, opening: str) -> None:
    core = script.phrase(key, "core", _ON_THE_PHONE)
    if script.rng.random() < 0.5:
        script.customer(opening)
        script.operator(script.rng.choice(script.book.talk["operator"]["ask_matter"][:5]))
        script.customer(planted=(core,))
    else:
        script.customer(opening, planted=(core,))
    script.operator(_acknowledgement(script, key))


def _acknowledgement(script: _Script, key: str) -> str:
    kind = script.book.kinds[key]
    if kind in script.book.talk["bridges"]["call"]["acknowledge"]:
        return script.some("bridges", "call", "acknowledge", kind)
    return script.some("operator", "acknowledgements")


def _check_identity(script: _Script) -> None:
    checks = script.rng.sample(script.book.talk["identity"]["checks"], len(script.book.talk["identity"]["checks"]))
    first, rest = checks[0], checks[1:]
    other = [check for check in rest if not _asks_alike(check, first)][:script.rng.choice([0, 0, 1])]
    for check in [first, *other]:
        script.operator(check["ask"])
        script.customer(fill(script.rng.choice(check["answers"]), script.values))
    script.operator(script.some("bridges", "call", "thanks"))


def _asks_alike(one: dict, other: dict) -> bool:
    """True where both questions are answered with the telephone number, or both with the firm."""
    return any(slot in one["answers"][0] and slot in other["answers"][0] for slot in ("{phone}", "{company}"))


def _explain(script: _Script, key: str, *, is_muttering: bool) -> None:
    """One to three more sentences on the matter, with the operator listening."""
    rng = script.rng
    more = script.phrases(key, "core", _ON_THE_PHONE, rng.choices([0, 1, 2], weights=[5, 4, 1])[0])
    more += script.phrases(key, "detail", _ON_THE_PHONE, rng.choices([0, 1, 2], weights=[2, 5, 2])[0])
    if more and rng.random() < 0.4:
        script.customer(planted=tuple(more))
    else:
        for number, one in enumerate(more):
            if number:
                script.operator(script.some("bridges", "call", "listening"))
            script.customer(planted=(one,))
    if is_muttering:
        script.operator(_acknowledgement(script, key))
        script.customer(script.some("customer", "mutterings"))


def _transfer(script: _Script, key: str) -> None:
    script.operator(script.some("operator", "transfers",
                                without=_NOT_TO.get(script.book.kinds[key], "技術|料金|契約")))
    script.customer(script.some("bridges", "call", "wait"))
    script.values["agent"] = script.rng.choice(script.book.talk["lists"]["family_names"][:40])
    script.operator(script.some("bridges", "call", "taking_over"))
    script.customer(script.some("bridges", "call", "again"), planted=(script.phrase(key, "core", _ON_THE_PHONE),))


def _answer(script: _Script, key: str, *, is_resolved: bool) -> None:
    rng = script.rng
    praise = script.book.kinds[key] == "称賛"
    if not praise and rng.random() < 0.7:
        script.operator(script.rng.choice(script.book.talk["operator"]["holds"][:4]))
        script.customer(script.some("bridges", "call", "wait"))
    answers = script.book.talk["answers"][key]["resolved" if is_resolved else "unresolved"]
    given = rng.sample(answers, 2 if not praise and rng.random() < 0.45 else 1)
    for number, text in enumerate(given):
        if number:
            script.customer(script.some("customer", "backchannels"))
        script.operator(text)
    if praise:
        script.customer(script.some("bridges", "call", "after_praise"))
        return
    script.customer(script.some("customer", "reactions_resolved" if is_resolved else "reactions_unresolved"))
    wish = script.phrase(key, "wish", _ON_THE_PHONE)
    if wish and rng.random() < (0.2 if is_resolved else 0.5):
        script.operator(script.some("bridges", "call", "take_note"))
        script.customer(planted=(wish,))


def _second_matter(script: _Script, key: str, *, is_resolved: bool) -> None:
    script.operator(script.some("bridges", "call", "anything_else"))
    core = script.phrase(key, "core", _ON_THE_PHONE)
    script.customer(script.some("bridges", "call", "second_matter"), planted=(core,))
    _answer(script, key, is_resolved=is_resolved)


def _timed(script: _Script, handle_seconds: float) -> list[dict]:
    """Start of every turn from the lengths of the turns, stretched to the handling time."""
    clock, starts = 2.0, []
    for _, text in script.lines:
        starts.append(clock)
        clock += len(text) * _SECONDS_PER_CHARACTER + script.rng.uniform(0.3, 2.5)
    stretch = max(handle_seconds - 5, 20) / clock
    return [{"speaker": speaker, "start_seconds": round(start * stretch, 1), "text": text}
            for (speaker, text), start in zip(script.lines, starts, strict=True)]


def compose_chat(book: Book, rng: random.Random, who: Identity, row) -> Composed:
    """A chat: bot first, then a person; short messages of the customer with slips of the keyboard."""
    script = _Script(book, rng, slot_values(book, rng, who, row.at))
    messages: list[tuple[str, str]] = [("bot", script.some("chat", "bot_greetings"))]
    said: list[Said] = []

    def customer(text: str, *, key: str | None = None, role: str = "") -> None:
        if key:
            said.append(Said(len(messages), text, key, role))
        messages.append(("customer", text))

    hand = draw_hand(book, rng)

    def planted(key: str, role: str, count: int) -> None:
        leads = book.talk["bridges"]["leads"]["chat"][book.kinds[key]] if role == "core" else []
        found = pick_several(book, rng, key, role, _IN_CHAT, count=count + len(script.used))
        for text in [text for text, _ in found if text not in script.used][:count]:
            script.used.add(text)
            customer(fill(as_written(book, rng, text, hand=hand, leads=leads), script.values), key=key, role=role)

    if rng.random() < 0.45 or row.is_repeat:
        customer(script.some("customer", "repeat_contacts") if row.is_repeat else script.some("chat", "openings"))
    if row.issues:
        planted(row.issues[0], "core", 1)
    else:
        customer(script.some("bridges", "chat", "no_matter"))
    if rng.random() < 0.8:
        messages.append(("bot", script.some("chat", "bot_handover")))
    messages.append(("agent", script.some("chat", "agent_openings")))
    for number, key in enumerate(row.issues):
        if number:
            customer(script.some("bridges", "chat", "second_matter"))
            planted(key, "core", 1)
        elif rng.random() < 0.35:
            planted(key, "core", 1)
        planted(key, "detail", rng.choices([0, 1, 2], weights=[4, 5, 1])[0])
        if row.is_muttering and not number:
            customer(script.some("customer", "mutterings"))
        answer = "resolved" if row.is_resolved else "unresolved"
        messages.append(("agent", script.some("answers", key, answer) + "。"))
        if book.kinds[key] != "称賛":
            customer(script.some("customer", f"reactions_{answer}"))
            if rng.random() < 0.25:
                planted(key, "wish", 1)
    customer(script.some("chat", "closers"))
    messages.append(("agent", script.some("chat", "agent_closers")))
    return Composed(_stamped(rng, messages, row), [asdict(one) for one in said])


def _stamped(rng: random.Random, messages: list[tuple[str, str]], row) -> list[dict]:
    weights = [len(text) * 0.4 + rng.uniform(2, 20) for _, text in messages]
    stretch = max(row.handle_seconds - 5, 30) / sum(weights)
    clock, stamped = 0.0, []
    for (author, text), weight in zip(messages, weights, strict=True):
        at = row.at + pd.Timedelta(seconds=int(clock))
        stamped.append({"author": author, "at": at.isoformat(), "text": text})
        clock += weight * stretch
    return stamped
