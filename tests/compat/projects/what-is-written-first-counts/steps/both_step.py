from motia import http

config = {"name": "Both", "triggers": [http("GET", "/both")]}


async def handler(args, ctx):
    if args.query_params.get("write"):
        await args.response.stream.write("written")
    else:
        await args.response.status(202)
        await args.response.headers({"x-own": "1"})
    return {"body": ["returned"]}
