"""Mails and survey answers of the demo company."""

import random
import re
from dataclasses import asdict, dataclass
from importlib.resources import files

import pandas as pd

from voc.demo.phrases import Book, Identity, Said, as_written, draw_hand, fill, pick, pick_several, slot_values

SURVEY_QUESTIONS = ("満足・不満の理由", "ご要望")
_IN_MAIL = {"written": 3.0, "any": 0.5}
_IN_SURVEY = {"any": 2.0, "written": 1.5, "spoken": 0.3}
_UNHAPPY = 4


@dataclass(frozen=True)
class Mail:
    """body includes signature and quoted text; said: planted sentences (turn 0) of the customer's own text."""

    subject: str
    body: str
    is_reply: bool
    said: list[dict]


@dataclass(frozen=True)
class Survey:
    """turns: the answers to SURVEY_QUESTIONS, possibly empty. said: turn is the index of the question."""

    turns: list[str]
    said: list[dict]


def compose_mail(book: Book, rng: random.Random, who: Identity, row) -> Mail:
    """Greeting, matter, closing, signature, sometimes the earlier mail below. `row` names at, issues, is_repeat, ..."""
    values = slot_values(book, rng, who, row.at)
    talk, bridges, said = book.talk["mail"], book.talk["bridges"]["mail"], []
    is_later = row.is_repeat or not row.issues
    paragraphs = [fill(_choose(rng, talk["greetings"], without="初めて|突然" if is_later else ""), values)]
    if row.is_repeat:
        paragraphs.append(rng.choice(bridges["repeats"]))
    for number, key in enumerate(row.issues):
        texts = _matter(book, rng, key, values)
        said += [Said(0, text, key, role) for role, text in texts]
        sentences = [_ended(text) for _, text in texts]
        if number:
            sentences[0] = rng.choice(bridges["second_matter"]) + sentences[0]
        paragraphs.append(rng.choice(["", "\n"]).join(sentences))
    if not row.issues:
        paragraphs.append(rng.choice(bridges["no_matter"]))
    if row.is_muttering and row.issues:
        paragraphs.append(fill(rng.choice(book.talk["customer"]["mutterings"]), values) + "。")
    paragraphs.append(fill(_choose(rng, talk["closings"], without="" if row.issues else "返|確認|対応|待"), values))
    subject = fill(rng.choice(book.talk["subjects"][row.issues[0] if row.issues else "generic"]), values)
    is_reply = rng.random() < (0.8 if row.is_repeat else 0.22)
    subject = f"Re: {subject.removeprefix('Re: ')}" if is_reply else subject
    body = "\n\n".join(paragraphs) + "\n\n" + fill(rng.choice(talk["signatures"]), values) + "\n"
    if is_reply:
        body += "\n" + _quoted(book, rng, values | {"subject": subject.removeprefix("Re: ")})
    return Mail(subject, body, is_reply, [asdict(one) for one in said])


def _choose(rng: random.Random, texts: list[str], *, without: str) -> str:
    return rng.choice([text for text in texts if not (without and re.search(without, text))])


def _matter(book: Book, rng: random.Random, key: str, values: dict[str, str]) -> list[tuple[str, str]]:
    counts = {"core": rng.choices([1, 2, 3], weights=[5, 4, 1])[0],
              "detail": rng.choices([0, 1, 2], weights=[3, 5, 2])[0], "wish": int(rng.random() < 0.35)}
    hand, sentences = draw_hand(book, rng), []
    for role, count in counts.items():
        for text, register in pick_several(book, rng, key, role, _IN_MAIL, count=count):
            is_polite_start = role == "core" and register == "written" and not sentences
            leads = book.talk["bridges"]["leads"]["written"][book.kinds[key]] if is_polite_start else []
            sentences.append((role, fill(as_written(book, rng, text, hand=hand, leads=leads), values)))
    return sentences


def _ended(text: str) -> str:
    return text if re.search(r"[。？！?!]$", text) else text + "。"


def _quoted(book: Book, rng: random.Random, values: dict[str, str]) -> str:
    """What the support had written: it must never be counted as the customer's voice."""
    talk = book.talk["mail"]
    quoted = [fill(rng.choice(talk["quoted_bodies"]), values), fill(rng.choice(talk["operator_closings"]), values)]
    lines = [f"> {line}".rstrip() for line in "\n\n".join(quoted).split("\n")]
    return fill(rng.choice(talk["quote_headers"]), values) + "\n" + "\n".join(lines) + "\n"


def compose_auto_reply(book: Book, rng: random.Random, who: Identity, subject: str) -> Mail:
    """The absence notice of the customer's mail program."""
    text = fill(rng.choice(book.talk["mail"]["out_of_office"]), who.slots())
    return Mail(f"自動応答: Re: {subject.removeprefix('Re: ')}", text + "\n", True, [])


def compose_survey(book: Book, rng: random.Random, who: Identity, row) -> Survey:
    """Two free texts. Requests stand under the second question, everything else under the first."""
    values, hand = slot_values(book, rng, who, row.at), draw_hand(book, rng)
    answers: list[list[str]] = [[], []]
    said = []
    for key in row.issues:
        asks = book.kinds[key] == "要望"
        found = [("core", pick(book, rng, key, "core", _IN_SURVEY))]
        if rng.random() < 0.35:
            found.append(("detail", pick(book, rng, key, "detail", _IN_SURVEY)))
        if rng.random() < 0.3:
            found.append(("wish", pick(book, rng, key, "wish", _IN_SURVEY)))
        for role, one in found:
            if one:
                turn = 1 if role == "wish" or asks else 0
                text = _for_cp932(fill(as_written(book, rng, one[0], hand=hand, leads=[]), values))
                answers[turn].append(text)
                said.append(Said(turn, text, key, role))
    survey = book.talk["survey"]
    if not answers[0] and rng.random() < 0.7:
        answers[0].append(_remark(book, rng, row))
    elif row.is_muttering:
        answers[0].append(rng.choice(book.talk["customer"]["mutterings"]))
    if not answers[1] and rng.random() < 0.45:
        answers[1].append(rng.choice(survey["non_answers"]))
    return Survey([_joined(rng, texts) for texts in answers], [asdict(one) for one in said])


def _remark(book: Book, rng: random.Random, row) -> str:
    if row.nps <= _UNHAPPY or row.is_muttering:
        return rng.choice(book.talk["customer"]["mutterings"])
    return rng.choice(book.talk["survey"]["general_remarks" if rng.random() < 0.8 else "non_answers"])


def _joined(rng: random.Random, texts: list[str]) -> str:
    if not texts:
        return ""
    if len(texts) == 1:
        return texts[0] if re.search(r"[。？・A-]$", texts[0]) else texts[0] + rng.choice(["", "。"])
    return rng.choice(["".join(_ended(text) for text in texts), "\n".join(texts)])


def _for_cp932(text: str) -> str:
    """Windows writes the wave dash as a full-width tilde."""
    return text.replace("〜", "～").replace("−", "－").replace("—", "―")


def load_faq() -> pd.DataFrame:
    """Columns article_id, title, body, url."""
    with (files("voc.demo") / "faq.tsv").open(encoding="utf-8") as handle:
        return pd.read_csv(handle, sep="\t", quoting=3, dtype=str, keep_default_na=False)
