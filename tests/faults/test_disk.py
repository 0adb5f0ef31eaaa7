"""A disk that is full, cannot be written, or changes what it keeps."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """A small disk of its own; called again it becomes another size, or read-only."""
    place = tmp_path / "disk"
    place.mkdir()
    made = False

    def mount(options: str) -> Path:
        nonlocal made
        again = ["-o", f"remount,{options}"] if made else ["-o", options]
        done = subprocess.run(
            ["mount", "-t", "tmpfs", *again, "tmpfs", str(place)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            pytest.skip(f"NO DISK TO FILL: this process may not mount one ({done.stderr.strip()})")
        made = True
        return place

    yield mount
    if made:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.mark.slow
def test_a_full_disk_is_said_and_with_room_the_run_goes_on(disk, make_home, undisturbed):
    home = make_home(R2REC_CACHE=str(disk("size=24k")))
    run = home.commands()[0]
    for size in (24, 200):
        disk(f"size={size}k")
        before = len(home.said)
        assert home.run(*run) == 2
        said = home.said[before:]
        assert "No space left on device" in said
        assert "Traceback" not in said
        assert undisturbed.results().items() >= home.results().items()
    disk("size=64m")
    home.ok(*run)
    assert home.results() == undisturbed.results()


def test_a_disk_that_is_not_to_be_written_is_said(disk, make_home):
    home = make_home(R2REC_CACHE=str(disk("size=64k")))
    disk("ro")
    assert home.run(*home.commands()[0]) == 2
    assert "Read-only file system" in home.said
    assert "Traceback" not in home.said


def test_a_report_that_cannot_be_written_is_said(home):
    (home.folder / "reports").write_text("in the way")
    words = ["--set", "baselines=[popularity]", "--set", "stages=[]", "--set", "untrained=false"]
    assert home.run(*home.commands()[0], *words) == 2
    assert "reports" in home.said
    assert "Traceback" not in home.said


@pytest.mark.long
def test_a_flipped_byte_in_any_artifact_is_named_and_that_stage_alone_made_again(home, undisturbed):
    run = home.commands()[0]
    home.ok(*run)
    for artifact in sorted(home.artifacts()):
        before = home.artifacts()
        files = [path for path in Path(artifact).rglob("*.*") if path.name != "manifest.json"]
        file = max(files, key=lambda path: path.stat().st_size)
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
        home.ok(*run)
        after = home.artifacts()
        assert {path for path in before if before[path] != after[path]} == {artifact}
        assert f"{artifact} is damaged: {file.relative_to(artifact)} has another checksum" in home.said
    assert home.results() == undisturbed.results()
