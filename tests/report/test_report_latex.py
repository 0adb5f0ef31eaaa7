"""LaTeX that compiles: environments, columns and escapes; and where there is a TeX installation, it does."""

import re
import shutil
import string
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from r2rec_bench.report.comparisons import judged
from r2rec_bench.report.exports import latex_tables
from r2rec_bench.report.latex import PACKAGES, latex_table
from r2rec_bench.report.study import Study
from r2rec_bench.report.table import Cell, Table

REPORTS = Path(__file__).parents[2] / "reports"
ENDED = re.compile(r"(?:\\[A-Za-z]+|\\[&%$#_{}])")


def body(text: str) -> list[str]:
    """Rows of the table, its heads first."""
    return [line for line in text.splitlines() if line.endswith(r" \\")]


def check(text: str, columns: int, rows: int) -> None:
    """What would keep a table from compiling, or from having the cells it was given."""
    opened: list[str] = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+)\}", text):
        if kind == "begin":
            opened.append(name)
        else:
            assert opened.pop() == name
    assert opened == []
    assert re.findall(r"\\begin\{(\w+)\}", text) == [
        "table" if columns <= 7 else "sidewaystable",
        "adjustbox",
        "tabular",
    ]
    [layout] = re.findall(r"\\begin\{tabular\}\{([lr]+)\}", text)
    assert len(layout) == columns
    assert len(body(text)) == rows + 1
    for line in body(text):
        assert len(re.findall(r"(?<!\\)&", line)) == columns - 1
        assert not line.startswith(("[", "*"))
    for line in text.splitlines()[1:]:  # the first is a comment
        plain = ENDED.sub("", line.replace(r"\\", ""))
        assert not re.search(r"[%$#_^~\\]", plain), line
        depth = 0
        for character in re.sub(r"\\[{}]", "", line):
            depth += (character == "{") - (character == "}")
            assert depth >= 0
        assert depth == 0
    for rule in ("toprule", "midrule", "bottomrule"):
        assert text.count(f"\\{rule}\n") == 1
    assert text.index(r"\caption{") < text.index(r"\label{tab:") < text.index(r"\begin{tabular}")


@pytest.fixture
def study(make_row) -> Study:
    rows = (
        make_row("[ease]*", "baseline", [6] * 12),
        make_row("R2Rec: 50% & <more>_$x$", "r2rec", [1] * 11 + [6], mae=1.0),
        make_row("same", "r2rec", [1] * 10 + [6, 1], group="no {x} \\ ^~", ablation=True),
        make_row("worse", "r2rec", [6] * 12, group="worse", ablation=True),
    )
    return Study("50% & [x]", "Why #1?", rows, {"no {x} \\ ^~": "What?", "worse": "What?"})


def test_every_table_is_whole_and_holds_all_rows(study):
    tables = dict(latex_tables(study, judged(study)))
    assert set(tables) == {"results.tex", "ablations.tex", "cost.tex"}
    check(tables["results.tex"], 8, 4)
    check(tables["ablations.tex"], 9, 3)
    check(tables["cost.tex"], 7, 4)
    labels = [re.findall(r"\\label\{(.*)\}", text) for text in tables.values()]
    assert labels == [["tab:50-x-results"], ["tab:50-x-ablations"], ["tab:50-x-cost"]]


def test_the_caption_tells_users_protocol_question_and_marks(study):
    text = dict(latex_tables(study, judged(study)))["results.tex"]
    [caption] = re.findall(r"\\caption\{(.*)\}", text)
    assert caption.startswith(r"Why \#1? the protocol. n = 12 users. In brackets: 95 \% interval")
    assert r"\textdagger{}: HR@1 differs from that of R2Rec: 50\% \& \textless{}more\textgreater{}\_\$x\$" in caption


def test_best_second_and_significant_are_three_different_marks(study):
    lines = body(dict(latex_tables(study, judged(study)))["results.tex"])
    hits = [line.split(" & ")[-7] for line in lines[1:]]
    dagger = r"\textsuperscript{\textdagger}"
    assert [hit.split(" [")[0] for hit in hits] == [
        rf"\underline{{0.000}}{dagger}",
        r"\textbf{0.917}",
        r"\textbf{0.917}",
        rf"\underline{{0.000}}{dagger}",
    ]
    assert lines[1].startswith("{}[ease]* & ")
    assert lines[3].startswith(r"no \{x\} \textbackslash{} \textasciicircum{}\textasciitilde{} & ")


def test_without_ablations_tokens_or_a_reference_there_is_the_main_table_alone(make_row):
    rows = (make_row("ease", "baseline", [1, 2], tokens=(0, 0)), make_row("als", "baseline", [2, 2], tokens=(0, 0)))
    [(name, text)] = latex_tables(study := Study("x", "", rows), judged(study))
    assert name == "results.tex"
    check(text, 8, 2)
    assert "dagger" not in text


@given(st.text(max_size=30), st.text(max_size=30), st.sampled_from([0, 1, 2]))
def test_nothing_that_a_name_or_a_caption_holds_breaks_a_table(name: str, caption: str, place: int):
    row = (Cell(name), Cell(name, "[0.1, 0.2]", place, marked=True), Cell(name))
    check(latex_table(Table((name, "HR@1", caption), (row, row)), caption, name), 3, 2)


def test_a_number_below_zero_has_a_minus_and_a_name_its_hyphen():
    cells = (Cell("no-rl-2"), Cell("-0.019", "[-0.070, +0.032]", place=1), Cell("1e-3"))
    text = latex_table(Table(("a", "b", "c"), (cells,)), "x", "x")
    assert body(text)[1] == r"no-rl-2 & \textbf{\textminus{}0.019} [\textminus{}0.070, +0.032] & 1e-3 \\"


def typeset(folder: Path, tables: list[Path]) -> str:
    """What pdflatex says of a document with these tables and the packages that each names."""
    folder.mkdir()
    preamble = rf"\documentclass{{article}}\usepackage[T1]{{fontenc}}\usepackage{{{','.join(PACKAGES)}}}"
    body = "".join(rf"\input{{{path}}}\clearpage" for path in tables)
    (folder / "all.tex").write_text(rf"{preamble}\begin{{document}}{body}\end{{document}}")
    command = ["pdflatex", "-draftmode", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 0, done.stdout[-2_000:]
    return done.stdout


@pytest.mark.skipif(
    shutil.which("pdflatex") is None,
    reason="NOT TESTED: LaTeX of tables. No pdflatex here: apt install texlive-latex-extra",
)
def test_a_real_latex_sets_all_tables_within_the_page(study, make_row, tmp_path: Path):
    hostile = make_row(string.printable, "baseline", [1, 2])
    wide = Study(string.printable, string.printable, (hostile,))
    found = [*latex_tables(study, judged(study)), *latex_tables(wide, judged(wide))]
    paths = [tmp_path / f"{number}.tex" for number in range(len(found))]
    for path, (_, text) in zip(paths, found, strict=True):
        path.write_text(text, "utf-8")
    assert "Overfull" not in typeset(tmp_path / "made", paths)
    typeset(tmp_path / "committed", sorted(REPORTS.rglob("*.tex")))
