//! `jotmill gen`: write a seeded data set with its keys and its ground truth.

use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use jotmill::dataset::{Dataset, Issuer, Spec};

use super::Exit;
use super::flags::GenFlags;
use super::progress::Bar;

/// The files of a data set, in its folder.
const TOKENS: &str = "tokens.txt";
const KEYS: &str = "keys.json";
const TRUTH: &str = "truth.ndjson";
/// Where there are several issuers, whose keys are in folders.
const POLICY: &str = "policy.toml";

/// Writes the data set that the flags describe, and prints the command that audits it.
pub(crate) fn run(flags: &GenFlags) -> Result<Exit> {
    let is_shown = !flags.quiet && flags.progress.or(io::stderr().is_terminal());
    let keys = u64::from(flags.keys) * u64::from(flags.issuers);
    let bar = Bar::of_keys(is_shown, keys);
    let spec = Spec {
        count: flags.count,
        seed: flags.seed,
        issuers: flags.issuers,
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
    create_folder(folder)?;
    let [tokens, keys, truth, policy] = [TOKENS, KEYS, TRUTH, POLICY].map(|name| folder.join(name));
    let mut tokens_file = create(&tokens, flags.force)?;
    let mut truth_file = create(&truth, flags.force)?;
    let is_one = dataset.issuers().len() == 1;
    for issuer in dataset.issuers() {
        if is_one {
            write_keys(issuer, folder, flags.force)?;
        } else {
            write_keys(issuer, &folder.join(issuer.folder()), flags.force)?;
        }
    }
    if !is_one {
        write(&policy, dataset.policy().as_bytes(), flags.force)?;
    }

    let bar = Bar::of_tokens(is_shown, flags.count);
    let summary = dataset
        .write(&mut tokens_file, Some(&mut truth_file), |done| {
            bar.set(done, String::new)
        })
        .with_context(|| format!("cannot write {} and {}", tokens.display(), truth.display()))?;
    bar.clear();
    if !flags.quiet {
        let arguments = if is_one {
            dataset.audit_flags().shell(&keys.display().to_string())
        } else {
            format!("--policy {} --now {}", policy.display(), flags.now)
        };
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

/// Writes the keys of an issuer into this folder.
fn write_keys(issuer: &Issuer, folder: &Path, may_replace: bool) -> Result<()> {
    create_folder(folder)?;
    write(&folder.join(KEYS), issuer.jwks().as_bytes(), may_replace)?;
    for file in issuer.key_files() {
        write(&folder.join(&file.name), &file.content, may_replace)?;
    }
    Ok(())
}

fn create_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot create the folder {}", folder.display()))
}

fn write(path: &Path, content: &[u8], may_replace: bool) -> Result<()> {
    create(path, may_replace)?
        .write_all(content)
        .with_context(|| format!("cannot write {}", path.display()))
}

fn create(path: &Path, may_replace: bool) -> Result<File> {
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
