"""Runs a notebook from top to bottom without a browser, and shows how far it is."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from traitlets.config import Config

CELL_TIMEOUT = 900
"""Seconds a cell may take."""


class NotebookError(RuntimeError):
    """A cell failed; the message ends with what it raised, and ``notebook`` holds the outputs up to there."""

    def __init__(self, message: str, notebook: NotebookNode) -> None:
        super().__init__(message)
        self.notebook = notebook


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

        client = NotebookClient(
            notebook,
            timeout=CELL_TIMEOUT,
            resources={"metadata": {"path": str(path.parent)}},
            config=Config({"KernelManager": {"transport_encryption": "auto"}}),
            on_cell_start=begin,
        )
        try:
            client.execute()
        except CellExecutionError as error:
            raise NotebookError(f"{path.name} stopped: {error.ename}: {error.evalue}", notebook) from error
        bar.update(task, description=path.stem, completed=len(notebook.cells))
    return notebook


def write_html(notebook: NotebookNode, target: Path, title: str) -> None:
    """Write a page for readers: text, tables and pictures without the code, and nothing loaded from elsewhere."""
    exporter = HTMLExporter(
        exclude_input=True, exclude_input_prompt=True, exclude_output_prompt=True, embed_images=True
    )
    for script in ("mathjax_url", "require_js_url", "jquery_url", "jupyter_widgets_base_url", "mermaid_js_url"):
        setattr(exporter, script, "")
    notebook = notebook.copy()
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
