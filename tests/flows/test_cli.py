"""The command line up to the flow: options, help, messages. Prefect is not started."""

import pytest

from flows import cli


@pytest.mark.parametrize("command", ["demo", "run", "schedule", "mask", "erase", "reveal"])
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


def test_schedule_defaults_to_every_morning():
    assert cli._parser().parse_args(["schedule", "voc.toml"]).cron == "0 6 * * *"
