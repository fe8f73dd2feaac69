//! Weak keys: refused under `--strict-keys`, else warned of.

use anyhow::{Result, bail};
use jotmill::{Key, KeyFinding, KeySet};

/// How many keys a message lists.
const MANY: usize = 5;

/// Refuses weak keys if `is_strict`, else warns of them. `findings` says why a key is weak.
pub(super) fn refuse_or_warn(
    keys: &KeySet,
    findings: impl Fn(&Key) -> Vec<KeyFinding>,
    is_strict: bool,
    warnings: &mut Vec<String>,
) -> Result<()> {
    let found: Vec<_> = keys.iter().map(|key| (key, findings(key))).collect();
    if is_strict {
        refuse(&found)?;
    }
    warn(&found, warnings);
    Ok(())
}

/// An error that lists the weak keys, if there are any.
fn refuse(found: &[(&Key, Vec<KeyFinding>)]) -> Result<()> {
    let weak: Vec<String> = found
        .iter()
        .filter_map(|(key, findings)| {
            let weak = findings.iter().filter(|finding| finding.is_weakness());
            let codes: Vec<&str> = weak.map(|finding| finding.code()).collect();
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

/// One warning for each finding that a report has no place for.
fn warn(found: &[(&Key, Vec<KeyFinding>)], warnings: &mut Vec<String>) {
    let findings = [
        KeyFinding::NotoriousSecret,
        KeyFinding::CertificateExpired,
        KeyFinding::CertificateNotYetValid,
        KeyFinding::CertificateUnreadable,
        KeyFinding::PrivateMaterial,
        KeyFinding::CertificateAuthority,
        KeyFinding::NotCanonical,
    ];
    for finding in findings {
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

/// A name from a key set, escaped for a terminal and shortened.
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
