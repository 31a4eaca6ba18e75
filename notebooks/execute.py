"""Runs a notebook from top to bottom without a browser, and shows how far it is.

Ctrl-C, SIGTERM and SIGHUP interrupt the cell, as the stop button does in JupyterLab: what the cell has started is
ended by the cell, in good order.
"""

import asyncio
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_core.utils import ensure_async
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from traitlets.config import Config

CELL_TIMEOUT = 900
"""Seconds a cell may take."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class NotebookError(RuntimeError):
    """A cell failed; the message ends with what it raised, and ``notebook`` holds the outputs up to there."""

    def __init__(self, message: str, notebook: NotebookNode) -> None:
        super().__init__(message)
        self.notebook = notebook


class InterruptError(NotebookError):
    """A signal came; what the cells had started has ended."""

    def __init__(self, number: signal.Signals, name: str, notebook: NotebookNode) -> None:
        super().__init__(f"{name} was stopped by {number.name}, and has no result.", notebook)
        self.status = 128 + number
        """Exit status that says so, as a shell counts it."""


class _Client(NotebookClient):
    """Interrupts the kernel at a signal, where nbclient's own would kill it."""

    interrupted: signal.Signals | None = None

    async def async_start_new_kernel_client(self) -> Any:
        """Take the signals, once nbclient has taken them for itself."""
        started = await super().async_start_new_kernel_client()
        for number in SIGNALS:
            if signal.getsignal(number) != signal.SIG_IGN:
                asyncio.get_running_loop().add_signal_handler(number, self._interrupt, number)
        return started

    def _interrupt(self, number: signal.Signals) -> None:
        if self.interrupted is None and self.km is not None:
            self.interrupted = number
            self._interrupting = asyncio.ensure_future(ensure_async(self.km.interrupt_kernel()))


def execute(path: Path, parameters: Mapping[str, Any]) -> NotebookNode:
    """Run a notebook with other values in its cell tagged "parameters"; returns it with its outputs.

    :raises NotebookError: a cell raised
    """
    notebook = parameterize_notebook(load_notebook_node(str(path)), dict(parameters))
    titles = _titles(notebook)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f} of {task.total:.0f} cells"),
        TimeElapsedColumn(),
    )
    with Progress(*columns) as bar:
        task = bar.add_task(path.stem, total=len(notebook.cells))

        def begin(cell: NotebookNode, cell_index: int) -> None:
            bar.update(task, description=f"{path.stem}: {titles[cell_index]}", completed=cell_index)
            if not bar.console.is_terminal and cell.cell_type == "code":
                bar.console.print(f"{time.strftime('%H:%M:%S')} {path.stem}: {titles[cell_index]}")

        client = _Client(
            notebook,
            timeout=CELL_TIMEOUT,
            resources={"metadata": {"path": str(path.parent)}},
            config=Config({"KernelManager": {"transport_encryption": "auto"}}),
            on_cell_start=begin,
        )
        try:
            client.execute()
        except CellExecutionError as error:
            if client.interrupted:
                raise InterruptError(client.interrupted, path.name, notebook) from error
            raise NotebookError(f"{path.name} stopped: {error.ename}: {error.evalue}", notebook) from error
        except DeadKernelError as error:
            if client.interrupted:
                raise InterruptError(client.interrupted, path.name, notebook) from error
            raise NotebookError(
                f"{path.name} stopped: its kernel ended by itself, or was killed.", notebook
            ) from error
        bar.update(task, description=path.stem, completed=len(notebook.cells))
    return notebook


def write_html(notebook: NotebookNode, target: Path, title: str) -> None:
    """Write a page for readers: text, tables and pictures without the code, and nothing loaded from elsewhere."""
    exporter = HTMLExporter(
        exclude_input=True, exclude_input_prompt=True, exclude_output_prompt=True, embed_images=True
    )
    for script in ("mathjax_url", "require_js_url", "jquery_url", "jupyter_widgets_base_url", "mermaid_js_url"):
        setattr(exporter, script, "")
    notebook = NotebookNode(notebook)
    notebook.cells = [
        cell for cell in notebook.cells if "injected-parameters" not in cell.metadata.get("tags", [])
    ]
    page, _ = exporter.from_notebook_node(notebook, resources={"metadata": {"name": title}})
    target.write_text(page)


def _titles(notebook: NotebookNode) -> list[str]:
    """For each cell the heading it stands under."""
    titles: list[str] = []
    title = "begin"
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("#"):
            title = cell.source.splitlines()[0].lstrip("# ").lower()
        titles.append(title)
    return titles
