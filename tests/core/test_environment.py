import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest

from r2rec_bench.core import environment
from r2rec_bench.core.environment import capture
from r2rec_bench.core.resources import measure, peak_bytes


def git(root: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(root), *identity, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    core = tmp_path / "r2rec_bench" / "core"
    core.mkdir(parents=True)
    (core / "environment.py").write_text("")
    monkeypatch.setattr(environment, "__file__", str(core / "environment.py"))
    return tmp_path


def test_this_machine():
    here = capture()
    assert here.packages["numpy"] == version("numpy")
    assert "r2rec-bench" in here.packages
    assert here.python == platform.python_version()
    assert here.cores >= 1
    assert here.memory_gib > 0.1
    assert here.cpu


def test_commit_and_whether_the_code_differs_from_it(checkout: Path):
    git(checkout, "init")
    git(checkout, "add", ".")
    git(checkout, "commit", "-m", "first")
    head = git(checkout, "rev-parse", "HEAD")
    assert (capture().commit, capture().dirty) == (head, False)
    (checkout / "reports").mkdir()
    (checkout / "reports" / "report.md").write_text("generated, not code")
    assert not capture().dirty
    (checkout / "r2rec_bench" / "new.py").write_text("")
    assert (capture().commit, capture().dirty) == (head, True)


def test_without_a_checkout_there_is_no_commit(checkout: Path):
    assert (capture().commit, capture().dirty) == (None, False)
    git(checkout, "init")
    assert capture().commit is None


def test_a_repository_around_an_installed_package_is_not_its_checkout(checkout: Path, monkeypatch: pytest.MonkeyPatch):
    git(checkout, "init")
    installed = checkout / "site-packages" / "r2rec_bench" / "core" / "environment.py"
    monkeypatch.setattr(environment, "__file__", str(installed))
    assert capture().commit is None


def test_without_git_there_is_no_commit(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    assert (capture().commit, capture().dirty) == (None, False)


def test_packages_that_are_not_installed_are_left_out(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(environment, "_PACKAGES", ("numpy", "no-such-package-here"))
    assert list(capture().packages) == ["numpy"]


@pytest.mark.parametrize(("available", "gpu"), [(True, "H200"), (False, None)])
def test_the_gpu_is_asked_of_a_torch_in_use(available: bool, gpu: str | None, monkeypatch: pytest.MonkeyPatch):
    cuda = SimpleNamespace(is_available=lambda: available, get_device_name=lambda index: "H200")
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    assert capture().gpu == gpu


def test_capturing_imports_no_library():
    code = (
        "import sys; from r2rec_bench.core.environment import capture; capture()\n"
        "print([name for name in ('torch', 'numpy', 'pandas', 'transformers') if name in sys.modules])"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "[]"


def test_measure_fills_in_even_when_the_block_fails():
    with pytest.raises(RuntimeError), measure() as watch:
        raise RuntimeError
    assert watch.seconds > 0
    assert 0 < watch.peak_bytes <= peak_bytes()


def test_peak_memory_is_in_bytes_and_never_falls():
    before = peak_bytes()
    block = bytearray(before + 2**26)
    for index in range(0, len(block), 4096):
        block[index] = 1
    size = len(block)
    del block
    assert peak_bytes() >= size
