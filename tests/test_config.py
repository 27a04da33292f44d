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


def source(rest, name="s", form="survey"):
    return f'[[sources]]\nname = "{name}"\nformat = "{form}"\n{rest}\n'


IMAP = '[sources.imap]\nhost = "h"\nuser = "u"\npassword_env = "PW"\n'
SQL = '[sources.sql]\nurl_env = "DB"\nquery = "select 1 where x > :since"\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (source("", form="chat"), "どれか 1 つだけ"), (source('path = "x"\n' + IMAP, form="email"), "path、imap"),
        (source(IMAP, form="chat"), "email"), (source(SQL + 'watermark_column = "x"\nstart = 0', form="email"), "[sources.sql]"),
        (source(SQL, form="chat"), "3 つをそろえて"), (source('path = "x"\n[sources.s3]\nregion = "r"', form="chat"), "s3://"),
        (source('path = "s3://b/x"\n[sources.s3]\nkey_env = "K"', form="chat"), "両方"),
    ],
)  # fmt: skip
def test_a_source_is_at_one_place(tmp_path, text, told):
    with pytest.raises(ConfigError) as fault:
        load(tmp_path, text)
    assert told in str(fault.value)


@pytest.mark.parametrize("text", [
    IMAP + 'password = "sekret"', IMAP.replace("PW", "sekret pass!"), IMAP.replace('host = "h"', 'token = "sekret"'),
    '[sources.sql]\nurl_env = "postgresql://u:sekret@h/d"\nquery = "q"',
])  # fmt: skip
def test_a_secret_written_into_the_file_is_not_repeated(tmp_path, text):
    with pytest.raises(ConfigError) as fault:
        load(tmp_path, source(text, form="email"))
    assert "sekret" not in str(fault.value)


def test_a_query_may_start_at_an_instant(tmp_path):
    text = SQL + 'watermark_column = "x"\nstart = 2025-01-01T00:00:00+09:00'
    config = load(tmp_path, source(text, form="chat"))
    assert config.sources[0].sql.start.utcoffset().total_seconds() == 9 * 3600
    assert len(config.sha()) == 64


@pytest.mark.parametrize(("text", "told"), [
    ('[company]\ntimezone = "Asia/Tokio"', "company.timezone: 知らないタイムゾーン.*Asia/Tokyo.*（現在の値: Asia/Tokio）"),
    ('[company]\ntimezone = "Asia"', "company.timezone: 知らないタイムゾーン"), ('[company]\ntimezone = "../etc"', "company.timezone"),
    ('[company]\nas_of_on = "2026-02-31"', "company.as_of_on: 暦にある日付.*（現在の値: 2026-02-31）"), ('[company]\nas_of_on = "20260201"', "暦にある日付"),
    ('[privacy]\nid_patterns = {"会員" = "("}', "privacy.id_patterns.会員: 正規表現.*（現在の値: \\(）"),
    ('[schedule]\ndaily = "99 99 * * *"', "schedule.daily: 実行時刻「99 99 .*」を読めません"), ('[schedule]\nweekly = "0 0 31 2 *"', "schedule.weekly"),
    ("[health]\ndanger_below = 95", "health: danger_below（危険、現在: 95）は caution_below（注意、現在: 90）以下"),
])  # fmt: skip
def test_what_would_fail_in_the_night_is_told_when_the_file_is_read(tmp_path, text, told):
    path = tmp_path / "voc.toml"
    path.write_text('[[sources]]\nname = "c"\nformat = "chat"\npath = "a"\n' + text, encoding="utf-8")
    with pytest.raises(ConfigError, match=told):
        load_config(path)


def test_faults_of_several_parts_are_told_at_once(tmp_path):
    path = tmp_path / "voc.toml"
    path.write_text('[company]\ntimezone = "Tokyo?"\nas_of_on = "2026-13-01"\n[privacy]\nid_patterns = {a = "[", b = "M-\\\\d+"}\n'
                    '[schedule]\nmonthly = "60 0 1 * *"\n[[sources]]\nname = "c"\nformat = "chat"\npath = "a"\n', encoding="utf-8")  # fmt: skip
    with pytest.raises(ConfigError) as fault:
        load_config(path)
    assert len(fault.value.faults) == 4
