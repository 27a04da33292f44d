"""`voc check`: the files that the configuration names beside its sources."""

import pytest

from voc.config import Config
from voc.sources.checkup import check_up


def found(folder, **options):
    config = Config(sources=[{"name": "calls", "format": "transcript", "path": "calls/*.json"}], **options)
    return {one.place: one for one in check_up(config, base=folder, environ={}) if "terms" in one.place or "categories" in one.place}


def test_a_dictionary_and_a_list_of_categories_are_read(tmp_path):
    (tmp_path / "terms.csv").write_text("term,kind\n会計アプリ,product\n請求画面,screen\n", encoding="cp932")
    (tmp_path / "categories.csv").write_text("課題名,例文\n画面が遅い,表示が遅い|開くのが遅い\n", encoding="utf-8")
    terms, categories = found(tmp_path, japanese={"terms": "terms.csv"}, issues={"categories": "categories.csv"}).values()
    assert terms.is_fine and "2 語" in terms.told and categories.is_fine and "1 課題" in categories.told
    assert found(tmp_path) == {}


@pytest.mark.parametrize(("options", "text", "told"), [
    ({"japanese": {"terms": "a.csv"}}, None, "a.csv を読めません"), ({"issues": {"categories": "a.csv"}}, None, "a.csv を読めません"),
    ({"japanese": {"terms": "a.csv"}}, "term,kind\nx,thing\n", "thing"), ({"issues": {"categories": "a.csv"}}, "a,b\n", "列"),
])  # fmt: skip
def test_their_faults_are_told_before_a_run(tmp_path, options, text, told):
    if text is not None:
        (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    [one] = found(tmp_path, **options).values()
    assert not one.is_fine and told in one.told and "\n" not in one.told
