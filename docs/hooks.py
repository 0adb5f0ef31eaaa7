"""For mkdocs: links out of docs/ name a file of the repository, which the site does not have.

On a page they are links, for whoever reads it in the repository. In the site the name of the file stands beside the
text. A link to a file that is not there is left alone, so that the build fails at it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

_LINK = re.compile(r"\[([^\]]+)\]\(((?:\.\./)+[^)#\s]+)(#[^)\s]*)?\)")


def on_page_markdown(markdown: str, page: object, config: object, files: object) -> str:
    """The page with links out of docs/ as text; called by mkdocs for every page."""
    docs = Path(config["docs_dir"])  # type: ignore[index]
    folder = (docs / page.file.src_uri).parent  # type: ignore[attr-defined]

    def named(link: re.Match[str]) -> str:
        target = Path(os.path.normpath(folder / link[2]))
        if target.is_relative_to(docs) or not target.exists():
            return link[0]
        name = target.relative_to(docs.parent).as_posix()
        return link[1] if name in link[1] else f"{link[1]}, `{name}`"

    return _LINK.sub(named, markdown)
