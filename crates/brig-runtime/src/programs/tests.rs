//! Fake trees of every version manager, and the real ones of this machine where it has them.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

/// A home folder of a temporary machine.
struct Tree {
    _guard: tempfile::TempDir,
    root: PathBuf,
}

impl Tree {
    fn new() -> Self {
        let guard = tempfile::tempdir().unwrap();
        let root = guard.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("home/project/deep")).unwrap();
        Self { _guard: guard, root }
    }

    fn home(&self, path: &str) -> PathBuf {
        self.root.join("home").join(path)
    }

    fn text(&self, path: &str, text: &str) -> PathBuf {
        let path = self.home(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn script(&self, path: &str, text: &str) -> PathBuf {
        let path = self.text(path, text);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// A program that needs nothing but itself.
    fn binary(&self, path: &str) -> PathBuf {
        self.binary_with(path, &[])
    }

    fn binary_with(&self, path: &str, entries: &[(u64, &str)]) -> PathBuf {
        let path = self.script(path, "");
        // A static program has no loader; the builder's is the machine's own, which is there.
        fs::write(&path, elf::tests::build("/bin/sh", entries)).unwrap();
        path
    }

    fn link(&self, to: impl AsRef<Path>, path: &str) {
        let path = self.home(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(to, path).unwrap();
    }

    fn caller(&self, path: &[&str]) -> Caller {
        let own = path.iter().map(|folder| self.home(folder).display().to_string());
        Caller {
            path: own.chain(["/usr/bin".into(), "/bin".into()]).collect::<Vec<_>>().join(":"),
            home: self.home(""),
            cwd: self.home("project/deep"),
            env: BTreeMap::new(),
        }
    }

    fn pieces(&self, found: &Found) -> Vec<String> {
        let home = self.home("");
        let name = |path: &Path| path.strip_prefix(&home).unwrap_or(path).display().to_string();
        found.pieces.iter().map(|piece| name(&piece.path)).collect()
    }
}

#[test]
fn nvm_shows_one_version() {
    let tree = Tree::new();
    tree.binary(".nvm/versions/node/v22.1.0/bin/node");
    tree.script(".nvm/versions/node/v22.1.0/lib/node_modules/npm/bin/npx-cli.js", "#!/usr/bin/env node\n");
    tree.link("../lib/node_modules/npm/bin/npx-cli.js", ".nvm/versions/node/v22.1.0/bin/npx");
    let caller = tree.caller(&[".nvm/versions/node/v22.1.0/bin"]);
    for name in ["node", "npx"] {
        let found = resolve(name, &caller).unwrap();
        assert_eq!(found.file, tree.home(".nvm/versions/node/v22.1.0/bin").join(name));
        assert_eq!(tree.pieces(&found), [".nvm/versions/node/v22.1.0"]);
        assert_eq!(found.path, [tree.home(".nvm/versions/node/v22.1.0/bin")]);
        assert!(found.links.is_empty(), "{:?}", found.links);
    }
}

#[test]
fn fnm_is_followed_through_its_links() {
    let tree = Tree::new();
    tree.binary(".local/share/fnm/node-versions/v20.1.0/installation/bin/node");
    tree.link(tree.home(".local/share/fnm/node-versions/v20.1.0/installation"), ".local/share/fnm/aliases/default");
    tree.link(tree.home(".local/share/fnm/aliases/default"), ".local/state/fnm_multishells/1_2");
    let found = resolve("node", &tree.caller(&[".local/state/fnm_multishells/1_2/bin"])).unwrap();
    assert_eq!(tree.pieces(&found), [".local/share/fnm/node-versions/v20.1.0/installation"]);
    // Both links are made in the box too, so that the path and PATH hold there.
    assert_eq!(found.links.len(), 2);
    assert_eq!(found.file, tree.home(".local/state/fnm_multishells/1_2/bin/node"));
}

#[test]
fn pyenv_shims_are_answered_by_version_files() {
    let tree = Tree::new();
    for version in ["3.11.7", "3.11.10", "3.12.1"] {
        tree.binary(&format!(".pyenv/versions/{version}/bin/python3"));
    }
    tree.script(
        ".pyenv/shims/python3",
        &format!(
            "#!/usr/bin/env bash\nset -e\nexec \"{}\" exec \"$program\" \"$@\"\n",
            tree.home(".pyenv/libexec/pyenv").display()
        ),
    );
    let mut caller = tree.caller(&[".pyenv/shims"]);
    let version = |caller: &Caller| tree.pieces(&resolve("python3", caller).unwrap()).concat();
    tree.text(".pyenv/version", "3.12.1\n");
    assert_eq!(version(&caller), ".pyenv/versions/3.12.1");
    tree.text("project/.python-version", "# ours\n3.11\n");
    assert_eq!(version(&caller), ".pyenv/versions/3.11.10");
    caller.env.insert("PYENV_VERSION".into(), "3.11.7:3.12.1".into());
    assert_eq!(version(&caller), ".pyenv/versions/3.11.7");
    caller.env.insert("PYENV_VERSION".into(), "system".into());
    assert!(resolve("python3", &caller).unwrap().file.starts_with("/usr"));
    let refused = |value: &str| {
        let mut caller = caller.clone();
        caller.env.insert("PYENV_VERSION".into(), value.into());
        resolve("python3", &caller).unwrap_err()
    };
    assert!(matches!(refused("2.7.18"), ProgramError::Shim { source: ShimError::NotInstalled { .. }, .. }));
    assert!(matches!(refused("../../x"), ProgramError::Shim { source: ShimError::OddVersion(_), .. }));
}

#[test]
fn asdf_shims_are_answered_by_tool_versions() {
    let tree = Tree::new();
    tree.binary(".asdf/installs/nodejs/20.1.0/bin/node");
    tree.binary(".asdf/installs/nodejs/22.1.0/bin/node");
    tree.script(
        ".asdf/shims/node",
        "#!/usr/bin/env bash\n# asdf-plugin: nodejs 20.1.0\n# asdf-plugin: nodejs 22.1.0\nexec asdf exec \"node\" \"$@\"\n",
    );
    let mut caller = tree.caller(&[".asdf/shims"]);
    let unset = resolve("node", &caller).unwrap_err();
    assert!(matches!(&unset, ProgramError::Shim { source: ShimError::NoVersion { .. }, .. }), "{unset}");
    assert!(unset.hint().unwrap().contains("asdf set"));
    tree.text(".tool-versions", "python 3.11\nnodejs 20.1.0\n");
    assert_eq!(tree.pieces(&resolve("node", &caller).unwrap()), [".asdf/installs/nodejs/20.1.0"]);
    tree.text("project/.tool-versions", "nodejs 22.1.0 # new\n");
    assert_eq!(tree.pieces(&resolve("node", &caller).unwrap()), [".asdf/installs/nodejs/22.1.0"]);
    caller.env.insert("ASDF_NODEJS_VERSION".into(), "20.1.0".into());
    assert_eq!(tree.pieces(&resolve("node", &caller).unwrap()), [".asdf/installs/nodejs/20.1.0"]);
}

#[test]
fn mise_shims_are_answered_by_its_configuration() {
    let tree = Tree::new();
    tree.binary(".local/bin/mise");
    tree.binary(".local/share/mise/installs/node/22.1.0/bin/node");
    tree.binary(".local/share/mise/installs/node/22.1.0/bin/npm");
    tree.binary(".local/share/mise/installs/node/20.9.0/bin/node");
    tree.binary(".local/share/mise/installs/npm-some-server/1.0.0/bin/some-server");
    for name in ["node", "npm", "some-server"] {
        tree.link(tree.home(".local/bin/mise"), &format!(".local/share/mise/shims/{name}"));
    }
    let caller = tree.caller(&[".local/share/mise/shims"]);
    assert!(resolve("node", &caller).is_err());
    tree.text(".config/mise/config.toml", "[tools]\nnode = \"22\"\n\"npm:some-server\" = \"latest\"\n");
    assert_eq!(tree.pieces(&resolve("npm", &caller).unwrap()), [".local/share/mise/installs/node/22.1.0"]);
    let server = resolve("some-server", &caller).unwrap();
    assert_eq!(tree.pieces(&server), [".local/share/mise/installs/npm-some-server/1.0.0"]);
    tree.text("project/mise.toml", "[tools]\nnode = { version = \"20\" }\n");
    assert_eq!(tree.pieces(&resolve("node", &caller).unwrap()), [".local/share/mise/installs/node/20.9.0"]);
}

#[test]
fn volta_shims_are_answered_by_package_json_and_platform() {
    let tree = Tree::new();
    tree.binary(".volta/bin/volta-shim");
    tree.binary(".volta/tools/image/node/20.1.0/bin/npx");
    tree.binary(".volta/tools/image/node/22.1.0/bin/npx");
    tree.binary(".volta/tools/image/packages/@a/server/bin/server");
    tree.text(".volta/tools/user/bins/server.json", r#"{"name":"server","package":"@a/server"}"#);
    for name in ["npx", "server"] {
        tree.link("volta-shim", &format!(".volta/bin/{name}"));
    }
    tree.text(".volta/tools/user/platform.json", r#"{"node":{"runtime":"20.1.0","npm":null}}"#);
    let caller = tree.caller(&[".volta/bin"]);
    assert_eq!(tree.pieces(&resolve("npx", &caller).unwrap()), [".volta/tools/image/node/20.1.0"]);
    assert_eq!(tree.pieces(&resolve("server", &caller).unwrap()), [".volta/tools/image/packages/@a/server"]);
    tree.text("project/package.json", r#"{"volta":{"node":"22.1.0"}}"#);
    assert_eq!(tree.pieces(&resolve("npx", &caller).unwrap()), [".volta/tools/image/node/22.1.0"]);
}

#[test]
fn an_environment_shows_its_parts_and_its_base() {
    let tree = Tree::new();
    let base = tree.binary(".local/share/uv/python/cpython-3.12.5-linux/bin/python3.12");
    tree.link(tree.home(".local/share/uv/python/cpython-3.12.5-linux"), ".local/share/uv/python/cpython-3.12-linux");
    tree.link(tree.home(".local/share/uv/python/cpython-3.12-linux/bin/python3.12"), "project/bin/python");
    tree.text("project/pyvenv.cfg", &format!("home = {}\n", base.parent().unwrap().display()));
    tree.text("project/lib/python3.12/site-packages/x.py", "");
    tree.text("project/secret.txt", "");
    tree.script("project/bin/server", &format!("#!{}\n", tree.home("project/bin/python").display()));
    let found = resolve("../bin/server", &tree.caller(&[])).unwrap();
    // The environment is a whole project: only what belongs to the environment is shown.
    assert_eq!(
        tree.pieces(&found),
        [".local/share/uv/python/cpython-3.12.5-linux", "project/bin", "project/lib", "project/pyvenv.cfg"]
    );
    assert_eq!(found.file, tree.home("project/bin/server"));
    assert_eq!(found.links.len(), 1, "the minor version's link: {:?}", found.links);
}

#[test]
fn an_environment_with_a_copied_interpreter_shows_its_base() {
    let tree = Tree::new();
    tree.binary("base/bin/python3");
    tree.text("base/lib/python3.12/os.py", "");
    tree.text("base/other/secret", "");
    tree.binary("project/.venv/bin/python");
    tree.text("project/.venv/pyvenv.cfg", &format!("home = {}\n", tree.home("base/bin").display()));
    let found = resolve(tree.home("project/.venv/bin/python").to_str().unwrap(), &tree.caller(&[])).unwrap();
    assert_eq!(
        tree.pieces(&found),
        ["base/bin/python3", "base/lib/python3.12", "project/.venv/bin", "project/.venv/pyvenv.cfg"]
    );
}

#[test]
fn a_binary_elsewhere_is_shown_alone() {
    let tree = Tree::new();
    tree.binary("project/target/debug/server");
    tree.text("project/target/debug/other", "");
    let found = resolve("../target/debug/server", &tree.caller(&[])).unwrap();
    assert_eq!(tree.pieces(&found), ["project/target/debug/server"]);
    assert_eq!(found.file, tree.home("project/target/debug/server"));
}

#[test]
fn libraries_are_found_by_run_paths_and_among_the_machines() {
    let tree = Tree::new();
    let (needed, runpath) = (1, 29);
    let missing = tree.binary_with("app/bin/server", &[(needed, "liba.so.1"), (runpath, "$ORIGIN/../lib")]);
    let error = resolve(missing.to_str().unwrap(), &tree.caller(&[])).unwrap_err();
    assert!(matches!(&error, ProgramError::MissingLibrary { library, .. } if library == "liba.so.1"), "{error}");
    assert!(error.to_string().contains("app/lib"), "{error}");
    // The library is a link to its version, and needs another one in turn and one of the machine's.
    tree.binary_with("app/lib/liba.so.1.2", &[(needed, "libb.so"), (needed, "libc.so.6"), (runpath, "$ORIGIN")]);
    tree.link("liba.so.1.2", "app/lib/liba.so.1");
    tree.binary("app/lib/libb.so");
    let found = resolve(missing.to_str().unwrap(), &tree.caller(&[])).unwrap();
    assert_eq!(tree.pieces(&found), ["app/bin/server", "app/lib/liba.so.1.2", "app/lib/libb.so"]);
    assert_eq!(found.links.keys().collect::<Vec<_>>(), [&tree.home("app/lib/liba.so.1")]);
}

#[test]
fn packages_of_a_project_and_of_the_user_are_shown() {
    let tree = Tree::new();
    tree.binary(".n/bin/node");
    tree.script("project/node_modules/server/cli.js", "#!/usr/bin/env node\n");
    tree.link("../server/cli.js", "project/node_modules/.bin/server");
    let found = resolve("../node_modules/.bin/server", &tree.caller(&[".n/bin"])).unwrap();
    assert_eq!(tree.pieces(&found), [".n/bin/node", "project/node_modules"]);

    tree.binary(".n/bin/python3");
    tree.script(".local/bin/user-server", "#!/usr/bin/env python3\n");
    tree.text(".local/lib/python3.11/site-packages/server.py", "");
    tree.text(".local/share/keyrings/secret", "");
    let found = resolve("user-server", &tree.caller(&[".local/bin", ".n/bin"])).unwrap();
    assert_eq!(
        tree.pieces(&found),
        [".local/bin/user-server", ".local/lib/python3.11/site-packages", ".n/bin/python3"]
    );
    assert_eq!(found.env["PYTHONUSERBASE"], tree.home(".local").display().to_string());
}

#[test]
fn what_cannot_be_shown_narrowly_is_refused() {
    let tree = Tree::new();
    tree.binary("bin/python");
    tree.text("bin/../pyvenv.cfg", "home = /usr/bin\n");
    // An environment in the home folder itself: its parts are shown, the home is not.
    let found = resolve("python", &tree.caller(&["bin"])).unwrap();
    assert_eq!(tree.pieces(&found), ["bin", "pyvenv.cfg"]);

    // A program that is a link to a folder of many owners, and one that is its own home.
    let mut caller = tree.caller(&[]);
    caller.home = tree.home("project/node_modules/inner");
    fs::create_dir_all(&caller.home).unwrap();
    let script = tree.binary("project/node_modules/x/cli");
    let error = resolve(script.to_str().unwrap(), &caller).unwrap_err();
    assert!(matches!(error, ProgramError::TooWide { .. }), "{error}");
    assert_eq!(error.exit_status(), 126);
}

#[test]
fn errors_say_what_is_missing() {
    let tree = Tree::new();
    let caller = tree.caller(&["bin"]);
    let error = resolve("no-such-program", &caller).unwrap_err();
    assert!(matches!(error, ProgramError::NotFound { .. }));
    assert_eq!(error.exit_status(), 127);
    let text = tree.text("bin/plain", "hello");
    assert!(matches!(resolve("plain", &caller), Err(ProgramError::NotExecutable(path)) if path == text));
    tree.script("bin/odd", "hello");
    assert!(matches!(resolve("odd", &caller), Err(ProgramError::Format { .. })));
    tree.script("bin/lost", "#!/no/such/interpreter\n");
    assert!(matches!(resolve("lost", &caller), Err(ProgramError::Look { .. })));
    let ring = tree.home("bin/ring");
    tree.script("bin/ring", &format!("#!{}\n", ring.display()));
    assert!(matches!(resolve("ring", &caller), Err(ProgramError::TooManyHops(_))));
    tree.binary("snap");
    tree.link(tree.home("snap"), "bin/snapped");
    assert!(matches!(
        resolve("snapped", &caller),
        Err(ProgramError::Shim { manager: "snap", source: ShimError::Launcher, .. })
    ));
}

#[test]
fn a_relative_folder_in_path_chooses_nothing() {
    let tree = Tree::new();
    tree.binary("project/deep/only-here");
    let mut caller = tree.caller(&[]);
    caller.path = format!(":.:{}", caller.path);
    assert!(matches!(resolve("only-here", &caller), Err(ProgramError::NotFound { .. })));
}

#[test]
fn placing_binds_read_only_and_masks_credentials() {
    let tree = Tree::new();
    tree.binary(".nvm/versions/node/v22.1.0/bin/node");
    tree.text(".nvm/versions/node/v22.1.0/etc/npmrc", "");
    let found = resolve("node", &tree.caller(&[".nvm/versions/node/v22.1.0/bin"])).unwrap();
    let placed = found.place(&tree.home("")).unwrap();
    let [brig_engine::launch::Mount { target, what: brig_engine::launch::What::Bind(bind) }] = &placed.mounts[..]
    else {
        panic!("{placed:?}");
    };
    assert_eq!(target, &tree.home(".nvm/versions/node/v22.1.0"));
    assert!(!bind.writable && bind.owned);
    assert_eq!(bind.inside.len(), 1);
    assert_eq!(bind.inside[0].path, Path::new("etc/npmrc"));
}

#[test]
fn the_real_programs_of_this_machine() {
    let real = |name: &str| PathBuf::from("/usr/bin").join(name).exists();
    let caller =
        Caller { path: "/usr/bin:/bin".into(), home: "/nonexistent".into(), cwd: "/".into(), env: BTreeMap::new() };
    for name in ["node", "npm", "npx", "python3", "sh", "vi", "perl"] {
        if !real(name) {
            println!("skipped: this machine has no /usr/bin/{name}");
            continue;
        }
        let found = resolve(name, &caller).unwrap();
        assert!(found.pieces.is_empty(), "{name}: {:?}", found.pieces);
        assert!(found.links.is_empty(), "{name}: {:?}", found.links);
    }
}
