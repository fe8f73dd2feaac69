//! The inputs of an audit: files by name, the files in folders, lists of files, and standard input.
//!
//! Owns which files these are, and their order: the paths as they are given, then those of the list;
//! in the place of a folder, its files in the order of their paths, byte by byte. Opening them is
//! left to the library, and to `output` that none of them is written to.

use std::ffi::OsString;
use std::fs::{File, FileType};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use jotmill::Input;
use walkdir::{DirEntry, WalkDir};

use super::flags::{AuditFlags, FileFlags};

/// The longest list of files, in bytes.
const MAX_LIST: u64 = 1 << 30;
/// How many files that were skipped are named.
const NAMED: usize = 5;

/// What an audit reads.
#[derive(Default)]
pub(crate) struct Inputs {
    pub(crate) inputs: Vec<Input<'static>>,
    /// The files among them.
    pub(crate) paths: Vec<PathBuf>,
    /// What was skipped.
    pub(crate) warnings: Vec<String>,
    /// How many files and folders the globs left out.
    left_out: usize,
}

/// Whether standard input is read, for tokens or for a list of files.
pub(crate) fn reads_stdin(flags: &AuditFlags) -> bool {
    reads_tokens_from_stdin(flags) || flags.files.lists_stdin()
}

fn reads_tokens_from_stdin(flags: &AuditFlags) -> bool {
    let is_default = flags.paths.is_empty() && flags.files.files_from.is_none();
    is_default || flags.paths.iter().any(|path| path.as_os_str() == "-")
}

impl Inputs {
    /// Finds the files that the flags name.
    ///
    /// # Errors
    /// Standard input would be read twice, the list cannot be read, a path is a token, or there is no
    /// file. A folder that cannot be read is an input with an error.
    pub(crate) fn find(flags: &AuditFlags) -> Result<Self> {
        let files = &flags.files;
        let mut found = Self::default();
        if reads_tokens_from_stdin(flags) && files.lists_stdin() {
            bail!("standard input (-) can be read only once, for tokens or as the list of files");
        }
        if flags.paths.is_empty() && files.files_from.is_none() {
            if files.recursive {
                bail!("--recursive needs the folder to read; . is the present one");
            }
            found.inputs.push(Input::Stdin);
            return Ok(found);
        }
        for path in &flags.paths {
            if path.as_os_str() != "-" {
                found.add(path, files)?;
            } else if found.inputs.iter().any(|it| matches!(it, Input::Stdin)) {
                bail!("standard input (-) can be read only once");
            } else {
                found.inputs.push(Input::Stdin);
            }
        }
        if let Some(list) = &files.files_from {
            for path in listed(list, files.null)? {
                found.add(&path, files)?;
            }
        }
        if found.inputs.is_empty() {
            bail!("no file to read: {}", found.why_empty());
        }
        Ok(found)
    }

