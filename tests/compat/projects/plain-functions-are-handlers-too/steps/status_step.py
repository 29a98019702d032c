from motia import http, logger, stateManager

config = {"name": "Status", "triggers": [http("POST", "/users/:id/status")]}


def handler(request):
    before = stateManager.get("users", request.path_params["id"])
    changed = stateManager.set(
        "users", request.path_params["id"], {"status": request.body["status"]}
    )
    logger.info("Changed", changed)
    return {"status": 200, "body": {"before": before, **changed}}
