//! Uploaded images, stored and read piece by piece.
use rusqlite::{Connection, OptionalExtension, Result, params};

/// Bytes of one piece.
pub const PIECE: usize = 64 * 1024;

/// A complete upload.
#[derive(Debug, Clone, PartialEq)]
pub struct Upload {
    pub id: i64,
    pub media_type: String,
    pub size: i64,
}

/// Drops uploads that were never completed.
pub fn recover(db: &Connection) -> Result<usize> {
    db.execute("DELETE FROM uploads WHERE name IS NULL", [])
}

pub fn begin(db: &Connection, media_type: &str) -> Result<i64> {
    db.execute("INSERT INTO uploads (media_type) VALUES (?1)", [media_type])?;
    Ok(db.last_insert_rowid())
}

pub fn append(db: &Connection, id: i64, n: i64, bytes: &[u8]) -> Result<()> {
    db.prepare_cached("INSERT INTO upload_pieces VALUES (?1, ?2, ?3)")?
        .execute(params![id, n, bytes])?;
    let sql = "UPDATE uploads SET size = size + ?2 WHERE id = ?1";
    db.prepare_cached(sql)?.execute(params![id, bytes.len() as i64]).map(drop)
}

/// Names the upload by its content. When the same content is there already, this copy is dropped.
pub fn complete(db: &Connection, id: i64, name: &str) -> Result<()> {
    if find(db, name)?.is_some() {
        return abandon(db, id);
    }
    db.execute("UPDATE uploads SET name = ?2 WHERE id = ?1", params![id, name]).map(drop)
}

pub fn abandon(db: &Connection, id: i64) -> Result<()> {
    db.execute("DELETE FROM uploads WHERE id = ?1", [id]).map(drop)
}

pub fn find(db: &Connection, name: &str) -> Result<Option<Upload>> {
    db.query_row("SELECT id, media_type, size FROM uploads WHERE name = ?1", [name], |row| {
        Ok(Upload { id: row.get(0)?, media_type: row.get(1)?, size: row.get(2)? })
    })
    .optional()
}

pub fn piece(db: &Connection, id: i64, n: i64) -> Result<Option<Vec<u8>>> {
    db.prepare_cached("SELECT bytes FROM upload_pieces WHERE upload = ?1 AND n = ?2")?
        .query_row([id, n], |row| row.get(0))
        .optional()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_kept_once_and_half_uploads_not_at_all() {
        let db = super::super::in_memory();
        for _ in 0..2 {
            let id = begin(&db, "image/png").unwrap();
            append(&db, id, 0, b"abc").unwrap();
            append(&db, id, 1, b"de").unwrap();
            complete(&db, id, "upload-1.png").unwrap();
        }
        let half = begin(&db, "image/png").unwrap();
        append(&db, half, 0, b"x").unwrap();
        assert_eq!(recover(&db).unwrap(), 1);
        let upload = find(&db, "upload-1.png").unwrap().unwrap();
        assert_eq!((upload.size, upload.media_type.as_str()), (5, "image/png"));
        assert_eq!(piece(&db, upload.id, 1).unwrap().as_deref(), Some(&b"de"[..]));
        assert_eq!(piece(&db, upload.id, 2).unwrap(), None);
        let pieces: i64 =
            db.query_row("SELECT count(*) FROM upload_pieces", [], |r| r.get(0)).unwrap();
        assert_eq!(pieces, 2);
    }
}
