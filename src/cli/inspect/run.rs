//! The command: reads the token and the keys, and turns the outcome into an exit code.

use std::io::{self, IsTerminal, Read, Write};

use anyhow::{Context, Result, bail};
use zeroize::Zeroizing;

use super::{InspectOptions, Outcome, explain};
use crate::cli::flags::{InspectFlags, PageFormat};
use crate::cli::{Exit, args, audit};

/// More than any token that can be shown.
const MAX_INPUT: u64 = 64 << 20;

/// Explains the token that the flags give.
pub(crate) fn run(flags: &InspectFlags) -> Result<Exit> {
    let rules = || args::Rules::new(&flags.policy, &flags.keys);
    let judged_by = rules()?;
    let now = judged_by.now();
    let (validator, policy) = if judged_by.has_no_key() {
        (None, args::policy(&flags.policy)?)
    } else {
        let (validator, warnings) = judged_by.validator()?;
        for warning in warnings {
            tell!("warning: {warning}");
        }
        let policy = validator.policy().clone();
        (Some(validator), policy)
    };
    let token = read(flags)?;
    // Of several policies the one that the token is judged by is all there is to explain.
    let validator = match validator {
        Some(validator) if validator.policies().len() > 1 => {
            match validator.policy_index(token.trim_ascii()) {
                Some(number) => Some(rules()?.only(number).validator()?.0),
                None => Some(validator),
            }
        }
        other => other,
    };
    let stdout = io::stdout();
    let options = InspectOptions {
        color: flags.color.or(audit::may_color(stdout.is_terminal())),
        width: 80,
        json: flags.format == PageFormat::Json,
    };
    let mut page = Vec::new();
    let outcome = explain(
        token.trim_ascii(),
        validator.as_ref(),
        &policy,
        now,
        &options,
        &mut page,
    )?;
    let mut stdout = stdout.lock();
    stdout
        .write_all(&page)
        .and_then(|()| stdout.flush())
        .context("cannot write the page")?;
    Ok(match outcome {
        Outcome::Valid => Exit::Valid,
        Outcome::Rejected => Exit::Rejected,
        Outcome::NotVerified => Exit::CannotJudge,
    })
}

/// The token: the argument, or standard input to its end.
fn read(flags: &InspectFlags) -> Result<Zeroizing<Vec<u8>>> {
    const NO_TOKEN: &str = "no token; give one as an argument or on standard input";
    if let Some(token) = flags.token.as_ref().filter(|token| *token != "-") {
        if token.trim().is_empty() {
            bail!(NO_TOKEN);
        }
        return Ok(Zeroizing::new(token.clone().into_bytes()));
    }
    let stdin = io::stdin();
    if stdin.is_terminal() {
        tell!("paste a token, then end with Ctrl-D");
    }
    let mut token = Zeroizing::new(Vec::new());
    stdin
        .lock()
        .take(MAX_INPUT + 1)
        .read_to_end(&mut token)
        .context("cannot read standard input")?;
    if token.len() as u64 > MAX_INPUT {
        bail!("standard input holds more than 64 MiB, which is no token; audit reads logs");
    }
    // As audit does: some editors write a byte order mark in front.
    if token.starts_with(b"\xef\xbb\xbf") {
        token.drain(..3);
    }
    if token.trim_ascii().is_empty() {
        bail!(NO_TOKEN);
    }
    Ok(token)
}
