import pytest

from voc.config import Config, load_config
from voc.errors import ConfigError

LEAST = '[[sources]]\nname = "calls"\nformat = "transcript"\npath = "calls/*.json"\n'


def load(tmp_path, text):
    path = tmp_path / "voc.toml"
    path.write_text(text, encoding="utf-8")
    return load_config(path)


def test_a_source_is_all_that_is_needed(tmp_path):
    config = load(tmp_path, LEAST)
    assert config.seed == 42 and config.store.path == "store" and config.sources[0].format == "transcript"


def test_hash_changes_with_any_setting(tmp_path):
    assert load(tmp_path, LEAST).sha() != load(tmp_path, "seed = 1\n" + LEAST).sha()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "sources: 必須"), (LEAST + "typo = 1\n", "sources.0.typo: この名前の項目はありません"),
        (LEAST.replace("transcript", "fax"), "transcript"), (LEAST + LEAST, "重複"), ("= 3", "TOML の書式"),
        (LEAST + "[impact]\nwindow_months = 99\n", "impact.window_months"),
        (LEAST + '[company]\nas_of_on = "昨日"\n', "company.as_of_on"),
    ],
)  # fmt: skip
def test_faults_name_their_place(tmp_path, text, told):
    with pytest.raises(ConfigError) as fault:
        load(tmp_path, text)
    assert told in str(fault.value) and "voc.toml" in str(fault.value)


def test_every_option_has_a_default_but_the_sources():
    assert [name for name, field in Config.model_fields.items() if field.is_required()] == ["sources"]
