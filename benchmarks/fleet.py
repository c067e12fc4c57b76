"""All the programs of a benchmark: LiveKits, services and references, from start to end."""

import json
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from uuid import uuid4

from attrs import define, field, frozen
from cattrs import structure

from benchmarks.processes import Running, run, running
from benchmarks.scenarios import SECRET_OF_OWNER, Program, Scenario, Variant
from benchmarks.stage import OWNER, Stage

MANY = 10_000
_MODULES: dict[Program, list[str]] = {
    "bare": ["benchmarks.bare"],
    "service": ["entrypoints.main", "serve", "--port", "0"],
}


@frozen(kw_only=True)
class Keys:
    """The LiveKit to use.

    Attributes:
        url: where a real server listens; empty for doubles of our own.
    """

    url: str = ""
    api_key: str = "devkey"
    api_secret: str = field(default="a-secret-of-at-least-32-characters", repr=False)


@frozen(kw_only=True)
class LiveKit:
    """A LiveKit that is arranged; ``double`` is its process where that is ours."""

    stage: Stage
    double: Running | None


@define(kw_only=True)
class Fleet:
    """Starts what is asked for, once, and keeps it until ``running`` is closed."""

    keys: Keys
    participants: int
    folder: Path
    running: ExitStack
    _livekits: dict[bool, LiveKit] = field(init=False, factory=dict)
    _programs: dict[tuple[Program, Variant], Running] = field(init=False, factory=dict)

    def can_run(self, scenario: Scenario) -> bool:
        """Tell whether a scenario can be arranged: a real server is not filled to the brim."""
        return not (self.keys.url and scenario.variant == "many-rooms")

    def livekit(self, variant: Variant) -> LiveKit:
        """Give the LiveKit of a variant, arranged."""
        crowded = variant == "many-rooms"
        if crowded not in self._livekits:
            self._livekits[crowded] = self._arrange(more_rooms=MANY if crowded else 0)
        return self._livekits[crowded]

    def program(self, program: Program, variant: Variant) -> Running:
        """Give a program, set as the variant says."""
        if (program, variant) not in self._programs:
            self._programs[program, variant] = self.running.enter_context(
                self.start(program, variant)
            )
        return self._programs[program, variant]

    def start(self, program: Program, variant: Variant) -> AbstractContextManager[Running]:
        """Start one more of a program."""
        variables = self._livekit_variables(self.livekit(variant).stage.url)
        return running(_MODULES[program], variables | self._secrets(variant), self.folder)

    def _arrange(self, *, more_rooms: int) -> LiveKit:
        variables = self._livekit_variables(self.keys.url)
        crowd = f"--participants={self.participants}"
        if self.keys.url:
            guests = ["benchmarks.guests", f"--prefix=benchmark-{uuid4().hex}-"]
            self.running.callback(run, ["-m", *guests, "--remove"], variables)
            filled = self.running.enter_context(running([*guests, crowd], variables, self.folder))
            return LiveKit(stage=structure(filled.said, Stage), double=None)
        double = ["benchmarks.livekit", crowd, f"--more-rooms={more_rooms}"]
        filled = self.running.enter_context(running(double, variables, self.folder))
        return LiveKit(stage=structure(filled.said, Stage), double=filled)

    def _livekit_variables(self, url: str) -> dict[str, str]:
        return {
            "LIVEKIT_URL": url,
            "LIVEKIT_API_KEY": self.keys.api_key,
            "LIVEKIT_API_SECRET": self.keys.api_secret,
        }

    def _secrets(self, variant: Variant) -> dict[str, str]:
        own = {"id": OWNER, "secret": SECRET_OF_OWNER}
        match variant:
            case "without-id":
                return {}
            case "many-secrets":
                others = [
                    {"id": f"tenant-{n}", "secret": f"secret-of-tenant-{n}"}
                    for n in range(MANY - 1)
                ]
                path = self.folder / "secrets.json"
                path.write_text(json.dumps([*others, own]))
                return {"AUTH_API_SECRETS_FILE": str(path)}
            case "usual" | "many-rooms":
                return {"AUTH_API_SECRETS_JSON": json.dumps([own])}
