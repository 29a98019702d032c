"""Whoever does not authenticate stays out, whatever goes wrong in ``authenticate``."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from unit.conftest import Folder

from motia_celery.errors import AuthenticationError
from motia_celery.model.step import StreamAuth
from motia_celery.runtime.authentication import Authentication
from motia_celery.runtime.python import PythonHost
from motia_celery.runtime.source import Definition

HEADERS = {"cookie": "a=b"}
REQUEST = {"headers": HEADERS, "url": "/?authToken=x"}


def authentication(host: Any, rule: Any, **options: Any) -> Authentication:
    host.register_authentication(Definition(config={}, authenticate=rule))
    return Authentication(
        StreamAuth(file="motia_config.py", language="python"), {"python": host}, **options
    )


@pytest.fixture
def host(tmp_path):
    host = PythonHost(tmp_path, threads=2)
    yield host
    host.close()


async def test_a_function_or_a_coroutine_function_sees_headers_and_url(host) -> None:
    async def coroutine(request):
        return {"seen": request}

    for rule in (coroutine, lambda request: {"seen": request}):
        context = await authentication(host, rule).authenticate(HEADERS, REQUEST["url"])
        assert context == {"seen": REQUEST}


async def test_nothing_means_anonymous(host) -> None:
    assert await authentication(host, lambda request: None).authenticate({}, "/") is None
    assert await Authentication(None, {}).authenticate({}, "/") is None


def _raises(request):
    raise LookupError("no such token")


def _exits(request):
    raise SystemExit(1)


async def _is_cancelled(request):
    raise asyncio.CancelledError


async def _waits(request):
    await asyncio.sleep(60)


@pytest.mark.parametrize("rule", [_raises, _exits, _is_cancelled, _waits, None])
async def test_whatever_goes_wrong_keeps_the_client_out(host, rule, caplog) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(AuthenticationError):
        await authentication(host, rule, timeout_seconds=0.05).authenticate({}, "/?authToken=x")
    assert "motia_config.py" in caplog.text
    assert "authToken" not in caplog.text


async def test_one_that_can_not_be_called_keeps_everyone_out() -> None:
    auth = StreamAuth(file="motia.config.ts", language="typescript", is_usable=False)
    with pytest.raises(AuthenticationError):
        await Authentication(auth, {}).authenticate({}, "/")


# --- The config file ------------------------------------------------------------------------

PYTHON = """
def authenticate(request):
    return {"url": request["url"]}

%s
"""


@pytest.mark.parametrize("name", ["motia.config.py", "motia_config.py"])
@pytest.mark.parametrize(
    "text",
    [
        'stream_auth = {"authenticate": authenticate}',
        'streamAuth = {"authenticate": authenticate, "contextSchema": {}}',
        'config = {"streamAuth": {"authenticate": authenticate}}',
    ],
)
async def test_a_python_config_file_is_read(project: Folder, name: str, text: str) -> None:
    project.write(name, PYTHON % text)
    found = project.discover()
    assert (found.stream_auth, found.problems) == (
        StreamAuth(file=name, language="python"),
        (),
    )
    auth = Authentication(found.stream_auth, {"python": project.host})  # type: ignore[dict-item]
    assert await auth.authenticate({}, "/a") == {"url": "/a"}


NODE = """
async function authenticate({ headers, url }) {
  if (url === '/wrong') throw new Error('no such token');
  return url === '/none' ? undefined : { url, agent: headers['user-agent'] };
}
%s
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("motia.config.ts", "export default { streamAuth: { authenticate } };"),
        (
            "motia.config.ts",
            "import { defineConfig } from 'motia';\n"
            "export default defineConfig({ plugins: [], streamAuth: { authenticate } });",
        ),
        ("motia.config.ts", "export const config = { streamAuth: { authenticate } };"),
        ("motia.config.js", "module.exports = { streamAuth: { authenticate } };"),
    ],
)
async def test_a_config_file_of_node_is_read(project: Folder, name: str, text: str) -> None:
    project.write(name, NODE % text)
    found = project.discover()
    assert found.problems == ()
    assert found.stream_auth and found.stream_auth.is_usable
    auth = Authentication(found.stream_auth, {found.stream_auth.language: project.node})
    try:
        context = await auth.authenticate({"user-agent": "me"}, "/a")
        assert context == {"url": "/a", "agent": "me"}
        assert await auth.authenticate({}, "/none") is None
        with pytest.raises(AuthenticationError, match=r"no such token \(motia\.config\.\ws:\d"):
            await auth.authenticate({}, "/wrong")
    finally:
        await project.node.aclose()


@pytest.mark.parametrize(
    ("name", "text", "meant"),
    [
        ("motia_config.py", "import nothing_such", False),
        ("motia_config.py", "import nothing_such\nstream_auth = {}", True),
        ("motia_config.py", "stream_auth = {'authenticate': 7}", True),
        ("motia.config.ts", "import 'nothing-such';", False),
        ("motia.config.ts", "import 'nothing-such';\nexport default { streamAuth: {} };", True),
        ("motia.config.ts", "export default { streamAuth: { authenticate: 'x' } };", True),
        ("motia.config.ts", "export default { streamAuth: {} };", True),
    ],
)
def test_a_fault_in_the_file_opens_nothing(
    project: Folder, name: str, text: str, meant: bool
) -> None:
    """It is a problem; and where the file speaks of authentication, nobody gets in."""
    project.write(name, text)
    found = project.discover()
    assert [problem.file for problem in found.problems] == [name]
    assert (found.stream_auth is not None) is meant
    assert not (found.stream_auth and found.stream_auth.is_usable)


def test_a_config_file_without_authentication_is_no_problem(project: Folder) -> None:
    project.write("motia.config.ts", "export default { plugins: [] };")
    found = project.discover()
    assert (found.stream_auth, found.problems) == (None, ())


def test_the_first_of_several_config_files_counts(project: Folder) -> None:
    project.write("motia.config.ts", NODE % "export default { streamAuth: { authenticate } };")
    project.write("motia_config.py", PYTHON % 'stream_auth = {"authenticate": authenticate}')
    found = project.discover()
    assert found.stream_auth and found.stream_auth.language == "typescript"
    (problem,) = found.problems
    assert (problem.file, problem.severity) == ("motia_config.py", "warning")
