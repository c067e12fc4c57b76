import pytest

from domain.caller import InvalidTenantIdError, parse_tenant_id


class TestTenantId:
    @pytest.mark.parametrize("text", ["a", "tenant-a", "Tenant A", "ü", "😀", "a" * 128])
    def test_is_taken_as_it_stands(self, text: str) -> None:
        assert parse_tenant_id(text) == text

    @pytest.mark.parametrize(
        "found",
        [
            "",
            " ",
            " a",
            "a ",
            "a\u00a0",
            "\u3000a",
            "a\nb",
            "a\0",
            "\x7f",
            "\ud800",
            "a\u200bb",
            "a" * 129,
            None,
            1,
            True,
            b"a",
            ["a"],
        ],
    )
    def test_is_1_to_128_printable_characters_with_no_white_space_at_its_ends(
        self, found: object
    ) -> None:
        with pytest.raises(InvalidTenantIdError):
            parse_tenant_id(found)

    def test_is_described_to_whoever_gave_another(self) -> None:
        with pytest.raises(InvalidTenantIdError, match="a tenant id is 1 to 128 printable"):
            parse_tenant_id("")
