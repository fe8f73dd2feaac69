//! `jotmill gen`: writes a seeded data set with its keys and its ground truth.

mod logs;

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result, anyhow, bail};
use jotmill_datasets::{Dataset, Issuer, KeyFile, MAX_ISSUERS, Spec, quoted};

use super::Exit;
use super::flags::{Compress, GenFlags};
use super::progress::Bar;

/// The files of a data set, in its folder.
const TOKENS: &str = "tokens.txt";
const KEYS: &str = "keys.json";
const TRUTH: &str = "truth.ndjson";
/// If there are several issuers; their keys are in folders.
const POLICY: &str = "policy.toml";

/// Writes the data set that the flags describe, and prints the command that audits it.
pub(crate) fn run(flags: &GenFlags) -> Result<Exit> {
    let is_shown = !flags.quiet && flags.progress.or(io::stderr().is_terminal());
    if let Some(folder) = &flags.logs {
        return logs::run(flags, folder, is_shown);
    }
    let Some(folder) = &flags.folder else {
        bail!("give the folder that takes the data set, or --logs DIR");
    };
    if flags.records.is_some() || !flags.formats.is_empty() || flags.compress != Compress::None {
        bail!("--records, --formats and --compress are of logs; give --logs DIR");
    }
    let keys = u64::from(flags.keys) * u64::from(flags.issuers);
    let bar = Bar::of_keys(is_shown, keys);
    let spec = spec(flags)?;
    let count = spec.count;
    let dataset = Dataset::with_progress(spec, &|done| bar.set(done, String::new));
    bar.clear();
    let dataset = dataset?;
    let [tokens, truth] = [TOKENS, TRUTH].map(|name| folder.join(name));
    let others = others(&dataset, folder);
    let mut outputs = BTreeSet::from([tokens.as_path(), truth.as_path()]);
    outputs.extend(others.iter().map(|(path, _)| path.as_path()));
    // Checked before anything is written, so that a refusal changes nothing.
    let policy = dataset.policy();
    let earlier = Earlier::find(folder, policy.lines().next().unwrap_or_default())?;
    if flags.force {
        earlier.remove(folder, &outputs, [TOKENS, TRUTH])?;
    } else {
        let names = earlier.files.iter().map(PathBuf::as_path);
        outputs
            .iter()
            .copied()
            .chain(names)
            .try_for_each(refuse_old)?;
    }
    create_folder(folder)?;
    let mut tokens_file = create(&tokens, flags.force)?;
    let mut truth_file = create(&truth, flags.force)?;
    for (path, content) in &others {
        path.parent().map_or(Ok(()), create_folder)?;
        write(path, content, flags.force)?;
    }

    let bar = Bar::of_tokens(is_shown, count);
    let summary = dataset
        .write(&mut tokens_file, Some(&mut truth_file), |done| {
            bar.set(done, String::new)
        })
        .with_context(|| format!("cannot write {} and {}", tokens.display(), truth.display()))?;
    bar.clear();
    if !flags.quiet {
        let arguments = if dataset.issuers().len() == 1 {
            dataset.audit_flags().shell(&shown(&folder.join(KEYS)))
        } else {
            let policy = quoted(&shown(&folder.join(POLICY)));
            format!("--policy {policy} --now {}", flags.now)
        };
        let mut out = io::stdout().lock();
        writeln!(
            out,
            "# {} tokens, {} of them valid; {} says what is wrong with each of the others",
            summary.lines,
            summary.valid,
            quoted(&shown(&truth))
        )?;
        writeln!(out, "jotmill audit {arguments} {}", quoted(&shown(&tokens)))?;
    }
    Ok(Exit::Valid)
}

/// What the flags say of the tokens.
fn spec(flags: &GenFlags) -> Result<Spec> {
    Ok(Spec {
        count: flags.count.unwrap_or(1_000),
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
    })
}

