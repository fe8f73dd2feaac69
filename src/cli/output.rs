//! The outputs: standard output or files. None of them may also be a file that is read.
//!
//! Files are compared by device and inode once every output exists, so that no other name of a file,
//! and no link to one that did not exist yet, makes it both.

use std::fs::{File, Metadata};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use jotmill::OutputError;

/// In bytes: large enough for cheap writes, small enough that rows appear soon.
const BUFFER: usize = 64 << 10;

/// The files that a run reads, by device and inode.
pub(crate) struct ReadFiles(Vec<(String, FileId)>);

#[derive(Clone, Copy, PartialEq, Eq)]
struct FileId {
    device: u64,
    inode: u64,
}

#[cfg(unix)]
fn id(metadata: &Metadata) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt;
    // A terminal or /dev/null may be both input and output.
    metadata.is_file().then(|| FileId {
        device: metadata.dev(),
        inode: metadata.ino(),
    })
}

#[cfg(not(unix))]
fn id(_metadata: &Metadata) -> Option<FileId> {
    None
}

impl ReadFiles {
    /// Records the files among `paths`, those in folders among them, and standard input if it is
    /// read.
    pub(crate) fn new<'p>(paths: impl Iterator<Item = &'p Path>, reads_stdin: bool) -> Self {
        let in_folder = |folder: &Path| {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            entries.map(|entry| entry.path()).collect()
        };
        let mut files: Vec<(String, FileId)> = paths
            .flat_map(|path| match path.is_dir() {
                true => in_folder(path),
                false => vec![path.to_owned()],
            })
            .filter_map(|path| {
                let metadata = std::fs::metadata(&path).ok()?;
                Some((path.display().to_string(), id(&metadata)?))
            })
            .collect();
        if reads_stdin && let Some(id) = stream_id(&io::stdin()) {
            files.push(("standard input".to_owned(), id));
        }
        Self(files)
    }

    fn refuse(&self, name: &str, output: Option<FileId>) -> Result<()> {
        if let Some((input, _)) = self.0.iter().find(|(_, id)| Some(*id) == output) {
            bail!(
                "{name} is also read{}; write to another file",
                if input == name {
                    String::new()
                } else {
                    format!(", as {input}")
                }
            );
        }
        Ok(())
    }

    /// Checks that standard output is not a file that is read.
    pub(crate) fn check_stdout(&self) -> Result<()> {
        self.refuse("standard output", stream_id(&io::stdout()))
    }

    /// Checks that an output is not a file that is read.
    pub(crate) fn check(&self, output: &Destination) -> Result<()> {
        self.refuse(&output.name, output.id())
    }
}

#[cfg(unix)]
fn stream_id(stream: &impl std::os::fd::AsFd) -> Option<FileId> {
    let file = File::from(stream.as_fd().try_clone_to_owned().ok()?);
    id(&file.metadata().ok()?)
}

#[cfg(not(unix))]
fn stream_id<S>(_stream: &S) -> Option<FileId> {
    None
}

/// A file that is open for writing and not yet truncated.
pub(crate) struct Destination {
    file: File,
    name: String,
    /// Where the file is, if it did not exist before.
    created: Option<PathBuf>,
}

impl Destination {
    /// Opens or creates a file without truncating it.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        if name == "-" {
            bail!("an output is a file, not -; rows go to standard output with --format ndjson");
        }
        let is_new = !path.exists();
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .with_context(|| format!("cannot create {name}"))?;
        // What a dangling link created is where the link leads.
        let created = if is_new {
            path.canonicalize().ok()
        } else {
            None
        };
        Ok(Self {
            file,
            name,
            created,
        })
    }

    fn id(&self) -> Option<FileId> {
        id(&self.file.metadata().ok()?)
    }

    /// Removes the file if it was created for this output, since it would be an empty input of the
    /// next run.
    pub(crate) fn discard(self) {
        if let Some(path) = self.created {
            let _ = std::fs::remove_file(path);
        }
    }

    /// Truncates the file, after all other checks.
    pub(crate) fn begin(self) -> Result<Output> {
        let Self { file, name, .. } = self;
        if file.metadata().is_ok_and(|metadata| metadata.is_file()) {
            file.set_len(0)
                .with_context(|| format!("cannot empty {name}"))?;
        }
        Ok(Output {
            is_terminal: file.is_terminal(),
            writer: BufWriter::with_capacity(BUFFER, Box::new(file)),
            name,
        })
    }
}

/// Whether the report, on `main` or standard output, and the rows would be written to the same
/// file.
pub(crate) fn share_a_file(main: Option<&Destination>, rows: &Destination) -> bool {
    let main = match main {
        Some(main) => main.id(),
        None => stream_id(&io::stdout()),
    };
    main.is_some() && main == rows.id()
}

/// An output that is open.
pub(crate) struct Output {
    writer: BufWriter<Box<dyn Write>>,
    name: String,
    pub(crate) is_terminal: bool,
}

impl Output {
    /// Standard output.
    pub(crate) fn stdout() -> Self {
        let stdout = io::stdout();
        let is_terminal = stdout.is_terminal();
        Self {
            writer: BufWriter::with_capacity(BUFFER, unbuffered_stdout()),
            name: "standard output".to_owned(),
            is_terminal,
        }
    }

    /// Its name in messages.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

/// Standard output without the standard library's line buffer, which costs a system call per row.
fn unbuffered_stdout() -> Box<dyn Write> {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        if let Ok(descriptor) = io::stdout().as_fd().try_clone_to_owned() {
            return Box::new(File::from(descriptor));
        }
    }
    Box::new(io::stdout())
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// The outputs for rows; each gets all rows. Errors name the output.
pub(crate) struct RowOutputs<'a>(pub(crate) Vec<&'a mut Output>);

impl RowOutputs<'_> {
    fn each(&mut self, write: impl Fn(&mut Output) -> io::Result<()>) -> io::Result<()> {
        self.0.iter_mut().try_for_each(|output| {
            write(output).map_err(|source| {
                let output = output.name.clone();
                OutputError { output, source }.into()
            })
        })
    }
}

impl Write for RowOutputs<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.each(|output| output.write_all(bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.each(Output::flush)
    }
}
