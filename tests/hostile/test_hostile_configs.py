"""Experiments, ablations and `--set` that are torn, mistyped or malign."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import strategies as st

from r2rec_bench.calibration.definition import read_calibration
from r2rec_bench.core.errors import InputError
from r2rec_bench.sweep.definition import read_sweep
from r2rec_bench.transfer.definition import read_transfer

EXPERIMENT = """# A comment.
name: small
question: Does it hold?
seed: 0
data: {use: synthetic, users: 120, items: 60, interactions: 12}
otherwise: movielens-1m
split: leave_last_out
visibility: fold
candidates: {negatives: uniform, n: 9, users: 50, fold: test, seed: null}
chains: {use: closed_uniform, evidence: bundle, n: 2}
prompts: {use: progressive_mask, budget: 128, wording: auto}
teacher: {use: template, prior: -1.0}
queries: {n: 1500, touched: 0.35}
backbone: {use: nano, weights: null}
stages:
  - use: sft
    lr: 1.0e-2
    batch_size: 32
  - use: grpo
    rewards:
      - {reward: format, weight: 0.5}
ranker: {use: rating_interaction, max_thought_tokens: 16}
metrics: [{use: hr, at: [1, 3]}, mrr]
baselines: [popularity, {use: als, factors: 8}]
"""
ABLATION = """extends: base.yaml
question: What does it change?
change:
  chains.n: 4
  stages.sft: {use: sft, lr: 1.0e-4}
  stages.grpo: null
  baselines: [ease, {use: als, factors: 16}]
"""
NASTY = st.sampled_from(
    [
        "9" * 5_000, "-" + "9" * 400, "1e999", "-.inf", ".nan", "0x1F", "1_000", "1e-400", "\u0661\u0662",
        "null", "~", "[]", "{}", "[[]]", "{use: 1}", "{use: []}", "{use: nano, weights: {a: 1}}", "true", "''",
        "&a [*a, *a]", "*missing", "&a {b: *a}", "<<: {a: 1}", "!!python/object/apply:os.system [id]", "!!binary x",
        "!!set {a}", "!x y", "? [a]: b", "{[a]: b}", "{1: 2}", "{a: 1, a: 2}", "- - -", "%YAML 1.1", "---", "...", "|",
        ">", "@", "`", "\t", "\r", "\0", '"\\0"', '"\\ud800"', '"\\e[2J"', "\x1b[31m", "\x85", "\u2028", "\u202e",
        "\ufeff", "\ud83d", "'", '"', "#",
        "../" * 40 + "etc/passwd", "/dev/zero", "file:/dev/null", "hf:", "hf:\0", "openai:", "folder:..", "folder:/",
        "accelerate:/dev/null", "a" * 100_000, "[" * 2_000, "{a: " * 500, "chains.n", "{{ 7*7 }}", "${HOME}", "$(id)",
    ]
)  # fmt: skip


@st.composite
def broken(draw, text: str) -> bytes:
    """`text` after a few accidents: lines lost, doubled, out of order, values exchanged, bytes from anywhere."""
    lines = text.splitlines(keepends=True)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(lines) - 1)))
        match draw(st.integers(0, 7)):
            case 0:
                del lines[at : at + draw(st.integers(1, 3))]
            case 1:
                lines.insert(at, lines[draw(st.integers(0, len(lines) - 1))] if lines else "")
            case 2 if lines:
                lines[at] = draw(st.sampled_from([" ", "  ", "\t", "- "])) + lines[at]
            case 3 if lines:
                lines[at] = re.sub(r"(?<=[:\[] )[^,#\n}\]]+", lambda _: draw(NASTY), lines[at], count=1)
            case 4 if lines:
                words = re.findall(r"\w+", lines[at])
                old = draw(st.sampled_from(words)) if words else "\n"
                lines[at] = lines[at].replace(old, draw(NASTY | st.text(max_size=8)), 1)
            case 5 if lines:
                place = draw(st.integers(0, len(lines[at])))
                lines[at] = lines[at][:place] + draw(NASTY | st.text(max_size=4)) + lines[at][place:]
            case 6:
                return "".join(lines).encode("utf-8", "surrogatepass")[: draw(st.integers(0, len(text)))]
            case _:
                content = bytearray("".join(lines).encode("utf-8", "surrogatepass"))
                place = draw(st.integers(0, len(content)))
                content[place:place] = draw(st.binary(min_size=1, max_size=3))
                return bytes(content)
    encoding = draw(st.sampled_from(["utf-8"] * 8 + ["utf-8-sig", "utf-16"]))
    content = "".join(lines).encode(encoding, "surrogatepass")
    return content.replace(b"\n", b"\r\n") if draw(st.integers(0, 9)) == 0 else content


def explained(told, *files: Path) -> None:
    """It worked, or the message places what is wrong: by line or, for what is no text, by file."""
    if told.code:
        placed = "|".join(rf"{re.escape(str(file))}:(\d+|\s\w)" for file in files)
        assert re.search(placed, told.error), told.error
        assert told.code == 2


def test_experiments(r2rec, tmp_path, fuzz):
    file = tmp_path / "e.yaml"

    def case(content: bytes) -> None:
        file.write_bytes(content)
        explained(r2rec("config", "explain", file), file)

    fuzz(case, broken(EXPERIMENT), short=40, long_=2_500)


def test_ablations(r2rec, tmp_path, fuzz):
    file, base = tmp_path / "a.yaml", tmp_path / "base.yaml"
    base.write_text(EXPERIMENT)

    def case(content: bytes) -> None:
        file.write_bytes(content)
        explained(r2rec("config", "explain", file), file)

    fuzz(case, broken(ABLATION), short=40, long_=2_000)


SWEEP = """extends: base.yaml
name: find
question: Which learning rate?
objective: ndcg@10
trials: 2
search:
  stages.sft.lr: {low: 1.0e-4, high: 1.0e-2, log: true}
  stages.grpo.beta: tune
  chains.n: [1, 2]
fixed: {candidates.users: 20}
"""
TRANSFER = Path("experiments/transfer/nano.yaml").read_text("utf-8")
CALIBRATION = Path("experiments/calibration.yaml").read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "read"), [(SWEEP, read_sweep), (TRANSFER, read_transfer), (CALIBRATION, read_calibration)]
)
def test_studies(text, read, tmp_path, fuzz):
    file = tmp_path / "study.yaml"
    (tmp_path / "base.yaml").write_text(EXPERIMENT)
    text = re.sub(r"(extends|experiment|base): \S+\.yaml", r"\1: base.yaml", text)

    def case(content: bytes) -> None:
        file.write_bytes(content)
        said = refusal(read, file)
        assert not said or str(tmp_path) in said

    fuzz(case, broken(text), short=10, long_=400)


def refusal(read: Callable[[Path], object], file: Path) -> str:
    """Why a file is not taken; empty where it is."""
    try:
        read(file)
    except InputError as error:
        return str(error)
    return ""
