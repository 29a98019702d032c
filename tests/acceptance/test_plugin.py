"""Users test their Steps with the pytest plugin, in memory and, the same tests, on real servers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import redis
from servers import GivenRabbit, RabbitNode

REPOSITORY = Path(__file__).parents[2]
#: By name, whatever else is installed beside the package.
PLUGINS = (
    "-p",
    "motia_celery.testing.plugin",
    "-p",
    "pytest_asyncio.plugin",
    "-p",
    "anyio.pytest_plugin",
)
ALONE = {"PYTHONPATH": str(REPOSITORY), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
INI = """
[pytest]
filterwarnings = error
asyncio_default_fixture_loop_scope = function
"""
SHOP = Path(__file__).parent / "shop"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The shop as its owner has it."""
    folder = tmp_path / "shop"
    shutil.copytree(SHOP / "steps", folder / "steps")
    for name in ("both", "memory"):
        shutil.copy(SHOP / f"shop_{name}.py", folder / f"test_{name}.py")
    (folder / "pytest.ini").write_text(INI)
    return folder


def run_pytest(folder: Path, *arguments: str, **variables: str) -> str:
    """What pytest says in a process of its own, whose tests all pass."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *PLUGINS, "-p", "no:cacheprovider", "-q", *arguments],
        cwd=folder,
        env=os.environ | ALONE | variables,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_plugin_is_declared() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert [*project["entry-points"]["pytest11"].values()] == ["motia_celery.testing.plugin"]


def test_a_shop_is_tested_in_memory(shop: Path) -> None:
    assert "13 passed" in run_pytest(shop)


def test_where_there_are_no_steps_the_plugin_loads_nothing(tmp_path: Path) -> None:
    (tmp_path / "test_other.py").write_text(
        "import sys\n\n\n"
        "def test_other():\n"
        "    loaded = [name for name in sys.modules if name.startswith('motia_celery.')]\n"
        "    assert set(loaded) == {'motia_celery.testing', 'motia_celery.testing.plugin'}\n"
        "    assert not {'celery', 'pydantic', 'redis', 'fastapi'} & set(sys.modules)\n"
    )
    assert "1 passed" in run_pytest(tmp_path)


@pytest.mark.timeout(420)  # each test has a worker of its own
def test_the_same_tests_pass_on_rabbitmq_and_leave_nothing(
    shop: Path, broker_url: str, rabbitmq: RabbitNode | GivenRabbit
) -> None:
    """One option is enough: they bring a Redis of their own."""
    # A worker for each test takes its time; the other two run on Redis below.
    selected = ["test_both.py", "-k", "not (key or without_await)"]
    assert "5 passed" in run_pytest(shop, f"--motia-broker={broker_url}", *selected)
    if isinstance(rabbitmq, RabbitNode):
        vhost = broker_url.rpartition("/")[2]
        for kind in ("list_queues", "list_exchanges"):
            names = rabbitmq.ctl(kind, "-p", vhost, "name").split()
            assert [n for n in names if not n.startswith(("celery_delayed", "amq.", "name"))] == []


@pytest.mark.timeout(420)
def test_the_same_tests_pass_on_redis_alone(shop: Path, redis_url: str) -> None:
    selected = "outage or key or without_await"
    output = run_pytest(shop, "test_both.py", "-k", selected, MOTIA_TEST_REDIS_URL=redis_url)
    assert "3 passed" in output
    with redis.Redis.from_url(redis_url) as client:
        assert client.keys() == []
