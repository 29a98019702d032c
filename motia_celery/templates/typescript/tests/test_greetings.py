"""The app in memory, without a server. Its Steps run in Node, as they do in production."""


def ask(app, name="Ann"):
    answer = app.client.post("/greetings", json={"name": name})
    assert answer.status_code == 202, answer.text
    app.settle()
    return answer.json()["id"]


def test_a_name_becomes_a_greeting(step_tester_sync):
    app = step_tester_sync
    id = ask(app, "Ann")
    assert app.client.get(f"/greetings/{id}").json() == {
        "id": id,
        "name": "Ann",
        "text": "Hello, Ann!",
    }


def test_a_greeting_needs_a_name(step_tester_sync):
    app = step_tester_sync
    assert app.client.post("/greetings", json={"name": ""}).status_code == 400
    assert app.client.get("/greetings/none").status_code == 404
    assert app.emits("greeting.asked") == []


def test_the_clock_counts_them(step_tester_sync):
    app = step_tester_sync
    ask(app, "Ann")
    ask(app, "Bob")
    app.tick("count-greetings")
    app.settle()
    assert [line.data for line in app.run("count-greetings").logs] == [{"count": 2}]


def test_one_step_alone(call_step_sync):
    called = call_step_sync("steps/write-greeting.step.ts", {"id": "1", "name": "Ann"})
    assert called.state["greetings"]["1"]["text"] == "Hello, Ann!"
    assert [line.message for line in called.logs] == ["Hello, Ann!"]
