import shutil

import numpy as np
import pandas as pd
import pytest

from voc import removal
from voc.errors import VocError
from voc.identity import pseudonyms_of
from voc.privacy import pseudonymise
from voc.removal import erase, expire, find_customer
from voc.sources.pseudonym_map import read_pseudonyms, write_pseudonyms
from voc.store import read_table, stored_tables, write_table
from voc.tables import CONTACTS, CUSTOMERS, EMBEDDINGS, ERASED, ISSUES, OPINIONS, SENTENCES, TABLES, check, content_sha

KEY = b"0123456789abcdef"
NOW = pd.Timestamp("2026-01-01", tz="UTC")
NUMBERS = {"A-1": "紫色の象", "B-2": "緑色の亀"}
ONE, TWO, MAIL, PHONE = pseudonymise(pd.Series(["A-1", "B-2", "one@example.com", "0312345678"]), KEY)
OPINION = {"polarity": "negative", "strength": -1.0, "intent": "complaint", "flags": [], "is_abstained": False}


def frames():
    """Every kind of table that hangs on a customer, for two of them."""
    rows = {name: [] for name in ("customers", "customer_keys", "usage", "contacts", "turns", "sentences", "opinions", "embeddings", "mentions")}
    for customer, text in zip((ONE, TWO), NUMBERS.values(), strict=True):
        contact, sentence = f"C{text[0]}", f"S{text[0]}"
        key = {"contact_id": contact, "customer_id": customer}
        rows["customers"].append({"customer_id": customer, "plan": "p"})
        rows["customer_keys"].append({"kind": "id", "value": customer, "customer_id": customer})
        rows["usage"].append({"customer_id": customer, "month_on": "2025-12-01", "n_logins": 3.0})
        rows["contacts"].append({**key, "known_as": customer, "channel": "email", "source": "m", "source_row": contact,
                                 "started_at": NOW - pd.DateOffset(months=1 if customer == TWO else 14), "content_sha": "x", "subject": text})  # fmt: skip
        rows["turns"].append({"turn_id": f"T{text[0]}", "contact_id": contact, "position": 0, "speaker": "customer", "text": text})
        rows["sentences"].append({"sentence_id": sentence, "turn_id": f"T{text[0]}", "contact_id": contact, "position": 0, "start": 0, "end": 4,
                                  "text": text, "terms": [text]})  # fmt: skip
        rows["opinions"].append({"sentence_id": sentence, **OPINION, **{column: 0.5 for column in OPINIONS.columns if column.startswith("p_")}})
        rows["embeddings"].append({"sentence_id": sentence, "model": "e5", "vector": np.zeros(3, dtype="float32")})
        rows["mentions"].append({**key, "issue_id": "VOC-1", "sentence_id": sentence, "mentioned_at": NOW, "probability": 1.0})
    rows["customer_keys"] += [{"kind": "email", "value": MAIL, "customer_id": ONE}, {"kind": "phone", "value": PHONE, "customer_id": ONE},
                              {"kind": "phone", "value": PHONE, "customer_id": TWO}]  # fmt: skip
    rows["contacts"].append({**rows["contacts"][1], "contact_id": "Cmail", "customer_id": None, "known_as": MAIL, "source_row": "Cmail", "subject": "紫色の象"})
    rows["issues"] = [{"issue_id": "VOC-1", "label": "色", "kind": "complaint", "status": "open", "first_seen_at": NOW, "centroid": [0.5],
                       "threshold": 0.5, "exemplar_ids": ["S紫", "S緑"], "keywords": ["色"], "n_sentences": 2}]  # fmt: skip
    rows["rejects"] = [{"source": "m", "source_row": "C紫", "stage": "parse", "reason": "紫色の象は使えません"}]
    return {name: check(pd.DataFrame(own), TABLES[name]) for name, own in rows.items()}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A store with a history and a map beside it."""
    base = tmp_path_factory.mktemp("written")
    for _ in range(2):
        for name, frame in frames().items():
            write_table(frame, TABLES[name], store=str(base / "store"))
    write_pseudonyms(pseudonyms_of(pd.Series([*NUMBERS, "one@example.com"]), key=KEY), folder=base / "identity")
    return base


@pytest.fixture
def place(written, tmp_path):
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    return {"store": str(tmp_path / "store"), "map_folder": tmp_path / "identity", "key": KEY}


def everything(folder, *, but=()):
    """All bytes under `folder`, and all parquet files as text (a compressed page could hide a word)."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not set(but) & set(path.parts)]
    stored = b"".join(path.read_bytes() for path in files).decode("utf-8", "ignore")
    return stored + "".join(pd.read_parquet(path).astype("str").to_csv() for path in files if path.suffix == ".parquet")


def state(place):
    tables = {table.name: content_sha(read_table(table, store=place["store"])) for table in stored_tables(store=place["store"])}
    return tables | {"map": read_pseudonyms(folder=place["map_folder"])["source_customer_id"].tolist()}


def traces(place, folder):
    found = everything(folder, but=[ERASED.name])
    return [word for word in (ONE, MAIL, "紫色", "C紫", "Cmail", "A-1", "one@example.com") if word in found]


COUNTS = {"contacts": 2, "turns": 1, "sentences": 1, "opinions": 1, "embeddings": 1, "mentions": 1, "customers": 1, "customer_keys": 3,
          "usage": 1, "issues": 0, "rejects": 1, "pseudonym_map": 2}  # fmt: skip


