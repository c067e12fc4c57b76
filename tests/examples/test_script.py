from tests.examples.programs import Programs
from tests.support.imports import PROJECT


class TestScript:
    async def test_mutes_for_the_owner_of_the_room_alone(self, programs: Programs) -> None:
        printed = await programs.run("script.py", folder=PROJECT / "examples")
        assert printed == (
            "tenant-b: no such room\ntenant-a: muted\nalice: microphone TR_microphone, muted\n"
        )
