"""All commands put together, and what becomes of errors."""

from __future__ import annotations

import errno
import os
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from r2rec_bench.cli import (
    browse,
    calibrate,
    chains,
    check,
    compare,
    config,
    data,
    docs,
    doctor,
    explain,
    explorer,
    init,
    matrix,
    pretrain,
    probe,
    report,
    run,
    sweep,
    traces,
    transfer,
)
from r2rec_bench.cli.console import safe_lines, stderr
from r2rec_bench.core.errors import InputError, R2RecError
from r2rec_bench.core.minutes import checkpoint_seconds
from r2rec_bench.core.signals import Terminated, heeded

_INTERRUPTED, _TERMINATED = 130, 143
_REFUSALS = {
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EEXIST,
    errno.ENOSPC,
    errno.EDQUOT,
    errno.ENAMETOOLONG,
}
"""What the file system refuses, whatever the code does."""
_FULL = ("No space left on device", "database or disk is full")
"""A full disk in the words of libraries that raise errors of their own."""


class Commands(TyperGroup):
    """Says in plain sentences what went wrong; only what nobody foresaw keeps its traceback."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401  typer's own types are private
        """Runs the command.

        Raises:
            Exit: with the error's own code, or 130 when interrupted, 143 when terminated.
        """
        try:
            with heeded():
                return super().invoke(ctx)
        except R2RecError as error:
            stderr().print(safe_lines(str(error)), style="red")
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt as error:
            stderr().print(
                "Interrupted. Finished stages are kept, and of training its last checkpoint; the same command goes on "
                "from there."
            )
            raise typer.Exit(_TERMINATED if isinstance(error, Terminated) else _INTERRUPTED) from None
        except Exception as error:
            text = _refusal(error)
            if not text:
                raise
            stderr().print(safe_lines(text), style="red")
            raise typer.Exit(InputError.exit_code) from None


def _refusal(error: Exception) -> str:
    """What the file system has refused, with the place where it is known; empty for any other error."""
    if isinstance(error, OSError) and error.errno in _REFUSALS:
        return ": ".join(filter(None, [str(error.filename or ""), error.strerror]))
    full = next((words for words in _FULL if words in str(error)), "")
    return f"{full}: {str(error).splitlines()[0]}" if full else ""


def _options(
    no_plugins: Annotated[bool, typer.Option("--no-plugins", help="Load the package's own components only.")] = False,
) -> None:
    """R2Rec, open and measurable: chains, progressive masking, SFT, RL, and honest tables."""
    checkpoint_seconds()  # refused now, not after hours
    # Threads that spin while they wait make a shared machine many times slower; set before torch loads its runtime.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")  # transformers' bars would tear ours
    if no_plugins:
        from r2rec_bench.core.registry import PLUGINS_VARIABLE

        os.environ[PLUGINS_VARIABLE] = "none"  # for processes that this one starts, too


# Help without rich, whose import takes longer than all the rest of `r2rec --help`.
app = typer.Typer(
    name="r2rec", cls=Commands, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None
)
app.callback()(_options)
app.command("init")(init.init)
app.command("run")(run.run)
app.command("matrix")(matrix.matrix)
app.command("sweep")(sweep.sweep)
app.command("transfer")(transfer.transfer)
app.command("calibrate")(calibrate.calibrate)
app.command("list")(browse.list_components)
app.command("show")(browse.show)
app.command("docs")(docs.docs)
app.add_typer(data.app, name="data")
app.add_typer(chains.app, name="chains")
app.add_typer(config.app, name="config")
app.add_typer(traces.app, name="traces")
app.command("probe")(probe.probe)
app.command("explain")(explain.explain)
app.command("explorer")(explorer.explorer)
app.command("report")(report.report)
app.command("compare")(compare.compare)
app.command("check")(check.check)
app.command("doctor")(doctor.doctor)
app.command("pretrain")(pretrain.pretrain)
