"""A company with many calls: a month's volume of transcripts, with customers, usage and FAQ, for the benchmarks of speed.

The world (who calls about what, who leaves) and the wordings are the demo company's. Here every customer's turn of more than
a nod is said in words of its own: leads, circumstances, amounts, colleagues and plans are drawn anew, so that no
deduplication can take a text for one that it has seen, as it would in a company played from a short phrase book.
"""

import json
import random
from pathlib import Path

import numpy as np
import pandas as pd

from voc.demo import letters
from voc.demo.catalogue import load_catalogue
from voc.demo.company import PSEUDONYM_KEY
from voc.demo.knowledge import load_options
from voc.demo.phrases import as_spoken, draw_identity, fill, load_book, misheard, pick, slot_values, with_fillers
from voc.demo.world import START_ON, World, simulate

CALLS, TURNS = 60_000, 20
MONTHS = 12
_CUSTOMERS = 100_000  # who call this often in MONTHS months
_REGISTERS = {"spoken": 3.0, "any": 0.6}
_CALLS_PER_FILE = 5_000

_WEEKDAYS = "月火水木金土"
_PARTS = ("朝", "午前中", "昼前", "昼過ぎ", "夕方", "夜")
_WORK = ("月次の締め", "決算の準備", "経費の精算", "請求書の発行", "給与の振込", "棚卸しの集計", "入金の消し込み", "税理士さんへの提出",
         "監査の準備", "予算の見直し", "源泉の納付", "補助金の申請", "年末の調整", "取引先への支払い", "試算表の確認", "領収書の整理")  # fmt: skip
_PEOPLE = ("経理の者", "新しく入った者", "社長", "店長", "現場の担当", "パートの方", "税理士さん", "支店の者", "総務の{staff}", "部長の{staff}",
           "事務の{staff}さん", "担当の{staff}")  # fmt: skip
_STATES = ("繁忙期で", "人が足りないので", "二拠点で使ってるので", "紙と両方でやってるので", "引き継ぎをしたばかりで", "在宅の日が多くて",
           "店を閉めてから作業するので", "月末しか触らないので", "前のソフトから移ってきたばかりで", "外回りの合間にやるので")  # fmt: skip
_LEADS = (
    "{month}の{day}日の{part}から", "先週の{weekday}曜に{work}をしていたら", "{work}の途中なんですが", "{people}が言うには", "{state}",
    "{device}で{screen}を開いたところで", "{work}で{screen}を見ていて", "{hour}時過ぎに{device}でやってみたら", "{n}件ほど入れたところで",
    "{people}から聞いたんですが", "{day}日の{weekday}曜に気づいたんですが", "{screen}の{n}件目あたりで", "{amount}円の分なんですけど",
)  # fmt: skip
_ASKED = {
    "いつ頃からでいらっしゃいますか": (
        "{month}の{day}日の{part}に{work}をしていたときが最初です", "{weekday}曜の{hour}時ごろに{screen}を開いてからですね",
        "{people}が気づいたのが{day}日で、私が見たのは{weekday}曜の{part}です", "{work}を始めた{day}日あたりだと思います",
    ),
    "どの画面をお使いのときでしょうか": (
        "{screen}から{other_screen}に移って{n}件目を選んだあたりです", "{device}で{screen}を開いて{work}をするときです",
        "{people}は{screen}だと言っていて、私は{other_screen}のほうを使ってます", "{screen}で{month}分を絞り込んで{amount}円の行を押したところです",
    ),
    "お急ぎのご事情はございますか": (
        "{day}日までに{work}を終えないといけなくて、残りが{n}件あります", "{weekday}曜に{people}へ{amount}円分の資料を出すことになってます",
        "急ぎではないんですが{work}が{n}件たまっていて", "{hour}時に{people}と打ち合わせなので、その前に{work}だけは済ませたいです",
    ),
    "何名様でお使いでしょうか": (
        "{n}名で、{state}{people}と分けて{work}をやってます", "{part}は{people}が{device}で、あとは私が{screen}を見てます",
        "{people}を入れて{n}名ですね、{work}のときだけもう一人増えます",
    ),
    "どのような作業をされていましたか": (
        "{work}で{month}の{amount}円を{screen}に入れてました", "{state}{people}と{n}件ずつ手分けして{screen}に入れてたところです",
        "{device}で{screen}を見ながら{other_screen}の{amount}円と突き合わせてました",
    ),
}  # fmt: skip
_AFTER = {
    True: ("じゃあ{part}に{people}ともう一度{screen}を見てみます", "助かります、{weekday}曜の{work}はそれでやってみます",
           "なるほど、{people}に伝えて{n}件分やり直します", "{device}のほうでも{screen}を確かめておきますね", "それなら{day}日の{work}に間に合いそうです"),
    False: ("{weekday}曜の{work}には間に合わないってことですよね", "じゃあ{people}には{n}件は手でやると言っておきます",
            "{day}日までに{amount}円の分だけでもどうにかなりませんか", "{state}それは正直きついです", "分かりました、{people}と相談して{part}にまた電話します"),
}  # fmt: skip
_NOTHING_ELSE = ("いえ、ほかは特にないです", "はい、以上で大丈夫です", "大丈夫です")
_NODS = ("はい", "ええ", "はい、お願いします", "分かりました", "あ、はい", "はい、はい", "なるほど")


