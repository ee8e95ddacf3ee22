//! The three proxies that people put in front, as Debian packages them, each with several lanes: a
//! listener with an upstream of its own, so that cases can run side by side and stay apart.
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Caddy,
    Nginx,
    Haproxy,
}

pub struct Proxy {
    child: Child,
    folder: PathBuf,
    kind: Kind,
    /// Where each lane listens.
    pub lanes: Vec<SocketAddr>,
}

impl Proxy {
    /// One lane for each of `upstreams`.
    pub fn start(kind: Kind, upstreams: &[SocketAddr]) -> Proxy {
        let folder =
            std::env::temp_dir().join(format!("chat-posta-{kind:?}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let lanes: Vec<SocketAddr> = upstreams.iter().map(|_| free_address()).collect();
        let pairs: Vec<_> = lanes.iter().copied().zip(upstreams.iter().copied()).collect();
        let (config, mut command) = match kind {
            Kind::Caddy => caddy(&folder, &pairs),
            Kind::Nginx => nginx(&folder, &pairs),
            Kind::Haproxy => haproxy(&folder, &pairs),
        };
        fs::write(folder.join("config"), config).unwrap();
        let said = fs::File::create(folder.join("said")).unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(said.try_clone().unwrap())
            .stderr(said)
            .spawn()
            .unwrap_or_else(|e| panic!("{kind:?}, which scripts/test installs: {e}"));
        let proxy = Proxy { child, folder, kind, lanes };
        proxy.until_listening();
        proxy
    }

    fn until_listening(&self) {
        let until = Instant::now() + Duration::from_secs(20);
        while self.lanes.iter().any(|lane| TcpStream::connect(lane).is_err()) {
            let said = || fs::read_to_string(self.folder.join("said")).unwrap_or_default();
            assert!(Instant::now() < until, "{:?} does not listen: {}", self.kind, said());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Method and target of each request that it says it passed on from this lane so far.
    pub fn log(&self, lane: SocketAddr) -> Vec<String> {
        let port = lane.port();
        let name = match self.kind {
            Kind::Caddy => format!("access-{port}"),
            Kind::Nginx => "access".into(),
            Kind::Haproxy => "said".into(),
        };
        let text = fs::read(self.folder.join(name)).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        // A line without its end is still being written.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().filter_map(|line| self.logged(line, port)).collect()
    }

    fn logged(&self, line: &str, port: u16) -> Option<String> {
        if self.kind == Kind::Caddy {
            let line: serde_json::Value = serde_json::from_str(line).ok()?;
            let word = |name: &str| line["request"][name].as_str();
            return Some(format!("{} {}", word("method")?, word("uri")?));
        }
        // port|upstream|method and target
        let mut words = line.splitn(3, '|');
        let (at, upstream) = (words.next()?.parse::<u16>().ok()?, words.next()?);
        let passed_on = at == port && !matches!(upstream, "-" | "<NOSRV>" | "");
        passed_on.then(|| words.next().unwrap_or("").to_owned())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

type Pair = (SocketAddr, SocketAddr);

/// As in `scripts/service/Caddyfile`.
fn caddy(folder: &Path, pairs: &[Pair]) -> (String, Command) {
    let site = |(lane, upstream): &Pair| {
        let port = lane.port();
        format!(
            "http://:{port} {{\n bind 127.0.0.1\n log {{\n  output file {}\n  format json\n }}\n \
             @compressible not path /events /static/*\n encode @compressible zstd gzip\n \
             reverse_proxy {upstream} {{\n  flush_interval -1\n }}\n}}\n",
            folder.join(format!("access-{port}")).display()
        )
    };
    let sites: String = pairs.iter().map(site).collect();
    let config = format!("{{\n admin off\n auto_https off\n}}\n{sites}");
    let mut command = Command::new("caddy");
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(folder.join("config"));
    command.env("XDG_DATA_HOME", folder).env("XDG_CONFIG_HOME", folder).env("HOME", folder);
    (config, command)
}

/// Keeps connections to the upstream, and streams bodies: a mistake about a body's end would hurt
/// the next request.
fn nginx(folder: &Path, pairs: &[Pair]) -> (String, Command) {
    let at = |name: &str| folder.join(name).display().to_string();
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {};\n", at("temporary")))
        .concat();
    let server = |(lane, upstream): &Pair| {
        let port = lane.port();
        format!(
            "upstream u{port} {{ server {upstream}; keepalive 4; }}\n\
             server {{ listen {lane}; location / {{ proxy_pass http://u{port}; \
             proxy_http_version 1.1; proxy_set_header Connection \"\"; \
             proxy_request_buffering off; proxy_buffering off; }} }}\n"
        )
    };
    let servers: String = pairs.iter().map(server).collect();
    let config = format!(
        "daemon off;\nmaster_process off;\npid {};\nerror_log {} info;\n\
         events {{ worker_connections 1024; }}\nhttp {{\n{temporary}\
         log_format passed '$server_port|$upstream_addr|$request_method $request_uri';\n\
         access_log {} passed;\n{servers}}}\n",
        at("pid"),
        at("error"),
        at("access"),
    );
    let mut command = Command::new(found("nginx"));
    command.arg("-p").arg(folder).arg("-e").arg(folder.join("error"));
    command.arg("-c").arg(folder.join("config"));
    (config, command)
}

fn haproxy(folder: &Path, pairs: &[Pair]) -> (String, Command) {
    let lane = |(lane, upstream): &Pair| {
        let port = lane.port();
        format!(
            "frontend f{port}\n bind {lane}\n default_backend b{port}\n\
             backend b{port}\n http-reuse always\n server chat {upstream}\n"
        )
    };
    let lanes: String = pairs.iter().map(lane).collect();
    let config = format!(
        "global\n log stdout format raw local0\n maxconn 500\n\
         defaults\n mode http\n log global\n log-format \"%fp|%s|%HM %HU\"\n option http-keep-alive\n \
         timeout connect 5s\n timeout client 20s\n timeout server 20s\n timeout http-request 20s\n{lanes}"
    );
    let mut command = Command::new(found("haproxy"));
    command.arg("-db").arg("-f").arg(folder.join("config"));
    (config, command)
}

/// Debian keeps servers where only root's shell looks.
fn found(name: &str) -> PathBuf {
    let place = Path::new("/usr/sbin").join(name);
    if place.exists() { place } else { name.into() }
}
