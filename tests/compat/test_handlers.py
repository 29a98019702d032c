"""Handlers and their context: section 3."""

from __future__ import annotations

from compat.rules import rule

from motia_celery.testing import StepTester


@rule("3.4", "`req['body']` is the parsed JSON of the request")
async def test_the_body_is_json(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/orders", json={"id": 1})
    assert (answer.status_code, answer.json()) == (201, {"got": {"id": 1}})
