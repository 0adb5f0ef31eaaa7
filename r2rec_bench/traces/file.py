"""A teacher that is a file: thoughts that people wrote, or that were collected before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from r2rec_bench.core.config import Config
from r2rec_bench.core.errors import ConfigError, InputError, Problem, nearest
from r2rec_bench.core.fingerprint import file_digest
from r2rec_bench.core.texts import Thought
from r2rec_bench.graph.visible import Ids
from r2rec_bench.prompts.wording import Wording
from r2rec_bench.traces.base import Lesson, Teacher, Usage, teachers
from r2rec_bench.traces.checks import problems_with, told
from r2rec_bench.traces.lines import Key, Read, key_of, read_lines, require

_SHOWN = 20
"""Problems of a file that are told at once."""
_NO_LINE = "the file has no line about it"


class FileConfig(Config):
    """Which file."""

    path: Path
    """Lines of JSON as `r2rec traces annotate` and `r2rec traces export` write them."""


@teachers.register("file")
class File(Teacher):
    """Thoughts from a file, each line checked against the question it is about: `file:<path>`.

    Questions without a line get no trace. All that is wrong with a file is told together, after the last question.

    Source: this project.
    """

    config: FileConfig

    def __init__(self, config: FileConfig) -> None:
        super().__init__(config)
        self._lines: dict[Key, Read] | None = None
        self._problems: list[Problem] = []
        self._silent = 0
        self._sound: dict[Key, bool] = {}
        """Whether the line about a question that was asked can be used."""
        self._asked: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
        """Positions at which the users and items of the file were asked about."""

    def identity(self) -> str:
        require(self.config.path)
        return file_digest(self.config.path)

    @property
    def usage(self) -> Usage:
        return Usage(silent={_NO_LINE: self._silent} if self._silent else {})

    def explain(self, lessons: Sequence[Lesson], wording: Wording) -> list[tuple[Thought, ...] | None]:
        return [self._thoughts(lesson, wording) for lesson in lessons]

    def finish(self) -> None:
        if self._lines is None:
            return
        problems = [*self._problems, *self._misplaced(self._lines)]
        if problems:
            problems.sort(key=lambda problem: int(problem.where.removeprefix(f"{self.config.path}:").partition(":")[0]))
            shown = problems[:_SHOWN]
            if len(problems) > _SHOWN:
                shown.append(Problem("", f"... and {len(problems) - _SHOWN} more"))
            raise ConfigError(str(self.config.path), shown)
        if self._lines and not self._sound:
            raise InputError(
                f"{self.config.path}: none of its {len(self._lines)} lines is about a question that this experiment "
                "asks. Use the data, split, queries and seed that they were made with, or annotate anew"
            )

    def _thoughts(self, lesson: Lesson, wording: Wording) -> tuple[Thought, ...] | None:
        if self._lines is None:
            self._lines = self._read(lesson.question.visible.ids)
        key = key_of(lesson)
        self._asked[key[:2]].add(key[2])
        read = self._lines.get(key)
        if read is None:
            self._silent += 1
            return None
        if key not in self._sound:
            problems = list(problems_with(read.line, lesson, wording))
            where = f"{self.config.path}:{read.number}"
            self._problems += [Problem(f"{where}: {one.where}", one.message, one.nearest) for one in problems]
            self._sound[key] = not problems
        return told(read.line, lesson, wording) if self._sound[key] else None

    def _read(self, ids: Ids) -> dict[Key, Read]:
        """The lines by question; those about unknown users or items are problems."""
        lines, self._problems = read_lines(self.config.path)
        users, items = set(ids.users), set(ids.items)
        known: dict[Key, Read] = {}
        for read in lines:
            line, where = read.line, f"{self.config.path}:{read.number}"
            missing = [
                Problem(f"{where}: {kind}", f"the data have no {kind} {one!r}", nearest(one, all_))
                for kind, one, all_ in (("user", line.user, users), ("item", line.item, items))
                if one not in all_
            ]
            self._problems += missing
            if line.key in known:
                self._problems.append(Problem(where, f"the same question as line {known[line.key].number}; keep one"))
            elif not missing:
                known[line.key] = read
        return known

    def _misplaced(self, lines: dict[Key, Read]) -> Iterator[Problem]:
        """Lines about a question that is asked, but at another moment."""
        for key, read in lines.items():
            positions = self._asked.get(key[:2], set())
            if key not in self._sound and positions:
                near = min(positions, key=lambda one: abs(one - key[2]))
                yield Problem(
                    f"{self.config.path}:{read.number}: position",
                    f"user {key[0]!r} is asked about item {key[1]!r} after {near} interactions; got {key[2]}",
                )
