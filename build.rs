//! Embeds what the browser gets, lean and compressed ahead of time, and stamps the version from git.
//!
//! Our own files come from `www/`, htmx and the fonts from the npm packages that
//! `www/package-lock.json` pins. Everything stands under one content hash, so that modules and
//! fonts can name each other by relative path and every file can be cached for ever.
use sha2::{Digest, Sha256};
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, exit};

/// From the npm packages: path below `node_modules`, name below `/static/<hash>/`.
const PACKAGED: &[(&str, &str)] = &[
    ("htmx.org/dist/htmx.min.js", "htmx.min.js"),
    (
        "@fontsource/crimson-pro/files/crimson-pro-latin-600-normal.woff2",
        "fonts/crimson-pro-latin-600-normal.woff2",
    ),
    (
        "@fontsource/crimson-pro/files/crimson-pro-latin-ext-600-normal.woff2",
        "fonts/crimson-pro-latin-ext-600-normal.woff2",
    ),
    (
        "@fontsource/crimson-pro/files/crimson-pro-latin-400-italic.woff2",
        "fonts/crimson-pro-latin-400-italic.woff2",
    ),
    (
        "@fontsource/ibm-plex-sans/files/ibm-plex-sans-latin-400-normal.woff2",
        "fonts/ibm-plex-sans-latin-400-normal.woff2",
    ),
    (
        "@fontsource/ibm-plex-sans/files/ibm-plex-sans-latin-ext-400-normal.woff2",
        "fonts/ibm-plex-sans-latin-ext-400-normal.woff2",
    ),
    (
        "@fontsource/ibm-plex-sans/files/ibm-plex-sans-latin-600-normal.woff2",
        "fonts/ibm-plex-sans-latin-600-normal.woff2",
    ),
    (
        "@fontsource/ibm-plex-sans/files/ibm-plex-sans-latin-ext-600-normal.woff2",
        "fonts/ibm-plex-sans-latin-ext-600-normal.woff2",
    ),
    (
        "@fontsource/ibm-plex-mono/files/ibm-plex-mono-latin-400-normal.woff2",
        "fonts/ibm-plex-mono-latin-400-normal.woff2",
    ),
];

#[path = "src/web/lean.rs"]
mod lean;

struct Asset {
    name: String,
    bytes: Vec<u8>,
}

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    stamp_version(&root);
    let www = root.join("www");
    println!("cargo::rerun-if-changed={}", www.display());
    install_packages(&www);
    let mut assets = own_assets(&www);
    for (path, name) in PACKAGED {
        let path = www.join("node_modules").join(path);
        let bytes = fs::read(&path).unwrap_or_else(|e| {
            fail(&format!(
                "{} is missing ({e}); run `npm ci --ignore-scripts` in www/",
                path.display()
            ))
        });
        assets.push(Asset { name: (*name).to_owned(), bytes });
    }
    assets.extend(icons(&www));
    assets.sort_by(|a, b| a.name.cmp(&b.name));
    write_table(&out, &assets);
}

fn fail(message: &str) -> ! {
    println!("cargo::error={message}");
    exit(1)
}

/// `npm ci` when the pinned packages are not there, or not as the lock file says.
fn install_packages(www: &Path) {
    let installed = www.join("node_modules/.package-lock.json");
    let lock = www.join("package-lock.json");
    let newer = |path: &Path| fs::metadata(path).and_then(|m| m.modified()).ok();
    let current = match (newer(&installed), newer(&lock)) {
        (Some(installed), Some(lock)) => installed >= lock,
        _ => false,
    };
    if current {
        return;
    }
    let run = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(www)
        .output();
    match run {
        Ok(output) if output.status.success() => {
            // Some npm versions keep an older time on it; ours must say "just now".
            if let Ok(file) = fs::File::options().append(true).open(&installed) {
                file.set_modified(std::time::SystemTime::now()).ok();
            }
        }
        Ok(output) => fail(&format!(
            "`npm ci --ignore-scripts` in www/ failed, so htmx and the fonts cannot be embedded: {}",
            String::from_utf8_lossy(&output.stderr).trim().replace('\n', " / ")
        )),
        Err(e) => fail(&format!(
            "npm could not be started ({e}); htmx and the fonts come from npm packages: install \
             Node.js with npm, or run `npm ci --ignore-scripts` in www/ elsewhere and copy www/node_modules"
        )),
    }
}

