"""Notebooks run without a browser, and what they leave is for readers."""

import os
import re
import signal
import subprocess
import sys
import time

import nbformat
import pytest

from notebooks.__main__ import HERE, SMALL
from notebooks.execute import NotebookError, execute, write_html
from tests.loadtest.swarms import family, left_of


def small(tmp_path, *sources, tags=("parameters",)):
    first, *rest = sources
    cells = [nbformat.v4.new_markdown_cell("# A story"), nbformat.v4.new_code_cell(first)]
    cells[1].metadata["tags"] = list(tags)
    cells += [nbformat.v4.new_code_cell(source) for source in rest]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path = tmp_path / "small.ipynb"
    nbformat.write(notebook, path)
    return path


def outputs(notebook):
    return [out.get("text", "") for cell in notebook.cells for out in cell.get("outputs", [])]


def test_parameters_take_the_place_of_the_tagged_cells_values(tmp_path):
    notebook = execute(small(tmp_path, "listeners = 1", "print(listeners * 2)"), {"listeners": 21})
    assert outputs(notebook) == ["42\n"]


def test_a_failing_cell_names_the_notebook_and_the_error_and_keeps_what_came_before(tmp_path):
    path = small(tmp_path, "a = 1", "print('before')", "raise ValueError('too few listeners')", "print('after')")
    with pytest.raises(NotebookError, match=r"small.ipynb stopped: ValueError: too few listeners") as caught:
        execute(path, {})
    assert "before\n" in outputs(caught.value.notebook)
    assert "after\n" not in outputs(caught.value.notebook)


def test_the_page_hides_the_code_and_loads_nothing_from_elsewhere(tmp_path):
    notebook = execute(small(tmp_path, "secret_name = 7", "print('the answer')"), {"secret_name": 8})
    write_html(notebook, tmp_path / "page.html", "A plan")
    page = (tmp_path / "page.html").read_text()
    assert "the answer" in page and "secret_name" not in page
    assert "<title>A plan</title>" in page
    assert not re.search(r"""(src|href)=["']https?://""", page)


def test_every_notebook_has_parameters_for_the_small_stage_and_a_cell_to_take_them():
    notebooks = sorted(HERE.glob("*.ipynb"))
    assert [path.stem for path in notebooks] == sorted(SMALL)
    for path in notebooks:
        cells = nbformat.read(path, as_version=4).cells
        tagged = [cell for cell in cells if "parameters" in cell.metadata.get("tags", [])]
        assert len(tagged) == 1
        for name in SMALL[path.stem]:
            assert re.search(rf"^{name} = ", tagged[0].source, re.MULTILINE), name
        assert len(cells) < 30


STARTS = """
import subprocess, sys, time
from pathlib import Path
from loadtest import lab
with lab.process([sys.executable, "-c", "import time; time.sleep(600)"], Path(folder) / "log") as running:
    Path(folder, "started").write_text(str(running.pid))
    try:
        time.sleep(600)
    finally:
        Path(folder, "ended").write_text("in good order")
"""
RUNS = """
import sys
from pathlib import Path
from notebooks.execute import NotebookError, execute
try:
    execute(Path(sys.argv[1]), {"folder": sys.argv[2]})
except NotebookError as error:
    print(error)
    sys.exit(getattr(error, "status", 1))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_notebook_that_is_stopped_leaves_no_process_behind(tmp_path, number):
    path = small(tmp_path, "folder = ''", STARTS)
    command = [sys.executable, "-c", RUNS, str(path), str(tmp_path)]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE.parent)
    processes = until_started(running, tmp_path)
    running.send_signal(number)
    said, _ = running.communicate(timeout=60)
    assert left_of(processes) == {}
    if number != signal.SIGKILL:
        assert running.returncode == 128 + number
        assert said.splitlines()[-1] == f"small.ipynb was stopped by {number.name}, and has no result."
        assert (tmp_path / "ended").read_text() == "in good order"


def test_what_a_notebook_has_started_ends_with_a_kernel_that_is_killed(tmp_path):
    path = small(tmp_path, "folder = ''", STARTS)
    command = [sys.executable, "-c", RUNS, str(path), str(tmp_path)]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE.parent)
    processes = until_started(running, tmp_path)
    (kernel,) = (pid for pid, name in processes.items() if "ipykernel" in name)
    os.kill(kernel, signal.SIGKILL)
    said, _ = running.communicate(timeout=60)
    assert running.returncode == 1
    assert said.splitlines()[-1] == "small.ipynb stopped: its kernel ended by itself, or was killed."
    assert left_of(processes) == {}


def until_started(running, folder):
    deadline = time.monotonic() + 100
    while not (folder / "started").exists() or not (folder / "started").read_text():
        assert running.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    processes = family(running.pid)
    assert int((folder / "started").read_text()) in processes
    return processes
