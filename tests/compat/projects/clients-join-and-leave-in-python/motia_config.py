from motia import StreamAuthInput, StreamAuthResult


async def authenticate_stream(input: StreamAuthInput, ctx) -> StreamAuthResult:
    [token] = input.query_params.get("token", [""])
    return StreamAuthResult(authorized=bool(token), context={"user": token, "path": input.path})
