"""Notebooks run without a browser, and what they leave is for readers."""

import re

import nbformat
import pytest

from notebooks.__main__ import HERE, SMALL
from notebooks.execute import NotebookError, execute, write_html


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
