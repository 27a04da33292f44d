"""Writes the demo company to disk: raw files as a company would hand them over, and the truth beside them."""

import json
import random
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from voc.demo import letters, voices
from voc.demo.catalogue import load_catalogue
from voc.demo.config_text import config_text
from voc.demo.knowledge import faq_log, load_faq_use, load_options
from voc.demo.mails import auto_reply_file, mail_file
from voc.demo.phrases import Book, Identity, draw_identity, load_book
from voc.demo.world import START_ON, World, simulate

PSEUDONYM_KEY = "minato-keiri-demo-pseudonym-key-fictional-and-not-secret-0001\n"
_TZ = "Asia/Tokyo"
_UNKNOWN_SHARE = 0.03
_QUEUES = {"口座連携": "技術サポート", "ログイン": "技術サポート", "アプリ": "技術サポート", "画面": "技術サポート",
           "データ連携": "技術サポート", "料金": "請求・契約", "契約手続き": "請求・契約", "管理": "操作案内"}
_CUSTOMER_COLUMNS = {"customer_id": "顧客番号", "plan": "プラン", "segment": "区分", "monthly_price_yen": "月額(円)",
                     "started_on": "契約開始日", "ended_on": "解約日", "email": "メールアドレス", "phone": "電話番号"}
_USAGE_COLUMNS = {"customer_id": "顧客番号", "month_on": "年月", "n_logins": "ログイン回数"}
_FAQ_COLUMNS = {"article_id": "記事番号", "title": "タイトル", "body": "本文", "url": "URL"}
_LOG_COLUMNS = {"at": "日時", "query": "検索語", "article_id": "記事番号", "n_hits": "ヒット件数"}
_OPTION_COLUMNS = {"option_id": "オプション番号", "name": "名称", "description": "説明", "plans": "対象プラン", "price_yen": "月額(円)"}
_SURVEY_COLUMNS = ("回答番号", "顧客番号", "回答日時", "おすすめ度", *letters.SURVEY_QUESTIONS)


def write_company(folder: Path, *, seed: int = 42, n_customers: int = 4000, n_months: int = 24,
                  use: str = "build") -> dict:
    """Write raw/, truth/, voc.toml and pseudonym.key below `folder`; the same arguments write the same bytes.

    use: which phrasings are spoken: "build", "held" or "all". Returns the number of rows and files written.
    """
    folder = Path(folder)
    world = simulate(load_catalogue(), seed=seed, n_customers=n_customers, n_months=n_months)
    book = load_book(use=use)
    people = {name: draw_identity(book, random.Random(f"{seed}:person:{name}"), name, segment=segment)
              for name, segment in zip(world.customers["customer_id"], world.customers["segment"], strict=True)}
    contacts = world.contacts.assign(
        at=world.contacts["started_at"].dt.tz_convert(_TZ), is_repeat=world.contacts["repeat_of"].notna())
    contacts["month"] = contacts["at"].dt.strftime("%Y-%m")
    writers = {"call": _write_calls, "email": _write_mails, "chat": _write_chats, "survey": _write_surveys}
    truth, counts = [], {"customers": len(world.customers), "contacts": len(contacts)}
    for channel, writer in writers.items():
        rows = contacts[contacts["channel"] == channel]
        said = writer(folder, rows, book, people, seed=seed)
        counts[channel] = len(rows)
        truth += said
    counts["sentences"] = len(truth)
    _write_tables(folder, world, people)
    first, last = (day.tz_localize(_TZ) for day in (START_ON, START_ON + pd.DateOffset(months=n_months)))
    counts["faq_logs"] = _write_knowledge(folder, faq_log(contacts, seed=seed, first=first, last=last))
    _write_truth(folder, world, truth, use=use)
    _write_text(folder / "voc.toml", config_text(
        START_ON + pd.DateOffset(months=n_months), customers=_CUSTOMER_COLUMNS, usage=_USAGE_COLUMNS, faq=_FAQ_COLUMNS,
        options=_OPTION_COLUMNS, logs={"is_found" if ours == "n_hits" else ours: theirs for ours, theirs in _LOG_COLUMNS.items()},
    ))
    _write_text(folder / "pseudonym.key", PSEUDONYM_KEY)
    (folder / "pseudonym.key").chmod(0o600)  # as a real key is kept
    return counts


def _rng(seed: int, contact_id: str) -> random.Random:
    """Every contact has a generator of its own, so that its wording does not depend on any other contact."""
    return random.Random(f"{seed}:contact:{contact_id}")


def _write_calls(folder: Path, rows: pd.DataFrame, book: Book, people: dict, *, seed: int) -> list[dict]:
    truth = []
    for month, group in rows.groupby("month"):
        name, records = f"raw/calls/{month}.json", []
        for row in group.itertuples():
            call = voices.compose_call(book, _rng(seed, row.contact_id), people[row.customer_id], row)
            truth += _located(call.said, name, row, book)
            records.append({
                "contact_id": row.contact_id, "customer_id": row.customer_id, "started_at": row.at.isoformat(),
                "queue": _queue(row.issues, book), "handle_seconds": int(row.handle_seconds),
                "n_transfers": int(row.n_transfers), "is_resolved": bool(row.is_resolved), "turns": call.turns,
            })
        _write_json(folder / name, records)
    return truth


def _queue(issues: tuple, book: Book) -> str:
    area = book.areas[issues[0]] if issues else ""
    return "解約窓口" if issues and issues[0] == "cancel_procedure" else _QUEUES.get(area, "操作案内")


