from pathlib import Path

config = {
    "type": "api",
    "name": "Welcome",
    "path": "/welcome",
    "method": "GET",
    "emits": [],
    "includeFiles": ["templates/*.txt", "../shared/**"],
}


async def handler(req, context):
    template = Path(__file__).parent / "templates" / "welcome.txt"
    return {"status": 200, "body": template.read_text().strip()}
