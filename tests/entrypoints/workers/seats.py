"""A worker's seat, without its process."""

from entrypoints.settings.settings import Settings, load_settings
from entrypoints.workers.board import Board, Turns
from entrypoints.workers.channel import Channel
from entrypoints.workers.seat import Seat, Sockets

_DEFAULTS = load_settings({})


def seat(number: int, settings: Settings = _DEFAULTS) -> Seat:
    own, other = Channel.pair()
    board = Board()
    return Seat(
        number=number,
        slot=number - 1,
        workers=3,
        generation=0,
        is_first=number == 1,
        settings=settings,
        reload_is_ok=True,
        loaded_s=0.0,
        sockets=Sockets(service=(), metrics=()),
        board=board,
        turns=Turns(board=board, seat=number),
        own_end=own,
        other_end=other,
        stack_after_s=3600.0,
    )
