//! The shared libraries that a binary outside the machine's own software needs, found as `ld.so(8)` finds
//! them in a box: by run paths, then among the machine's folders. `LD_LIBRARY_PATH` does not go in.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::elf::{self, Elf};
use super::{ProgramError, cover, walk};

/// Libraries followed for one program: browsers have about a hundred.
const MAX_LIBRARIES: usize = 1024;
/// Files that one list of library folders may include: a large desktop has about twenty.
const MAX_INCLUDES: usize = 256;
/// Where loaders look without being told, beside one folder per architecture (`/usr/lib/*-linux-*`).
const DEFAULT_FOLDERS: [&str; 6] = ["/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib", "/usr/local/lib64"];
/// The loader's own list of further folders.
const LIST: &str = "/etc/ld.so.conf";

/// All libraries that lie outside the machine's own software, and the loader if it does.
pub(super) fn of(program: &Path) -> Result<Vec<PathBuf>, ProgramError> {
    let machine = machine_folders();
    let mut found = BTreeSet::new();
    let mut todo = vec![(program.to_owned(), Vec::new())];
    while let Some((file, inherited)) = todo.pop() {
        let elf = read(&file)?;
        let missing = |library: &str, searched: &[PathBuf]| ProgramError::MissingLibrary {
            file: file.clone(),
            library: library.to_owned(),
            searched: searched.to_vec(),
        };
        let own = run_paths(&elf, &file, &inherited);
        let mut needs: Vec<PathBuf> = Vec::new();
        if let Some(loader) = elf.interpreter.as_deref() {
            let path = PathBuf::from(loader);
            let folder = path.parent().map(Path::to_owned).unwrap_or_default();
            if !path.is_absolute() || !path.is_file() {
                return Err(missing(loader, &[folder]));
            }
            needs.push(path);
        }
        for name in &elf.needed {
            let searched: Vec<PathBuf> = own.iter().chain(&machine).cloned().collect();
            needs.push(find(name, &searched).ok_or_else(|| missing(name, &searched))?);
        }
        for path in needs {
            let real = walk::walk(&path).map_err(|source| ProgramError::Look { path: path.clone(), source })?.real;
            // The machine's libraries find one another.
            if !cover::is_machine(&real) && found.insert(path) && found.len() <= MAX_LIBRARIES {
                // DT_RPATH holds for what is loaded on its behalf, DT_RUNPATH does not.
                todo.push((real, if elf.runpath.is_empty() { own.clone() } else { Vec::new() }));
            }
        }
    }
    Ok(found.into_iter().collect())
}

fn read(file: &Path) -> Result<Elf, ProgramError> {
    let look = |source| ProgramError::Look { path: file.to_owned(), source };
    let opened = File::open(file).map_err(look)?;
    elf::read(|offset, buffer| opened.read_exact_at(buffer, offset))
        .map_err(|why| ProgramError::Format { path: file.to_owned(), why })
}

fn run_paths(elf: &Elf, file: &Path, inherited: &[PathBuf]) -> Vec<PathBuf> {
    let origin = file.parent().unwrap_or(Path::new("/")).to_string_lossy();
    let expand = |folder: &String| {
        let path = folder.replace("${ORIGIN}", &origin).replace("$ORIGIN", &origin);
        // `$LIB` and `$PLATFORM` depend on the loader; the machine's own folders cover what they mean.
        // A relative run path would make the working folder choose the library.
        (path.starts_with('/') && !path.contains('$')).then(|| walk::tidy(Path::new(&path)))
    };
    if elf.runpath.is_empty() {
        elf.rpath.iter().filter_map(expand).chain(inherited.iter().cloned()).collect()
    } else {
        elf.runpath.iter().filter_map(expand).collect()
    }
}

fn find(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    if name.contains('/') {
        let path = PathBuf::from(name);
        return (path.is_absolute() && path.is_file()).then_some(path);
    }
    folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// Folders in which every program of this machine finds libraries.
fn machine_folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = DEFAULT_FOLDERS.iter().map(PathBuf::from).collect();
    let lib = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    folders
        .extend(lib.filter(|entry| entry.file_name().to_string_lossy().contains("-linux-")).map(|entry| entry.path()));
    for file in include(Path::new(LIST)) {
        let text = walk::read_small(&file).unwrap_or_default();
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
        folders.extend(lines.filter(|line| line.starts_with('/')).map(PathBuf::from));
    }
    folders.retain(|folder| folder.is_dir());
    folders
}

/// The list itself and the files that its `include` lines name, whose pattern is always `FOLDER/*.conf`.
fn include(list: &Path) -> Vec<PathBuf> {
    let mut files = vec![list.to_owned()];
    for line in walk::read_small(list).unwrap_or_default().lines() {
        let Some(pattern) = line.trim().strip_prefix("include ") else {
            continue;
        };
        let Some(folder) = pattern.trim().strip_suffix("/*.conf") else {
            continue;
        };
        // Relative patterns are taken from where the list lies.
        let folder = list.parent().unwrap_or(Path::new("/")).join(folder);
        let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let conf = entries.filter(|path| path.extension().is_some_and(|end| end == "conf"));
        files.extend(conf.take(MAX_INCLUDES));
    }
    files
}
