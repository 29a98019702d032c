"""The app in memory, without a server: each Step runs in its own language."""

TEXTS = {"de": "Guten Tag, Ann!", "es": "Hola, Ann!", "fr": "Bonjour, Ann!"}


def test_a_name_goes_through_three_languages(step_tester_sync):
    app = step_tester_sync
    answer = app.client.post("/greetings", json={"name": "Ann"})
    assert answer.status_code == 202, answer.text
    ended = app.settle()
    assert [run.step for run in ended] == [
        "create-greeting",
        "translate-greeting",
        "keep-greeting",
    ]
    assert len({run.trace_id for run in ended}) == 1
    assert app.client.get(f"/greetings/{answer.json()['id']}").json()["texts"] == TEXTS


def test_python_finds_the_words(call_step_sync):
    called = call_step_sync("steps/translate_greeting_step.py", {"id": "1", "name": "Ann"})
    (translated,) = called.emits
    assert translated.topic == "greeting.translated"
    assert translated.data == {"id": "1", "name": "Ann", "texts": TEXTS}


def test_javascript_keeps_them(call_step_sync):
    called = call_step_sync("steps/keep_greeting_step.js", {"id": "1", "texts": TEXTS})
    assert called.state["greetings"]["1"]["texts"] == TEXTS


def test_typescript_takes_a_name(call_step_sync):
    called = call_step_sync("steps/create-greeting.step.ts", body={"name": "Ann"})
    assert called.status == 202
    assert [one.data for one in called.emits] == [{"id": called.body["id"], "name": "Ann"}]
