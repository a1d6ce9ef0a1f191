//! BENCHMARKS.md: the machine, the command, and a table for each benchmark.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use super::contenders::Field;
use crate::{process, workspace};

/// The result of one benchmark.
pub(super) struct Section {
    title: &'static str,
    how: &'static str,
    reach: &'static str,
    columns: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Section {
    pub(super) fn new(title: &'static str, how: &'static str, reach: &'static str, columns: &[&str]) -> Self {
        Self { title, how, reach, columns: row(columns), rows: Vec::new() }
    }

    /// As Markdown.
    pub(super) fn text(&self) -> String {
        let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
        let rule = format!("|{}", "---|".repeat(self.columns.len()));
        let rows: Vec<String> = self.rows.iter().map(|it| line(it)).collect();
        format!(
            "## {}\n\n{}\n\nTo be reached: {}.\n\n{}\n{rule}\n{}\n",
            self.title,
            self.how,
            self.reach,
            line(&self.columns),
            rows.join("\n")
        )
    }
}

/// A line of a table.
pub(super) fn row(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|it| (*it).to_owned()).collect()
}

/// For a table.
pub(super) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The whole page.
pub(super) fn page(field: &Field, sections: &[Section]) -> Result<String> {
    let head = process::output(process::command("git", &workspace::root()?).args(["rev-parse", "--short", "HEAD"]))?;
    let tables: Vec<String> = sections.iter().map(Section::text).collect();
    Ok(format!(
        "# Benchmarks\n\nWritten by `cargo xtask bench` at commit {}; do not edit it. Contenders take turns within one \
         run, on a machine that nothing else was asked to use; numbers are medians and 95th percentiles.\n\n{}\n\n{}",
        head.trim(),
        machine(field),
        tables.join("\n")
    ))
}

fn machine(field: &Field) -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let processors = read("/proc/cpuinfo");
    let model = processors.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
    let count = processors.lines().filter(|line| line.starts_with("processor")).count();
    let memory = read("/proc/meminfo").split_whitespace().nth(1).and_then(|it| it.parse::<u64>().ok()).unwrap_or(0);
    let kernel = process::output(Command::new("uname").arg("-sr")).unwrap_or_default();
    let load = read("/proc/loadavg").split_whitespace().next().unwrap_or("unknown").to_owned();
    let who = if process::is_root() { "root" } else { "an ordinary user" };
    let mut lines = vec![
        format!("{count} processors of {}", model.trim_start_matches([' ', '\t', ':'])),
        format!("{} GiB of memory", memory / (1 << 20)),
        format!("{}, load {load} at the end, run as {who}", kernel.trim()),
    ];
    lines.extend(field.versions());
    lines.iter().map(|it| format!("- {it}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_a_table() {
        let mut section = Section::new("T", "How.", "fast", &["a", "b"]);
        section.rows.push(row(&["1", "2"]));
        assert_eq!(section.text(), "## T\n\nHow.\n\nTo be reached: fast.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n");
    }
}
