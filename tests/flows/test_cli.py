"""The command line up to the flow: options, help, messages. Prefect is not started."""

from types import SimpleNamespace

import pytest

from flows import cli


@pytest.mark.parametrize("command", ["demo", "run", "schedule", "status", "doctor", "mask", "judge", "group", "embed", "erase", "reveal"])
def test_every_command_has_japanese_help(command, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main([command, "--help"])
    assert stop.value.code == 0
    assert any("ぁ" <= character <= "ん" for character in capsys.readouterr().out)


def test_a_missing_configuration_is_told_without_a_traceback(tmp_path, capsys):
    assert cli.main(["run", str(tmp_path / "voc.toml")]) == 2
    told = capsys.readouterr().err
    assert "voc.toml" in told and "ファイルがありません" in told and "Traceback" not in told


def test_all_faults_of_a_configuration_are_told_at_once(tmp_path, capsys):
    path = tmp_path / "voc.toml"
    path.write_text('sed = 1\n[[sources]]\nname = "a"\nformat = "survey"\npath = "x.csv"\n[costs]\ntransfer_yen = -1\n', encoding="utf-8")
    assert cli.main(["run", str(path)]) == 2
    told = capsys.readouterr().err
    assert "sed" in told and "transfer_yen" in told and "texts" in told


def test_options_of_demo():
    options = cli._parser().parse_args(["demo", "--seed", "7", "--folder", "x"])
    assert (options.seed, str(options.folder), options.customers, options.months) == (7, "x", 4000, 24)


@pytest.mark.parametrize(("command", "own"), [
    ("mask", {}), ("judge", {"level": "sentence"}), ("group", {"time": None, "issues": None}), ("embed", {"model": "use"}),
])  # fmt: skip
def test_the_text_commands_take_a_file_a_column_and_what_they_write(command, own):
    options = vars(cli._parser().parse_args([command, "in.csv", "--text", "本文", "--out", "x"]))
    assert {key: str(options.pop(key)) for key in ("file", "text", "out")} == {"file": "in.csv", "text": "本文", "out": "x"}
    assert callable(options.pop("command")) and options == own
    with pytest.raises(SystemExit):
        cli._parser().parse_args([command, "in.csv", "--out", "x"])


def test_the_summary_tells_what_is_new_and_what_was_replaced(capsys):
    counts = {"parse": 1200, "new": 34, "replaced": 5, "voices": 900, "issues": 7, "rejects": 0, "unassigned_share": 0.25}
    cli._print_result(SimpleNamespace(counts=counts, notices=[], headlines=[], reports=[]))
    assert "問い合わせ 1,200 件（うち新しく読んだもの 34 件、更新 5 件）" in capsys.readouterr().out


def test_schedule_defaults_to_every_morning():
    from flows.schedule import times
    from voc.config import Config, Source

    config = Config(sources=[Source(name="s", format="chat", path="x")])
    assert times(config) == {"daily": "0 6 * * *", "weekly": "0 7 * * 1", "monthly": "0 7 1 * *"}
    assert times(config, cron=cli._parser().parse_args(["schedule", "voc.toml", "--cron", "5 4 * * *"]).cron)["daily"] == "5 4 * * *"