def write_load(folder: Path, *, share: float, seed: int) -> dict:
    """Write raw/, truth/, voc.toml and pseudonym.key: `share` of 60,000 calls of 20 turns on average.

    The calls stand in twelve months of proportionally many customers, so that there is something to estimate; their
    number is that of one month. Returns the numbers of calls, turns, customers and customers' turns.
    """
    n_calls = round(CALLS * share)
    world = simulate(load_catalogue(), seed=seed, n_customers=max(round(_CUSTOMERS * share), 200), n_months=MONTHS, contact_rate=0.055)
    contacts = world.contacts[world.contacts["channel"] != "survey"]
    if len(contacts) < n_calls:
        raise ValueError(f"the world has {len(contacts)} contacts, {n_calls} are needed; raise _CUSTOMERS")
    chosen = np.sort(np.random.default_rng([seed, n_calls]).choice(len(contacts), n_calls, replace=False))
    contacts = contacts.iloc[chosen].reset_index(drop=True)
    book, segments = load_book(use="all"), world.customers.set_index("customer_id")["segment"]
    people, truth, records, counts = {}, [], [], {"turns": 0, "customer_turns": 0}
    (folder / "raw/calls").mkdir(parents=True, exist_ok=True)
    (folder / "truth").mkdir(exist_ok=True)
    for number, row in enumerate(contacts.itertuples(), start=1):
        rng = random.Random(f"{seed}:load:{row.contact_id}")
        who = people.get(row.customer_id)
        if who is None:
            who = people[row.customer_id] = draw_identity(book, rng, row.customer_id, segment=segments[row.customer_id])
        turns, said = compose(book, rng, who, row)
        name = f"raw/calls/{(number - 1) // _CALLS_PER_FILE:03d}.json"
        truth += [{"file": name, "contact_id": row.contact_id, **one} for one in said]
        records.append({
            "contact_id": row.contact_id, "customer_id": row.customer_id, "started_at": row.started_at.isoformat(),
            "queue": "操作案内", "handle_seconds": int(row.handle_seconds), "n_transfers": int(row.n_transfers),
            "is_resolved": bool(row.is_resolved), "turns": turns,
        })  # fmt: skip
        counts["turns"] += len(turns)
        counts["customer_turns"] += sum(turn["speaker"] == "customer" for turn in turns)
        if number % _CALLS_PER_FILE == 0 or number == n_calls:
            _write(folder / name, "[\n" + ",\n".join(json.dumps(one, ensure_ascii=False) for one in records) + "\n]\n")
            records = []
    _write_tables(folder, world)
    _write(folder / "truth/sentences.jsonl", "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in truth))
    world.truth.to_csv(folder / "truth/issues.csv", index=False)
    _write(folder / "voc.toml", _CONFIG.format(as_of_on=f"{START_ON + pd.DateOffset(months=MONTHS):%Y-%m-%d}"))
    _write(folder / "pseudonym.key", PSEUDONYM_KEY)
    (folder / "pseudonym.key").chmod(0o600)
    return {"calls": n_calls, "customers": len(world.customers), **counts}


def compose(book, rng: random.Random, who, row) -> tuple[list[dict], list[dict]]:
    """(turns, planted sentences) of one call: 18, 20 or 22 turns, every second one the customer's."""
    talk, values = book.talk, slot_values(book, rng, who, row.started_at)
    lines, planted = [], []
    key = row.issues[0] if row.issues else None
    is_resolved = bool(row.is_resolved)

    def operator(text: str) -> None:
        lines.append(("operator", fill(text, values)))

    def customer(*texts: str) -> None:
        lines.append(("customer", misheard(book, rng, "、".join(fill(text, values) for text in texts if text))))

    def matter(role: str, *before: str) -> None:
        found = pick(book, rng, key, role, _REGISTERS) if key else None
        if found is None:
            customer(*before, varied(book, rng, rng.choice(_ASKED["どのような作業をされていましたか"])))
            return
        text = misheard(book, rng, with_fillers(book, rng, fill(as_spoken(rng, *found), values)))
        planted.append({"turn": len(lines), "text": text, "key": key, "role": role})
        customer(*before, varied(book, rng, rng.choice(_LEADS)), text)

    operator(rng.choice(talk["operator"]["openings"]))
    matter("core", rng.choice(talk["customer"]["openings"]))
    operator(rng.choice(talk["operator"]["acknowledgements"]))
    matter(rng.choice(["core", "detail", "detail"]))
    check = rng.choice(talk["identity"]["checks"])
    operator(check["ask"])
    customer(rng.choice(check["answers"]))
    for number, asked in enumerate(rng.sample(list(_ASKED), rng.choice([1, 2, 3]))):
        operator(asked if number else "ありがとうございます、" + asked)
        customer(varied(book, rng, rng.choice(_ASKED[asked])))
    operator(rng.choice(talk["operator"]["holds"][:4]))
    customer(rng.choice(_NODS))
    answers = talk["answers"][key]["resolved" if is_resolved else "unresolved"] if key else ("かしこまりました", "承知いたしました")
    for number in range(2):
        operator(answers[number % len(answers)])
        customer(rng.choice(_NODS) if not number else varied(book, rng, rng.choice(_AFTER[is_resolved])))
    operator("ほかにご不明な点はございませんでしょうか")
    if key and rng.random() < 0.4:
        matter("wish")
    else:
        customer(rng.choice(_NOTHING_ELSE))
    operator("本日はお電話いただきありがとうございました")
    customer(rng.choice(talk["customer"]["closings"]))
    step = max(int(row.handle_seconds), 60) / len(lines)
    turns = [{"speaker": who, "start_seconds": round(place * step, 1), "text": text} for place, (who, text) in enumerate(lines)]
    return turns, planted


def varied(book, rng: random.Random, text: str) -> str:
    """`text` with its slots filled in words of its own, and the hesitations of a speaker."""
    lists = book.talk["lists"]
    screen, other = rng.sample(lists["screens"], 2)
    values = {
        "month": rng.choice(lists["months"]), "day": str(rng.randint(1, 28)), "hour": str(rng.randint(8, 19)),
        "weekday": rng.choice(_WEEKDAYS), "part": rng.choice(_PARTS), "work": rng.choice(_WORK), "state": rng.choice(_STATES),
        "device": rng.choice(lists["devices"]), "screen": screen, "other_screen": other, "n": str(rng.randint(2, 90)),
        "amount": f"{rng.randint(11, 9_800) * 100:,}",
        "people": fill(rng.choice(_PEOPLE), {"staff": rng.choice(lists["family_names"])}),
    }  # fmt: skip
    return with_fillers(book, rng, fill(text, values))


def _write_tables(folder: Path, world: World) -> None:
    tables = {
        "customers": world.customers.assign(monthly_price_yen=world.customers["monthly_price_yen"].astype(int)),
        "usage": world.usage.assign(n_logins=world.usage["n_logins"].astype(int)),
        "faq": letters.load_faq(), "options": load_options().drop(columns="key"),
    }  # fmt: skip
    for name, frame in tables.items():
        frame.to_csv(folder / f"raw/{name}.csv", index=False, date_format="%Y-%m-%d")


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


_CONFIG = """seed = 42
[company]
name = "ミナト経理（速さの測定）"
as_of_on = "{as_of_on}"
[[sources]]
name = "calls"
format = "transcript"
path = "raw/calls/*.json"
[[sources]]
name = "customers"
format = "customers"
path = "raw/customers.csv"
[[sources]]
name = "usage"
format = "usage"
path = "raw/usage.csv"
[[sources]]
name = "faq"
format = "faq"
path = "raw/faq.csv"
[[sources]]
name = "options"
format = "catalogue"
path = "raw/options.csv"
[store]
path = "store"
[reports]
path = "reports"
[privacy]
pseudonym_key_file = "pseudonym.key"
id_patterns = {{ "顧客番号" = '[MUＭＵ]\\d{{6}}' }}
[costs]
transfer_yen = 400
yen_per_hour = {{ call = 3600 }}
default_handle_seconds = {{ call = 480 }}
[value]
gross_margin = 0.7
"""
