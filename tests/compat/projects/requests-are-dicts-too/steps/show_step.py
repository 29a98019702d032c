from motia import http

config = {"name": "Show", "triggers": [http("POST", "/show/:id")]}


async def handler(req, ctx):
    told = [
        req.get("path_params", {}).get("id"),
        req.get("pathParams", {}).get("id"),
        req.get("query_params").get("a"),
        req.get("body"),
        req["headers"]["x-own"],
        req.get("method"),
        req.get("cookies", "none"),
    ]
    return {"status": 200, "body": told}
