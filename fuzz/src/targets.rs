//! The list of targets.

/// One parser.
#[derive(Debug)]
pub struct Target {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is fed through.
    pub entry: fn(&[u8]),
    /// Where to start: inputs that reach past the first check. Their pieces are the mutator's words.
    pub seeds: &'static [&'static [u8]],
}

/// Every target.
pub const ALL: &[Target] = &[
    Target { name: "frames", entry: brig_mcp::fuzz::fuzz_frames, seeds: MESSAGES },
    Target { name: "message", entry: brig_mcp::fuzz::fuzz_message, seeds: MESSAGES },
    Target {
        name: "archive",
        entry: brig_image::fuzz_archive,
        seeds: &[b"manifest.json", b"blobs/sha256/", b"ustar\x0000"],
    },
    Target { name: "config", entry: brig_image::fuzz_config, seeds: CONFIGS },
    Target { name: "reference", entry: brig_image::fuzz_reference, seeds: REFERENCES },
    Target { name: "flags", entry: brig_policy::flags::fuzz_flags, seeds: FLAGS },
    Target { name: "env_file", entry: brig_policy::flags::fuzz_env_file, seeds: &[b"# a\nA=b\nB\n\nC= d \n"] },
    Target { name: "content", entry: brig_policy::protect::fuzz_content, seeds: CONTENT },
    Target { name: "handover", entry: brig_engine::fuzz_handover, seeds: HANDOVER },
    Target { name: "head", entry: brig_egress::fuzz_head, seeds: HEADS },
    Target { name: "hello", entry: brig_egress::fuzz_hello, seeds: HELLOS },
    Target { name: "mountinfo", entry: brig_runtime::grants::fuzz_mountinfo, seeds: MOUNTS },
    Target { name: "elf", entry: brig_runtime::programs::fuzz_elf, seeds: ELF },
    Target {
        name: "shebang",
        entry: brig_runtime::programs::fuzz_shebang,
        seeds: &[b"#!/usr/bin/env -S node --x\n", b"#! /bin/sh -e\n"],
    },
    Target { name: "lockfile", entry: brig_runtime::lockfile::fuzz_lockfile, seeds: LOCKS },
    Target { name: "mask", entry: brig_secret::fuzz_mask, seeds: SECRETS },
    Target { name: "sim", entry: brig_sim::fuzz_session, seeds: MESSAGES },
];

/// The target of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Target> {
    ALL.iter().find(|it| it.name == name)
}

const MESSAGES: &[&[u8]] = &[
    br#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"a","version":"1"}}}
"#,
    br#"{"jsonrpc":"2.0","id":"x","method":"tools/call","params":{"name":"echo","arguments":{"a":[1,-2.5e3,null,true,"\u00e9\ud83d\ude00"]},"_meta":{"progressToken":7}}}
"#,
    br#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"reason":"late"}}
"#,
    br#"{"jsonrpc":"2.0","id":2,"method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}
"#,
    br#"{"jsonrpc":"2.0","id":2,"result":{"tools":[{"name":"a","name":"b","inputSchema":{"type":"object"}}]}}
"#,
    br#"[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":2,"error":{"code":-32601,"message":"no"}}]
"#,
];

const CONFIGS: &[&[u8]] = &[
    br#"{"architecture":"amd64","os":"linux","config":{"Env":["A=b"],"Entrypoint":["a"],"Cmd":["b"],"WorkingDir":"/x","User":"0:0","Volumes":{"/d":{}},"ExposedPorts":{"80/tcp":{}}},"rootfs":{"type":"layers","diff_ids":["sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]}}"#,
    br#"{"config":null,"rootfs":{"type":"layers","diff_ids":[]}}"#,
];

const REFERENCES: &[&[u8]] = &[
    b"a",
    b"a/b:c",
    b"localhost:5000/a/b:tag",
    b"r.example/a__b.c-d@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    b"[::1]:80/a",
    b"./x.tar",
    b"A/B",
];

const FLAGS: &[&[u8]] = &[
    b"-i\n--rm\n-e\nGITHUB_TOKEN\nghcr.example/a/b",
    b"-it\n-e=A=B\n-v=/a:/b:ro\n--mount\ntype=bind,src=/a,dst=/b,readonly\n--tmpfs\n/t:size=1m\nx",
    b"-m\n512m\n--cpus\n1.5\n--pids-limit=10\n-u\n1000:1000\n--entrypoint=\n--\nnpx\n-y\na@1",
    b"--privileged\n--cap-add=ALL\n--network\nhost\n-p\n80:80\n--security-opt\nseccomp=unconfined\nx",
];

const CONTENT: &[&[u8]] = &[
    b"-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n",
    b"[core]\n\tfsmonitor = x\n",
    b"gitdir: /a/b\n",
    b"AWS_SECRET_ACCESS_KEY=a\n",
    b"#!/bin/sh\n",
    b"{\"mcpServers\":{}}",
];

const HANDOVER: &[&[u8]] = &[br#"{"Ready":null}"#, br#"{"Exited":{"status":0}}"#, b"\x01\x00\x00\x00\x08\x00\x00\x00"];

const HEADS: &[&[u8]] = &[
    b"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\nUser-Agent: x\r\n\r\n",
    b"GET http://a.example/x?y HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"CONNECT [::1]:443 HTTP/1.0\r\n\r\n",
];

const HELLOS: &[&[u8]] = &[
    b"\x16\x03\x01\x00\x3f\x01\x00\x00\x3b\x03\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x13\x01\x01\x00\x00\x10\x00\x00\x00\x0c\x00\x0a\x00\x00\x07\x61\x2e\x62\x2e\x63\x2e\x64",
];

const MOUNTS: &[&[u8]] = &[
    b"36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n",
    b"31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n40 1 0:9 /a\\040b /c\\134d ro - nfs4 h:/x ro\n",
];

const ELF: &[&[u8]] = &[
    b"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00\x3e\x00\x01\x00\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x40\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x40\x00\x38\x00\x01\x00\x40\x00\x00\x00\x00\x00\x03\x00\x00\x00\x04\x00\x00\x00\x78\x00\x00\x00\x00\x00\x00\x00\x78\x00\x00\x00\x00\x00\x00\x00\x78\x00\x00\x00\x00\x00\x00\x00\x1c\x00\x00\x00\x00\x00\x00\x00\x1c\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00/lib64/ld-linux-x86-64.so.2\x00",
];

const LOCKS: &[&[u8]] = &[b"version = 1\n\n[[package]]\nname = \"npm:a@latest\"\nversion = \"1.0.0\"\n"];

const SECRETS: &[&[u8]] = &[
    b"GITHUB_TOKEN=ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    b"DATABASE_URL=postgres://u:p%40ss@h:5432/d?sslmode=x",
    b"KEY=-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----",
    b"CONFIG={\"token\":\"abc\",\"a\":1}",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seed_passes_through_its_entry_and_names_are_unique() {
        for (index, target) in ALL.iter().enumerate() {
            assert!(ALL[..index].iter().all(|it| it.name != target.name), "{} stands twice", target.name);
            for seed in target.seeds {
                (target.entry)(seed);
            }
        }
    }
}
