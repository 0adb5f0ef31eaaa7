from pathlib import Path

from r2rec_bench.core.paths import cache_root, data_root


def test_without_variables_there_is_no_data_and_the_cache_is_in_the_home_folder(monkeypatch):
    monkeypatch.delenv("R2REC_DATA", raising=False)
    monkeypatch.delenv("R2REC_CACHE", raising=False)
    assert data_root() is None
    assert cache_root() == Path.home() / ".cache" / "r2rec_bench"


def test_an_empty_variable_is_an_unset_one(monkeypatch):
    monkeypatch.setenv("R2REC_DATA", "")
    monkeypatch.setenv("R2REC_CACHE", "")
    assert data_root() is None
    assert cache_root() == Path.home() / ".cache" / "r2rec_bench"


def test_variables_win_and_may_start_at_home(monkeypatch):
    monkeypatch.setenv("R2REC_DATA", "~/mine")
    monkeypatch.setenv("R2REC_CACHE", "/somewhere/cache")
    assert data_root() == Path.home() / "mine"
    assert cache_root() == Path("/somewhere/cache")
