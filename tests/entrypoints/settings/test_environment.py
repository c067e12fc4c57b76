from collections.abc import Callable

import pytest
from attrs import frozen

from entrypoints.settings.environment import Environment, Setting, SettingGroup, SettingsError
from entrypoints.settings.parsers import boolean, integer, one_of, printable, seconds


class TestParsers:
    def test_take_valid_texts(self) -> None:
        cases: list[tuple[Callable[[str], object], str, object]] = [
            (boolean, "true", True),
            (boolean, "YES", True),
            (boolean, "1", True),
            (boolean, "on", True),
            (boolean, "False", False),
            (boolean, "no", False),
            (boolean, "0", False),
            (boolean, "off", False),
            (integer(0, 65535), "0", 0),
            (integer(0, 65535), "65535", 65535),
            (seconds(60), "0.25", 0.25),
            (seconds(60), "60", 60.0),
            (seconds(60, zero=True), "0", 0.0),
            (one_of("json", "console"), "JSON", "json"),
            (printable, "a!~", "a!~"),
        ]
        for parse, text, value in cases:
            assert parse(text) == value, text

    @pytest.mark.parametrize(
        ("parse", "texts"),
        [
            (boolean, ["2", "tru", "y", " true", "none"]),
            (
                integer(1, 9),
                ["0", "10", "-1", "+1", "1.0", "1e0", " 1", "1 ", "3_0", "x", "٣", "9" * 99],
            ),
            (
                seconds(60),
                ["0", "0.0", "-1", "61", "inf", "nan", "1e1", " 5", "1_0", ".5", "5.", "9" * 99],
            ),
            (one_of("json", "console"), ["xml", "json ", "jsonconsole"]),
            (printable, [" ", "a b", "a\n", "\u00e9", "\x7f", "a\r"]),
        ],
        ids=["boolean", "integer", "seconds", "one of", "printable"],
    )
    def test_reject_the_rest_without_repeating_it(
        self, parse: Callable[[str], object], texts: list[str]
    ) -> None:
        for text in texts:
            with pytest.raises(ValueError, match=r"^must be ") as rejection:
                parse(text)
            assert f" {text} " not in f" {rejection.value} "


@frozen
class Box:
    open: bool = True
    width: int = 1


BOX = SettingGroup(Box, {"open": Setting("OPEN", boolean, "")})


def error_of(environment: Environment) -> str:
    with pytest.raises(SettingsError) as rejection:
        environment.fill(BOX)
    return str(rejection.value)


class TestEnvironment:
    def test_fills_a_class_with_what_is_set(self) -> None:
        assert Environment({"OPEN": "no"}).fill(BOX) == Box(open=False)

    def test_leaves_the_rest_to_the_defaults_of_the_class(self) -> None:
        assert Environment({"OPEN": ""}).fill(BOX, width=2) == Box(open=True, width=2)

    def test_prefers_variables_to_the_fields_that_are_passed(self) -> None:
        assert Environment({}).fill(BOX, open=False) == Box(open=False)
        assert Environment({"OPEN": "yes"}).fill(BOX, open=False) == Box(open=True)

    def test_names_the_variable_and_never_its_value(self) -> None:
        assert error_of(Environment({"OPEN": "s3cret"})) == "OPEN: must be true or false"

    def test_names_an_odd_variable_in_one_line(self) -> None:
        odd = SettingGroup(Box, {"open": Setting("A\nB", boolean, "")})
        with pytest.raises(SettingsError) as rejection:
            Environment({"A\nB": "s3cret"}).fill(odd)
        assert str(rejection.value) == "'A\\nB': must be true or false"

    def test_keeps_values_out_of_its_repr(self) -> None:
        assert "s3cret" not in repr(Environment({"A": "s3cret"}))

    def test_rejects_values_in_quotation_marks(self) -> None:
        quoted = ("'yes'", '"yes"', "`yes`", '""', '"', ' "yes" ', "'yes'\r")
        texts = {value: error_of(Environment({"OPEN": value})) for value in quoted}
        wrong = {
            value: text
            for value, text in texts.items()
            if not text.startswith("OPEN: begins and ends with a quotation mark")
        }
        assert wrong == {}

    def test_takes_quotation_marks_within_a_value(self) -> None:
        group = SettingGroup(Box, {"width": Setting("WIDTH", str, "")})
        for value in ('a"b', '"a', 'a"', "'a\"", '[{"a": "b"}]'):
            assert Environment({"WIDTH": value}).values(group) == {"width": value}

    def test_names_a_carriage_return_at_the_end(self) -> None:
        assert error_of(Environment({"OPEN": "yes\r"})) == (
            "OPEN: must be true or false;"
            " the value ends with a carriage return, as in a file of Windows"
        )

    def test_names_a_variable_that_is_needed_and_empty(self) -> None:
        environment = Environment({"OPEN": "yes", "DOOR": ""})
        with pytest.raises(SettingsError, match=r"^OPEN: needs DOOR to be set too; DOOR is empty$"):
            environment.need_one_of("DOOR", by="OPEN")
