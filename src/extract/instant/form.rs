//! The forms of time that a user can name, and the layouts that each consists of.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

/// How the times of a log are written, for `--time-format`: named after what writes such logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TimeForm {
    /// RFC 3339 and ISO 8601: `2025-10-10T13:55:36.123+02:00`, also with a space.
    Rfc3339,
    /// Seconds since 1970, with or without decimals: `1760104536.123`.
    Unix,
    /// Milliseconds since 1970.
    UnixMs,
    /// Microseconds since 1970.
    UnixUs,
    /// Nanoseconds since 1970.
    UnixNs,
    /// Access and error logs of Apache.
    Apache,
    /// Access and error logs of nginx.
    Nginx,
    /// RFC 3164 and RFC 5424.
    Syslog,
    /// The default of Go's package log.
    Go,
    /// The default of Python's logging.
    Python,
    /// The defaults of Log4j, Logback, Tomcat and java.util.logging.
    Java,
    /// klog, audit logs and container logs.
    Kubernetes,
    /// HTTP archives.
    Har,
    /// HTTP and mail dates (RFC 9110 section 5.6.7, RFC 5322 section 3.3).
    Http,
    /// C's ctime, git and `date`.
    Ctime,
    /// CloudFront's columns of date and time, always in UTC.
    CloudFront,
    /// Access logs of AWS load balancers.
    Alb,
}

impl TimeForm {
    /// Every form, in the order of the help text.
    pub const ALL: &'static [Self] = &[
        Self::Rfc3339,
        Self::Unix,
        Self::UnixMs,
        Self::UnixUs,
        Self::UnixNs,
        Self::Apache,
        Self::Nginx,
        Self::Syslog,
        Self::Go,
        Self::Python,
        Self::Java,
        Self::Kubernetes,
        Self::Har,
        Self::Http,
        Self::Ctime,
        Self::CloudFront,
        Self::Alb,
    ];

    /// The name on the command line; it does not change.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rfc3339 => "rfc3339",
            Self::Unix => "unix",
            Self::UnixMs => "unix-ms",
            Self::UnixUs => "unix-us",
            Self::UnixNs => "unix-ns",
            Self::Apache => "apache",
            Self::Nginx => "nginx",
            Self::Syslog => "syslog",
            Self::Go => "go",
            Self::Python => "python",
            Self::Java => "java",
            Self::Kubernetes => "kubernetes",
            Self::Har => "har",
            Self::Http => "http",
            Self::Ctime => "ctime",
            Self::CloudFront => "cloudfront",
            Self::Alb => "alb",
        }
    }

    /// An example or two, for the help text.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Rfc3339 => "2025-10-10T13:55:36.123+02:00, also with a space or without a zone",
            Self::Unix => "seconds since 1970, such as 1760104536 or 1760104536.123",
            Self::UnixMs => "milliseconds since 1970, such as 1760104536123",
            Self::UnixUs => "microseconds since 1970",
            Self::UnixNs => "nanoseconds since 1970",
            Self::Apache => "[10/Oct/2025:13:55:36 +0200] or [Fri Oct 10 13:55:36.123456 2025]",
            Self::Nginx => "[10/Oct/2025:13:55:36 +0200] or 2025/10/10 13:55:36",
            Self::Syslog => "Oct 10 13:55:36 (RFC 3164) or 2025-10-10T13:55:36Z (RFC 5424)",
            Self::Go => "2025/10/10 13:55:36.123456",
            Self::Python => "2025-10-10 13:55:36,123",
            Self::Java => {
                "2025-10-10 13:55:36,123, 10-Oct-2025 13:55:36.123 or Oct 10, 2025 1:55:36 PM"
            }
            Self::Kubernetes => "I1010 13:55:36.123456 or 2025-10-10T13:55:36.123456Z",
            Self::Har => "startedDateTime, 2025-10-10T13:55:36.123Z",
            Self::Http => "Fri, 10 Oct 2025 13:55:36 GMT",
            Self::Ctime => "Fri Oct 10 13:55:36 2025",
            Self::CloudFront => "2025-10-10, a tab, 13:55:36, in UTC",
            Self::Alb => "2025-10-10T13:55:36.123456Z",
        }
    }

    pub(super) const fn layouts(self) -> Layouts {
        match self {
            Self::Rfc3339 | Self::Python | Self::Har | Self::Alb => Layouts::ISO,
            Self::Unix => Layouts::SECONDS,
            Self::UnixMs => Layouts::MILLIS,
            Self::UnixUs => Layouts::MICROS,
            Self::UnixNs => Layouts::NANOS,
            Self::Apache => Layouts::DAY_MONTH_YEAR.or(Layouts::CTIME),
            Self::Nginx => Layouts::DAY_MONTH_YEAR.or(Layouts::SLASHES),
            Self::Syslog => Layouts::MONTH_DAY.or(Layouts::ISO),
            Self::Go => Layouts::SLASHES,
            Self::Java => Layouts::ISO
                .or(Layouts::MONTH_DAY_YEAR)
                .or(Layouts::DAY_MONTH_YEAR),
            Self::Kubernetes => Layouts::KLOG.or(Layouts::ISO),
            Self::Http => Layouts::DAY_MONTH_YEAR,
            Self::Ctime => Layouts::CTIME,
            Self::CloudFront => Layouts::ISO.or(Layouts::IN_UTC),
        }
    }
}

