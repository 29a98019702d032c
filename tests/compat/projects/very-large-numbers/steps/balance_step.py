config = {
    "type": "api",
    "name": "Balance",
    "path": "/balance/:where",
    "method": "GET",
    "emits": ["balance.read"],
}

WEI = 123 * 10**18


async def handler(req, context):
    if req["pathParams"]["where"] == "event":
        await context.emit({"topic": "balance.read", "data": {"wei": WEI}})
    if req["pathParams"]["where"] == "body":
        return {"status": 200, "body": {"wei": WEI}}
    return {"status": 200, "body": {"wei": str(WEI), "gwei": WEI // 10**9}}
