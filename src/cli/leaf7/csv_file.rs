//! Generated keys as a file for spreadsheets: for its owner alone, complete after each answer, and never over another
//! file.

use crate::cli::console::Failure;
use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

pub struct CsvFile {
    pub path: PathBuf,
    writer: csv::Writer<File>,
    empty: bool,
}

impl CsvFile {
    /// Made before anything is generated: what cannot be written down is not asked for.
    pub fn create(path: &Path) -> Result<Self, Failure> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let file = file.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                Failure::mistake(format!("{} is there already, and is not written over", path.display()))
                    .hint("name another file, or take that one away".to_owned())
            }
            _ => Failure::mistake(format!("{} cannot be made: {error}", path.display())),
        })?;
        Ok(Self { path: path.to_owned(), writer: csv::Writer::from_writer(file), empty: true })
    }

    /// The titles before the first rows; on the disk when it returns.
    pub fn write(&mut self, titles: &[String], rows: &[Vec<String>]) -> io::Result<()> {
        if self.empty {
            self.writer.write_record(titles)?;
            self.empty = false;
        }
        for row in rows {
            self.writer.write_record(row.iter().map(|cell| harmless(cell)))?;
        }
        self.writer.flush()?;
        self.writer.get_ref().sync_data()
    }

    /// One in which nothing stands is taken away again.
    pub fn finish(self) {
        if self.empty {
            // It is of no use, and it is empty: one that stays does no harm.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A spreadsheet takes these for the beginning of a formula.
fn harmless(cell: &str) -> String {
    match cell.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r') => format!("'{cell}"),
        Some(_) | None => cell.to_owned(),
    }
}
