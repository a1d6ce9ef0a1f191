"""Drives a server with the `mcp` package. Arguments: MODE TOOL ARGUMENTS COMMAND ARGS...

MODE is `legacy` (the handshake), `auto` (probes, then falls back) or a version.
Prints what the tests compare, one fact a line.
"""

import json
import sys

import anyio
from mcp import Client, StdioServerParameters, stdio_client


async def main(mode: str, tool: str, arguments: str, command: str, *args: str) -> None:
    server = stdio_client(StdioServerParameters(command=command, args=list(args)))
    async with Client(server, mode=mode, read_timeout_seconds=30) as client:
        print("version", client.protocol_version)
        print("tools", " ".join(one.name for one in (await client.list_tools()).tools))
        said = await client.call_tool(tool, json.loads(arguments))
        print("error", said.is_error)
        print("text", json.dumps(said.content[0].text))


anyio.run(main, *sys.argv[1:])
