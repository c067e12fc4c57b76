import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.caller import AnonymousCaller, IdentifiedCaller, TenantId
from domain.room import Room, RoomName, RoomNotFoundError, RoomNotFoundReason, authorize

NAME = RoomName("room")
TENANT_A = IdentifiedCaller(id=TenantId("tenant-a"))

SPELLINGS = [
    "tenant-a",
    "Tenant-a",
    "TENANT-A",
    " tenant-a",
    "tenant-a ",
    "tenant-a\n",
    "tenant-a\0",
    "tenant",
    "tenant-aa",
    "tenant\u2010a",
    "tenant-\u0430",
    "tenant-a\u0301",
]


def owner(metadata: str) -> str | None:
    return Room.from_metadata(NAME, metadata).owner


class TestRoom:
    @pytest.mark.parametrize(
        ("metadata", "expected"),
        [
            ('{"auth_id": "tenant-a"}', "tenant-a"),
            ('{"auth_id": "tenant-a", "topic": {"auth_id": "tenant-b"}}', "tenant-a"),
            ('{"auth_id": " tenant-a "}', " tenant-a "),
            ('{"auth_id": "\\u0074enant-a"}', "tenant-a"),
        ],
    )
    def test_belongs_to_the_auth_id_of_its_metadata(self, metadata: str, expected: str) -> None:
        assert owner(metadata) == expected

    @pytest.mark.parametrize(
        "metadata",
        [
            "",
            " ",
            "tenant-a",
            '"tenant-a"',
            "null",
            "{}",
            '{"AUTH_ID": "tenant-a"}',
            '{"auth": {"auth_id": "tenant-a"}}',
            '[{"auth_id": "tenant-a"}]',
            '[["auth_id", "tenant-a"]]',
            '{"auth_id": ""}',
            '{"auth_id": " \\t"}',
            '{"auth_id": null}',
            '{"auth_id": 1}',
            '{"auth_id": true}',
            '{"auth_id": ["tenant-a"]}',
            '{"auth_id": {"id": "tenant-a"}}',
            '{"auth_id": "tenant-b", "auth_id": "tenant-a"}',
            '{"auth_id": "tenant-a", "auth_id": "tenant-a"}',
            '{"auth_id": "tenant-a", "\\u0061uth_id": "tenant-a"}',
            '{"auth_id": "tenant-a", "x": {"y": 1, "y": 2}}',
            '{"auth_id": "tenant-a", "x": NaN}',
            '{"auth_id": "tenant-a", "x": "\\ud800"}',
            '{"auth_id": "tenant-a"',
            '{"auth_id": "tenant-a"} {}',
            "{'auth_id': 'tenant-a'}",
            '\ufeff{"auth_id": "tenant-a"}',
        ],
    )
    def test_has_no_owner_if_the_metadata_does_not_name_exactly_one(self, metadata: str) -> None:
        assert owner(metadata) is None

    @given(st.text())
    def test_takes_any_metadata_without_failing(self, metadata: str) -> None:
        assert owner(metadata) is None or "auth_id" in json.loads(metadata)


class TestAuthorize:
    def test_lets_a_caller_into_rooms_of_its_own_id(self) -> None:
        authorize(TENANT_A, Room(name=NAME, owner="tenant-a"))

    @pytest.mark.parametrize("spelling", SPELLINGS[1:])
    def test_refuses_a_room_whose_owner_is_spelt_otherwise(self, spelling: str) -> None:
        with pytest.raises(RoomNotFoundError) as refusal:
            authorize(TENANT_A, Room(name=NAME, owner=spelling))
        assert refusal.value.reason is RoomNotFoundReason.FOREIGN

    def test_refuses_a_room_without_an_owner(self) -> None:
        with pytest.raises(RoomNotFoundError) as refusal:
            authorize(TENANT_A, Room(name=NAME, owner=None))
        assert refusal.value.reason is RoomNotFoundReason.UNOWNED

    @pytest.mark.parametrize("owner", [None, "tenant-a"])
    def test_lets_a_caller_without_an_id_into_every_room(self, owner: str | None) -> None:
        authorize(AnonymousCaller(), Room(name=NAME, owner=owner))

    def test_tells_missing_foreign_and_unowned_rooms_by_one_text(self) -> None:
        assert len({str(RoomNotFoundError(reason)) for reason in RoomNotFoundReason}) == 1

    @given(st.sampled_from(SPELLINGS), st.sampled_from(SPELLINGS))
    def test_compares_ids_exactly(self, one: str, other: str) -> None:
        caller, room = IdentifiedCaller(id=TenantId(one)), Room(name=NAME, owner=other)
        try:
            authorize(caller, room)
        except RoomNotFoundError:
            assert one != other
        else:
            assert one == other
