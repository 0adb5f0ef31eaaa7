"""The whole way: a real `transformers serve` on loopback, and the weights in the package as its model."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from r2rec_bench.llm.nano import WEIGHTS
from r2rec_bench.traces.collect import collect
from r2rec_bench.traces.hf import HfTeacherConfig, LocalModel
from r2rec_bench.traces.openai import OpenAi, OpenAiConfig

pytestmark = pytest.mark.slow


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that serves nano and reaches no network."""
    folder, port = tmp_path_factory.mktemp("serve"), _free_port()
    command = ["serve", str(WEIGHTS), "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    main = "from transformers.cli.transformers import main; main()"
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(folder), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", main, *command],
        env=os.environ | offline,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        said: list[str] = []
        while not said or "Uvicorn running on" not in said[-1]:
            line = process.stdout.readline()
            if not line:
                pytest.fail(f"no server: {''.join(said)}")
            said.append(line)
        drain = threading.Thread(target=process.stdout.read, daemon=True)
        drain.start()
        yield f"http://127.0.0.1:{port}/v1"
        process.terminate()
        drain.join()


def test_traces_from_a_served_model_are_those_of_the_same_model_at_hand(served, asker, training, monkeypatch, tmp_path):
    monkeypatch.setenv("R2REC_CACHE", str(tmp_path))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    asking, queries = asker(), training(24)
    teacher = OpenAi(OpenAiConfig(model=str(WEIGHTS), base_url=served, masking="whole", concurrency=4))
    found = collect(asking, teacher, queries, lambda *_: None)
    local = LocalModel(HfTeacherConfig(path=str(WEIGHTS), masking="whole"))
    assert found.traces == collect(asking, local, queries, lambda *_: None).traces
    assert len(found.traces) >= 0.95 * 24
    assert found.usage.requests == sum(bool(asking.lesson(query).steps) for query in queries)
    # The endpoint counts as the model at hand does, and the end of turn in addition.
    assert found.usage.prompt_tokens == local.usage.prompt_tokens
    assert found.usage.completion_tokens > local.usage.completion_tokens
    again = OpenAi(teacher.config)
    assert collect(asking, again, queries, lambda *_: None).traces == found.traces
    assert (again.usage.requests, again.usage.remembered) == (0, found.usage.requests)
