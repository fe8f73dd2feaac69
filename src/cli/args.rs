//! What was typed, and what it means: flags become a policy and a key set.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use jotmill::{Encoding, Kernel, Key, KeyError, KeyFinding, KeySet, Policy, UnixTime, Validator};
use zeroize::Zeroizing;

use super::flags::{ENCODINGS, KeyFlags, PolicyFlags, Secret};
use super::policy_file::{self, PolicyFile};

/// Key files beyond this are not read: no key set needs as much.
const MAX_KEY_FILE: u64 = 64 << 20;
const TOO_LARGE: &str = "larger than 64 MiB, which no key file is";

/// The policy that the flags describe.
pub(crate) fn policy(flags: &PolicyFlags) -> Result<Policy> {
    let mut policy = Policy::new();
    for issuer in &flags.issuer {
        policy = policy.issuer(issuer);
    }
    for subject in &flags.subject {
        policy = policy.subject(subject);
    }
    for audience in &flags.audience {
        policy = policy.audience(audience);
    }
    for name in &flags.require {
        policy = policy.require(name)?;
    }
    if let Some(typ) = &flags.typ {
        policy = policy.typ(typ);
    }
    if !flags.alg.is_empty() {
        policy = policy.algorithms(flags.alg.iter().copied().collect());
    }
    if let Some(seconds) = flags.leeway {
        policy = policy.leeway(seconds)?;
    }
    if let Some(seconds) = flags.max_age {
        policy = policy.max_age(seconds)?;
    }
    if let Some(seconds) = flags.max_lifetime {
        policy = policy.max_lifetime(seconds)?;
    }
    if let Some(bytes) = flags.max_token_bytes {
        policy = policy.max_token_bytes(bytes)?;
    }
    if let Some(keys) = flags.max_key_tries {
        policy = policy.max_key_tries(keys)?;
    }
    if flags.kid_hint {
        policy = policy.kid_as_hint();
    }
    Ok(policy)
}

/// The rules of a run, and its instant.
pub(crate) struct Rules {
    now: UnixTime,
    /// The policies and their keys: one, unless a policy file has several issuers.
    policies: Vec<(Policy, KeySet)>,
    /// Where the keys of each policy are.
    sources: Vec<KeyFlags>,
    policy_file: Option<PathBuf>,
    is_strict: bool,
    warnings: Vec<String>,
}

impl Rules {
    /// The rules that the flags describe, or the policy file that they name. Without `--now` the
    /// clock is read, here and only here.
    pub(crate) fn new(flags: &PolicyFlags, keys: &KeyFlags) -> Result<Self> {
        let now = flags.now.map_or_else(UnixTime::now, Ok)?;
        let Some(path) = &flags.policy else {
            let policy = policy(flags)?;
            let (mut set, mut warnings) = (KeySet::new(), Vec::new());
            add_keys(&mut set, &mut warnings, keys)?;
            return Ok(Self {
                now,
                policies: vec![(policy, set)],
                sources: vec![keys.clone()],
                policy_file: None,
                is_strict: keys.strict_keys,
                warnings,
            });
        };
        let file = PolicyFile::read(path)?;
        let mut warnings = Vec::new();
        let policies = file.policies(flags, &mut warnings)?;
        Ok(Self {
            now,
            policies,
            sources: file.sources(),
            policy_file: Some(path.clone()),
            is_strict: keys.strict_keys || file.is_strict(),
            warnings,
        })
    }

    /// The instant of the run.
    pub(crate) const fn now(&self) -> UnixTime {
        self.now
    }

    /// Whether there is no key to verify with.
    pub(crate) fn has_no_key(&self) -> bool {
        self.policies.iter().all(|(_, keys)| keys.is_empty())
    }

    /// Judges by the policy of this number alone, and its keys.
    pub(crate) fn only(mut self, number: usize) -> Self {
        if number < self.policies.len() {
            self.policies = vec![self.policies.swap_remove(number)];
            self.sources = vec![self.sources.swap_remove(number)];
        }
        self
    }

    /// A validator, and what is to be said about its keys; or an error that names the flags which
    /// give keys.
    pub(crate) fn validator(mut self) -> Result<(Validator, Vec<String>)> {
        if self.has_no_key() {
            bail!("no key given; use --jwks, --key, --secret-file or --secret-env");
        }
        let validator = Validator::with_issuers(self.policies)?;
        let findings = |key: &Key| validator.key_findings(key, self.now);
        look_over(
            validator.keys(),
            findings,
            self.is_strict,
            &mut self.warnings,
        )?;
        Ok((validator, self.warnings))
    }