def _write_chats(folder: Path, rows: pd.DataFrame, book: Book, people: dict, *, seed: int) -> list[dict]:
    truth = []
    for month, group in rows.groupby("month"):
        name, records = f"raw/chats/{month}.json", []
        for row in group.itertuples():
            rng = _rng(seed, row.contact_id)
            is_unknown = rng.random() < _UNKNOWN_SHARE
            chat = voices.compose_chat(book, rng, people[row.customer_id], row)
            truth += _located(chat.said, name, row, book)
            records.append({
                "contact_id": row.contact_id, "customer_id": "" if is_unknown else row.customer_id,
                "started_at": row.at.isoformat(), "handle_seconds": int(row.handle_seconds),
                "is_resolved": bool(row.is_resolved), "messages": chat.turns,
            })
        _write_json(folder / name, records)
    return truth


def _write_mails(folder: Path, rows: pd.DataFrame, book: Book, people: dict, *, seed: int) -> list[dict]:
    truth, of_mail = [], set(rows["contact_id"])
    for row in rows.itertuples():
        rng = _rng(seed, row.contact_id)
        who = people[row.customer_id]
        if rng.random() < _UNKNOWN_SHARE:
            who = draw_identity(book, rng, f"U{row.contact_id[1:]}", segment="個人事業主")
        mail = letters.compose_mail(book, rng, who, row)
        earlier = row.repeat_of if row.repeat_of in of_mail else None
        name = f"raw/mails/{row.contact_id}.eml"
        truth += _located(mail.said, name, row, book)
        _write_bytes(folder / name, mail_file(mail, who, row.contact_id, row.at, earlier=earlier,
                                              old_charset=rng.random() < 0.42))
        if rng.random() < 0.012:
            notice = letters.compose_auto_reply(book, rng, who, mail.subject)
            _write_bytes(folder / f"raw/mails/{row.contact_id}-auto.eml",
                         auto_reply_file(notice, who, row.contact_id, row.at + pd.Timedelta(hours=5, seconds=12)))
    return truth


def _write_surveys(folder: Path, rows: pd.DataFrame, book: Book, people: dict, *, seed: int) -> list[dict]:
    truth = []
    for quarter, group in rows.groupby(rows["at"].dt.strftime("%Y-%m")):
        name, answers = f"raw/survey/{quarter}.csv", []
        for row in group.itertuples():
            survey = letters.compose_survey(book, _rng(seed, row.contact_id), people[row.customer_id], row)
            truth += _located(survey.said, name, row, book)
            answers.append((row.contact_id, row.customer_id, row.at.strftime("%Y/%m/%d %H:%M"), int(row.nps),
                            *survey.turns))
        _write_csv(folder / name, pd.DataFrame(answers, columns=list(_SURVEY_COLUMNS)), encoding="cp932")
    return truth


def _located(said: Iterable[dict], name: str, row, book: Book) -> list[dict]:
    return [{"file": name, "contact_id": row.contact_id, **one, "topic": book.topics[one["key"]],
             "kind": book.kinds[one["key"]]} for one in said]


def _write_tables(folder: Path, world: World, people: dict[str, Identity]) -> None:
    customers = world.customers.assign(
        email=[people[name].email for name in world.customers["customer_id"]],
        phone=[people[name].phone for name in world.customers["customer_id"]],
        monthly_price_yen=world.customers["monthly_price_yen"].astype(int))
    usage = world.usage.assign(n_logins=world.usage["n_logins"].astype(int))
    for name, frame, columns in (("customers", customers, _CUSTOMER_COLUMNS), ("usage", usage, _USAGE_COLUMNS),
                                 ("faq", letters.load_faq(), _FAQ_COLUMNS)):
        _write_csv(folder / f"raw/{name}.csv", frame[list(columns)].rename(columns=columns), encoding="utf-8-sig")


def _write_knowledge(folder: Path, log: pd.DataFrame) -> int:
    log = log.assign(at=log["at"].dt.strftime("%Y-%m-%d %H:%M:%S"))
    options = load_options()
    for name, frame, columns in (("faq_logs", log, _LOG_COLUMNS), ("options", options, _OPTION_COLUMNS)):
        _write_csv(folder / f"raw/{name}.csv", frame[list(columns)].rename(columns=columns), encoding="utf-8-sig")
    _write_csv(folder / "truth/faq.csv", load_faq_use()[["key", "state", "article_id"]], encoding="utf-8")
    _write_csv(folder / "truth/options.csv", options.loc[options["key"] != "", ["key", "option_id"]], encoding="utf-8")
    return len(log)


def _write_truth(folder: Path, world: World, said: list[dict], *, use: str) -> None:
    _write_csv(folder / "truth/issues.csv", world.truth, encoding="utf-8")
    _write_csv(folder / "truth/issue_months.csv", world.truth_months, encoding="utf-8")
    hidden = world.people[["customer_id", "decided_on", "is_silent"]]
    _write_csv(folder / "truth/customers.csv", hidden, encoding="utf-8")
    lines = [json.dumps(one, ensure_ascii=False) for one in said]
    _write_text(folder / "truth/sentences.jsonl", "\n".join(lines) + "\n")
    _write_text(folder / "truth/params.json", json.dumps(world.settings | {"use": use}, indent=1) + "\n")


def _write_json(path: Path, records: list[dict]) -> None:
    _write_text(path, "[\n" + ",\n".join(json.dumps(one, ensure_ascii=False) for one in records) + "\n]\n")


def _write_csv(path: Path, frame: pd.DataFrame, *, encoding: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(path, index=False, encoding=encoding, lineterminator="\r\n" if encoding == "cp932" else "\n",
                 date_format="%Y-%m-%d", float_format="%.10g")


def _write_text(path: Path, text: str) -> None:
    _write_bytes(path, text.encode("utf-8"))


def _write_bytes(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
