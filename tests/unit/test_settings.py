"""Settings: from the environment, from files, and never guessed."""

from pathlib import Path

import pytest

from makegood.settings import SettingsError, load_settings


def test_without_an_environment_the_defaults_hold() -> None:
    settings = load_settings({})
    assert (settings.host, settings.port, settings.deadline_ms) == ("127.0.0.1", 8765, 50)
    assert settings.database is None


def test_a_variable_sets_its_setting() -> None:
    settings = load_settings({"MAKEGOOD_PORT": "0", "MAKEGOOD_HOST": "::1", "HOME": "elsewhere"})
    assert (settings.port, settings.host) == (0, "::1")


def test_a_secret_can_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("mk_house_1_secret\n", encoding="utf-8")
    assert load_settings({"MAKEGOOD_KEY_FILE": str(tmp_path / "key")}).key == "mk_house_1_secret"


def test_the_variable_itself_comes_before_its_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from the file", encoding="utf-8")
    environ = {"MAKEGOOD_KEY": "from the variable", "MAKEGOOD_KEY_FILE": str(tmp_path / "key")}
    assert load_settings(environ).key == "from the variable"


def test_an_option_comes_before_the_environment_and_none_is_no_option() -> None:
    environ = {"MAKEGOOD_PORT": "1234", "MAKEGOOD_HOST": "::1"}
    settings = load_settings(environ, port=4321, host=None)
    assert (settings.port, settings.host) == (4321, "::1")


def test_a_file_that_cannot_be_read_is_named_by_its_variable(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="`MAKEGOOD_KEY_FILE` names a file that cannot be read"):
        load_settings({"MAKEGOOD_KEY_FILE": str(tmp_path / "absent")})


def test_a_misspelt_variable_is_refused() -> None:
    with pytest.raises(SettingsError, match="`MAKEGOOD_DEADLINE` is not a setting"):
        load_settings({"MAKEGOOD_DEADLINE": "50"})


@pytest.mark.parametrize("text", ["", "fast", "-1", "0", "10001", "50.5", "５０"])
def test_a_number_out_of_its_bounds_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="`MAKEGOOD_DEADLINE_MS` must be a whole number from 1 to 10000"):
        load_settings({"MAKEGOOD_DEADLINE_MS": text})


def test_an_empty_url_is_not_taken_for_the_wish_for_another_store(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("\n", encoding="utf-8")
    for environ in ({"MAKEGOOD_DATABASE": ""}, {"MAKEGOOD_DATABASE_FILE": str(tmp_path / "url")}):
        with pytest.raises(SettingsError, match="`MAKEGOOD_DATABASE` is empty"):
            load_settings(environ)
    with pytest.raises(SettingsError, match="is empty"):
        load_settings({}, database="")
