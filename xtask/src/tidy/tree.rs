//! Every file of the project as a value, so that a rule is a plain function and its test needs no disk.

use std::fs;
use std::path::Path;

use anyhow::Result;

use super::lexer;
use crate::workspace::{self, Crate};

/// The project.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) files: Vec<File>,
    pub(super) crates: Vec<Crate>,
    /// The subcommands of `cargo xtask`.
    pub(super) jobs: Vec<String>,
}

/// One file.
#[derive(Debug)]
pub(super) struct File {
    /// Relative to the root, with `/`.
    pub(super) path: String,
    /// Its text; empty for what is not UTF-8.
    pub(super) text: String,
    /// Its code without comments, strings and tests; empty for what is not Rust.
    pub(super) code: String,
}

impl Tree {
    /// Reads every file that git knows.
    pub(super) fn load(root: &Path) -> Result<Self> {
        let mut files = Vec::new();
        for path in workspace::files(root)? {
            let text = String::from_utf8(fs::read(root.join(&path))?).unwrap_or_default();
            files.push(File::new(&path, text));
        }
        Ok(Self { files, crates: workspace::crates(root)?, jobs: Vec::new() })
    }

    /// A tree made of text, for the rules' own tests.
    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| File::new(path, (*text).to_owned())).collect();
        Self { files, ..Self::default() }
    }

    pub(super) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    pub(super) fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.is_rust())
    }

    pub(super) fn markdown(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.path.ends_with(".md"))
    }

    /// Whether a path names a file, or a folder that holds one.
    pub(super) fn has(&self, path: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        path.is_empty() || self.files.iter().any(|file| file.path == path || file.path.starts_with(&folder))
    }
}

impl File {
    fn new(path: &str, text: String) -> Self {
        let code = if path.ends_with(".rs") { lexer::without_tests(&lexer::blank(&text)) } else { String::new() };
        Self { path: path.to_owned(), text, code }
    }

    pub(super) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether the file belongs to the workspace; the fuzz crate lies outside and is run by hand.
    pub(super) fn ships(&self) -> bool {
        !self.path.starts_with("fuzz/")
    }

    /// Whether the file is only compiled for tests.
    pub(super) fn is_test(&self) -> bool {
        ["/tests/", "/benches/", "/examples/"].iter().any(|it| self.path.contains(it))
            || self.path.ends_with("/tests.rs")
    }

    /// The folder `crates/NAME` or `xtask` that the file belongs to, and its path inside.
    pub(super) fn in_crate(&self) -> Option<(&str, &str)> {
        let folder = if self.path.starts_with("crates/") {
            let name = self.path["crates/".len()..].split('/').next()?;
            &self.path[.."crates/".len() + name.len()]
        } else {
            self.path.split('/').next().filter(|it| *it == "xtask" || *it == "fuzz")?
        };
        Some((folder, self.path[folder.len()..].trim_start_matches('/')))
    }
}
