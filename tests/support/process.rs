//! The real binary as a process of its own, with a directory of its own; killed when dropped.
use super::PATIENCE;
use super::program::program;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

pub fn binary() -> Command {
    Command::new(program())
}

/// Runs the binary to its end, which must come by itself.
pub fn run(arguments: &[&str]) -> Output {
    let mut command = binary();
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let since = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if since.elapsed() > PATIENCE {
            let _ = child.kill();
            panic!("{arguments:?} does not end");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.wait_with_output().unwrap()
}

pub struct Process {
    child: Child,
    /// The first line of its standard output that began as asked.
    pub ready: String,
}

impl Process {
    /// Starts the binary and waits for a line of standard output that begins with `ready`.
    pub fn start(arguments: &[&str], ready: &'static str) -> Process {
        let mut child = binary().args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        let (tell, told) = mpsc::channel();
        // Reads on to the end, so that the process never waits for its reader.
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if line.starts_with(ready) {
                    let _ = tell.send(line);
                }
            }
        });
        match told.recv_timeout(PATIENCE) {
            Ok(ready) => Process { child, ready },
            Err(_) => {
                let _ = child.kill();
                panic!("{arguments:?} did not become ready: {:?}", child.wait());
            }
        }
    }

    /// As a power cut would.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// As a supervisor would; waits for the end.
    pub fn terminate(&mut self) -> std::process::ExitStatus {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").arg(id).status().unwrap().success());
        self.child.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A directory that goes with its owner.
pub struct Directory(PathBuf);

impl Directory {
    pub fn new() -> Directory {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("chat-posta-test-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Directory(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A configuration file in it.
    pub fn config(&self, text: &str) -> String {
        let file = self.file("config.toml");
        std::fs::write(&file, text).unwrap();
        file
    }

    pub fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
