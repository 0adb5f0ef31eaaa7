"""What the code says below its settings, which no class remembers."""

from __future__ import annotations

import ast
import inspect
import textwrap
from itertools import pairwise


def docstrings(config: type) -> dict[str, str]:
    """What stands as a string below each setting, in the class and those it inherits from, each on one line."""
    told: dict[str, str] = {}
    for owner in reversed(config.__mro__):
        if owner.__module__.partition(".")[0] in {"builtins", "pydantic"}:
            continue
        try:
            source = inspect.getsource(owner)
        except (OSError, TypeError):
            continue  # a class that is in no file
        [tree] = ast.parse(textwrap.dedent(source)).body
        body = tree.body if isinstance(tree, ast.ClassDef) else []
        for setting, below in pairwise(body):
            match setting, below:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    told[name] = " ".join(text.split())
                case _:
                    pass
    return told
