//! `jotmill inspect`: one token, decoded and explained stage by stage.
//!
//! This module owns the command: it reads the token and its keys, builds an `Explanation`, and has
//! `text` or `json` spell it. Nothing here decides anything: the verdict comes from the library's
//! `Validator`. The library's claims exist only where a signature holds, so header and payload are
//! decoded for display by code of this module.

mod claims;
mod columns;
mod dates;
mod escape;
mod explanation;
mod facts;
mod glossary;
mod json;
mod json_layout;
mod json_text;
mod keys;
mod note;
mod reasons;
mod segment;
mod text;

use std::io::{self, IsTerminal, Read, Write};

use anyhow::{Context, Result, bail};

use zeroize::Zeroizing;

use self::explanation::Explanation;
use self::facts::Outcome;
use super::flags::{InspectFlags, PageFormat};
use super::{Exit, args, audit};

/// Larger input is refused before it is read whole.
const MAX_INPUT: u64 = 64 << 20;

/// The columns of the text page.
const WIDTH: usize = 80;

/// Explains the token that the flags give.
pub(crate) fn run(flags: &InspectFlags) -> Result<Exit> {
    let rules = || args::Rules::new(&flags.policy, &flags.keys);
    let all_rules = rules()?;
    let now = all_rules.now();
    let mut validator = None;
    if !all_rules.has_no_key() {
        let (found, warnings) = all_rules.validator()?;
        for warning in warnings {
            message!("warning: {warning}");
        }
        validator = Some(found);
    }
    let input = read(flags)?;
    let token = input.trim_ascii();
    // With several issuers, the explanation is by the one policy that judges this token.
    if let Some(several) = validator
        .as_ref()
        .filter(|found| found.policies().len() > 1)
        && let Some(number) = several.policy_index(token)
    {
        validator = Some(rules()?.only(number).validator()?.0);
    }
    let policy = match &validator {
        Some(validator) => validator.policy().clone(),
        None => args::policy(&flags.policy)?,
    };
    let explanation = Explanation::new(token, validator.as_ref(), &policy, now);
    let mut stdout = io::stdout().lock();
    let output = match flags.format {
        PageFormat::Json => json::document(&explanation),
        PageFormat::Text => {
            let color = flags.color.or(audit::may_color(stdout.is_terminal()));
            text::page(&explanation, WIDTH, color)
        }
    };
    stdout
        .write_all(output.as_bytes())
        .and_then(|()| stdout.flush())
        .context("cannot write the explanation")?;
    Ok(match explanation.facts.outcome {
        Outcome::Valid => Exit::Valid,
        Outcome::Rejected => Exit::Rejected,
        Outcome::NotVerified => Exit::CannotJudge,
    })
}

/// The token: the argument, or all of standard input.
fn read(flags: &InspectFlags) -> Result<Zeroizing<Vec<u8>>> {
    let mut token = Zeroizing::new(Vec::new());
    if let Some(argument) = flags.token.as_ref().filter(|token| *token != "-") {
        token.extend_from_slice(argument.as_bytes());
    } else {
        let stdin = io::stdin();
        if stdin.is_terminal() {
            message!("paste a token, then end with Ctrl-D");
        }
        let mut limited = stdin.lock().take(MAX_INPUT + 1);
        limited
            .read_to_end(&mut token)
            .context("cannot read standard input")?;
        if token.len() as u64 > MAX_INPUT {
            bail!("standard input holds more than 64 MiB, which is no token; audit reads logs");
        }
        // As audit does: some editors write a byte order mark in front.
        if token.starts_with(b"\xef\xbb\xbf") {
            token.drain(..3);
        }
    }
    if token.trim_ascii().is_empty() {
        bail!("no token; give one as an argument or on standard input");
    }
    Ok(token)
}

#[cfg(test)]
mod tests;
