"""The memory that all processes share, and lines that several processes write."""

import os
import subprocess
import sys

import pytest

from entrypoints.workers.board import Board, Turns
from tests.support.imports import PROJECT

WRITERS = """
import os, sys
from attrs import evolve
from entrypoints.workers.board import Board, SharedStderr, Turns

turns = Turns(board=Board())
lengths = (100, 3_000, 5_000, 70_000)
children = []
for number, length in enumerate(lengths, start=1):
    child = os.fork()
    if not child:
        own = evolve(turns, seat=number)
        stderr, line = SharedStderr(own), str(number) * length + "\\n"
        for turn in range(60):
            if turn % 2:
                stderr.write(line)
            else:
                own.write(2, line.encode())
        os._exit(0)
    children.append(child)
for child in children:
    os.waitpid(child, 0)
"""


class TestTurns:
    def test_keep_long_lines_on_a_pipe_from_mixing(self) -> None:
        command = [sys.executable, "-c", WRITERS]
        done = subprocess.run(command, cwd=PROJECT, stderr=subprocess.PIPE, text=True, check=True)
        lines = done.stderr.splitlines()
        assert len(lines) == 240
        assert {len(set(line)) for line in lines} == {1}
        assert {len(line) for line in lines} == {100, 3_000, 5_000, 70_000}

    def test_tell_how_much_could_be_written(self) -> None:
        turns = Turns(board=Board())
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        written = turns.write(writer, b"x" * 1_000_000)
        assert 0 < written < 1_000_000
        with pytest.raises(BlockingIOError):
            turns.write(writer, b"x")
        os.close(reader)
        os.close(writer)


class TestBoard:
    def test_says_whose_turn_it_is(self) -> None:
        board = Board()
        assert board.is_turn(1, 0)
        assert board.is_turn(2, 0)
        assert not board.is_turn(1, 1)
        assert board.is_turn(2, 1)
        assert board.is_turn(1, 1)
        assert not board.is_turn(1, 2)
        board.leave(2)
        assert board.is_turn(1, 100_000)

    def test_says_why_the_service_is_not_ready(self) -> None:
        board = Board()
        assert board.unready() == ""
        board.incomplete = True
        assert board.unready() == "fewer workers than wanted are running"
        board.incomplete = False
        assert board.unready() == ""
        board.stop()
        assert board.unready() == "the service is shutting down"

    def test_knows_who_waits_for_a_reader(self) -> None:
        board = Board()
        turns = Turns(board=board, seat=3)
        turns.take(10)
        assert [board.is_writing(seat) for seat in (2, 3)] == [False, True]
        turns.end()
        assert not board.is_writing(3)
