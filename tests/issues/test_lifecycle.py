import pytest

from tests.issues.ledgers import AT, TODAY, day, ledger, mentions
from voc.issues.edits import Edit, edit_rows
from voc.issues.events import advance
from voc.issues.lifecycle import lifecycle_rows

OPTIONS = {"timezone": "Asia/Tokyo", "dead_after_months": 12, "reopen_contacts": 2}


def run(issues, events, said, at):
    rows = lifecycle_rows(issues, events, said, at=day(at), **OPTIONS)
    return [(row["issue_id"], row["kind"], row["to"]) for row in rows], *advance(issues, events, rows)


def closed(*before):
    issues, events = ledger("一")
    for edit in (*before, Edit("set_status", "VOC-0001", "closed", "2026-03-01")):
        issues, events = advance(issues, events, edit_rows([edit], issues, events, at=AT, by="佐藤", today=TODAY))
    return issues, events


@pytest.mark.parametrize(
    ("days", "found"),
    [
        (["2026-02-01", "2026-02-02", "2026-02-03"], []),  # all before the close
        (["2026-02-01", "2026-03-05"], []),  # one late voice
        (["2026-03-01T14:59", "2026-03-01T03:00"], []),  # the same day in Japan
        (["2026-03-01T15:00", "2026-03-02"], [("VOC-0001", "reopen", "open")]),  # the next day in Japan
        (["2026-04-05", "2026-04-06"], []),  # after the run's instant
    ],
)
def test_a_solved_issue_comes_back_when_contacts_go_on(days, found):
    said = mentions(*[("VOC-0001", f"s{i}", one) for i, one in enumerate(days)])
    assert run(*closed(), said, "2026-04-01")[0] == found


def test_a_reopened_issue_says_why_and_stays_open():
    said = mentions(("VOC-0001", "a", "2026-03-05"), ("VOC-0001", "b", "2026-03-06"))
    _, issues, events = run(*closed(), said, "2026-04-01")
    assert issues["status"][0] == "open" and issues["closed_on"].isna().all()
    assert "2 件" in events.sort_values("position")["note"].iloc[-1]
    assert run(issues, events, said, "2026-04-01")[0] == []


def test_a_locked_issue_is_locked_again():
    said = mentions(("VOC-0001", "a", "2026-03-05"), ("VOC-0001", "b", "2026-03-06"))
    before = Edit("set_status", "VOC-0001", "locked")
    assert run(*closed(before), said, "2026-04-01")[0] == [("VOC-0001", "reopen", "locked")]


def test_silence_ends_an_issue_and_a_voice_wakes_it():
    issues, events = ledger("一", "二")
    said = mentions(("VOC-0001", "a", "2026-01-02"), ("VOC-0002", "b", "2026-12-30"))
    found, issues, events = run(issues, events, said, "2027-02-01")
    assert found == [("VOC-0001", "death", "dead")]
    said = mentions(("VOC-0001", "a", "2026-01-02"), ("VOC-0001", "c", "2027-02-05"), ("VOC-0002", "b", "2026-12-30"))
    assert run(issues, events, said, "2027-03-01")[0] == [("VOC-0001", "reopen", "open")]


@pytest.mark.parametrize("status", ["locked", "excluded"])
def test_what_a_person_decided_does_not_die(status):
    issues, events = ledger("一", status=status)
    assert run(issues, events, mentions(), "2030-01-01")[0] == []
