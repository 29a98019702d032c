"""Values by group and key: section 5."""

from __future__ import annotations

from pathlib import Path

from compat.rules import rule

from motia_celery.testing import StepTester


@rule("5", "`state.set(group, key, value)` stores JSON for every Step and every run")
@rule("5", "`state.set` gives the value back")
async def test_what_is_set_is_there_for_every_step(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/orders", json={"id": "1", "total": 9.5})
        await app.settle()
        (line,) = await app.logs()
    assert answer.json() == {"saved": {"id": "1", "total": 9.5}}
    assert line.data == {"total": 9.5}


@rule("5", "In TypeScript `state.get` and `state.delete` of what is not there give `null`")
@rule("5", "`state.getGroup` of a group without values gives `[]`")
@rule("5", "In TypeScript a key that was set to `null` is read as `null`")
async def test_what_is_not_there_is_null_in_typescript(app: StepTester) -> None:
    async with app:
        answer = await app.client.get("/nothing")
    assert answer.json() == [None, None, None, []]


@rule("5", "`state.delete` removes the key, and gives what was there, or None")
async def test_delete_gives_what_was_there(app: StepTester) -> None:
    async with app:
        answer = await app.client.delete("/orders/7")
    assert answer.json() == {"first": ["a", "b"], "second": None}


@rule("5", "`state.get_group(group)` gives the list of the group's values, without their keys")
async def test_get_group_gives_the_values(app: StepTester) -> None:
    async with app:
        answer = (await app.client.get("/orders")).json()
    assert (answer["total"], sorted(answer["unwrapped"]), answer["none"]) == (3, [0, 1, 2], [])


@rule(
    "5",
    "A group is listed in any order",
    better="in that of its keys",
)
async def test_the_values_of_a_group_have_an_order(app: StepTester) -> None:
    async with app:
        assert (await app.client.get("/list")).json() == ["A", "B", "C"]


@rule(
    "5",
    "Python has `state.getGroup` as well",
    better="it works; in Motia it takes two arguments, and then raises a `TypeError`",
)
async def test_getgroup_works_in_python(app: StepTester) -> None:
    async with app:
        answer = await app.client.get("/orders")
    assert sorted(answer.json()) == [10, 20]


@rule("5", "`state.clear(group)` removes all of a group, gives nothing, and leaves other groups")
async def test_clear_removes_one_group(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/clear")
    assert answer.json() == {"cleared": None, "groups": [[], ["orders-old", "orders-old"]]}


@rule(
    "5",
    'Python\'s `state.get` of a dict answers to `["data"]` and `.get("data")`',
    better="and to its own fields as well, so that code written for either shape works",
)
async def test_a_stored_dict_answers_to_data_too(app: StepTester) -> None:
    async with app:
        answer = await app.client.get("/total")
    assert answer.json() == {"wrapped": [3, "done", True], "plain": [3, "done", True]}


@rule(
    "5",
    'Python\'s `state.get` of what is not there is a true `{"data": None}`',
    different="it has None as its `data`, but is false, which code that asks `if not value` means",
)
async def test_what_is_not_there_has_no_data(app: StepTester) -> None:
    async with app:
        answer = await app.client.get("/job")
    assert answer.json() == {"data": None, "get": None, "truth": False, "emptied": None}


@rule("5", "Python's `state.get` of a dict that has a key `data` gives the dict as it is")
async def test_a_dict_with_data_is_given_as_it_is(app: StepTester) -> None:
    async with app:
        answer = await app.client.get("/page")
    assert answer.json() == {"data": [1, 2], "next": "2"}


@rule("5", "Python's `state.get` of a list, a text, a number or a boolean gives just that")
async def test_other_values_are_given_as_they_are(app: StepTester) -> None:
    values = {"list": [1, {"a": None}], "text": "é", "number": 1.5, "large": 2**53, "yes": True}
    async with app:
        answer = await app.client.post("/values", json=values)
    assert answer.json() == [*values.values()]


@rule(
    "5",
    "Python's `state.get` wraps a dict: what it gives has `data` as its only key",
    different='only with the setting `state_wrap = "motia"`; else it has its own fields too',
)
async def test_motias_own_wrapping_can_be_had(project: Path) -> None:
    async with StepTester(project, state_wrap="motia") as app:
        answer = await app.client.get("/job")
    assert answer.json() == [{"data": {"total": 3}}, {"data": None}, True]


@rule(
    "5",
    'Values such as `0`, `""`, `false`, `[]` and `{}` are kept, and are in their group',
    better='always; Motia\'s memory and file adapters read `0`, `""` and `false` as missing',
)
async def test_falsy_values_are_kept(app: StepTester) -> None:
    falsy = {"zero": 0, "empty": "", "no": False, "none": [], "nothing": {}}
    async with app:
        answer = await app.client.post("/flags")
    assert answer.json() == [falsy, 5]


@rule(
    "5",
    "A group holds what was set under its name",
    better="names are never patterns or prefixes: Motia mixes `a` with `ab`, `us*` with `users`, "
    "and the key `c` of `a:b` with `b:c` of `a`, each in some adapter",
)
async def test_groups_do_not_mix(app: StepTester) -> None:
    async with app:
        answer = await app.client.get("/groups")
    assert answer.json() == {"user": ["user"], "star": ["us*"], "colon": 1}


@rule("5", "Groups and keys are free text; a number is the text of it")
async def test_names_are_text(app: StepTester) -> None:
    async with app:
        assert (await app.client.get("/names")).json() == ["leap", "party"]
        assert (await app.client.get("/numbers")).json() == ["common"]


@rule("5", "The trace id, which the Steps of one flow share, may be a group")
async def test_the_trace_id_is_a_group_of_its_own(app: StepTester) -> None:
    async with app:
        for who in ("ann", "bob"):
            await app.client.post("/start", json={"who": who})
        await app.settle()
        assert sorted(line.data["who"] for line in await app.logs()) == ["ann", "bob"]
        assert await app.state.groups() == []


@rule("5", "Python, TypeScript and JavaScript Steps share one state")
@rule("5", "In TypeScript `set` gives the value, `delete` what it removed, `clear` nothing")
async def test_languages_share_the_state(app: StepTester) -> None:
    order = {"id": 7, "lines": [1, 2.5, None], "paid": True}
    async with app:
        await app.emit("write", {"id": 7})
        await app.settle()
        (line,) = await app.logs()
        answer = await app.client.get("/answer")
    assert line.data == {"order": order, "set": order, "taken": "héllo"}
    assert answer.json() == {"answer": {"from": "python"}, "count": 2, "cleared": None}


@rule(
    "5",
    "A value that JSON can not hold raises where it is set, and nothing is stored",
    better="the error names the place; dates and dataclasses have a JSON form",
)
async def test_what_is_no_json_is_refused(app: StepTester) -> None:
    async with app:
        answer = (await app.client.post("/save")).json()
    assert "set" in answer["told"] and "ids" in answer["told"]
    assert answer["is"] == {"ids": [1, 2]}
    assert answer["invoice"] == {"number": 7, "due": "2030-01-02"}


@rule("5", "A value lasts from one run to the next; to change what `get` gave changes nothing")
async def test_values_outlive_runs_and_changes_are_copies(app: StepTester) -> None:
    async with app:
        for item, keep, expected in (("a", 1, ["a"]), ("b", 0, ["a", "b"]), ("c", 1, ["a", "c"])):
            answer = await app.client.post("/cart", json={"item": item, "keep": keep})
            assert answer.json() == expected


@rule("5", "Calls of the state are awaitable, and several may be under way at once")
async def test_calls_may_go_on_at_once(app: StepTester) -> None:
    async with app:
        answer = await app.client.get("/gather")
    assert answer.json() == [n * n for n in range(10)]
