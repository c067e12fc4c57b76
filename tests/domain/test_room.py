import json
from typing import Any

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

NO_AUTH_ID = "metadata without auth_id"
NOT_JSON = "metadata is not JSON"
NOT_AN_OBJECT = "metadata is not a JSON object"
A_KEY_TWICE = "metadata a key is given twice in one object"

UNOWNED = {
    "": "no metadata",
    " ": NOT_JSON,
    "tenant-a": NOT_JSON,
    '"tenant-a"': NOT_AN_OBJECT,
    "null": NOT_AN_OBJECT,
    "{}": NO_AUTH_ID,
    '{"AUTH_ID": "tenant-a"}': NO_AUTH_ID,
    '{"auth": {"auth_id": "tenant-a"}}': NO_AUTH_ID,
    '[{"auth_id": "tenant-a"}]': NOT_AN_OBJECT,
    '[["auth_id", "tenant-a"]]': NOT_AN_OBJECT,
    '{"auth_id": ""}': "auth_id is blank",
    '{"auth_id": " \\t"}': "auth_id is blank",
    '{"auth_id": null}': "auth_id is null, not a string",
    '{"auth_id": 1}': "auth_id is a number, not a string",
    '{"auth_id": 1.5}': "auth_id is a number, not a string",
    '{"auth_id": true}': "auth_id is a boolean, not a string",
    '{"auth_id": ["tenant-a"]}': "auth_id is an array, not a string",
    '{"auth_id": {"id": "tenant-a"}}': "auth_id is an object, not a string",
    '{"auth_id": "tenant-b", "auth_id": "tenant-a"}': A_KEY_TWICE,
    '{"auth_id": "tenant-a", "auth_id": "tenant-a"}': A_KEY_TWICE,
    '{"auth_id": "tenant-a", "\\u0061uth_id": "tenant-a"}': A_KEY_TWICE,
    '{"auth_id": "tenant-a", "x": {"y": 1, "y": 2}}': A_KEY_TWICE,
    '{"auth_id": "tenant-a", "x": NaN}': "metadata holds NaN, which is not JSON",
    '{"auth_id": "tenant-a", "x": 1e400}': "metadata holds a number that is too large",
    '{"auth_id": "tenant-a", "x": "\\ud800"}': "metadata holds a lone surrogate",
    '{"auth_id": "tenant-a"': NOT_JSON,
    '{"auth_id": "tenant-a"} {}': NOT_JSON,
    "{'auth_id': 'tenant-a'}": NOT_JSON,
    '\ufeff{"auth_id": "tenant-a"}': "metadata starts with a byte order mark",
}
"""Metadata that does not name exactly one owner, and what the audit log says about it."""


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

    def test_says_why_the_metadata_names_no_owner(self) -> None:
        wrong = {}
        for metadata, problem in UNOWNED.items():
            room = Room.from_metadata(NAME, metadata)
            if (room.owner, room.problem) != (None, problem):
                wrong[metadata] = room
        assert wrong == {}

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
            authorize(TENANT_A, Room(name=NAME, owner=None, problem="why"))
        assert refusal.value.reason is RoomNotFoundReason.UNOWNED
        assert (str(refusal.value), refusal.value.problem) == ("no such room", "why")

    def test_refuses_a_caller_whose_id_is_none_as_a_program_without_types_may_pass(self) -> None:
        untyped: Any = None
        for owner, reason in (
            (None, RoomNotFoundReason.UNOWNED),
            ("tenant-a", RoomNotFoundReason.FOREIGN),
        ):
            with pytest.raises(RoomNotFoundError) as refusal:
                authorize(IdentifiedCaller(id=untyped), Room(name=NAME, owner=owner))
            assert refusal.value.reason is reason

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
