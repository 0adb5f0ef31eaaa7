"""`r2rec traces`: thoughts to learn from, written at the terminal or taken out of a run, as lines of JSON.

`teacher: file:FILE` teaches from such a file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from r2rec_bench.cli.console import stdout
from r2rec_bench.cli.run import SET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from r2rec_bench.core.store import Artifact, ArtifactStore
    from r2rec_bench.traces.base import Lesson
    from r2rec_bench.traces.collect import Asker
    from r2rec_bench.traces.lines import Line

app = typer.Typer(help="Thoughts to learn from, as lines of JSON for `teacher: file:FILE`.", no_args_is_help=True)
OUT = Annotated[Path, typer.Option("--out", metavar="FILE.jsonl", help="The file of lines.")]


@app.command()
def annotate(
    file: Annotated[Path, typer.Argument(help="An experiment or an ablation; its training questions are asked.")],
    out: OUT,
    n: Annotated[int, typer.Option(min=1, help="Until the file has so many lines.")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Which of the training questions are drawn.")] = 0,
    set_: SET = None,
) -> None:
    """Write the thoughts yourself: the evidence is revealed step by step, each line is kept at once.

    Run it again to go on where you stopped; questions that you skipped come again.
    """
    from r2rec_bench.cli.annotate import Shown, Stopped, tell_answer, thoughts_about
    from r2rec_bench.prompts.verbose import Verbose
    from r2rec_bench.traces.lines import append_line, in_words, line_of

    asker, lessons = _questions(file, set_ or [], out, seed)
    history, rated = asker.strategy.config.history, asker.strategy.rated
    done = len(_lines(out))
    console = stdout()
    try:
        while done < n and (lesson := next(lessons, None)):
            prompt = in_words(lesson, history, rated=rated)
            thoughts = thoughts_about(Shown(_title(done + 1, n, lesson), lesson, prompt))
            if thoughts is not None:
                append_line(out, line_of(lesson, thoughts, Verbose()))
                done += 1
                tell_answer(lesson.answer)
    except Stopped:
        console.print()
    console.print(f"{done} of {n} lines in {out}", markup=False, soft_wrap=True)


@app.command()
def export(
    run: Annotated[str, typer.Argument(help="A run or its traces, by id or the beginning of it.")],
    out: OUT,
) -> None:
    """Write the traces that a run learnt from as lines."""
    from r2rec_bench.cli.studies import artifact_store
    from r2rec_bench.core.errors import InputError

    if out.exists():
        raise InputError(f"{out} exists; name a file that does not, so that no lines are lost")
    store = artifact_store()
    lines = {line.key: line for line in _lines_of(store, _traces_of(store, run))}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("".join(f"{line.model_dump_json()}\n" for line in lines.values()), "utf-8")
    stdout().print(f"{len(lines)} lines in {out}", markup=False, soft_wrap=True)


def _questions(file: Path, overrides: list[str], out: Path, seed: int) -> tuple[Asker, Iterator[Lesson]]:
    """What asks, and the training questions of an experiment that have evidence and no line yet, in drawn order."""
    from r2rec_bench.cli.progress import watching
    from r2rec_bench.cli.studies import artifact_store
    from r2rec_bench.core.errors import InputError
    from r2rec_bench.core.loading import load
    from r2rec_bench.core.seeds import generator
    from r2rec_bench.experiment import Experiment
    from r2rec_bench.inputs import Inputs
    from r2rec_bench.prompts.wording import Thinking
    from r2rec_bench.traces.lines import key_of

    e = load(file, Experiment, overrides).value
    with watching(quiet=True) as watcher:
        inputs = Inputs(e, artifact_store(), watcher)
        asking = inputs.asking
        if asking.strategy.thinking not in {Thinking.STEPS, Thinking.WHOLE}:
            raise InputError(
                f"{file}: prompts.use is '{e.prompts.use}', which has no steps to think about; 'progressive_mask' has"
            )
        queries, asker = inputs.training_queries(), asking.asker(inputs.dataset)
    order = generator(seed, "annotation").permutation(len(queries)).tolist()
    known = {line.key for line in _lines(out)}

    def fresh() -> Iterator[Lesson]:
        for index in order:
            lesson = asker.lesson(queries[index])
            if lesson.steps and key_of(lesson) not in known:
                known.add(key_of(lesson))
                yield lesson

    return asker, fresh()


def _lines(path: Path) -> list[Line]:
    """The lines of a file; none where there is no file yet.

    Raises:
        ConfigError: something in it is no line.
    """
    from r2rec_bench.core.errors import ConfigError
    from r2rec_bench.traces.lines import read_lines

    if not path.exists():
        return []
    lines, problems = read_lines(path)
    if problems:
        raise ConfigError(str(path), problems)
    return [read.line for read in lines]


def _title(number: int, n: int, lesson: Lesson) -> str:
    from r2rec_bench.traces.lines import key_of

    user, item, position = key_of(lesson)
    return f"{number} of {n}: user {user} after {position} interactions, item {item}"


def _traces_of(store: ArtifactStore, run: str) -> Artifact:
    from r2rec_bench.core.errors import InputError
    from r2rec_bench.report.study import lineage

    artifact = store.find(run)
    for one in lineage(store, [artifact]):
        if one.stage == "traces":
            return one
    raise InputError(f"{artifact.stage} {artifact.path.name} was made without traces; name a run that was trained")


def _lines_of(store: ArtifactStore, traces: Artifact) -> Iterator[Line]:
    """The traces as lines; their questions are put again, for evidence in words.

    Raises:
        R2RecError: a question is put differently by this code than by the code that made the traces.
    """
    from r2rec_bench.asking import Asking
    from r2rec_bench.core.config import validate
    from r2rec_bench.core.errors import R2RecError
    from r2rec_bench.core.manifest import read_manifest
    from r2rec_bench.data import store as dataset_store
    from r2rec_bench.files import TRACES
    from r2rec_bench.traces.lines import line_of
    from r2rec_bench.traces.queries import TrainingQuery
    from r2rec_bench.traces.store import read_traces

    stored = read_manifest(traces.path).recipe.settings["asking"]
    asking = validate(Asking, {key: stored[key] for key in Asking.model_fields if key in stored}, str(traces.path))
    asker = asking.asker(dataset_store.read(store.inputs(traces)[0].path))
    for trace in read_traces(traces.path / TRACES):
        lesson = asker.lesson(TrainingQuery(trace.query, trace.target, trace.answer))
        if lesson.prompt != trace.prompt:
            raise R2RecError(
                f"traces {traces.path.name}: their questions are put differently by this code than by the code that "
                "made them. Run the experiment again, or check out the version that made it"
            )
        yield line_of(lesson, trace.thoughts, asking.wording)
