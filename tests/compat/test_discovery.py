"""Which files are Steps and streams, and how they are loaded: sections 1.1 to 1.3."""

from __future__ import annotations

from pathlib import Path

from compat.rules import rule

from motia_celery.testing import StepTester


@rule(
    "1.1",
    "Steps are the files below `steps/` and `src/`, at any depth, that end in `.step.` or `_step.` "
    "and `ts`, `js`, `py` or `rb`; streams those in `.stream.` or `_stream.`",
)
@rule(
    "1.1",
    "Other folders, hidden files, `.tsx` files beside a Step and modules of other names are no "
    "Steps",
)
async def test_files_that_are_steps(app: StepTester) -> None:
    async with app:
        assert app.plan.problems == ()
        assert {step.name for step in app.plan.steps} == {
            "OnePython",
            *("TwoTs", "ThreeTs", "FourJs", "FiveJs"),
            *("SixRuby", "SevenRuby"),
        }
        assert {stream.name for stream in app.plan.streams} == {"eight", "nine", "ten"}


@rule(
    "1.1",
    "`.step.py` and `.stream.py`, as older projects have them, are not loaded",
    better="They are, as all others",
)
async def test_python_files_with_a_dot(app: StepTester) -> None:
    async with app:
        await app.emit("order", {"id": "1"})
        await app.settle()
        assert (await app.streams.get("orders", "all", "1"))["seen"] is True


@rule(
    "1.1",
    "Names of Python files may hold digits and hyphens",
    better="And dots, those of folders too",
)
async def test_python_files_of_any_name(app: StepTester) -> None:
    async with app:
        answers = [await app.client.get(path) for path in ("/create", "/list")]
    assert [answer.json() for answer in answers] == [{"price": 7}, {"ok": True}]


@rule(
    "1.1",
    "Files are taken in order: `steps/` before `src/`, in each the names with `.step.` before "
    "those with `_step.`; the first of equal routes answers",
)
async def test_the_order_of_files(faulty_app: StepTester) -> None:
    async with faulty_app as app:
        answer = await app.client.get("/x")
        names = [step.name for step in app.plan.steps]
    assert answer.json() == {"step": "StepsDotted"}
    assert names == ["StepsDotted", "StepsUnderscored", "SrcDotted", "SrcUnderscored"]


@rule(
    "1.1",
    "A `node_modules` folder inside of `src/` is searched for Steps",
    better="It is left out",
)
async def test_installed_packages_are_left_out(project: Path) -> None:
    package = project / "src" / "node_modules" / "some-package"
    package.mkdir(parents=True)
    (package / "demo.step.js").write_text("throw new Error('not ours')")
    async with StepTester(project) as app:
        assert app.plan.problems == ()
        assert [step.name for step in app.plan.steps] == ["Home"]


