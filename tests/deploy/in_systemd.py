"""Runs within a machine that systemd has started, and writes what became of the service as JSON."""

import json
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

SECRET = json.loads(Path("/etc/livekit-mute/api-secrets.json").read_text())[0]["secret"]
MUTE = {
    "room_name": "demo-room",
    "participant_identity": "alice",
    "track_sid": "TR_demo_mic",
    "muted": True,
}
ENVIRONMENT = Path("/etc/livekit-mute/livekit-mute.env")


def systemctl(*arguments: str) -> str:
    done = subprocess.run(["systemctl", *arguments], capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip()


def show(unit: str, *names: str) -> dict[str, str]:
    options = [f"--property={name}" for name in names]
    return dict(line.split("=", 1) for line in systemctl("show", *options, unit).splitlines())


def mute(port: int) -> object:
    """Send a mute until the service listens, and return its answer."""
    request = Request(
        f"http://127.0.0.1:{port}/livekit/participant/mute",
        json.dumps(MUTE).encode(),
        {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json"},
    )
    problem = ""
    for _ in range(600):
        try:
            with urlopen(request) as answer:  # noqa: S310
                return json.load(answer)
        except URLError as error:
            problem = str(error)
            time.sleep(0.1)
    return problem


def wait_for_line(log: Path) -> int:
    """Return how many lines a file has, once it has one; the answer may be there before it."""
    for _ in range(600):
        if lines := log.read_text().splitlines():
            return len(lines)
        time.sleep(0.1)
    return 0


def wait_for_event(unit: str, event: str) -> bool:
    """Return whether the journal of the unit has the event within a minute."""
    for _ in range(600):
        if f'"event":"{event}"' in journal(unit):
            return True
        time.sleep(0.1)
    return False


def wait_until_failed(unit: str) -> None:
    """Wait until systemd has given a unit up, at most a minute."""
    for _ in range(600):
        if show(unit, "ActiveState")["ActiveState"] == "failed":
            return
        time.sleep(0.1)


def journal(unit: str) -> str:
    command = ["journalctl", "--no-pager", "--output=cat", f"--unit={unit}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def main() -> None:
    unit, instance = "livekit-mute.service", "livekit-mute@3002.service"
    found: dict[str, object] = {"starts": [systemctl("start", each) for each in (unit, instance)]}
    found["answers"] = [mute(3001), mute(3002)]
    logs = [Path("/var/log", each, "audit.jsonl") for each in ("livekit-mute", "livekit-mute-3002")]
    found["audited"] = [wait_for_line(log) for log in logs]
    process = Path("/proc", show(unit, "MainPID")["MainPID"])
    found["user"] = (process / "status").read_text().split("Uid:\t")[1].split()[0]
    found["reload"] = systemctl("reload", unit)
    found["reloaded"] = wait_for_event(unit, "reloaded")
    found["stop"] = systemctl("stop", unit)
    found["stopped"] = show(unit, "ActiveState", "Result", "ExecMainStatus")
    with ENVIRONMENT.open("a") as file:
        file.write("MAX_IN_FLIGHT=many\n")
    systemctl("start", unit)
    wait_until_failed(unit)
    found["wrong"] = show(unit, "ActiveState", "ExecMainStatus", "NRestarts")
    found["journal"] = journal(unit)
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