/// The name.
impl fmt::Display for TimeForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for TimeForm {
    type Err = UnknownTimeForm;

    fn from_str(name: &str) -> Result<Self, UnknownTimeForm> {
        let form = Self::ALL.iter().copied().find(|form| form.name() == name);
        form.ok_or(UnknownTimeForm)
    }
}

/// No [`TimeForm`] has this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownTimeForm;

impl fmt::Display for UnknownTimeForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unknown time format; the formats are")?;
        for (number, form) in TimeForm::ALL.iter().enumerate() {
            let separator = if number == 0 { "" } else { "," };
            write!(f, "{separator} {form}")?;
        }
        Ok(())
    }
}

impl Error for UnknownTimeForm {}

/// A set of layouts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layouts(u16);

impl Layouts {
    /// `2025-10-10T13:55:36`, also with a space or a tab.
    pub(super) const ISO: Self = Self(1);
    /// `2025/10/10 13:55:36`.
    pub(super) const SLASHES: Self = Self(1 << 1);
    /// `10/Oct/2025:13:55:36`, and with `-` or spaces in the date.
    pub(super) const DAY_MONTH_YEAR: Self = Self(1 << 2);
    /// `Oct 10 13:55:36`, the day padded by a space.
    pub(super) const MONTH_DAY: Self = Self(1 << 3);
    /// `Fri Oct 10 13:55:36 2025`, perhaps with a zone before or after the year.
    pub(super) const CTIME: Self = Self(1 << 4);
    /// `Oct 10, 2025 1:55:36 PM`, with or without the commas and the `PM`.
    pub(super) const MONTH_DAY_YEAR: Self = Self(1 << 5);
    /// `I1010 13:55:36.123456`.
    pub(super) const KLOG: Self = Self(1 << 6);
    /// A number of seconds since 1970.
    pub(super) const SECONDS: Self = Self(1 << 7);
    /// A number of milliseconds since 1970.
    pub(super) const MILLIS: Self = Self(1 << 8);
    /// A number of microseconds since 1970.
    pub(super) const MICROS: Self = Self(1 << 9);
    /// A number of nanoseconds since 1970.
    pub(super) const NANOS: Self = Self(1 << 10);
    /// Any layout.
    pub(super) const ALL: Self = Self((1 << 11) - 1);
    /// No layout, but a property of them: a time without a zone is in UTC.
    pub(super) const IN_UTC: Self = Self(1 << 11);

    pub(super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}
