import json
import logging
import multiprocessing
import os
import pickle
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from r2rec_bench.core.errors import InputError
from r2rec_bench.core.fingerprint import code_digest
from r2rec_bench.core.manifest import read_manifest
from r2rec_bench.core.store import Artifact, ArtifactStore, DamagedArtifactError

CODE = ("r2rec_bench.core.seeds",)


def writer(text: str, calls: list[str] | None = None) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        if calls is not None:
            calls.append(text)
        (folder / "deep").mkdir()
        (folder / "deep" / "data.txt").write_text(text)

    return make


def make(
    store: ArtifactStore, stage: str = "sft", settings: object = None, inputs: tuple[Artifact, ...] = ()
) -> Artifact:
    return store.get(stage, settings or {"lr": 1e-3}, inputs, CODE, writer(f"{stage} {settings}"))


def unwanted(folder: Path) -> None:
    raise AssertionError(f"made again: {folder}")


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "artifacts")


def test_the_second_time_no_work_is_done(store: ArtifactStore):
    first = make(store)
    assert (first.path / "deep" / "data.txt").read_text() == "sft None"
    assert first.path == store.root / "sft" / first.fingerprint[:16]
    assert not first.cached
    for again in (store, ArtifactStore(store.root)):
        second = again.get("sft", {"lr": 1e-3}, (), CODE, unwanted)
        assert second.cached
        assert (second.path, second.fingerprint) == (first.path, first.fingerprint)
        assert (second.seconds, second.peak_bytes) == (first.seconds, first.peak_bytes)


def test_stage_settings_inputs_and_code_each_make_another_artifact(store: ArtifactStore):
    data, other = make(store, "data"), make(store, "other")
    recipes = [
        ("sft", {"lr": 1}, (data,), CODE),
        ("rl", {"lr": 1}, (data,), CODE),
        ("sft", {"lr": 2}, (data,), CODE),
        ("sft", {"lr": 1}, (other,), CODE),
        ("sft", {"lr": 1}, (data, other), CODE),
        ("sft", {"lr": 1}, (other, data), CODE),
        ("sft", {"lr": 1}, (data,), ("r2rec_bench.core.errors",)),
    ]
    made = [store.get(*recipe, writer("x")) for recipe in recipes]
    assert not any(artifact.cached for artifact in made)
    assert len({artifact.fingerprint for artifact in made}) == len(recipes)


def test_the_order_of_settings_and_of_code_does_not_matter(store: ArtifactStore):
    code = ("r2rec_bench.core.seeds", "r2rec_bench.core.errors")
    store.get("sft", {"a": 1, "b": [1, 2]}, (), code, writer("x"))
    assert store.get("sft", {"b": (1, 2), "a": 1}, (), code[::-1], unwanted).cached


def test_settings_are_finite_json_and_stages_are_folder_names(store: ArtifactStore):
    with pytest.raises(ValueError, match="not JSON compliant"):
        make(store, settings={"lr": float("nan")})
    with pytest.raises(TypeError, match="not JSON serializable"):
        make(store, settings={"lr": object()})
    with pytest.raises(ValueError, match=r"a stage is named with lower-case letters.*got '../x'"):
        make(store, "../x")


def test_the_manifest_tells_the_whole_story(store: ArtifactStore):
    data = make(store, "data")
    artifact = make(store, settings={"lr": 1}, inputs=(data,))
    manifest = json.loads((artifact.path / "manifest.json").read_text())
    assert manifest["fingerprint"] == artifact.fingerprint
    assert manifest["recipe"] == {
        "stage": "sft", "settings": {"lr": 1}, "inputs": [data.fingerprint], "code": code_digest(CODE)
    }  # fmt: skip
    assert list(manifest["files"]) == ["deep/data.txt"]
    assert manifest["files"]["deep/data.txt"]["size"] == len("sft {'lr': 1}")
    assert manifest["peak_bytes"] > 1_000_000


def truncate(artifact: Artifact) -> None:
    (artifact.path / "deep" / "data.txt").write_text("")


def flip(artifact: Artifact) -> None:
    path = artifact.path / "deep" / "data.txt"
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])


def delete(artifact: Artifact) -> None:
    (artifact.path / "deep" / "data.txt").unlink()


def lose_manifest(artifact: Artifact) -> None:
    (artifact.path / "manifest.json").unlink()


