//! Puts each MCP server in a locked box.
#![forbid(unsafe_code)]

fn main() {}