    fn why_empty(&self) -> &'static str {
        match (self.warnings.is_empty(), self.left_out) {
            (true, 0) => "the folders and lists that were given are empty",
            (true, _) => "--include and --exclude leave none of those in the folders",
            (false, _) => "what is in the folders is left out or is no regular file",
        }
    }

    /// Adds a path that was given.
    fn add(&mut self, path: &Path, files: &FileFlags) -> Result<()> {
        if files.recursive && path.is_dir() {
            self.add_folder(path, files);
        } else if holds_a_token(path) && !path.exists() {
            bail!(
                "a token was given where the name of a file belongs; write it into a file, pipe it in, \
                 or give it to jotmill inspect"
            );
        } else {
            self.add_file(path.to_owned());
        }
        Ok(())
    }

    fn add_file(&mut self, path: PathBuf) {
        self.paths.push(path.clone());
        self.inputs.push(Input::Path(path));
    }

    /// Adds the files in a folder and in those below it. Links are not followed, so that it ends.
    fn add_folder(&mut self, folder: &Path, files: &FileFlags) {
        let below = |path: &Path| path.strip_prefix(folder).unwrap_or(path).to_owned();
        let mut left_out = 0;
        let entries = WalkDir::new(folder).into_iter().filter_entry(|entry| {
            let path = below(entry.path());
            let is_excluded = files.exclude.iter().any(|glob| glob.matches(&path));
            left_out += usize::from(entry.depth() > 0 && is_excluded);
            entry.depth() == 0 || !is_excluded
        });
        let mut found: Vec<(OsString, Entry)> = entries
            .filter_map(|entry| Some(Entry::of(entry, folder)).filter(|(_, it)| !it.is_folder()))
            .collect();
        self.left_out += left_out;
        // The order of paths byte by byte is not the order of the walk: a.log is before a/b.
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        let (mut links, mut special) = (Vec::new(), Vec::new());
        for (path, entry) in found {
            let path = PathBuf::from(path);
            let is_included = || {
                let path = below(&path);
                files.include.is_empty() || files.include.iter().any(|it| it.matches(&path))
            };
            match entry {
                Entry::Unreadable(error) => self.inputs.push(Input::Reader {
                    name: path.to_string_lossy().into_owned(),
                    reader: Box::new(Unreadable(Some(error))),
                }),
                _ if !is_included() => self.left_out += 1,
                Entry::File => self.add_file(path),
                Entry::Link => links.push((path, "a symbolic link")),
                Entry::Special(kind) => special.push((path, kind)),
                Entry::Folder => {}
            }
        }
        self.warn(&links, "symbolic links");
        self.warn(&special, "pipes, sockets and devices");
    }

    /// Warns of what was skipped: the first few by name.
    fn warn(&mut self, skipped: &[(PathBuf, &'static str)], kind: &str) {
        for (path, kind) in skipped.iter().take(NAMED) {
            let path = path.display();
            let warning = format!("{path} is {kind} and was skipped; give its name to read it");
            self.warnings.push(warning);
        }
        if let Some(more) = skipped.len().checked_sub(NAMED).filter(|more| *more > 0) {
            self.warnings
                .push(format!("{more} more {kind} were skipped"));
        }
    }
}

/// Something in a folder.
enum Entry {
    File,
    Folder,
    Link,
    /// What is no file, as words.
    Special(&'static str),
    Unreadable(io::Error),
}

impl Entry {
    fn of(entry: walkdir::Result<DirEntry>, folder: &Path) -> (OsString, Self) {
        match entry {
            Ok(entry) => {
                let kind = Self::kind(entry.file_type(), entry.depth());
                (entry.into_path().into_os_string(), kind)
            }
            Err(error) => {
                let path = error.path().unwrap_or(folder).as_os_str().to_owned();
                // Without an error of the system it is a loop, which only links that are followed make.
                let unknown = || io::Error::other("the folder cannot be listed");
                (
                    path,
                    Self::Unreadable(error.into_io_error().unwrap_or_else(unknown)),
                )
            }
        }
    }

    fn kind(kind: FileType, depth: usize) -> Self {
        if kind.is_dir() || depth == 0 {
            Self::Folder
        } else if kind.is_file() {
            Self::File
        } else if kind.is_symlink() {
            Self::Link
        } else {
            Self::Special(special(kind))
        }
    }

    fn is_folder(&self) -> bool {
        matches!(self, Self::Folder)
    }
}

#[cfg(unix)]
fn special(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(not(unix))]
fn special(_kind: FileType) -> &'static str {
    "no regular file"
}

/// A folder whose files could not be listed: an input that gives the error.
struct Unreadable(Option<io::Error>);

impl Read for Unreadable {
    fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

fn holds_a_token(path: &Path) -> bool {
    let name = path.to_string_lossy();
    *name != *jotmill::redacted(&name)
}

/// The paths that a list names.
fn listed(list: &Path, is_null: bool) -> Result<Vec<PathBuf>> {
    let mut text = Vec::new();
    let (name, read) = if list.as_os_str() == "-" {
        let read = io::stdin().lock().take(MAX_LIST + 1).read_to_end(&mut text);
        ("standard input".to_owned(), read)
    } else {
        let file = File::open(list);
        let read = file.and_then(|file| file.take(MAX_LIST + 1).read_to_end(&mut text));
        (list.display().to_string(), read)
    };
    read.with_context(|| format!("cannot read the list of files, {name}"))?;
    if text.len() as u64 > MAX_LIST {
        bail!("{name} is larger than 1 GiB, which no list of files is");
    }
    if !is_null && text.contains(&0) {
        bail!("the list of files, {name}, has NUL bytes; add --null if they end its paths");
    }
    let end = if is_null { 0 } else { b'\n' };
    let lines = text.split(|byte| *byte == end);
    lines
        .map(|line| match is_null {
            true => line,
            false => line.strip_suffix(b"\r").unwrap_or(line),
        })
        .filter(|line| !line.is_empty())
        .map(|line| {
            let path = path(line).with_context(|| format!("a path in {name} is not UTF-8"))?;
            // In a list it is a file of this name.
            Ok(match path.as_os_str() == "-" {
                true => PathBuf::from("./-"),
                false => path,
            })
        })
        .collect()
}

#[cfg(unix)]
fn path(bytes: &[u8]) -> Result<PathBuf> {
    use std::os::unix::ffi::OsStrExt;
    Ok(std::ffi::OsStr::from_bytes(bytes).into())
}

#[cfg(not(unix))]
fn path(bytes: &[u8]) -> Result<PathBuf> {
    Ok(std::str::from_utf8(bytes)?.into())
}
