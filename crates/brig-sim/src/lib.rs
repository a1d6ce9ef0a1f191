//! A simulated MCP server. It shares no code with brig's own parser, so that our bugs cannot hide.
#![forbid(unsafe_code)]
