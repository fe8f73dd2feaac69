//! Keys from where the flags say: secrets, key sets, files and folders of keys.
//!
//! Owns how files are found and read, and what a message may show of a name that might be the secret
//! itself. Leaves to [`KeySet`] what a key is.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use jotmill::{Encoding, KeyError, KeySet};
use zeroize::Zeroizing;

use super::stdin;
use crate::cli::flags::{ENCODINGS, KeyFlags, Secret};

/// The largest key file that is read, in bytes.
const MAX_KEY_FILE: u64 = 64 << 20;
const TOO_LARGE: &str = "larger than 64 MiB, which no key file is";

/// Adds the keys that the flags name. Secrets of files come first, then those of variables, then
/// the files of `--jwks`, then those of `--key`, which take the same forms, then anchors, each in the
/// order given.
pub(crate) fn add_keys(
    keys: &mut KeySet,
    warnings: &mut Vec<String>,
    flags: &KeyFlags,
) -> Result<()> {
    for secret in &flags.secret_file {
        let origin = secret.place.to_string_lossy().into_owned();
        let text = read_key(Path::new(&secret.place), "secret").map_err(|error| {
            if may_encode(secret) {
                anyhow!("{error:#}; an encoding in front of a path is one of {ENCODINGS}")
            } else {
                error
            }
        })?;
        add_secret(keys, warnings, secret, &text, &origin)?;
    }
    for secret in &flags.secret_env {
        let origin = format!("${}", secret.place.to_string_lossy());
        let Some(value) = std::env::var_os(&secret.place) else {
            let hint = if may_encode(secret) {
                format!(", and an encoding in front of it is one of {ENCODINGS}")
            } else {
                String::new()
            };
            // The name may be a secret that was typed by mistake.
            bail!(
                "the variable that --secret-env names is not set; it takes a variable's name, \
                 which is not shown here since it might be a secret{hint}"
            );
        };
        let text = Zeroizing::new(value.into_encoded_bytes());
        add_secret(keys, warnings, secret, &text, &origin)?;
    }
    for path in flags.jwks.iter().chain(&flags.key) {
        if path.is_dir() {
            add_folder(keys, path)?;
        } else {
            let text = read_key(path, "key")?;
            keys.add_key(&text, &path.display().to_string())?;
        }
    }
    let names: Vec<&str> = flags.anchor_name.iter().map(String::as_str).collect();
    for path in &flags.anchor {
        let text = read_key(path, "anchor")?;
        keys.add_anchor(&text, &names, &path.display().to_string())?;
    }
    Ok(())
}

/// Adds the keys of every file of a folder, in the order of their names.
///
/// A file that cannot be read is an error, since nobody knows which tokens it would verify. One that
/// is no key, or a broken one, is not used, as an unusable key of a key set is not. A folder without a
/// usable key is an error.
fn add_folder(keys: &mut KeySet, folder: &Path) -> Result<()> {
    let context = || format!("cannot read the folder of keys {}", folder.display());
    let entries: io::Result<Vec<_>> = fs::read_dir(folder).with_context(context)?.collect();
    let mut paths: Vec<_> = (entries.with_context(context)?.iter())
        .map(fs::DirEntry::path)
        .collect();
    paths.sort();
    let (mut has_usable, mut first) = (false, None);
    for path in paths {
        match add_file_of_folder(keys, &path)? {
            Ok(is_key) => has_usable |= is_key,
            Err(error) => {
                first.get_or_insert_with(|| error.to_string());
            }
        }
    }
    if !has_usable {
        let first = first.map_or_else(String::new, |error| format!("; the first file: {error}"));
        bail!(
            "no key in the folder {} can be used{first}",
            folder.display()
        );
    }
    Ok(())
}

/// Adds the keys of one file of a folder, or says why it is not used. Returns whether it is a file
/// of keys.
fn add_file_of_folder(keys: &mut KeySet, path: &Path) -> Result<Result<bool, KeyError>> {
    let found =
        fs::metadata(path).with_context(|| format!("cannot read the key {}", path.display()))?;
    let problem = if found.is_dir() {
        // Tools keep their files there, and mounted secrets their versions.
        let is_hidden = |name: &OsStr| name.to_string_lossy().starts_with('.');
        if path.file_name().is_some_and(is_hidden) {
            return Ok(Ok(false));
        }
        "a folder in a folder of keys, which is not entered"
    } else if !found.is_file() {
        "no regular file"
    } else if found.len() > MAX_KEY_FILE {
        TOO_LARGE
    } else {
        let text = read(path, "key")?;
        let added = keys.add_key_of_folder(&text, &path.display().to_string());
        return Ok(added.map(|()| true));
    };
    let error = || KeyError {
        origin: path.display().to_string(),
        problem: problem.to_owned(),
    };
    keys.add_unusable_file(error());
    Ok(Err(error()))
}

