//! The results as tables for a person.

use std::fmt::Display;
use std::io::{self, Write};

use super::figures::{Bench, Measured, Rate, SelfTest, Source};

/// The width of the first column.
const NAME: usize = 22;

/// Writes everything.
pub(super) fn write(bench: &Bench, out: &mut dyn Write) -> io::Result<()> {
    let machine = &bench.machine;
    let cpu = machine
        .cpu
        .as_deref()
        .unwrap_or("a processor without a name");
    writeln!(
        out,
        "{} {} on {cpu}, {} cores, {} {}",
        bench.tool.name, bench.tool.version, machine.cores, machine.arch, machine.os
    )?;
    if let Some(load) = machine.load.filter(|load| *load > 0.5) {
        writeln!(
            out,
            "busy: a load of {load} before the start; the figures are of what is left"
        )?;
    }
    write_kernels(bench, out)?;
    for data in &bench.data {
        write_data(data, bench, out)?;
    }
    if let [first, _, ..] = &bench.data[..] {
        write_summary(bench, first, out)?;
    }
    Ok(())
}

fn write_kernels(bench: &Bench, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n{:NAME$}self-test", "kernel")?;
    for kernel in &bench.kernels {
        let state = match kernel.self_test {
            SelfTest::Passed => "passed",
            SelfTest::Failed => "FAILED, not measured",
            SelfTest::NotAvailable => "not on this processor",
        };
        let chosen = if kernel.chosen { ", chosen" } else { "" };
        writeln!(out, "{:NAME$}{state}{chosen}", kernel.name)?;
    }
    Ok(())
}

fn write_data(data: &Measured, bench: &Bench, out: &mut dyn Write) -> io::Result<()> {
    let tokens = data.tokens;
    writeln!(
        out,
        "\n{}: {} tokens, {} of them repeated and {} from the cache, {:.1} MB, {:.0} bytes a line",
        data.name,
        grouped(tokens),
        percent(Some(data.repeats.share)),
        percent(Some(data.repeats.hit_rate)),
        data.bytes as f64 / 1e6,
        data.bytes as f64 / tokens as f64
    )?;
    match &data.source {
        Source::Made {
            seed,
            shape,
            keys,
            keys_without_id,
            repeat,
        } => writeln!(
            out,
            "made with --seed {seed} --shape {shape} --keys {keys} \
             --keys-without-id {keys_without_id} --repeat {repeat}"
        )?,
        Source::Own { files } => writeln!(out, "from {}", files.join(", "))?,
    }
    writeln!(
        out,
        "{} valid, {} rejected in every round; medians of {}",
        grouped(data.valid),
        grouped(data.rejected),
        bench.rounds
    )?;

    writeln!(
        out,
        "\n{:NAME$}{RATES}{:>9}{:>10}{:>13}",
        "whole run", "scaling", "of bound", "peak memory"
    )?;
    for row in &data.threads {
        let plural = if row.threads == 1 { "" } else { "s" };
        let name = format!("{} thread{plural}", row.threads);
        let peak = row.peak_bytes.map_or("-".to_owned(), |bytes| {
            format!("{:.1} MB", bytes as f64 / 1e6)
        });
        writeln!(
            out,
            "{name:NAME$}{}{:>7.2} x{:>10}{peak:>13}",
            rates(&row.rate),
            row.scaling,
            percent(row.share_of_bound)
        )?;
    }
    if let Some(bound) = &data.bound {
        writeln!(out, "{:NAME$}{}", "the bound, 1 thread", rates(&bound.rate))?;
        let what = match bound.kernel {
            Some(kernel) => format!("the MACs alone, in {kernel}, from the keys' midstates"),
            None => "the signatures alone, by keys that were parsed before".to_owned(),
        };
        writeln!(out, "{:NAME$}{what}", "")?;
    }

    writeln!(out, "\n{:NAME$}{RATES}{:>9}", "stage, 1 thread", "share")?;
    for row in &data.stages {
        writeln!(
            out,
            "{:NAME$}{}{:>9}",
            row.stage,
            rates(&row.rate),
            percent(Some(row.share))
        )?;
    }
    writeln!(
        out,
        "{:NAME$}{:>10.1}",
        "rest of a whole run", data.rest_ns_per_token
    )?;

    let most = data.threads.last().map_or(1, |row| row.threads);
    write!(
        out,
        "\n{:NAME$}{:>10}{:>14}{:>14}",
        "kernel, ns a token", "signature", "of fastest", "1 thread"
    )?;
    if most > 1 {
        write!(out, "{:>14}", format!("{most} threads"))?;
    }
    writeln!(out)?;
    for row in &data.kernels {
        let signature = row
            .signatures
            .map_or("-".to_owned(), |rate| format!("{:.1}", rate.ns_per_token));
        let bound = data.bound.as_ref().zip(row.signatures);
        let share = bound.map(|(bound, rate)| bound.rate.ns_per_token / rate.ns_per_token);
        write!(
            out,
            "{:NAME$}{signature:>10}{:>14}",
            row.kernel,
            percent(share)
        )?;
        for run in &row.runs {
            write!(out, "{:>14.1}", run.rate.ns_per_token)?;
        }
        writeln!(out)?;
    }
    writeln!(out, "\n{:NAME$}{RATES}", "a token a call")?;
    writeln!(
        out,
        "{:NAME$}{}",
        "Validator::validate",
        rates(&data.one_by_one)
    )
}

/// The cost of each algorithm, if there are several.
fn write_summary(bench: &Bench, first: &Measured, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "\n{:NAME$}", "tokens/s by threads")?;
    for row in &first.threads {
        write!(out, "{:>14}", row.threads)?;
    }
    writeln!(out)?;
    for data in &bench.data {
        write!(out, "{:NAME$}", data.name)?;
        for row in &data.threads {
            write!(out, "{:>14}", grouped(row.rate.tokens_per_s))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// The header above [`rates`].
const RATES: &str = "  ns/token      tokens/s      GB/s";

fn rates(rate: &Rate) -> String {
    format!(
        "{:>10.1}{:>14}{:>10.2}",
        rate.ns_per_token,
        grouped(rate.tokens_per_s),
        rate.gb_per_s
    )
}

/// A whole number with thousands separators.
fn grouped(number: impl Display) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn percent(share: Option<f64>) -> String {
    share.map_or("-".to_owned(), |share| format!("{:.1} %", 100.0 * share))
}