fn own_assets(www: &Path) -> Vec<Asset> {
    let mut assets = Vec::new();
    let mut folders = vec![(www.to_path_buf(), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("www is readable").flatten() {
            let name = entry.file_name().into_string().expect("asset names are ASCII");
            let path = entry.path();
            if path.is_dir() {
                if name != "node_modules" {
                    folders.push((path, format!("{prefix}{name}/")));
                }
            } else if content_type(&name).is_some() && !name.starts_with("package") {
                let bytes = fs::read(&path).expect("asset is readable");
                let bytes = match String::from_utf8(bytes) {
                    Ok(text) if name.ends_with(".js") || name.ends_with(".css") => {
                        lean::lean(&name, &text).into_bytes()
                    }
                    Ok(text) => text.into_bytes(),
                    Err(other) => other.into_bytes(),
                };
                assets.push(Asset { name: format!("{prefix}{name}"), bytes });
            }
        }
    }
    assets
}

/// Of the icon that others are drawn from; what they stand on where they may not be cut.
const GROUND: (u8, u8, u8) = (0x4d, 0x6a, 0x3e);
/// Name, side in pixels, and how much of it the drawing takes: where a system cuts icons as it
/// likes, it stands on its ground within the safe zone (W3C Web Application Manifest, "maskable").
const ICONS: &[(&str, u32, f32)] = &[
    ("icon-180.png", 180, 0.86),
    ("icon-192.png", 192, 1.0),
    ("icon-512.png", 512, 1.0),
    ("icon-maskable-512.png", 512, 0.75),
];

/// The icons of apps, from the one drawing.
fn icons(www: &Path) -> Vec<Asset> {
    let svg = fs::read(www.join("icon.svg")).expect("the icon is readable");
    let tree = resvg::usvg::Tree::from_data(&svg, &resvg::usvg::Options::default())
        .unwrap_or_else(|e| fail(&format!("www/icon.svg cannot be drawn: {e}")));
    let draw = |&(name, side, part): &(&str, u32, f32)| {
        let mut canvas = tiny_skia::Pixmap::new(side, side).expect("a side above zero");
        if part < 1.0 {
            let (red, green, blue) = GROUND;
            canvas.fill(tiny_skia::Color::from_rgba8(red, green, blue, 255));
        }
        let scale = side as f32 * part / tree.size().width();
        let margin = side as f32 * (1.0 - part) / 2.0;
        let place = tiny_skia::Transform::from_row(scale, 0.0, 0.0, scale, margin, margin);
        resvg::render(&tree, place, &mut canvas.as_mut());
        Asset { name: name.to_owned(), bytes: canvas.encode_png().expect("a PNG in memory") }
    };
    ICONS.iter().map(draw).collect()
}

fn content_type(name: &str) -> Option<&'static str> {
    Some(match name.rsplit_once('.')?.1 {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "webmanifest" => "application/manifest+json",
        _ => return None,
    })
}

fn write_table(out: &Path, assets: &[Asset]) {
    let mut hash = Sha256::new();
    for asset in assets {
        hash.update((asset.name.len() as u64).to_be_bytes());
        hash.update(&asset.name);
        hash.update((asset.bytes.len() as u64).to_be_bytes());
        hash.update(&asset.bytes);
    }
    let hash: String = hash.finalize()[..8].iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a String cannot fail");
        text
    });
    let folder = out.join("assets");
    fs::create_dir_all(&folder).expect("OUT_DIR is writable");
    let mut table =
        format!("pub const HASH: &str = \"{hash}\";\n\npub static ASSETS: &[Asset] = &[\n");
    for (index, asset) in assets.iter().enumerate() {
        let kind = content_type(&asset.name).expect("only known types are collected");
        // Everybody takes gzip; the few who do not get it unpacked. Pictures and fonts are packed
        // already, and what saves less than a tenth is not worth the unpacking.
        let gzip = gzip(&asset.bytes);
        let is_packed = kind.starts_with("image/png") || kind.starts_with("font/");
        let is_gzip = !is_packed && gzip.len() * 10 < asset.bytes.len() * 9;
        let stored = folder.join(index.to_string());
        fs::write(&stored, if is_gzip { &gzip } else { &asset.bytes })
            .expect("OUT_DIR is writable");
        let length = asset.bytes.len();
        writeln!(
            table,
            "    Asset {{ name: {:?}, url: \"/static/{hash}/{}\", content_type: {kind:?}, length: {length}, is_gzip: {is_gzip}, stored: include_bytes!({stored:?}) }},",
            asset.name, asset.name
        )
        .expect("writing to a String cannot fail");
    }
    table.push_str("];\n");
    fs::write(out.join("assets.rs"), table).expect("OUT_DIR is writable");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::GzBuilder::new().write(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("compressing into memory")
}

/// `CHAT_POSTA_VERSION`, or `git describe`, or the crate's version when there is no git.
fn stamp_version(root: &Path) {
    println!("cargo::rerun-if-env-changed=CHAT_POSTA_VERSION");
    let git = |args: &[&str]| {
        let output = Command::new("git").args(args).current_dir(root).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    // A checkout of something else around us (a tarball unpacked inside a repo) is not our version.
    let ours = git(&["rev-parse", "--show-toplevel"]).is_some_and(|top| Path::new(&top) == root);
    let package = env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let mut version = package.clone();
    if ours {
        for path in ["HEAD", "logs/HEAD"] {
            if let Some(path) = git(&["rev-parse", "--git-path", path]) {
                let path = root.join(path);
                if path.exists() {
                    println!("cargo::rerun-if-changed={}", path.display());
                }
            }
        }
        if let Some(commit) = git(&["describe", "--always", "--dirty", "--tags"]) {
            version = format!("{package} ({commit})");
        }
    }
    if let Ok(given) = env::var("CHAT_POSTA_VERSION") {
        version = given;
    }
    println!("cargo::rustc-env=CHAT_POSTA_VERSION={version}");
}
