"""The page: its files alone are served, and the browser is told to load nothing from elsewhere."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from motia_celery.workbench.mounts import Mounts
from motia_celery.workbench.page import Page

INDEX = '<script src="/__workbench/assets/app-1f.js"></script>'


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(INDEX)
    (folder / "assets" / "app-1f.js").write_text('fetch("/__workbench/api")')
    (folder / "favicon.svg").write_text("<svg/>")
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    return folder


async def get(
    folder: Path, path: str, base: str = "/__workbench", method: str = "GET"
) -> httpx.Response:
    async def elsewhere(scope, receive, send):  # type: ignore[no-untyped-def]
        raise AssertionError(scope["path"])

    app = Mounts(elsewhere, {base: Page(folder, base)})
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return await client.request(method, path)


@pytest.mark.parametrize("path", ["", "/", "/runs", "/runs/4f/x", "/flows?flow=a.b", "/index.html"])
async def test_every_path_of_the_page_is_its_index(dist: Path, path: str) -> None:
    answer = await get(dist, f"/__workbench{path}")
    assert (answer.status_code, answer.text) == (200, INDEX)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"].startswith("text/html")


async def test_hashed_files_are_kept_by_the_browser_and_others_asked_for(dist: Path) -> None:
    script = await get(dist, "/__workbench/assets/app-1f.js")
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "javascript" in script.headers["content-type"]
    icon = await get(dist, "/__workbench/favicon.svg")
    assert (icon.status_code, icon.headers["cache-control"]) == (200, "no-cache")
    assert icon.headers["content-type"] == "image/svg+xml"


@pytest.mark.parametrize(
    "path",
    [
        "/assets/gone.js",
        "/assets/",
        "/..%2fsecret.txt",
        "/%2e%2e/secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/%2fetc%2fpasswd.txt",
        "/link.txt",
        "/..%5csecret.txt",
        "/a%00.js",
    ],
)
async def test_a_name_that_is_no_file_of_the_page_is_404(dist: Path, path: str) -> None:
    answer = await get(dist, f"/__workbench{path}")
    assert (answer.status_code, "secret" in answer.text) == (404, False)


async def test_nothing_is_loaded_from_elsewhere(dist: Path) -> None:
    for path in ("/", "/assets/app-1f.js"):
        headers = (await get(dist, f"/__workbench{path}")).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'self'; style-src 'self';")
        assert "unsafe" not in policy
        assert "http" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"


async def test_a_nonce_is_new_in_each_answer(dist: Path) -> None:
    (dist / "index.html").write_text('<meta property="csp-nonce" nonce="__CSP_NONCE__">')
    answers = [await get(dist, "/__workbench/") for _ in range(2)]
    nonces = [answer.text.partition('nonce="')[2].partition('"')[0] for answer in answers]
    assert len(set(nonces)) == 2
    for nonce, answer in zip(nonces, answers, strict=True):
        assert f"style-src 'self' 'nonce-{nonce}';" in answer.headers["content-security-policy"]


async def test_at_another_path_the_page_finds_its_files(dist: Path) -> None:
    answer = await get(dist, "/__bench", base="/__bench")
    assert answer.text == INDEX.replace("__workbench", "__bench")
    script = await get(dist, "/__bench/assets/app-1f.js", base="/__bench")
    assert script.text == 'fetch("/__bench/api")'


async def test_a_new_build_is_served_at_once(dist: Path) -> None:
    assert (await get(dist, "/__workbench")).text == INDEX
    (dist / "index.html").write_text("new")
    assert (await get(dist, "/__workbench")).text == "new"


async def test_a_page_that_is_not_built_says_how_to(tmp_path: Path) -> None:
    answer = await get(tmp_path, "/__workbench")
    assert answer.status_code == 404
    assert "npm run build" in answer.text


async def test_only_reading_is_allowed(dist: Path) -> None:
    assert (await get(dist, "/__workbench", method="POST")).status_code == 405
    head = await get(dist, "/__workbench/favicon.svg", method="HEAD")
    assert (head.status_code, head.content) == (200, b"")
