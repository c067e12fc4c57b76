"""The processes of a benchmark: LiveKits, services and references."""

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from uuid import uuid4

from attrs import define, field, frozen
from cattrs import structure

from benchmarks.processes import Running, StartedByUser, run, running
from benchmarks.scenarios import SECRET_OF_OWNER, Program, Scenario, Variant
from benchmarks.targets import OWNER, Targets

MANY = 10_000
_SERVE = ["entrypoints.main", "serve", "--port", "0"]
_MODULES: dict[Program, list[str]] = {
    "bare": ["benchmarks.bare"],
    "service": _SERVE,
    "unmetered": _SERVE,
}


HIGH_TIMEOUTS = {
    "BODY_TIMEOUT_SECONDS": "300",
    "HEADERS_TIMEOUT_SECONDS": "300",
    "IDLE_TIMEOUT_SECONDS": "3600",
    "LIVEKIT_PROBE_DELAY_SECONDS": "60",
    "LIVEKIT_TIMEOUT_SECONDS": "60",
    "REQUEST_TIMEOUT_SECONDS": "300",
}
"""The highest that the settings allow, for a program that is fifty times slower than usual."""


@frozen(kw_only=True)
class Keys:
    """The LiveKit to use.

    Attributes:
        url: URL of a real server; empty for a double.
    """

    url: str = ""
    api_key: str = "devkey"
    api_secret: str = field(default="a-secret-of-at-least-32-characters", repr=False)


@frozen(kw_only=True)
class LiveKit:
    """A LiveKit with its rooms; ``double`` is its process, ``None`` for a real server."""

    targets: Targets
    double: Running | None


@define(kw_only=True)
class Servers:
    """Starts each process on first use, and keeps it until ``running`` is closed.

    Attributes:
        other_url: URL of another server of the endpoint, if there is one.
        counted: whether the programs run under callgrind.
    """

    keys: Keys
    participants: int
    folder: Path
    running: ExitStack
    other_url: str | None
    counted: bool
    _livekits: dict[bool, LiveKit] = field(init=False, factory=dict)
    _programs: dict[tuple[Program, Variant], Running] = field(init=False, factory=dict)

    def can_run(self, scenario: Scenario) -> bool:
        """Return whether a scenario is possible: a real server gets no 10,000 rooms."""
        return not (self.keys.url and scenario.variant == "many-rooms")

    def livekit(self, variant: Variant) -> LiveKit:
        """Return the LiveKit of a variant, with its rooms created."""
        many_rooms = variant == "many-rooms"
        if many_rooms not in self._livekits:
            self._livekits[many_rooms] = self._create(more_rooms=MANY if many_rooms else 0)
        return self._livekits[many_rooms]

    def programs(self, scenario: Scenario) -> Sequence[Program]:
        """Return the programs that can be measured in a scenario."""
        return [each for each in scenario.programs if each != "other" or self.other_url]

    def measured(self, program: Program, variant: Variant) -> Running | StartedByUser:
        """Return a program to measure."""
        if program == "other":
            assert self.other_url
            return StartedByUser(self.other_url)
        return self.program(program, variant)

    def program(self, program: Program, variant: Variant) -> Running:
        """Return a program that runs with the settings of the variant."""
        if (program, variant) not in self._programs:
            self._programs[program, variant] = self.running.enter_context(
                self.start(program, variant)
            )
        return self._programs[program, variant]

    def start(self, program: Program, variant: Variant) -> AbstractContextManager[Running]:
        """Start another process of a program."""
        variables = {
            **self._livekit_variables(self.livekit(variant).targets.url),
            **self._secrets(variant),
            **(HIGH_TIMEOUTS if self.counted else {}),
            **({"METRICS_PORT": "0"} if program == "service" else {}),
        }
        return running(_MODULES[program], variables, self.folder, counted=self.counted)

    def _create(self, *, more_rooms: int) -> LiveKit:
        variables = self._livekit_variables(self.keys.url)
        participants = f"--participants={self.participants}"
        if self.keys.url:
            client = ["benchmarks.participants", f"--prefix=benchmark-{uuid4().hex}-"]
            self.running.callback(run, ["-m", *client, "--remove"], variables)
            process = self.running.enter_context(
                running([*client, participants], variables, self.folder)
            )
            return LiveKit(targets=structure(process.ready, Targets), double=None)
        double = ["benchmarks.livekit", participants, f"--more-rooms={more_rooms}"]
        process = self.running.enter_context(running(double, variables, self.folder))
        return LiveKit(targets=structure(process.ready, Targets), double=process)

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
