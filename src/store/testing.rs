//! Stores in folders of their own, and people to put into them.
use super::{NewPasskey, NewUser, Store};
use crate::ops::{encode, random};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Removed with its owner.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        let name = format!("chat-posta-store-{}", encode::b64url(&random::bytes::<9>()));
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).expect("the temporary directory can be written to");
        Folder(folder)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub struct Temporary {
    // Dropped in this order: the store closes its files before they go.
    pub store: Store,
    pub path: PathBuf,
    folder: Folder,
}

impl Temporary {
    /// Closes the store and keeps its files.
    pub fn close(self) -> Folder {
        self.folder
    }

    /// The code of an invite that lives for a minute from time 0.
    pub fn invite(&self) -> String {
        self.store.invite_create("Somebody", Duration::from_secs(60), 0).expect("it is stored")
    }
}

pub fn temporary() -> Temporary {
    let folder = Folder::new();
    let path = folder.path("state.db");
    Temporary { store: open(&path), path, folder }
}

fn open(path: &Path) -> Store {
    Store::open(path).expect("a fresh database opens")
}

/// Somebody at `https://<name>.example` with one passkey whose id is 16 times `credential`.
pub fn new_user(name: &str, credential: u8) -> NewUser {
    NewUser {
        handle: random::bytes(),
        name: name.into(),
        identity_url: format!("https://{}.example", name.to_ascii_lowercase()),
        server_url: "https://server.example".into(),
        sealed_token: vec![1, 2, 3],
        passkey: NewPasskey {
            credential_id: vec![credential; 16],
            public_key: vec![4; 65],
            sign_count: 0,
            backup_eligible: true,
            backed_up: false,
            transports: vec!["internal".into(), "hybrid".into()],
            aaguid: [7; 16],
            wrapped_key: vec![9; 61],
        },
    }
}
