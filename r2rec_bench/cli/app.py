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

_INTERRUPTED = 130
_REFUSALS = {
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EEXIST,
    errno.ENOSPC,
    errno.EDQUOT,
}
"""What the file system refuses, whatever the code does."""


class Commands(TyperGroup):
    """Says in plain sentences what went wrong; only what nobody foresaw keeps its traceback."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401  typer's own types are private
        """Runs the command.

        Raises:
            Exit: with the error's own code, or 130 when interrupted.
        """
        try:
            return super().invoke(ctx)
        except R2RecError as error:
            stderr().print(safe_lines(str(error)), style="red")
            raise typer.Exit(error.exit_code) from None
        except OSError as error:
            if error.errno not in _REFUSALS:
                raise
            text = ": ".join(filter(None, [error.filename, error.strerror]))
            stderr().print(safe_lines(text), style="red")
            raise typer.Exit(InputError.exit_code) from None
        except KeyboardInterrupt:
            stderr().print("Interrupted. Finished stages are kept; the same command goes on from there.")
            raise typer.Exit(_INTERRUPTED) from None


def _options(
    no_plugins: Annotated[bool, typer.Option("--no-plugins", help="Load the package's own components only.")] = False,
) -> None:
    """R2Rec, open and measurable: chains, progressive masking, SFT, RL, and honest tables."""
    # Threads that spin while they wait make a shared machine many times slower; set before torch loads its runtime.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")  # transformers' bars would tear ours
    if no_plugins:
        from r2rec_bench.core.registry import Registry

        Registry.plugins_enabled = False


# Help without rich, whose import takes longer than all the rest of `r2rec --help`.
app = typer.Typer(
    name="r2rec", cls=Commands, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None
)
app.callback()(_options)
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
