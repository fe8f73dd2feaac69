//! Flags on how inputs are read, and at which time tokens are judged.

use std::num::NonZero;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use jotmill::{InputForm, LogZone, TimeForm};

/// How tokens lie in the inputs, and which time counts.
#[derive(Args)]
#[command(next_help_heading = "Input")]
pub(crate) struct InputFlags {
    /// How tokens lie in the inputs: auto looks at the first 64 KiB of each; tokens takes every line
    /// for a token; text finds tokens anywhere.
    #[arg(long, value_name = "FORM", value_parser = form(), default_value = InputForm::Auto.name())]
    pub(crate) input: InputForm,
    /// In text, also find tokens in one more layer of base64.
    #[arg(long)]
    pub(crate) decode: bool,
    /// Judge only one in N tokens, chosen by a hash of the token: the same ones in every run and file.
    #[arg(long, value_name = "1/N", value_parser = sample)]
    pub(crate) sample: Option<NonZero<u64>>,
    /// Judge each token at the time of its line (auto), or at --now (none).
    #[arg(long, value_name = "WHICH", value_enum, default_value_t = TimeSource::None)]
    pub(crate) time: TimeSource,
    /// The form of times in the input [default: any that is known].
    #[arg(long, value_name = "FORM", value_parser = time_form())]
    pub(crate) time_format: Option<TimeForm>,
    /// The zone of times that have none: an offset (+02:00) or a name (Europe/Berlin)
    /// [default: UTC].
    #[arg(long, value_name = "ZONE", value_parser = zone)]
    pub(crate) time_zone: Option<LogZone>,
}

/// Which time tokens are judged at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TimeSource {
    /// The first time on the line of the token, outside of tokens.
    Auto,
    /// The instant of the run.
    None,
}

fn form() -> impl TypedValueParser<Value = InputForm> {
    let names = InputForm::ALL.iter().map(|form| form.name());
    PossibleValuesParser::new(names).map(|name| {
        let form = InputForm::ALL.iter().find(|form| form.name() == name);
        form.copied().unwrap_or_default()
    })
}

fn time_form() -> impl TypedValueParser<Value = TimeForm> {
    let names = TimeForm::ALL.iter().map(|form| form.name());
    PossibleValuesParser::new(names).try_map(|name| name.parse::<TimeForm>())
}

fn sample(text: &str) -> Result<NonZero<u64>, String> {
    let one_in = text.strip_prefix("1/").and_then(|text| text.parse().ok());
    one_in.ok_or_else(|| "a sample is 1/N, such as 1/100".to_owned())
}

fn zone(text: &str) -> Result<LogZone, String> {
    text.parse()
        .map_err(|error: jotmill::UnknownZone| error.to_string())
}
