//! `jotmill gen --logs`: writes a labelled corpus of logs with its keys.
//!
//! Owns the files, their compression and the summary. What logs look like is the generator's.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use flate2::write::GzEncoder;
use jotmill_datasets::{LogCounts, LogFile, LogFormat, LogSpec, Logs, quoted};
use zstd_safe::zstd_sys::ZSTD_EndDirective as Directive;
use zstd_safe::{CCtx, InBuffer, OutBuffer};

use super::{
    Earlier, KEYS, TRUTH, create, create_folder, is_file, others, refuse_old, shown, write,
};
use crate::cli::Exit;
use crate::cli::flags::{Compress, GenFlags};
use crate::cli::progress::Bar;

/// What each file has, as numbers.
const COUNTS: &str = "counts.ndjson";

/// Writes the corpus that the flags describe, and prints the command that audits it.
pub(super) fn run(flags: &GenFlags, folder: &Path, is_shown: bool) -> Result<Exit> {
    if flags.count.is_some() {
        bail!("--count is of lists of tokens; use --records to say how many records logs have");
    }
    if !flags.defects.is_empty() {
        bail!("--logs has a mix of defects of its own; leave out --defects");
    }
    let records = flags.records.unwrap_or(1_000);
    let spec = LogSpec {
        records,
        formats: match &flags.formats[..] {
            [] => LogFormat::ALL.to_vec(),
            given => given.to_vec(),
        },
        tokens: super::spec(flags)?,
    };
    let bar = Bar::of_keys(is_shown, flags.keys.into());
    let logs = Logs::new(spec, &|done| bar.set(done, String::new));
    bar.clear();
    let logs = logs?;
    let files: Vec<(LogFile<'_>, PathBuf)> = logs
        .files()
        .into_iter()
        .map(|file| {
            let path = folder.join(flags.compress.file_name(file.format()));
            (file, path)
        })
        .collect();
    let [truth, counts] = [TRUTH, COUNTS].map(|name| folder.join(name));
    let others = others(logs.dataset(), folder);
    let mut outputs = BTreeSet::from([truth.as_path(), counts.as_path()]);
    outputs.extend(files.iter().map(|(_, path)| path.as_path()));
    outputs.extend(others.iter().map(|(path, _)| path.as_path()));
    // Checked before anything is written, so that a refusal changes nothing.
    let earlier = earlier(folder)?;
    if flags.force {
        earlier.remove(folder, &outputs, [TRUTH, COUNTS])?;
    } else {
        let earlier = earlier.files.iter().map(PathBuf::as_path);
        outputs
            .iter()
            .copied()
            .chain(earlier)
            .try_for_each(refuse_old)?;
    }
    create_folder(folder)?;
    let mut truth_file = create(&truth, flags.force)?;
    for (path, content) in &others {
        write(path, content, flags.force)?;
    }

    let bar = Bar::of_records(is_shown, records);
    let mut rows = String::new();
    let mut sum = LogCounts::default();
    for (file, path) in &files {
        let mut output = Packer::new(create(path, flags.force)?, flags.compress);
        let name = flags.compress.file_name(file.format());
        let before = sum.records;
        let written = file
            .write(&name, &mut output, &mut truth_file, |done| {
                bar.set(before + done, String::new);
            })
            .and_then(|written| output.finish().map(|()| written))
            .with_context(|| format!("cannot write {} and {}", shown(path), shown(&truth)))?;
        let LogCounts {
            records,
            tokens,
            cut,
            credentials,
            bytes,
        } = written;
        sum.records += records;
        sum.tokens += tokens;
        rows += &format!(
            "{{\"file\":\"{name}\",\"format\":\"{}\",\"records\":{records},\"tokens\":{tokens},\
             \"cut\":{cut},\"credentials\":{credentials},\"bytes\":{bytes}}}\n",
            file.format()
        );
    }
    bar.clear();
    write(&counts, rows.as_bytes(), flags.force)?;
    if !flags.quiet {
        let arguments = logs
            .dataset()
            .audit_flags()
            .shell(&shown(&folder.join(KEYS)));
        let paths: Vec<String> = files.iter().map(|(_, path)| quoted(&shown(path))).collect();
        let mut out = io::stdout().lock();
        writeln!(
            out,
            "# {} records, {} of them with a token; {} says where each token is, and its verdict \
             when it was used and now",
            sum.records,
            sum.tokens,
            quoted(&shown(&truth))
        )?;
        writeln!(out, "jotmill audit {arguments} {}", paths.join(" "))?;
    }
    Ok(Exit::Valid)
}

/// The files of an earlier corpus: its logs, whatever their compression, and its keys.
fn earlier(folder: &Path) -> Result<Earlier> {
    // A corpus has one issuer, so that no folder is one of its.
    let mut earlier = Earlier::find(folder, "\n")?;
    for format in LogFormat::ALL {
        for compress in [Compress::None, Compress::Gzip, Compress::Zstd] {
            let path = folder.join(compress.file_name(*format));
            if is_file(&path) {
                earlier.files.push(path);
            }
        }
    }
    Ok(earlier)
}

impl Compress {
    /// The name of the file of a format.
    fn file_name(self, format: LogFormat) -> String {
        let suffix = match self {
            Self::None => "",
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
        };
        format!("{}{suffix}", format.file())
    }
}

/// A file that is compressed while it is written.
enum Packer {
    Plain(File),
    Gzip(GzEncoder<File>),
    Zstd {
        file: File,
        context: CCtx<'static>,
        buffer: Vec<u8>,
    },
}

impl Packer {
    fn new(file: File, compress: Compress) -> Self {
        match compress {
            Compress::None => Self::Plain(file),
            Compress::Gzip => Self::Gzip(GzEncoder::new(file, flate2::Compression::default())),
            Compress::Zstd => Self::Zstd {
                file,
                context: CCtx::create(),
                buffer: Vec::with_capacity(CCtx::out_size()),
            },
        }
    }

    /// Ends the member or frame.
    fn finish(mut self) -> io::Result<()> {
        match &mut self {
            Self::Plain(_) => {}
            Self::Gzip(encoder) => encoder.try_finish()?,
            Self::Zstd { .. } => self.compress(&[], Directive::ZSTD_e_end)?,
        }
        Ok(())
    }

    /// Compresses bytes into the file of a zstd frame, all of them.
    fn compress(&mut self, bytes: &[u8], directive: Directive) -> io::Result<()> {
        let Self::Zstd {
            file,
            context,
            buffer,
        } = self
        else {
            return Ok(());
        };
        let mut input = InBuffer::around(bytes);
        loop {
            buffer.clear();
            let mut output = OutBuffer::around(buffer);
            let left = context
                .compress_stream2(&mut output, &mut input, directive)
                .map_err(|code| io::Error::other(zstd_safe::get_error_name(code)))?;
            file.write_all(buffer)?;
            let is_ended = left == 0 || directive == Directive::ZSTD_e_continue;
            if is_ended && input.pos() == bytes.len() {
                return Ok(());
            }
        }
    }
}

impl Write for Packer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
            Self::Zstd { .. } => self
                .compress(bytes, Directive::ZSTD_e_continue)
                .map(|()| bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        // What is left is written at the end.
        Ok(())
    }
}
