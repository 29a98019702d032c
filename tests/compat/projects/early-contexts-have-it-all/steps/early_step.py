from typing import Any

from motia import ApiRequest, ApiResponse, FlowContext, api

config = {"name": "Early", "triggers": [api("POST", "/early")], "enqueues": ["early"]}


async def handler(req: ApiRequest, ctx: FlowContext[Any]) -> ApiResponse:
    session = await ctx.state.get("sessions", "1")
    if session is not None:
        return ApiResponse(status=200, body={"last": session["last"], "data": "data" in session})
    await ctx.state.set("sessions", "1", {"last": req.body["id"]})
    await ctx.streams.notes.set("all", req.body["id"], req.body)
    await ctx.enqueue({"topic": "early", "data": {**req.body, "_trace_id": ctx.trace_id}})
    ctx.logger.info("Early", {"id": req.body["id"]})
    return ApiResponse(status=202, body={"trace_id": ctx.trace_id})