    /// The files that are read for it.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let of = |keys: &KeyFlags| {
            let secrets = keys.secret_file.iter();
            let secrets: Vec<PathBuf> = secrets.map(|secret| (&secret.place).into()).collect();
            [&keys.jwks[..], &keys.key, &secrets].concat()
        };
        let files = self.sources.iter().flat_map(of);
        files.chain(self.policy_file.clone()).collect()
    }

    /// The policy file that says the same.
    pub(crate) fn print(self) -> Result<String> {
        let (sources, is_strict) = (self.sources.clone(), self.is_strict);
        let (validator, _) = self.validator()?;
        policy_file::effective(&validator, &sources, is_strict)
    }
}

/// The keys that the flags name, and what is to be said about them. `now` is the moment by which
/// certificates are judged.
pub(crate) fn keys(flags: &KeyFlags, now: UnixTime) -> Result<(KeySet, Vec<String>)> {
    let (mut keys, mut warnings) = (KeySet::new(), Vec::new());
    add_keys(&mut keys, &mut warnings, flags)?;
    let findings = |key: &Key| keys.findings(key, now);
    look_over(&keys, findings, flags.strict_keys, &mut warnings)?;
    Ok((keys, warnings))
}

/// Refuses weak keys where that is asked for, else warns of them. `findings` says what makes one
/// weak.
fn look_over(
    keys: &KeySet,
    findings: impl Fn(&Key) -> Vec<KeyFinding>,
    is_strict: bool,
    warnings: &mut Vec<String>,
) -> Result<()> {
    let found: Vec<_> = keys.iter().map(|key| (key, findings(key))).collect();
    if is_strict {
        refuse_weak(&found)?;
    }
    warn_of_weak(&found, warnings);
    Ok(())
}

