"""What a task that sees raw text may say when it fails."""

import pickle
from types import SimpleNamespace

import pandas as pd
import pytest

from voc.errors import ConfigError, SourceError, StoreError, TableError
from voc.tables import CONTACTS, TURNS, empty

WORDS = "五十嵐 090-1234-5678"


@pytest.fixture(scope="module")
def tasks():
    """The module flows.tasks: it loads Prefect."""
    import flows.tasks

    return flows.tasks




class Made:
    """Stands for Prefect's task: keeps what a state would be told."""

    told: list[BaseException]

    def __init__(self):
        self.told = []

    def __call__(self, function, **_):
        def run(*arguments, **options):
            try:
                return function(*arguments, **options)
            except Exception as error:
                self.told.append(error)
                raise

        return run


def failing(error):
    def step():
        raise error

    return step


@pytest.mark.parametrize(("error", "may_pass"), [(SourceError(WORDS), True), (KeyError(WORDS), True), (StoreError(WORDS), False), (ConfigError(WORDS, []), False)])
def test_a_state_is_told_the_class_and_the_place_and_the_caller_the_fault_itself(tasks, error, may_pass):
    make = Made()
    with pytest.raises(type(error)) as raised:
        tasks.unsaid_task(failing(error), name="x", make=make)()
    assert raised.value is error
    [told] = make.told
    assert WORDS not in str(told) and type(error).__name__ in str(told) and "test_tasks.py:" in str(told) and told.may_pass == may_pass
    assert told.__context__ is None and told.__cause__ is None
    again = pickle.loads(pickle.dumps(told))  # noqa: S301 - from another process of ours
    assert (str(again), again.may_pass) == (str(told), may_pass)


def test_what_a_task_gives_is_given(tasks):
    assert tasks.unsaid_task(lambda a, *, b: a + b, name="x", make=Made())(1, b=2) == 3


@pytest.mark.parametrize("error", [TableError(WORDS), KeyError(WORDS)])
def test_what_ends_a_run_says_nothing_of_a_customer(tasks, error):
    from flows.ingest import _or_fault

    for fault in (error, tasks.Unsaid(error)):
        with pytest.raises(tasks.Unsaid) as raised:
            _or_fault(failing(fault))
        assert WORDS not in str(raised.value) and raised.value.__context__ is None


def test_a_fault_of_masking_comes_back_without_its_words(tasks, monkeypatch):
    from flows import chunks
    from flows.rows import _mask

    monkeypatch.setattr(chunks, "mask_contacts", lambda *_, **__: failing(KeyError(WORDS))())
    part = chunks.mask_chunk(empty(CONTACTS), empty(TURNS), key=b"", id_patterns={})
    assert isinstance(part, tasks.Unsaid) and WORDS not in str(part)
    contacts = pd.DataFrame([dict.fromkeys(CONTACTS.columns, "x")])
    config = SimpleNamespace(privacy=SimpleNamespace(id_patterns={}))
    with pytest.raises(tasks.Unsaid):
        _mask(contacts, empty(TURNS), key=b"", config=config, record=None, run_chunks=lambda *_: [part])
