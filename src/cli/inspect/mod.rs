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
mod pasted;
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
    if flags.token.as_ref().is_none_or(|token| token == "-") {
        args::stdin::take()?;
    }
    // Read once: a policy or a key may come from a pipe.
    let rules = args::Rules::new(&flags.policy, &flags.keys)?;
    let now = rules.now();
    let mut validator = None;
    if !rules.has_no_key() {
        let (found, warnings) = rules.clone().validator()?;
        for warning in warnings {
            message!("warning: {warning}");
        }
        validator = Some(found);
    }
    let input = read(flags)?;
    let limit = match &validator {
        Some(validator) => validator.policy().token_limit(),
        None => args::policy(&flags.policy)?.token_limit(),
    };
    let (token, place) = pasted::token(&input, limit)?;
    let token = &*token;
    // With several issuers, the explanation is by the one policy that judges this token.
    if let Some(several) = validator
        .as_ref()
        .filter(|found| found.policies().len() > 1)
        && let Some(number) = several.policy_index(token)
    {
        validator = Some(rules.validator_of(number)?);
    }
    let policy = match &validator {
        Some(validator) => validator.policy().clone(),
        None => args::policy(&flags.policy)?,
    };
    let mut explanation = Explanation::new(token, validator.as_ref(), &policy, now);
    explanation.place = place;
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
            message!("paste a token, or a text with one in it, then end with Ctrl-D");
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
    Ok(token)
}

/// The token of a text, by the rules of `audit`: a line ends with LF or CR LF, spaces
/// and tabs around a token are no part of it, and blank lines do not count. A line of more than
/// `limit` bytes is returned whole, since it is too long before it is trimmed.
fn only_line(text: &[u8], limit: usize) -> Result<&[u8]> {
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    let tokens = lines.map(|line| {
        let line = match line {
            [line @ .., b'\r', b'\n'] | [line @ .., b'\n'] => line,
            _ => line,
        };
        let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
        let first = line.iter().position(|byte| !is_blank(byte));
        let last = line.iter().rposition(|byte| !is_blank(byte));
        match (first, last) {
            _ if line.len() > limit => line,
            (Some(first), Some(last)) => &line[first..=last],
            _ => &[],
        }
    });
    let mut tokens = tokens.filter(|token| !token.is_empty());
    let Some(token) = tokens.next() else {
        bail!("no token; give one as an argument or on standard input");
    };
    // The explanation says that there is more than one line.
    if tokens.next().is_some() {
        return Ok(text.trim_ascii());
    }
    Ok(token)
}

#[cfg(test)]
mod tests;
