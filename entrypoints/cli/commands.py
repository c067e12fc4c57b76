"""The arguments and the help of each command.

What a command does is returned, to be called outside of click, and loads what it needs then.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import click

from domain.caller import TenantId, parse_tenant_id
from entrypoints.cli import parameters

Action = Callable[[], int | None]
"""Returns the exit status, where it is not 0."""


@click.command(
    epilog="""\b
Examples:
  livekit-mute mute room-1 alice TR_AMXj2bTtR5gyZr
  livekit-mute mute room-1 alice --source microphone
  livekit-mute mute room-1 --all --source microphone --except host
  livekit-mute mute --as tenant-a -- room-1 -alice- TR_AMXj2bTtR5gyZr
"""
)
@parameters.room
@parameters.identity
@parameters.track_sid
@parameters.source
@click.option("--all", "everyone", is_flag=True, help="Tracks of all participants, as listed.")
@click.option(
    "--except",
    "spared",
    metavar="IDENTITY",
    multiple=True,
    callback=parameters.names,
    help="With --all: not those of this participant. Can be repeated.",
)
@parameters.as_tenant
@parameters.as_json
@parameters.gateway
@click.pass_context
def mute(context: click.Context, /, **_: object) -> Action:
    """Mute a track, a participant's microphone, or everyone."""
    asked = context.params
    if asked.pop("everyone"):
        if asked["identity"] is not None:
            raise click.UsageError("--all takes no IDENTITY")
    elif asked["identity"] is None:
        raise click.UsageError("name an IDENTITY, or --all")
    elif asked["spared"]:
        raise click.UsageError("--except needs --all")
    else:
        _check_track(asked)
    return partial(_mute, {**asked, "muted": True})


@click.command(
    epilog="""\b
Examples:
  livekit-mute unmute room-1 alice TR_AMXj2bTtR5gyZr
  livekit-mute unmute room-1 alice --source microphone
"""
)
@parameters.room
@click.argument("identity", callback=parameters.name)
@parameters.track_sid
@parameters.source
@parameters.as_tenant
@parameters.as_json
@parameters.gateway
@click.pass_context
def unmute(context: click.Context, /, **_: object) -> Action:
    """Unmute a track, or a participant's microphone."""
    _check_track(context.params)
    return partial(_mute, {**context.params, "muted": False})


@click.command(
    epilog="""\b
Examples:
  livekit-mute tracks room-1
  livekit-mute tracks room-1 alice --json | jq -r '.tracks[].track_sid'
  livekit-mute tracks demo-room --gateway in-memory
"""
)
@parameters.room
@parameters.identity
@parameters.as_tenant
@parameters.as_json
@parameters.gateway
@click.pass_context
def tracks(context: click.Context, /, **_: object) -> Action:
    """List participants, and their tracks with the sids."""
    return partial(_tracks, context.params)


@click.command(
    epilog="""\b
Example:
  livekit-mute secret tenant-a
"""
)
@click.argument("tenant", default="default")
def secret(tenant: str) -> Action:
    """Make a random API secret for a tenant.

    The first line is the secret, the second one the value of AUTH_API_SECRETS_JSON that gives it
    to the tenant. Without a TENANT, the tenant's id is "default".
    """
    return partial(_secret, parse_tenant_id(tenant))


@click.command(
    epilog="""\b
Examples:
  livekit-mute audit audit.jsonl --room room-1 --since 2h
  livekit-mute audit audit.jsonl --since 2026-11-28 --until 2026-11-29
  livekit-mute audit audit.jsonl.1.gz audit.jsonl --caller tenant-a --json
"""
)
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(allow_dash=True)
)
@click.option("--room", callback=parameters.name, help="Only of this room.")
@click.option("--participant", callback=parameters.name, help="Only about this participant.")
@click.option("--caller", callback=parameters.name, help="Only of this tenant.")
@click.option(
    "--since",
    metavar="TIME",
    callback=parameters.moment,
    help="Only from this time on: 2h (30m, 7d) ago, 2026-11-28 or 2026-11-28T14:30, in UTC unless"
    " it ends with an offset like +01:00.",
)
@click.option("--until", metavar="TIME", callback=parameters.moment, help="Only before this time.")
@parameters.as_json
@click.pass_context
def audit(context: click.Context, /, **_: object) -> Action:
    """Show who muted whom, from files of the audit trail.

    FILE is what AUDIT_LOG names, or the log of the service in JSON; it may end with .gz, and - is
    standard input.
    """
    return partial(_audit, context.params)


def _check_track(asked: dict[str, Any]) -> None:
    if (asked["track_sid"] is None) == (asked["source"] is None):
        raise click.UsageError("name a TRACK_SID or a --source, one of them")


def _mute(asked: dict[str, Any]) -> None:
    from entrypoints.cli.mute import MuteArguments, mute_tracks
    from entrypoints.rooms import run_in_rooms

    gateway = asked.pop("gateway")
    run_in_rooms(partial(mute_tracks, MuteArguments(**asked)), gateway=gateway)


def _tracks(asked: dict[str, Any]) -> None:
    from entrypoints.cli.tracks import TracksArguments, list_tracks
    from entrypoints.rooms import run_in_rooms

    gateway = asked.pop("gateway")
    run_in_rooms(partial(list_tracks, TracksArguments(**asked)), gateway=gateway)


def _secret(tenant: TenantId) -> None:
    from entrypoints.cli.secret import write_secret

    write_secret(tenant)


def _audit(asked: dict[str, Any]) -> None:
    from entrypoints.cli.audit import AuditArguments, show_audit

    show_audit(AuditArguments(**asked))
