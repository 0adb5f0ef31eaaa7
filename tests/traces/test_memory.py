import logging
import threading

import pytest

from r2rec_bench.core.errors import InputError
from r2rec_bench.traces.memory import Memory, Remembered


def reply(key: str, text: str = "#1 w0 f3") -> Remembered:
    return Remembered(key, text, cut=False, prompt_tokens=5, completion_tokens=3, price=0.25)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "teachers" / "m.jsonl"


def kept(path, *replies: Remembered) -> None:
    memory = Memory(path)
    with memory.opened():
        for one in replies:
            memory.keep(one)


def read(path, *keys: str) -> list[Remembered | None]:
    memory = Memory(path)
    with memory.opened():
        return [memory.get(key) for key in keys]


def test_replies_survive_the_process_whatever_they_say(path):
    hostile = reply("b", 'a\nb "c" \u2028 </think> \x00 é')
    kept(path, reply("a"), hostile)
    kept(path, reply("c"))
    assert read(path, "a", "b", "c", "d") == [reply("a"), hostile, reply("c"), None]
    assert len(path.read_bytes().splitlines()) == 3


def test_a_line_is_on_the_disk_before_anybody_can_use_it(path):
    memory = Memory(path)
    with memory.opened():
        memory.keep(reply("a"))
        assert path.read_bytes().endswith(b"\n")
        assert b'"key":"a"' in path.read_bytes()


@pytest.mark.parametrize("cut", [1, 10, 40])
def test_a_torn_last_line_is_as_if_it_had_never_been(path, cut):
    kept(path, reply("a"), reply("b"))
    path.write_bytes(path.read_bytes()[:-cut])
    assert read(path, "a", "b") == [reply("a"), None]
    kept(path, reply("b"))
    assert read(path, "a", "b") == [reply("a"), reply("b")]


def test_any_other_broken_line_is_named(path):
    kept(path, reply("a"), reply("b"))
    path.write_bytes(path.read_bytes().replace(b'"key":"a"', b'"kez":"a"'))
    with pytest.raises(InputError, match=r"m\.jsonl:1: not a reply.*Remove this line"):
        read(path, "a")


def test_the_first_reply_to_a_question_is_the_one_that_counts(path):
    kept(path, reply("a", "first"), reply("a", "second"))
    assert read(path, "a") == [reply("a", "first")]


def test_nothing_is_kept_while_the_file_is_closed(path):
    with pytest.raises(ValueError, match="not open"):
        Memory(path).keep(reply("a"))


def test_who_comes_second_waits_for_the_first_and_then_knows_what_it_learnt(path, monkeypatch):
    first, second = Memory(path), Memory(path)
    waiting, seen = threading.Event(), []
    monkeypatch.setattr(logging.getLogger(Memory.__module__), "warning", lambda *_: waiting.set())

    def wait() -> None:
        with second.opened():
            seen.append(second.get("a"))

    with first.opened():
        other = threading.Thread(target=wait)
        other.start()
        assert waiting.wait(30)
        assert seen == []
        first.keep(reply("a"))
    other.join()
    assert seen == [reply("a")]
