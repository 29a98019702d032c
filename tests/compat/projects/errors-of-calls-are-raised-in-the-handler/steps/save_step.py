config = {"type": "api", "name": "Save", "path": "/save", "method": "POST", "emits": []}


async def handler(req, context):
    problems = []
    try:
        await context.state.set("files", "f", {"open": object()})
    except Exception as error:
        problems.append(str(error))
    try:
        await context.streams.unknown.set("group", "id", {"a": 1})
    except Exception as error:
        problems.append(str(error))
    return {"status": 200, "body": {"problems": problems}}
