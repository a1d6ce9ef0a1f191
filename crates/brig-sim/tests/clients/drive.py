"""Drives the simulated server with the `mcp` package. Arguments: MODE SERVER.

MODE is `legacy` (the handshake), `auto` (probes, then falls back) or a version.
Prints what the tests compare, one fact a line.
"""

import sys

import anyio
from mcp import Client, StdioServerParameters


async def main(mode: str, server: str) -> None:
    params = StdioServerParameters(command=server, env={"BRIG_SIM_TEST": "from the client"})
    async with Client(params, mode=mode, read_timeout_seconds=10) as client:
        print("version", client.protocol_version)
        # A client that was told the version asks nothing before its first call.
        print("server", client.server_info.name if client.server_info else "not asked")
        tools = (await client.list_tools()).tools
        print("tools", " ".join(tool.name for tool in tools))
        said = await client.call_tool("echo", {"message": "é\n\u2028", "data": {"n": 1}})
        print("echo", said.content[0].text == "é\n\u2028", said.structured_content)
        env = await client.call_tool("get_env", {"name": "BRIG_SIM_TEST"})
        print("env", env.content[0].text)
        wrong = await client.call_tool("read_file", {"path": "/nowhere"})
        print("error", wrong.is_error)
        try:
            await client.call_tool("nothing", {})
        except Exception as e:
            print("unknown", getattr(getattr(e, "error", None), "code", e))
        try:
            with anyio.fail_after(0.3):
                await client.call_tool("run", {"program": "sleep", "args": ["9"]})
        except TimeoutError:
            print("cancelled")
        after = await client.call_tool("echo", {"message": "still here"})
        print("after", after.content[0].text)


anyio.run(main, sys.argv[1], sys.argv[2])
