config = {"type": "api", "name": "Total", "path": "/total", "method": "GET", "emits": []}


async def handler(req, context):
    await context.state.set("jobs", "1", {"status": "done", "total": 3})
    job = await context.state.get("jobs", "1")
    # Both are written in projects.
    wrapped = job["data"]["total"], job.get("data", job)["status"], "data" in job
    plain = job["total"], job.get("status"), "status" in job
    return {"status": 200, "body": {"wrapped": wrapped, "plain": plain}}
