import os

import pytest

from voc.config import Privacy
from voc.errors import ConfigError
from voc.sources.pseudonym_key import pseudonym_key


def test_the_file_is_made_once_for_its_owner_only(tmp_path):
    key = pseudonym_key(Privacy(), base=tmp_path, environ={})
    assert len(key) == 64
    assert (tmp_path / "pseudonym.key").stat().st_mode & 0o777 == 0o600
    assert pseudonym_key(Privacy(), base=tmp_path, environ={}) == key


def test_a_run_that_is_killed_while_it_makes_the_key_leaves_no_empty_one(tmp_path, monkeypatch):
    def killed(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", killed)
    with pytest.raises(KeyboardInterrupt):
        pseudonym_key(Privacy(), base=tmp_path, environ={})
    assert list(tmp_path.iterdir()) == []


def test_the_key_of_a_process_that_was_first_stays(tmp_path, monkeypatch):
    link = os.link

    def late(part, path):
        path.write_text("the key of the other process, 32.")
        link(part, path)

    monkeypatch.setattr("os.link", late)
    assert pseudonym_key(Privacy(), base=tmp_path, environ={}) == b"the key of the other process, 32."


def test_the_environment_variable_wins(tmp_path):
    privacy = Privacy(pseudonym_key_env="VOC_KEY")
    assert pseudonym_key(privacy, base=tmp_path, environ={"VOC_KEY": "k" * 16}) == b"k" * 16
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("environ", "reason"), [({}, "設定されていません"), ({"VOC_KEY": "short"}, "短すぎます")])
def test_a_missing_or_short_key_is_refused(tmp_path, environ, reason):
    with pytest.raises(ConfigError, match=f"VOC_KEY.*{reason}"):
        pseudonym_key(Privacy(pseudonym_key_env="VOC_KEY"), base=tmp_path, environ=environ)


def test_a_folder_that_is_missing_is_told(tmp_path):
    with pytest.raises(ConfigError, match="読み書きできません"):
        pseudonym_key(Privacy(pseudonym_key_file="none/x.key"), base=tmp_path, environ={})