def break_manifest(artifact: Artifact) -> None:
    (artifact.path / "manifest.json").write_text('{"recipe": ')


def swap_manifest(artifact: Artifact) -> None:
    path = artifact.path / "manifest.json"
    path.write_text(path.read_text().replace('"lr"', '"rl"'))


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (truncate, "deep/data.txt has 0 bytes, not 13"),
        (flip, "deep/data.txt has another checksum than when it was made"),
        (delete, "deep/data.txt is missing"),
        (lose_manifest, "manifest.json is missing"),
        (break_manifest, "manifest.json cannot be read: "),
        (swap_manifest, "manifest.json is of "),
    ],
)
def test_damage_is_named_and_only_that_stage_is_made_again(
    store: ArtifactStore, harm: Callable[[Artifact], None], message: str, caplog: pytest.LogCaptureFixture
):
    before = make(store, "data")
    middle = make(store, settings={"lr": 1}, inputs=(before,))
    after = make(store, "rl", inputs=(middle,))
    harm(middle)
    fresh = ArtifactStore(store.root)
    again = [
        make(fresh, "data"),
        make(fresh, settings={"lr": 1}, inputs=(before,)),
        make(fresh, "rl", inputs=(middle,)),
    ]
    assert [artifact.cached for artifact in again] == [True, False, True]
    assert [artifact.fingerprint for artifact in again] == [
        artifact.fingerprint for artifact in (before, middle, after)
    ]
    assert message in caplog.text
    assert f"{middle.path} is damaged" in caplog.text
    assert middle.path.with_name(f"{middle.path.name}.damaged").is_dir()
    assert (middle.path / "deep" / "data.txt").read_text() == "sft {'lr': 1}"


def test_a_flipped_bit_of_the_manifest_is_noticed_or_says_nothing(store: ArtifactStore):
    folder = make(store).path
    path = folder / "manifest.json"
    content, before = path.read_bytes(), read_manifest(folder)
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
        with suppress(ValueError):
            assert read_manifest(folder) == before


def test_files_are_checked_once_per_process(store: ArtifactStore):
    artifact = make(store)
    fresh = ArtifactStore(store.root)
    assert make(fresh).cached
    flip(artifact)
    assert make(fresh).cached
    assert not make(ArtifactStore(store.root)).cached


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_failure_leaves_nothing_behind(store: ArtifactStore, error: type[BaseException]):
    def fail(folder: Path) -> None:
        (folder / "half.txt").write_text("half")
        raise error

    with pytest.raises(error):
        store.get("sft", {}, (), CODE, fail)
    assert list((store.root / "sft").iterdir()) == []
    assert not store.get("sft", {}, (), CODE, writer("x")).cached


def die(root: Path) -> None:
    def make_and_die(folder: Path) -> None:
        (folder / "half.txt").write_text("half")
        os._exit(1)

    ArtifactStore(root).get("sft", {"lr": 1}, (), CODE, make_and_die)


def test_what_a_killed_process_left_is_ignored_and_cleared(store: ArtifactStore):
    process = multiprocessing.get_context("fork").Process(target=die, args=(store.root,))
    process.start()
    process.join(30)
    assert process.exitcode == 1
    (left,) = (store.root / "sft").iterdir()
    assert (left / "half.txt").exists()
    assert list(store) == []
    artifact = make(store, settings={"lr": 1})
    assert list((store.root / "sft").iterdir()) == [artifact.path]
    assert not (artifact.path / "half.txt").exists()


def compete(root: Path, barrier: object, entered: object, release: object, results: object) -> None:
    def slow(folder: Path) -> None:
        entered.release()
        release.wait(20)
        (folder / "who.txt").write_text(str(os.getpid()))

    barrier.wait(20)
    artifact = ArtifactStore(root).get("sft", {}, (), CODE, slow)
    results.put((artifact.cached, (artifact.path / "who.txt").read_text()))


def test_two_processes_make_one_artifact(store: ArtifactStore):
    context = multiprocessing.get_context("fork")
    barrier, entered, release, results = context.Barrier(2), context.Semaphore(0), context.Event(), context.Queue()
    arguments = (store.root, barrier, entered, release, results)
    processes = [context.Process(target=compete, args=arguments) for _ in range(2)]
    for process in processes:
        process.start()
    assert entered.acquire(timeout=20)
    # The second one may not start work while the first one is at it.
    assert not entered.acquire(timeout=0.2)
    release.set()
    (cached, who), (other_cached, other_who) = results.get(timeout=20), results.get(timeout=20)
    for process in processes:
        process.join(20)
    assert sorted([cached, other_cached]) == [False, True]
    assert who == other_who


