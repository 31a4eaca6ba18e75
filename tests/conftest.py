"""Leaves out the tests whose tools are not here, by name, and says so last; in CI they fail instead."""

from collections import Counter
from collections.abc import Iterator

import pytest

from tests import requirements

LEFT_OUT = pytest.StashKey[dict[str, list[str]]]()
"""Test, and the tools it lacks."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "needs(*tools): leave the test out where one of requirements.TOOLS is missing"
    )
    config.stash[LEFT_OUT] = {}


def lacks(item: pytest.Item) -> list[str]:
    """The tools that a test needs and that are not here."""
    needed = dict.fromkeys(name for marker in item.iter_markers("needs") for name in marker.args)
    return [name for name in needed if not requirements.is_here(name)]


@pytest.hookimpl(trylast=True)  # after -k and -m
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if requirements.is_ci():
        return
    left_out = {item: tools for item in items if (tools := lacks(item))}
    config.hook.pytest_deselected(items=list(left_out))
    config.stash[LEFT_OUT] |= {item.nodeid: tools for item, tools in left_out.items()}
    items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if tools := lacks(item):
        pytest.fail(f"{', '.join(tools)} missing: {requirements.remedy(tools)}", pytrace=False)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if output := getattr(session.config, "workeroutput", None):
        output["left_out"] = session.config.stash[LEFT_OUT]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Take what a worker of pytest-xdist left out: all of them collect the same."""
    output = getattr(node, "workeroutput", {})
    node.config.stash[LEFT_OUT] |= output.get("left_out", {})  # type: ignore[attr-defined]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    left_out = config.stash[LEFT_OUT]
    if left_out:
        terminalreporter.section("left out")
        for name, tools in sorted(left_out.items()):
            terminalreporter.line(f"{name}: no {', '.join(tools)}")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_unconfigure(config: pytest.Config) -> Iterator[None]:
    yield
    left_out = config.stash[LEFT_OUT]
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if left_out and reporter is not None:
        count = Counter(tool for tools in left_out.values() for tool in tools)
        why = ", ".join(f"{tool} ({number})" for tool, number in count.items())
        print(f"{len(left_out)} tests left out, for want of {why}. To have them: {requirements.remedy(count)}")
