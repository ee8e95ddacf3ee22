//! Images: taken piece by piece, named by their content, served to anyone who knows the name.
use super::{Call, Failure, json};
use crate::demo::Participant;
use crate::demo::db::{Db, DbError, uploads};
use crate::http::{Body, Request, Response};
use rusqlite::Result as SqlResult;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::io::{self, Read, Write};

/// Largest image, in bytes.
const MAX_UPLOAD: u64 = 10 * 1024 * 1024;

/// Media type, file ending and first bytes of what is taken.
const TYPES: [(&str, &str, &[u8]); 2] =
    [("image/png", "png", b"\x89PNG\r\n\x1a\n"), ("image/jpeg", "jpg", b"\xff\xd8\xff")];

/// A stored image.
pub struct Stored {
    /// `upload-<sha>.<ext>`.
    pub name: String,
    pub media_type: &'static str,
    pub size: u64,
}

pub fn take(call: &mut Call<'_, '_>) -> Result<Response, Failure> {
    let stored = store(call)?;
    let url = call.participant.url_of(&stored.name);
    Ok(json(201, &json!({"url": url, "mediaType": stored.media_type, "size": stored.size})))
}

/// Streams the request's body into the state file.
pub fn store(call: &mut Call<'_, '_>) -> Result<Stored, Failure> {
    let too_large = || Failure::Refused(413, "too-large", "images are at most 10 MiB");
    let wrong_type = Failure::Refused(415, "unsupported-media-type", "only JPEG and PNG");
    let declared = call.request.fields.get("content-type").unwrap_or_default();
    let declared = declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let &(media_type, ending, magic) =
        TYPES.iter().find(|(name, ..)| *name == declared).ok_or(wrong_type)?;
    if call.request.body.length.is_some_and(|length| length > MAX_UPLOAD) {
        return Err(too_large());
    }
    let mut writer = Writer::begin(&call.participant.db, media_type)?;
    let mut piece = vec![0; uploads::PIECE];
    loop {
        let count = fill(call.request, &mut piece)
            .map_err(|_| Failure::Bad("the image did not arrive whole"))?;
        if writer.size + count as u64 > MAX_UPLOAD {
            return Err(too_large());
        }
        if writer.size == 0 && !piece[..count].starts_with(magic) {
            let words = "the first bytes are not those of the declared type";
            return Err(Failure::Refused(415, "type-mismatch", words));
        }
        if count == 0 {
            break;
        }
        writer.append(&piece[..count])?;
    }
    Ok(writer.complete(media_type, ending)?)
}

/// Reads until `piece` is full or the body ends.
fn fill(request: &mut Request<'_>, piece: &mut [u8]) -> io::Result<usize> {
    let mut count = 0;
    while count < piece.len() {
        match request.body.read(&mut piece[count..])? {
            0 => break,
            more => count += more,
        }
    }
    Ok(count)
}

/// An upload on its way; abandoned when dropped before it is complete.
struct Writer<'a> {
    db: &'a Db,
    id: Option<i64>,
    pieces: i64,
    size: u64,
    hash: Sha256,
}

impl<'a> Writer<'a> {
    fn begin(db: &'a Db, media_type: &'static str) -> Result<Self, DbError> {
        let id = db.run(move |t| uploads::begin(t, media_type))?;
        Ok(Writer { db, id: Some(id), pieces: 0, size: 0, hash: Sha256::new() })
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), DbError> {
        let Some(id) = self.id else { return Ok(()) };
        self.hash.update(bytes);
        let (n, piece) = (self.pieces, bytes.to_vec());
        self.pieces += 1;
        self.size += bytes.len() as u64;
        self.db.run(move |t| uploads::append(t, id, n, &piece))
    }

    fn complete(mut self, media_type: &'static str, ending: &str) -> Result<Stored, DbError> {
        let name = file_name(self.hash.clone(), ending);
        if let Some(id) = self.id.take() {
            let name = name.clone();
            self.db.run(move |t| uploads::complete(t, id, &name))?;
        }
        Ok(Stored { name, media_type, size: self.size })
    }
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            // What fails here is cleaned up at the next start.
            let _ = self.db.run(move |t| uploads::abandon(t, id));
        }
    }
}

fn file_name(hash: Sha256, ending: &str) -> String {
    let sha: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("upload-{sha}.{ending}")
}

/// An image of our own making.
pub struct Picture {
    pub bytes: Vec<u8>,
    pub media_type: &'static str,
    pub alt: String,
}

/// Stores a picture inside a transaction; its file name.
pub fn keep(db: &rusqlite::Connection, picture: &Picture) -> SqlResult<String> {
    let known = TYPES.iter().find(|(name, ..)| *name == picture.media_type);
    let ending = known.map_or("bin", |(_, ending, _)| ending);
    let id = uploads::begin(db, picture.media_type)?;
    for (n, piece) in picture.bytes.chunks(uploads::PIECE).enumerate() {
        uploads::append(db, id, n as i64, piece)?;
    }
    let mut hash = Sha256::new();
    hash.update(&picture.bytes);
    let name = file_name(hash, ending);
    uploads::complete(db, id, &name)?;
    Ok(name)
}

/// The payload that points at a picture.
pub fn link(url: &str, picture: &Picture) -> Value {
    let name = url.rsplit('/').next().unwrap_or_default();
    json!({
        "kind": "posta.link/v1", "url": url, "mediaType": picture.media_type, "name": name,
        "alt": picture.alt, "size": picture.bytes.len(),
    })
}

impl Participant {
    /// Where an upload is served.
    pub fn url_of(&self, upload: &str) -> String {
        format!("{}/{upload}", self.me.canonical())
    }

    /// Stores a picture; the payload that points at it.
    pub fn keep_picture(&self, picture: &Picture) -> Result<Value, DbError> {
        let copy = Picture { bytes: picture.bytes.clone(), alt: String::new(), ..*picture };
        let name = self.db.run(move |t| keep(t, &copy))?;
        Ok(link(&self.url_of(&name), picture))
    }

    /// `GET /upload-<sha>.<ext>`, for anyone: immutable, since the name is the content's.
    pub fn serve_upload(&self, path: &str) -> Response {
        let name = path.trim_start_matches('/').to_owned();
        let upload = match self.db.run(move |t| uploads::find(t, &name)) {
            Ok(Some(upload)) => upload,
            Ok(None) => return Failure::NotFound.answer(),
            Err(e) => return Failure::Db(e).answer(),
        };
        let db = self.db.clone();
        let write = move |out: &mut dyn Write| {
            for n in 0.. {
                let piece = db.run(move |t| uploads::piece(t, upload.id, n));
                match piece.map_err(io::Error::other)? {
                    Some(piece) => out.write_all(&piece)?,
                    None => break,
                }
            }
            Ok(())
        };
        let mut answer = Response::new(200)
            .with("content-type", upload.media_type)
            .with("cache-control", "public, max-age=31536000, immutable")
            .with("x-content-type-options", "nosniff");
        let length = u64::try_from(upload.size).ok();
        answer.body = Body::Stream { length, write: Box::new(write) };
        answer
    }
}