def test_waiting_for_another_process_is_said(store: ArtifactStore, caplog: pytest.LogCaptureFixture):
    context = multiprocessing.get_context("fork")
    entered, release, results = context.Semaphore(0), context.Event(), context.Queue()
    process = context.Process(target=compete, args=(store.root, context.Barrier(1), entered, release, results))
    process.start()
    assert entered.acquire(timeout=20)

    class Release(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            release.set()

    logger = logging.getLogger("r2rec_bench.core.store")
    handler = Release()
    logger.addHandler(handler)
    try:
        with caplog.at_level(logging.INFO, logger.name):
            assert store.get("sft", {}, (), CODE, unwanted).cached
    finally:
        logger.removeHandler(handler)
    assert "another process is making sft" in caplog.text
    process.join(20)


def test_find_by_the_start_of_a_fingerprint(store: ArtifactStore):
    made = [make(store, "data"), make(store, "sft"), make(store, "rl")]
    for artifact in made:
        for prefix in (artifact.fingerprint, artifact.fingerprint[:16], artifact.fingerprint[:12].upper()):
            assert store.find(prefix).path == artifact.path
    with pytest.raises(InputError, match="no artifact 'xyz' in "):
        store.find("xyz")
    with pytest.raises(InputError, match=r"several artifacts start with '': data/.*, sft/.*, rl/"):
        store.find("")
    assert [artifact.stage for artifact in store] == ["data", "sft", "rl"]


def test_a_message_does_not_list_the_whole_store(store: ArtifactStore):
    for stage in "abcdefg":
        make(store, stage)
    with pytest.raises(InputError, match=r"several artifacts start with '': a/\w+, b/\w+, .*, e/\w+ and 2 more in "):
        store.find("")


def test_find_does_not_hand_out_damaged_files(store: ArtifactStore):
    artifact = make(store)
    flip(artifact)
    with pytest.raises(DamagedArtifactError, match=r"deep/data.txt has another checksum") as caught:
        ArtifactStore(store.root).find(artifact.fingerprint)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "sourcepkg"
    (folder / "inner").mkdir(parents=True)
    for name in ("__init__.py", "one.py", "inner/__init__.py", "inner/two.py"):
        (folder / name).write_text(f"# {name}\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for name in [name for name in sys.modules if name.startswith("sourcepkg")]:
        del sys.modules[name]


def fresh_digest(*names: str) -> str:
    from r2rec_bench.core import fingerprint

    fingerprint.source_digest.cache_clear()
    return code_digest(names)


@pytest.mark.parametrize("name", ["one.py", "inner/two.py", "inner/new.py"])
def test_a_package_is_all_python_below_it(package: Path, name: str):
    before = fresh_digest("sourcepkg")
    (package / "notes.txt").write_text("not code")
    assert fresh_digest("sourcepkg") == before
    (package / name).write_text("changed = True\n")
    assert fresh_digest("sourcepkg") != before


def test_moving_code_between_files_is_a_change(package: Path):
    before = fresh_digest("sourcepkg")
    (package / "one.py").rename(package / "uno.py")
    assert fresh_digest("sourcepkg") != before


def test_a_module_is_its_own_file_alone(package: Path):
    before = fresh_digest("sourcepkg.one")
    (package / "inner" / "two.py").write_text("changed = True\n")
    assert fresh_digest("sourcepkg.one") == before
    (package / "one.py").write_text("changed = True\n")
    assert fresh_digest("sourcepkg.one") != before


def test_changed_code_makes_the_artifact_again(store: ArtifactStore, package: Path):
    fresh_digest()
    assert not store.get("sft", {}, (), ("sourcepkg.one",), writer("x")).cached
    (package / "one.py").write_text("changed = True\n")
    assert store.get("sft", {}, (), ("sourcepkg.one",), unwanted).cached, "source is read once per process"
    fresh_digest()
    assert not store.get("sft", {}, (), ("sourcepkg.one",), writer("x")).cached


def test_code_that_is_not_there():
    with pytest.raises(ModuleNotFoundError, match=r"no module 'r2rec_bench.nowhere' to take the source of"):
        code_digest(["r2rec_bench.nowhere"])
