"""Real files, changed as people and machines change them."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from entrypoints.settings.files import FileVersions, versions_of
from entrypoints.watch import SettledChanges, set_on_change


def mounted(folder: Path) -> Path:
    """Make a file as Kubernetes mounts it."""
    publish(folder, "1")
    (folder / "secret").symlink_to("..data/secret")
    return folder / "secret"


def publish(folder: Path, version: str, text: str = "") -> None:
    """Swap versions as a kubelet does; their text is their name unless another one is given."""
    (folder / f"..v{version}").mkdir()
    (folder / f"..v{version}" / "secret").write_text(text or version)
    (folder / "..tmp").symlink_to(f"..v{version}")
    (folder / "..tmp").replace(folder / "..data")


def replace(file: Path) -> None:
    """Write beside the file and rename, as editors do."""
    new = file.with_suffix(".new")
    new.write_text("2")
    new.replace(file)


def relink(file: Path) -> None:
    target = file.with_suffix(".target")
    target.write_text("1")
    file.unlink()
    file.symlink_to(target)


def overwrite(file: Path) -> None:
    file.write_text("22")


def restrict(file: Path) -> None:
    file.chmod(0o600)


def remove(file: Path) -> None:
    file.unlink()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text("1")
    file.chmod(0o644)
    return file


class TestSettledChanges:
    @pytest.mark.parametrize("change", [overwrite, replace, relink, restrict, remove])
    def test_are_seen_once_and_not_before_the_second_look(
        self, file: Path, change: Callable[[Path], None]
    ) -> None:
        paths = [str(file)]
        changes = SettledChanges(versions_of(paths))
        assert [changes.look(versions_of(paths)) for _ in range(3)] == [False] * 3
        change(file)
        assert [changes.look(versions_of(paths)) for _ in range(4)] == [False, True, False, False]

    def test_are_seen_at_each_swap_of_a_mounted_secret(self, tmp_path: Path) -> None:
        paths = [str(mounted(tmp_path))]
        changes = SettledChanges(versions_of(paths))
        for version in ("2", "3", "4"):
            publish(tmp_path, version)
            assert [changes.look(versions_of(paths)) for _ in range(3)] == [False, True, False]

    def test_wait_for_the_second_part_of_a_write(self, file: Path) -> None:
        paths = [str(file)]
        changes = SettledChanges(versions_of(paths))
        with file.open("w") as opened:
            for part in ("first ", "second ", "third "):
                opened.write(part)
                opened.flush()
                assert not changes.look(versions_of(paths))
        assert changes.look(versions_of(paths))

    def test_are_seen_when_a_file_goes_and_when_it_is_back(self, file: Path) -> None:
        paths = [str(file)]
        changes = SettledChanges(versions_of(paths))
        file.unlink()
        assert [changes.look(versions_of(paths)) for _ in range(3)] == [False, True, False]
        file.write_text("1")
        assert [changes.look(versions_of(paths)) for _ in range(3)] == [False, True, False]

    def test_are_none_where_a_file_is_gone_for_a_moment_only(self, file: Path) -> None:
        """It is moved away and back, and so is still the file that was read."""
        paths = [str(file)]
        changes = SettledChanges(versions_of(paths))
        file.rename(file.with_suffix(".kept"))
        assert not changes.look(versions_of(paths))
        file.with_suffix(".kept").rename(file)
        assert [changes.look(versions_of(paths)) for _ in range(3)] == [False] * 3

    def test_are_seen_where_only_one_of_several_files_changed(self, file: Path) -> None:
        other = file.with_suffix(".other")
        other.write_text("1")
        paths = [str(file), str(other)]
        changes = SettledChanges(versions_of(paths))
        overwrite(other)
        assert [changes.look(versions_of(paths)) for _ in range(2)] == [False, True]

    def test_are_none_where_a_file_is_read_or_others_are_written(self, file: Path) -> None:
        paths = [str(file)]
        changes = SettledChanges(versions_of(paths))
        file.read_text()
        file.with_suffix(".other").write_text("1")
        os.utime(file, ns=(1, file.stat().st_mtime_ns))  # as reading does on most file systems
        assert [changes.look(versions_of(paths)) for _ in range(3)] == [False] * 3


@pytest.fixture
def outdated(file: Path) -> FileVersions:
    """The versions of a file before its last change."""
    known = versions_of([str(file)])
    overwrite(file)
    return known


async def test_a_change_before_the_first_look_is_not_missed(outdated: FileVersions) -> None:
    changed = asyncio.Event()
    watching = asyncio.create_task(set_on_change(changed, outdated, interval_s=0.01))
    await changed.wait()
    watching.cancel()
