"""Arguments and options that several commands have, and what their values become."""

import re
from datetime import UTC, datetime, timedelta

import click

from domain.caller import AnonymousCaller, Caller, IdentifiedCaller, parse_tenant_id
from domain.track import TrackSource

_AGO = re.compile(r"([0-9]{1,5})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def name(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """Accept a name or an id, which is used unchanged.

    Raises:
        BadParameter: it is blank, or not UTF-8.
    """
    if value is None:
        return None
    if not value.strip():
        raise click.BadParameter("must not be blank")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise click.BadParameter("must be UTF-8") from None
    return value


def names(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[str | None, ...]:
    """Accept several names or ids.

    Raises:
        BadParameter: one is blank, or not UTF-8.
    """
    return tuple(name(context, parameter, value) for value in values)


def moment(_: click.Context, __: click.Parameter, value: str | None) -> datetime | None:
    """Accept a time in ISO 8601, of UTC unless it has an offset, or how long ago it was.

    Raises:
        BadParameter: it is neither.
    """
    if value is None:
        return None
    if ago := _AGO.fullmatch(value):
        return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(
            "must be like 30m, 2h, 7d, 2026-11-28 or 2026-11-28T14:30"
        ) from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _caller(_: click.Context, __: click.Parameter, tenant: str | None) -> Caller:
    """Take an empty tenant for a mistake, since without one every room is open."""
    if tenant is None:
        return AnonymousCaller()
    return IdentifiedCaller(id=parse_tenant_id(tenant))


def _source(_: click.Context, __: click.Parameter, value: str | None) -> TrackSource | None:
    return None if value is None else TrackSource(value)


room = click.argument("room", callback=name)
identity = click.argument("identity", required=False, callback=name)
track_sid = click.argument("track_sid", required=False, callback=name)
source = click.option(
    "--source",
    type=click.Choice([each.value for each in TrackSource]),
    callback=_source,
    help="Each track of this source that is listed.",
)
as_tenant = click.option(
    "--as",
    "caller",
    metavar="TENANT",
    callback=_caller,
    help="Act as this tenant, in rooms whose auth_id is its id. Default: as the operator, in"
    " every room.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Write one JSON object a line.")
gateway_kind = click.Choice(["livekit", "in-memory"])
gateway = click.option(
    "--gateway",
    type=gateway_kind,
    default="livekit",
    help="Where the rooms are. in-memory is a demo without LiveKit: each command has a demo-room"
    " of its own, which ends with it.",
)