def test_an_erased_customer_leaves_no_trace_but_the_tombstones(place, tmp_path):
    assert len(traces(place, tmp_path)) == 7
    assert erase("A-1", **place, erased_at=NOW) == COUNTS
    assert traces(place, tmp_path) == []
    assert "緑色の亀" in everything(tmp_path) and read_pseudonyms(folder=place["map_folder"])["source_customer_id"].tolist() == ["B-2"]
    stones = read_table(ERASED, store=place["store"])
    assert set(stones["value"]) == {ONE, MAIL, "C紫", "Cmail"} and (stones["erased_at"] == NOW).all()
    assert read_table(ISSUES, store=place["store"])["exemplar_ids"].map(list).tolist() == [["S緑"]]


@pytest.mark.parametrize("customer", ["A-1", "Ａ－１", ONE, "One@example.com", " A-1 "])
def test_a_customer_is_found_by_number_pseudonym_and_address(place, customer):
    found = find_customer(customer, **place)
    assert (found.customer_id, found.is_known) == (ONE, True) and "A-1" in found.source_customer_ids
    assert found.n_rows == {"contacts": 2, "turns": 1, "customers": 1, "usage": 1}


def test_an_address_of_two_customers_is_asked_back(place):
    with pytest.raises(VocError, match="2 名の顧客"):
        erase("03-1234-5678", **place, erased_at=NOW)


@pytest.mark.slow
def test_a_mistyped_number_changes_nothing_unless_it_is_meant(place):
    before = state(place)
    with pytest.raises(VocError, match=r"A-\d.*--even-if-unknown"):
        erase("A-9", **place, erased_at=NOW)
    assert state(place) == before
    assert erase("A-9", **place, erased_at=NOW, even_if_unknown=True) == {}
    assert read_table(ERASED, store=place["store"])["value"].tolist() == [pseudonymise(pd.Series(["A-9"]), KEY)[0]]


@pytest.mark.slow
def test_without_a_map_a_number_is_enough(place, tmp_path):
    (place["map_folder"] / "pseudonyms.csv").unlink()
    assert "pseudonym_map" not in erase("A-1", **place | {"map_folder": None}, erased_at=NOW)
    assert traces(place, tmp_path) == []


def killed_after(limit, patch):
    """Let the job die after so many steps that change something on disk; the list of the steps that were done."""
    done = []

    def dying(name, do):
        def step(*arguments, **options):
            result = do(*arguments, **options)
            done.append(name)
            if len(done) == limit:
                raise KeyboardInterrupt
            return result

        patch.setattr(removal, name, step)

    for name in ("write_table", "forget_history", "erase_pseudonyms"):
        dying(name, getattr(removal, name))
    return done


@pytest.mark.slow
@pytest.mark.parametrize("customer", ["A-1", ONE, "one@example.com"])
def test_a_job_killed_after_any_step_ends_the_same_when_it_is_repeated(customer, place, monkeypatch, tmp_path):
    folder = tmp_path / "again"
    own = {"store": str(folder / "store"), "map_folder": folder / "identity", "key": KEY}
    kept = tmp_path / "kept"
    kept.mkdir()
    for name in ("store", "identity"):
        (tmp_path / name).rename(kept / name)
    shutil.copytree(kept, folder)
    with monkeypatch.context() as patch:
        done = killed_after(0, patch)
        erase(customer, **own, erased_at=NOW)
    wanted, n_writes = state(own), done.count("write_table")
    assert n_writes == 12 and done[-1] == "erase_pseudonyms" and traces(own, folder) == []
    every = range(1, n_writes + 2) if customer == "A-1" else (2, n_writes - 1, n_writes)
    for limit in (*every, len(done)):
        shutil.rmtree(folder)
        shutil.copytree(kept, folder)
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            assert killed_after(limit, patch) == []
            erase(customer, **own, erased_at=NOW)
        assert ONE in read_table(ERASED, store=own["store"])["value"].tolist()  # from the first step on no ingest brings it back
        erase(customer, **own, erased_at=NOW + pd.Timedelta(days=1))
        assert state(own) == wanted, limit
        assert traces(own, folder) == [], limit


@pytest.mark.slow
def test_old_contacts_go_with_their_history_and_again_nothing(place, tmp_path):
    counts = expire(store=place["store"], months=12, as_of_on=pd.Timestamp("2026-01-01"), timezone="Asia/Tokyo")
    assert counts == {"contacts": 1, "turns": 1, "sentences": 1, "opinions": 1, "embeddings": 1, "mentions": 1, "issues": 0, "rejects": 1}
    found = everything(tmp_path / "store")
    assert "C紫" not in found and "S紫" not in found and "緑色の亀" in found
    assert read_table(CONTACTS, store=place["store"])["contact_id"].tolist() == ["Cmail", "C緑"]
    assert len(read_table(CUSTOMERS, store=place["store"])) == 2 and ERASED.name not in {table.name for table in stored_tables(store=place["store"])}
    assert expire(store=place["store"], months=12, as_of_on=pd.Timestamp("2026-01-01"), timezone="Asia/Tokyo") == {}
    assert {len(read_table(table, store=place["store"])) for table in (SENTENCES, EMBEDDINGS)} == {1}


def test_an_empty_place_has_nothing_to_expire(tmp_path):
    assert expire(store=str(tmp_path / "none"), months=1, as_of_on=NOW, timezone="Asia/Tokyo") == {}
