//! `jotmill gen`: write a seeded data set with its keys and its ground truth.

use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use jotmill::dataset::{Dataset, Spec};

use super::Exit;
use super::flags::GenFlags;
use super::progress::Bar;

/// The files of a data set, in its folder.
const TOKENS: &str = "tokens.txt";
const KEYS: &str = "keys.json";
const TRUTH: &str = "truth.ndjson";

/// Writes the data set that the flags describe, and prints the command that audits it.
pub(crate) fn run(flags: &GenFlags) -> Result<Exit> {
    let is_shown = !flags.quiet && flags.progress.or(io::stderr().is_terminal());
    let bar = Bar::of_keys(is_shown, flags.keys.into());
    let spec = Spec {
        count: flags.count,
        seed: flags.seed,
        algorithms: flags.alg.clone(),
        keys: flags.keys,
        rsa_bits: flags.rsa_bits.clone(),
        key_forms: flags.key_forms.clone(),
        keys_without_id: flags.keys_without_id,
        now: flags.now,
        leeway: flags.leeway,
        defects: Spec::parse_defects(&flags.defects)?,
        edges: flags.edges,
        without_kid: flags.without_kid,
        shape: flags.shape,
        repeat: flags.repeat,
    };
    let dataset = Dataset::with_progress(spec, &|done| bar.set(done, String::new));
    bar.clear();
    let dataset = dataset?;
    let folder = &flags.folder;
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot create the folder {}", folder.display()))?;
    let [tokens, keys, truth] = [TOKENS, KEYS, TRUTH].map(|name| folder.join(name));
    let mut tokens_file = create(&tokens, flags.force)?;
    let mut keys_file = create(&keys, flags.force)?;
    let mut truth_file = create(&truth, flags.force)?;

    let bar = Bar::of_tokens(is_shown, flags.count);
    keys_file
        .write_all(dataset.jwks().as_bytes())
        .with_context(|| format!("cannot write {}", keys.display()))?;
    for file in dataset.key_files() {
        let path = folder.join(&file.name);
        create(&path, flags.force)?
            .write_all(&file.content)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    let summary = dataset
        .write(&mut tokens_file, Some(&mut truth_file), |done| {
            bar.set(done, String::new)
        })
        .with_context(|| format!("cannot write {} and {}", tokens.display(), truth.display()))?;
    bar.clear();
    if !flags.quiet {
        let arguments = dataset.audit_flags().shell(&keys.display().to_string());
        let mut out = io::stdout().lock();
        writeln!(
            out,
            "# {} tokens, {} of them valid; {} says what is wrong with each of the others",
            summary.lines,
            summary.valid,
            truth.display()
        )?;
        writeln!(out, "jotmill audit {arguments} {}", tokens.display())?;
    }
    Ok(Exit::Valid)
}

fn create(path: &PathBuf, may_replace: bool) -> Result<File> {
    let mut options = OpenOptions::new();
    options.write(true);
    if may_replace {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    match options.open(path) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
            bail!(
                "{} exists; choose another folder, or give --force",
                shown(path)
            )
        }
        outcome => outcome.with_context(|| format!("cannot create {}", shown(path))),
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