@rule(
    "1.2",
    "Python files import each other relatively, `from .rules import …`, or from the project's "
    "folder, `from src.services.prices import …`, with and without `__init__.py`",
)
async def test_imports_in_python(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/orders/lamp")
        await app.emit("tick", {})
        await app.settle()
        logged = [line.message for line in await app.logs()]
    assert answer.json() == {
        "price": 6,
        "allowed": True,
        "at": "12:00",
        "late": "imported by the handler",
    }
    assert logged == ["12:00h"]


@rule(
    "1.2",
    "Python files import packages of the project's folder, and of folders that they put on "
    "`sys.path`",
)
async def test_folders_that_are_put_on_the_path(app: StepTester) -> None:
    async with app:
        answer = await app.client.get("/search")
        await app.emit("process-alert", {"query": "smoke"})
        await app.settle()
        logged = [line.message for line in await app.logs()]
    assert answer.json() == {"distance": 42}
    assert logged == ["noon smoke"]


@rule(
    "1.2",
    "TypeScript files import each other relatively, without an extension; they are compiled into "
    "`.motia/compiled`",
    better="Folders, `.js` for `.ts`, JSON, and the `paths` of `tsconfig.json` can be imported "
    "too, `__dirname` is there, and nothing is compiled beforehand",
)
async def test_imports_in_typescript(app: StepTester) -> None:
    async with app:
        answer = await app.client.post("/ts/lamp")
    assert answer.json() == {
        "price": 14,
        "label": "<lamp>",
        "kind": "light",
        "rate": 1.5,
        "file": "create.step.ts",
        "exists": True,
    }


@rule(
    "1.2",
    "Names of TypeScript files may hold dots, `../errors/base.error`; classes that several files "
    "import are the same, so that `instanceof` holds",
)
async def test_names_with_dots_in_typescript(app: StepTester) -> None:
    async with app:
        answers = [await app.client.get(f"/items/{number}") for number in (1, 2)]
        (line,) = await app.logs("error")
    assert [answer.status_code for answer in answers] == [200, 404]
    assert answers[1].json() == {"error": "No item 2", "code": "NOT_FOUND"}
    assert (line.message, line.data["code"]) == ("Known error", "NOT_FOUND")
    assert "No item 2" in str(line.data["err"])


@rule(
    "1.2",
    "Each call starts a process and imports its files anew, so that nothing stays in a module",
    different="Modules are imported once in each process, which is what makes calls fast; "
    "`isolated_steps`, or a Step's `isolated`, gives each run a process of its own",
)
async def test_module_state(project: Path) -> None:
    async with StepTester(project) as app:
        kept = [(await app.client.get("/count")).json()["calls"] for _ in range(2)]
    async with StepTester(project, isolated_steps=True) as app:
        fresh = [(await app.client.get("/count")).json()["calls"] for _ in range(2)]
    assert kept == [1, 2]
    assert fresh == [1, 1]


@rule(
    "1.3",
    "A Step or stream that can not be loaded keeps the app from starting",
    better="It is left out, and told with its file and line; all others run",
)
async def test_a_step_that_can_not_be_loaded(faulty_app: StepTester) -> None:
    async with faulty_app as app:
        answer = await app.client.get("/good")
        told = {problem.file: problem.what for problem in app.plan.problems}
    assert answer.status_code == 200
    assert sorted(told) == [
        "steps/broken_step.py",
        "steps/broken_stream.py",
        "steps/syntax.step.ts",
    ]
    assert "package_that_is_not_installed" in told["steps/broken_step.py"]
    assert "no stream today" in told["steps/broken_stream.py"]


@rule("1.3", "A Step without a `config` keeps the app from starting", better="Only it does not run")
@rule("1.3", "A Step of an unknown `type` is left out, and told")
async def test_a_file_without_a_config(faulty_app: StepTester) -> None:
    async with faulty_app as app:
        answer = await app.client.get("/good")
        told = sorted(str(problem.file) for problem in app.plan.problems)
        names = [step.name for step in app.plan.steps]
    assert answer.status_code == 200
    assert (names, told) == (["Good"], ["steps/empty_step.py", "steps/odd_step.py"])


@rule(
    "1.3",
    "Two Steps of one name both run",
    different="The second one is left out, and `check` names both: the name is the Step's queue",
)
async def test_two_steps_of_one_name(faulty_app: StepTester) -> None:
    async with faulty_app as app:
        for topic in ("one", "two"):
            await app.emit(topic, {})
        await app.settle()
        logged = [line.message for line in await app.logs()]
        (problem,) = app.plan.problems
    assert logged == ["first"]
    assert problem.file == "steps/b_second_step.py"
    assert "steps/a_first_step.py" in problem.what


@rule("1.3", "Subscribers of one topic may ask for data that does not agree: all of them run")
async def test_inputs_that_do_not_agree(app: StepTester) -> None:
    async with app:
        await app.emit("value", {"value": 1})
        runs = {run.step: run.status for run in await app.settle()}
    assert runs == {"Number": "completed", "Text": "completed"}
