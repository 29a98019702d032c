"""Python: hears what the TypeScript route emitted, and finds the words."""

WORDS = {"de": "Guten Tag", "es": "Hola", "fr": "Bonjour"}

config = {
    "type": "event",
    "name": "translate-greeting",
    "description": "Finds the words",
    "subscribes": ["greeting.asked"],
    "emits": ["greeting.translated"],
    "flows": ["greetings"],
}


async def handler(greeting, context):
    texts = {language: f"{word}, {greeting['name']}!" for language, word in WORDS.items()}
    await context.emit(topic="greeting.translated", data={**greeting, "texts": texts})
    context.logger.info("Translated", {"languages": list(texts)})
