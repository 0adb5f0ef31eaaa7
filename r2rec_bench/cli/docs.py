"""`r2rec docs`: the pages of the package's own components, from the same facts that `r2rec show` prints.

Nothing on a page is written by hand or depends on the machine: made twice they are the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from r2rec_bench.core.describe import Description, Setting

INDEX = "README.md"
_MADE = "*Generated from the registry by `make docs`; the code is what to edit.*"
_CODE = re.compile(r"(`[^`\n]+`)")
_LIST_OR_RULE = re.compile(r"^(\d*)([-+=.)])")
"""What would begin a list, a rule or a heading, were it taken for Markdown."""
_BAR, _ESCAPED_BAR = re.compile(r"(?<!\\)\|"), r"\|"
"""A bar ends a cell wherever it stands, in a code span too."""
_ARXIV = re.compile(r"arXiv (\d{4}\.\d{4,5})")


def docs(
    out: Annotated[Path, typer.Argument(help="Folder for the pages.")] = Path("docs/components"),
) -> None:
    """Write the documentation of the package's own components: a page per family, and an index."""
    out.mkdir(parents=True, exist_ok=True)
    for name, text in pages(up="/".join([".."] * len(_from_root(out)))).items():
        (out / name).write_text(text, "utf-8")
        typer.echo(str(out / name))


def pages(up: str = "../..") -> dict[str, str]:
    """All pages by file name: `chains.md` and so on, and the index. Plug-ins of others are left out.

    Args:
        up: the way from the pages to the root of the repository, for links to the code.
    """
    from r2rec_bench.core.describe import describe, origin
    from r2rec_bench.core.registry import FAMILIES, Registry, registry

    families = {
        # By the registry's own listing: a folder under R2REC_DATA is a source on this machine only.
        family: [
            describe(family, name, one)
            for name in Registry.names(registry(family))
            if origin(one := registry(family).get(name)).ours
        ]
        for family in FAMILIES
    }
    index = {INDEX: "\n".join(_index(families)) + "\n"}
    everything = [one for found in families.values() for one in found]
    return index | {
        f"{name}.md": "\n".join(_page(name, found, _chosen(name, everything), up)) + "\n"
        for name, found in families.items()
    }


def markdown_text(text: str) -> str:
    """Running text of a docstring for Markdown: code spans stay, papers become links, all else is taken literally."""
    from r2rec_bench.report.text import markdown, one_line

    parts = [one_line(part) if _CODE.fullmatch(part) else _linked(markdown(part)) for part in _CODE.split(text)]
    return _LIST_OR_RULE.sub(r"\1\\\2", "".join(parts))


def _linked(text: str) -> str:
    return _ARXIV.sub(r"[arXiv \1](https://arxiv.org/abs/\1)", text)


def _from_root(out: Path) -> tuple[str, ...]:
    """The steps from the root of the repository to `out`; as for the usual place where it lies elsewhere."""
    from r2rec_bench.core.describe import root

    folder = out.resolve()
    return folder.relative_to(root()).parts if folder.is_relative_to(root()) else ("docs", "components")


def _index(families: dict[str, list[Description]]) -> Iterator[str]:
    from r2rec_bench.core.describe import first_sentence
    from r2rec_bench.core.registry import registry

    yield "# Components"
    yield ""
    yield _MADE
    yield ""
    yield "`r2rec list` and `r2rec show NAME` say the same in the terminal, with the plug-ins that are installed."
    for family, found in families.items():
        yield ""
        yield f"## [{family}]({family}.md)"
        yield ""
        yield markdown_text(registry(family).base.summary())
        yield ""
        for one in found:
            yield f"- [`{one.name}`]({family}.md#{_anchor(one.name)}): {markdown_text(first_sentence(one.purpose))}"


def _chosen(family: str, everything: Sequence[Description]) -> str:
    """Where one chooses a component of the family: a key of an experiment, or settings of other components."""
    from r2rec_bench.matrix.parts import parts

    part = parts().get(family)
    if part is not None:
        return (
            f"An experiment {'lists' if part.many else 'names'} {'them' if part.many else 'one'} under `{part.path}`."
        )
    kind = f"one of the {family}"
    holders = [
        f"`{setting.name}` of [`{one.name}`]({one.family}.md#{_anchor(one.name)})"
        for one in everything
        for setting in one.settings
        if kind in (setting.kind, *(below.kind for below in setting.parts))
    ]
    return f"Chosen in the settings of other components: {', '.join(holders)}."


def _page(family: str, found: Sequence[Description], chosen: str, up: str) -> Iterator[str]:
    from r2rec_bench.core.registry import registry

    yield f"# {family}"
    yield ""
    yield _MADE
    yield ""
    yield f"{markdown_text(registry(family).base.summary())} {chosen}"
    for one in found:
        yield from ("", f"## {_heading(one.name)}", "")
        yield from _component(one, up)


def _component(one: Description, up: str) -> Iterator[str]:
    for paragraph in (one.purpose, *one.details):
        yield from _paragraph(paragraph)
        yield ""
    if one.settings:
        yield from ("| setting | default | may be | worth searching | meaning |", "|:--|:--|:--|:--|:--|")
        for setting in one.settings:
            yield from _rows(setting)
    else:
        yield "No settings."
    yield ""
    path = one.relative_path
    source = f"Source: {markdown_text(one.source)}" if one.source else ""
    code = f"Code: [`{path}`]({up}/{path}), package `{one.origin.package}`" if path else ""
    yield "\\\n".join(filter(None, [source, code]))


def _paragraph(text: str) -> Iterator[str]:
    """Running text; lists as lists, and indented blocks as code."""
    for line in text.splitlines():
        if line.startswith("    "):
            yield line
        else:
            bullet, rest = re.fullmatch(r"(\s*[-*] )?(.*)", line, re.DOTALL).groups()  # type: ignore[union-attr]
            yield (bullet or "") + markdown_text(rest)


def _rows(setting: Setting, above: str = "") -> Iterator[str]:
    """A row of the table for a setting, and one for each part of it."""
    name = f"{above}{setting.name}"
    default = "required" if setting.default is None else f"`{setting.default}`"
    allowed = "; ".join(filter(None, [setting.kind, setting.limits]))
    cells = (f"`{name}`", default, markdown_text(allowed), setting.searched, markdown_text(setting.meaning))
    yield f"| {' | '.join(_BAR.sub(_ESCAPED_BAR, cell) for cell in cells)} |"
    for part in setting.parts:
        yield from _rows(part, f"{name}.")


def _heading(name: str) -> str:
    from r2rec_bench.report.text import markdown

    return markdown(name)


def _anchor(name: str) -> str:
    """The anchor that GitHub gives a heading: letters, digits, `-` and `_`, in lower case."""
    return re.sub(r"[^\w-]", "", name.lower().replace(" ", "-"))