/// The other files of a data set, with their contents.
fn others(dataset: &Dataset, folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut keys_of = |issuer: &Issuer, folder: &Path| {
        files.push((folder.join(KEYS), issuer.jwks().into_bytes()));
        let own = issuer.key_files().into_iter();
        files.extend(own.map(|file| (folder.join(file.name), file.content)));
    };
    if let [issuer] = dataset.issuers() {
        keys_of(issuer, folder);
    } else {
        for issuer in dataset.issuers() {
            keys_of(issuer, &folder.join(issuer.folder()));
        }
        files.push((folder.join(POLICY), dataset.policy().into_bytes()));
    }
    files
}

/// The key files of an earlier data set in a folder. If they stayed, they would be mistaken for
/// keys of the new one.
struct Earlier {
    /// Key sets, key files and the policy file.
    files: Vec<PathBuf>,
    /// The folders of several issuers.
    folders: Vec<PathBuf>,
}

impl Earlier {
    /// Recognizes them by the names that gen uses, and folders of issuers only beside a policy file
    /// with the `title` that gen writes: without one, such folders may belong to someone else.
    fn find(folder: &Path, title: &str) -> Result<Earlier> {
        let mut found = Earlier {
            files: Vec::new(),
            folders: Vec::new(),
        };
        if !folder.is_dir() {
            return Ok(found);
        }
        found.files = keys_in(folder)?;
        let policy = folder.join(POLICY);
        if is_file(&policy) && starts_with(&policy, title)? {
            for number in 1..=MAX_ISSUERS {
                let folder = folder.join(Issuer::folder_of(number));
                if fs::symlink_metadata(&folder).is_ok_and(|found| found.is_dir()) {
                    found.files.extend(keys_in(&folder)?);
                    found.folders.push(folder);
                }
            }
            // Removed last, since the folders are recognized by it.
            found.files.push(policy);
        }
        Ok(found)
    }

    /// Removes the files that are not among `outputs`.
    ///
    /// # Errors
    /// A name does not prove that gen made a file. If there are such files, but not both of
    /// `beside`, which every data set of its kind has, nothing is removed.
    fn remove(self, folder: &Path, outputs: &BTreeSet<&Path>, beside: [&str; 2]) -> Result<()> {
        let rest = self.files.iter().map(PathBuf::as_path);
        let mut rest = rest.filter(|path| !outputs.contains(path)).peekable();
        if let Some(path) = rest.peek()
            && !beside.iter().all(|name| is_file(&folder.join(name)))
        {
            bail!(
                "{} would be taken for a part of the new data set, and without {} and {} beside \
                 it, it may not be of an earlier one; move it, or choose another folder",
                shown(path),
                beside[0],
                beside[1]
            );
        }
        for path in rest {
            fs::remove_file(path).with_context(|| {
                let path = shown(path);
                format!("cannot remove {path}, which is of an earlier data set")
            })?;
        }
        for folder in self.folders {
            // A folder with other files in it stays.
            let _ = fs::remove_dir(folder);
        }
        Ok(())
    }
}

/// The files in a folder with names that gen uses for key files.
fn keys_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let cannot = || format!("cannot read the folder {}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(cannot)? {
        let entry = entry.with_context(cannot)?;
        let name = entry.file_name();
        let is_own = |name: &str| name == KEYS || KeyFile::has_name(name);
        if name.to_str().is_some_and(is_own) && is_file(&entry.path()) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// Whether a regular file exists; gen creates no links.
fn is_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_file())
}

fn starts_with(path: &Path, text: &str) -> Result<bool> {
    let mut start = Vec::new();
    let len = u64::try_from(text.len()).unwrap_or(u64::MAX);
    File::open(path)
        .and_then(|file| file.take(len).read_to_end(&mut start))
        .with_context(|| format!("cannot read {}", path.display()))?;
    Ok(start == text.as_bytes())
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
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Err(exists(path)),
        outcome => outcome.with_context(|| format!("cannot create {}", shown(path))),
    }
}

/// # Errors
/// If it exists.
fn refuse_old(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(_) => Err(exists(path)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        // For example a file in place of a folder.
        Err(e) => Err(e).with_context(|| format!("cannot create {}", shown(path))),
    }
}

fn exists(path: &Path) -> Error {
    anyhow!(
        "{} exists; choose another folder, or give --force",
        shown(path)
    )
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