/// Adds the keys that the flags name. Secrets of files come first, then those of variables, then
/// key sets, then other keys, each in the order given.
pub(crate) fn add_keys(
    keys: &mut KeySet,
    warnings: &mut Vec<String>,
    flags: &KeyFlags,
) -> Result<()> {
    for secret in &flags.secret_file {
        let origin = secret.place.to_string_lossy().into_owned();
        let text = read(Path::new(&secret.place), "secret").map_err(|error| {
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
            // It may well be a secret that was typed by mistake.
            bail!(
                "the variable that --secret-env names is not set; it takes a variable's name, \
                 which is not shown here since it might be a secret{hint}"
            );
        };
        let text = Zeroizing::new(value.into_encoded_bytes());
        add_secret(keys, warnings, secret, &text, &origin)?;
    }
    for path in &flags.jwks {
        let text = read(path, "key set")?;
        (keys.add_jwks(&text, &path.display().to_string())).map_err(|mut error| {
            if is_pem_or_der(&text) {
                let hint = "; this is PEM or DER, which --key takes (key in a policy file)";
                error.problem.push_str(hint);
            }
            error
        })?;
    }
    for path in &flags.key {
        if path.is_dir() {
            add_folder(keys, warnings, path)?;
        } else {
            let text = read(path, "key")?;
            keys.add_key(&text, &path.display().to_string())?;
        }
    }
    Ok(())
}

/// Adds the keys of every file that stands in a folder, in the order of their names.
///
/// A file that cannot be read is an error, since nobody knows which tokens it would verify. One
/// that is no key, or a broken one, is set aside with a warning, as a member of a key set is; a
/// folder without a usable key is an error.
fn add_folder(keys: &mut KeySet, warnings: &mut Vec<String>, folder: &Path) -> Result<()> {
    let context = || format!("cannot read the folder of keys {}", folder.display());
    let entries: io::Result<Vec<_>> = fs::read_dir(folder).with_context(context)?.collect();
    let mut paths: Vec<_> = (entries.with_context(context)?.iter())
        .map(fs::DirEntry::path)
        .collect();
    paths.sort();
    let before = keys.len();
    let mut first = None;
    for path in paths {
        let Err(error) = add_file_of_folder(keys, &path)? else {
            continue;
        };
        warnings.push(format!("{error}; it is set aside"));
        first.get_or_insert_with(|| error.to_string());
        keys.add_unusable_file(error);
    }
    if keys.len() == before {
        let first = first.map_or_else(String::new, |error| format!("; the first file: {error}"));
        bail!(
            "no key in the folder {} can be used{first}",
            folder.display()
        );
    }
    Ok(())
}

/// Adds the keys of one file of a folder, or says why it is set aside.
fn add_file_of_folder(keys: &mut KeySet, path: &Path) -> Result<Result<(), KeyError>> {
    let found =
        fs::metadata(path).with_context(|| format!("cannot read the key {}", path.display()))?;
    let problem = if found.is_dir() {
        // Tools keep their own there, and secrets that are mounted their versions.
        let is_hidden = |name: &OsStr| name.to_string_lossy().starts_with('.');
        if path.file_name().is_some_and(is_hidden) {
            return Ok(Ok(()));
        }
        "a folder in a folder of keys, which is not entered"
    } else if !found.is_file() {
        "no regular file"
    } else if found.len() > MAX_KEY_FILE {
        TOO_LARGE
    } else {
        let text = read(path, "key")?;
        return Ok(keys.add_key(&text, &path.display().to_string()));
    };
    Ok(Err(KeyError {
        origin: path.display().to_string(),
        problem: problem.to_owned(),
    }))
}

/// What `--strict-keys` refuses, all of it at once.
fn refuse_weak(found: &[(&Key, Vec<KeyFinding>)]) -> Result<()> {
    let weak: Vec<String> = found
        .iter()
        .filter_map(|(key, findings)| {
            let codes: Vec<&str> = findings.iter().map(|finding| finding.code()).collect();
            let place = format!("{} of {}", shown(key.name()), key.origin());
            (!codes.is_empty()).then(|| format!("{place}: {}", codes.join(", ")))
        })
        .collect();
    if weak.is_empty() {
        return Ok(());
    }
    let listed = weak.iter().take(MANY).map(String::as_str);
    let mut listed: Vec<&str> = listed.collect();
    let more = format!("and {} more", weak.len() - listed.len());
    if weak.len() > listed.len() {
        listed.push(&more);
    }
    bail!("--strict-keys refuses weak keys: {}", listed.join("; "))
}

/// One warning for each thing that is wrong with keys and that a report has no place for.
fn warn_of_weak(found: &[(&Key, Vec<KeyFinding>)], warnings: &mut Vec<String>) {
    let told = [
        KeyFinding::NotoriousSecret,
        KeyFinding::CertificateExpired,
        KeyFinding::CertificateNotYetValid,
        KeyFinding::CertificateUnreadable,
        KeyFinding::PrivateMaterial,
    ];
    for finding in told {
        let names: Vec<String> = found
            .iter()
            .filter(|(_, findings)| findings.contains(&finding))
            .map(|(key, _)| format!("{} of {}", shown(key.name()), key.origin()))
            .collect();
        if let Some(first) = names.first() {
            let more = match names.len() - 1 {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let (code, meaning) = (finding.code(), finding.meaning());
            warnings.push(format!("{first}{more}: {meaning} ({code})"));
        }
    }
}

/// A name that a key set chose, fit for a terminal; a long one is cut, with a mark.
pub(crate) fn shown(name: &str) -> String {
    const MAX_CHARS: usize = 64;
    let mut shown: String = (name.chars().take(MAX_CHARS))
        .flat_map(char::escape_debug)
        .collect();
    if name.chars().nth(MAX_CHARS).is_some() {
        shown.push('…');
    }
    shown
}

/// How many keys a message lists.
const MANY: usize = 5;

/// The kernel of the flag, else of the environment, else the fastest.
pub(crate) fn kernel(flag: Option<Kernel>) -> Result<Kernel> {
    match (flag, std::env::var("JOTMILL_KERNEL")) {
        (Some(kernel), _) => Ok(kernel),
        (None, Ok(name)) if !name.is_empty() => super::flags::kernel(&name)
            .map_err(|known| anyhow!("$JOTMILL_KERNEL names {name:?}; {known}")),
        _ => Ok(Kernel::best()),
    }
}

/// Whether there is something in front of a colon that may be meant as an encoding.
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

/// Whether what was given as a key set is a key in another form.
fn is_pem_or_der(text: &[u8]) -> bool {
    let is_object = text.trim_ascii_start().starts_with(b"{");
    let is_pem = !is_object && memchr::memmem::find(text, b"-----BEGIN ").is_some();
    // In DER the length of a key takes more than a byte, mostly, and no JSON goes on like that.
    is_pem || matches!(text, [0x30, 0x81..=0xff, ..])
}

const BOM: &[u8] = b"\xef\xbb\xbf";

/// What a raw secret looks like that may be no secret at all. It is still taken as one: what a key
/// is, is never guessed from its text.
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

pub(crate) fn read(path: &Path, what: &str) -> Result<Zeroizing<Vec<u8>>> {
    use io::Read;
    let read = || {
        let mut text = Zeroizing::new(Vec::new());
        fs::File::open(path)?
            .take(MAX_KEY_FILE + 1)
            .read_to_end(&mut text)?;
        if text.len() as u64 > MAX_KEY_FILE {
            return Err(io::Error::other(TOO_LARGE));
        }
        Ok(text)
    };
    let read = read();
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
            "cannot read the {what}: what stands in place of its path looks like the key itself, \
             and is not shown; write that into a file and give its path"
        ),
        _ => format!("cannot read the {what} {}", path.display()),
    })
}

/// Whether this is no path but a JWK or PEM, which may be a private key or a secret.
fn is_like_a_key(text: &str) -> bool {
    text.contains(['{', '\n']) || text.contains("-----")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_public_key_is_recognized() {
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
