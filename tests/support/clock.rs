//! A clock for one process that can be set forward: a few lines of C between it and the system's
//! clock, as `LD_PRELOAD` has it. What waits for a time of day need not be waited for.
use super::process::Directory;
use std::process::Command;

const SHIFT: &str = r#"
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t id, struct timespec *now) {
    int done = syscall(SYS_clock_gettime, id, now);
    if (done == 0 && id == CLOCK_REALTIME) {
        char text[24] = {0};
        int file = open(getenv("SHIFTED_CLOCK"), O_RDONLY | O_CLOEXEC);
        if (file < 0 || read(file, text, sizeof text - 1) < 0) abort();
        close(file);
        now->tv_sec += atol(text);
    }
    return done;
}
"#;

pub struct ShiftedClock {
    directory: Directory,
}

impl ShiftedClock {
    pub fn new() -> ShiftedClock {
        let clock = ShiftedClock { directory: Directory::new() };
        let (source, library) = (clock.directory.file("shift.c"), clock.directory.file("shift.so"));
        std::fs::write(&source, SHIFT).unwrap();
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-o", &library, &source])
            .status()
            .expect("a C compiler, which building chat-posta takes as well");
        assert!(compiled.success());
        clock.set(0);
        clock
    }

    /// What a process that is to live by this clock has in its environment.
    pub fn env(&self) -> [(&'static str, String); 2] {
        [
            ("LD_PRELOAD", self.directory.file("shift.so")),
            ("SHIFTED_CLOCK", self.directory.file("seconds")),
        ]
    }

    pub fn forward(&self, seconds: i64) {
        let so_far = std::fs::read_to_string(self.directory.file("seconds")).unwrap();
        self.set(so_far.parse::<i64>().unwrap() + seconds);
    }

    fn set(&self, seconds: i64) {
        // At once: the process may read it at any time.
        let fresh = self.directory.file("fresh");
        std::fs::write(&fresh, seconds.to_string()).unwrap();
        std::fs::rename(fresh, self.directory.file("seconds")).unwrap();
    }
}