/// Whether a prefix of the place may be meant as an encoding.
pub(crate) fn may_encode(secret: &Secret) -> bool {
    secret.encoding == Encoding::Raw && secret.place.to_string_lossy().contains(':')
}

fn add_secret(
    keys: &mut KeySet,
    warnings: &mut Vec<String>,
    secret: &Secret,
    text: &[u8],
    origin: &str,
) -> Result<(), KeyError> {
    keys.add_encoded_secret(text, secret.encoding, origin)?;
    if secret.encoding != Encoding::Raw {
        return Ok(());
    }
    if text.ends_with(b"\n") {
        warnings.push(format!(
            "{origin}: the secret ends with a newline, which is part of it; write it without one \
             (printf '%s') if signatures do not hold"
        ));
    }
    if text.starts_with(BOM) {
        warnings.push(format!(
            "{origin}: the secret begins with a byte order mark, which is part of it; write it \
             without one if signatures do not hold"
        ));
    }
    if let Some(form) = public_form(text) {
        warnings.push(format!(
            "{origin}: the secret looks like {form}; with a public key as an HMAC secret anyone \
             can sign"
        ));
    }
    Ok(())
}

const BOM: &[u8] = b"\xef\xbb\xbf";

/// What else a raw secret looks like. It is used as a secret all the same: what a key is, is never
/// guessed from its text.
fn public_form(secret: &[u8]) -> Option<&'static str> {
    let holds = |part: &str| memchr::memmem::find(secret, part.as_bytes()).is_some();
    let text = secret.strip_prefix(BOM).unwrap_or(secret);
    if holds("-----BEGIN") {
        Some("a PEM file")
    } else if text.trim_ascii_start().starts_with(b"{") && (holds("\"kty\"") || holds("\"keys\"")) {
        Some("a JWK; --jwks takes those")
    } else {
        None
    }
}

/// Reads a key or a secret; `-` is standard input.
fn read_key(path: &Path, what: &str) -> Result<Zeroizing<Vec<u8>>> {
    if path.as_os_str() == "-" {
        stdin::take()?;
        return read_all(&mut io::stdin().lock())
            .with_context(|| format!("cannot read the {what} from standard input"));
    }
    let url = path.to_str().filter(|text| is_url(text));
    if let Some(url) = url.filter(|_| !path.exists()) {
        // It may hold a password.
        let url = match url.contains(['@', '\'']) {
            true => "URL".to_owned(),
            false => format!("'{url}'"),
        };
        bail!(
            "a URL was given for a file of keys, and jotmill fetches nothing: curl -fsSL -o keys.json \
             {url}; then give keys.json"
        );
    }
    read(path, what)
}

fn is_url(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

fn read_all(file: &mut impl io::Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(Vec::new());
    file.take(MAX_KEY_FILE + 1).read_to_end(&mut text)?;
    if text.len() as u64 > MAX_KEY_FILE {
        return Err(io::Error::other(TOO_LARGE));
    }
    Ok(text)
}

/// Reads a file that is called a `what` in messages.
pub(crate) fn read(path: &Path, what: &str) -> Result<Zeroizing<Vec<u8>>> {
    let read = fs::File::open(path).and_then(|mut file| read_all(&mut file));
    if what == "secret"
        && path.components().count() == 1
        && matches!(&read, Err(error) if error.kind() == io::ErrorKind::NotFound)
    {
        bail!(
            "cannot read the secret: there is no such file; its name is not shown, since it might \
             be the secret itself (write ./NAME to see it)"
        );
    }
    read.with_context(|| match path.to_string_lossy() {
        text if is_like_a_key(&text) => format!(
            "cannot read the {what}: its path looks like the key itself, \
             and is not shown; write that into a file and give its path"
        ),
        _ => format!("cannot read the {what} {}", path.display()),
    })
}

/// Whether this is no path but a JWK or PEM, which may be private.
fn is_like_a_key(text: &str) -> bool {
    text.contains(['{', '\n']) || text.contains("-----")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_may_be_a_public_key_is_recognized() {
        for (secret, form) in [
            ("-----BEGIN PUBLIC KEY-----\n", Some("a PEM file")),
            ("\u{feff} \n-----BEGIN CERTIFICATE", Some("a PEM file")),
            ("{\"kty\":\"RSA\"}", Some("a JWK; --jwks takes those")),
            (" {\"keys\": []}", Some("a JWK; --jwks takes those")),
            ("\u{feff}{\"keys\": []}", Some("a JWK; --jwks takes those")),
            ("{\"key\":1}", None),
            ("\"kty\"", None),
            ("BEGIN", None),
        ] {
            assert_eq!(public_form(secret.as_bytes()), form, "{secret}");
        }
    }
}
