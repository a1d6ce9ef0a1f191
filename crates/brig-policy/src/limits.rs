//! How much of the laptop one box may use, with the reason of each default.

use serde::{Deserialize, Serialize};

/// One mebibyte, in bytes.
pub const MIB: u64 = 1024 * 1024;
/// One gibibyte, in bytes.
pub const GIB: u64 = 1024 * MIB;

/// Memory of the whole box: a Node server with a large result stays below 1 GiB; a browser needs 2.
pub const MEMORY: u64 = 2 * GIB;
/// Processes and threads: Node starts 11 threads, a JVM 30, Chromium 200.
pub const PROCESSES: u32 = 512;
/// Open files of one process: what a language server's watcher needs, far below the usual host limit.
pub const OPEN_FILES: u32 = 4096;
/// `/tmp`, which is memory.
pub const TMP: u64 = 256 * MIB;
/// `/dev/shm`, which is memory: Docker's own default.
pub const SHM: u64 = 64 * MIB;
/// The largest single file that may be written, on any mount.
pub const FILE_SIZE: u64 = GIB;

/// The least memory that may be asked for: Docker's own bound; below it not even init starts.
pub const MEMORY_LEAST: u64 = 6 * MIB;
/// The least share of a CPU that may be asked for, in thousandths: Docker's own bound.
pub const MILLI_CPUS_LEAST: u32 = 10;
/// The largest size that may be asked for, in bytes: what a signed 64-bit kernel interface holds.
pub const SIZE_MOST: u64 = i64::MAX.cast_unsigned();

/// The limits of one box. Sizes are bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Memory of all processes of the box together.
    pub memory: u64,
    /// Processes and threads of the box together.
    pub processes: u32,
    /// Thousandths of one CPU; `None` leaves the box the whole machine.
    pub milli_cpus: Option<u32>,
    /// Open files of one process.
    pub open_files: u32,
    /// Size of any single file written.
    pub file_size: u64,
    /// Size of the `/tmp` tmpfs.
    pub tmp: u64,
    /// Size of the `/dev/shm` tmpfs.
    pub shm: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: MEMORY,
            processes: PROCESSES,
            milli_cpus: None,
            open_files: OPEN_FILES,
            file_size: FILE_SIZE,
            tmp: TMP,
            shm: SHM,
        }
    }
}
