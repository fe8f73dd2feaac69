//! The formats of a corpus of logs.
//!
//! Owns their names and the table of what each can hold; how a record is written is in `access`,
//! `messages`, `records` and `documents`.

use std::fmt;
use std::str::FromStr;

use super::entry::Entry;
use super::piece::Piece;
use super::place::Place;
use super::{access, documents, messages, records};
use crate::error::SpecError;

/// A format of logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LogFormat {
    /// nginx: the combined format, with the headers `Authorization` and `Cookie`.
    Nginx,
    /// Apache: the same with other times.
    Apache,
    /// Envoy: its default format, with the header `Authorization`.
    Envoy,
    /// An application load balancer of AWS.
    Alb,
    /// CloudFront: standard logs, separated by tabs.
    CloudFront,
    /// An access log as JSON Lines.
    Json,
    /// Kubernetes audit events as JSON Lines.
    K8sAudit,
    /// OpenTelemetry logs: one JSON document.
    Otlp,
    /// An export to CSV, with line breaks in fields.
    Csv,
    /// An HTTP archive: one JSON document.
    Har,
    /// Applications in Java, Python and Go.
    Application,
    /// syslog, of RFC 3164 and RFC 5424.
    Syslog,
}

/// What a format can hold, and how it is written.
pub(super) struct Layout {
    pub(super) name: &'static str,
    /// The name of its file.
    pub(super) file: &'static str,
    pub(super) places: &'static [Place],
    /// Whether it has room for the header `Authorization`.
    pub(super) has_credentials: bool,
    /// Whether a record can end in the middle, where its line was too long.
    pub(super) is_cut_by_lines: bool,
    /// Whether all of it is ASCII.
    pub(super) is_ascii: bool,
    pub(super) head: &'static str,
    /// Writes a record, and gives the number of digits that its time has behind the second.
    pub(super) record: fn(&mut Piece, &mut Entry) -> u32,
    pub(super) tail: &'static str,
}

impl LogFormat {
    /// Every format.
    pub const ALL: &[LogFormat] = &[
        LogFormat::Nginx,
        LogFormat::Apache,
        LogFormat::Envoy,
        LogFormat::Alb,
        LogFormat::CloudFront,
        LogFormat::Json,
        LogFormat::K8sAudit,
        LogFormat::Otlp,
        LogFormat::Csv,
        LogFormat::Har,
        LogFormat::Application,
        LogFormat::Syslog,
    ];

    pub(super) const fn layout(self) -> &'static Layout {
        match self {
            LogFormat::Nginx => &access::NGINX,
            LogFormat::Apache => &access::APACHE,
            LogFormat::Envoy => &access::ENVOY,
            LogFormat::Alb => &access::ALB,
            LogFormat::CloudFront => &access::CLOUDFRONT,
            LogFormat::Json => &records::JSON,
            LogFormat::K8sAudit => &records::K8S_AUDIT,
            LogFormat::Otlp => &documents::OTLP,
            LogFormat::Csv => &messages::CSV,
            LogFormat::Har => &documents::HAR,
            LogFormat::Application => &messages::APPLICATION,
            LogFormat::Syslog => &messages::SYSLOG,
        }
    }

    /// What it is called on the command line.
    pub fn name(self) -> &'static str {
        self.layout().name
    }

    /// The name of its file in a corpus.
    pub fn file(self) -> &'static str {
        self.layout().file
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for LogFormat {
    type Err = SpecError;

    /// # Errors
    /// Any text but a name of a format.
    fn from_str(text: &str) -> Result<LogFormat, SpecError> {
        let mut all = LogFormat::ALL.iter().copied();
        all.find(|format| format.name() == text)
            .ok_or_else(|| SpecError::UnknownLogFormat {
                name: text.to_owned(),
            })
    }
}
